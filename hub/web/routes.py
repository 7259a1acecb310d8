"""Every URL of the product on one screen. `application` is what hub.app serves."""

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from hub.commands import COMMANDS
from hub.commands.exports import EXPORTS
from hub.commands.files import FILES
from hub.web import (
    console,
    demo,
    exports,
    files,
    first_run,
    forgotten,
    forms,
    health,
    live_ticket,
    message_page,
    openapi,
    pages,
    poll,
    preview,
    problem,
    rest,
    second_step,
    session,
    settings,
    setup,
    socket,
    webhooks,
    widget,
)
from hub.web.auth import CREDENTIALS, Credentials
from hub.web.keys import DESK, Desk
from hub.web.middleware import dress, guard, security_headers
from hub.web.tree import Tree

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

# For people, providers and machines: not part of the API, so not in its document.
PAGES: Final[tuple[tuple[str, str, Handler], ...]] = (
    ("GET", "/", console.home),
    ("GET", "/sign-in", console.sign_in),
    ("POST", "/sign-in", console.signed_in),
    ("POST", second_step.PATH, second_step.code),
    ("POST", second_step.ENROL, second_step.enrol),
    ("POST", "/sign-out", console.sign_out),
    ("GET", "/forgot", forgotten.forgot),
    ("POST", "/forgot", forgotten.forgot_it),
    ("GET", "/address/{secret}", forgotten.address),
    ("POST", "/address/{secret}", forgotten.confirm),
    ("GET", "/inbox", console.console),
    ("GET", r"/inbox/{number:\d+}", console.console),
    ("GET", "/queue", console.console),
    ("GET", "/contacts", console.console),
    ("GET", r"/contacts/{id:\d+}", console.console),
    ("GET", "/preferences", console.console),
    ("GET", "/board", console.console),
    ("GET", "/day", console.console),
    *settings.PAGES,
    ("GET", "/demo", demo.demo),
    ("GET", "/setup/{secret}", setup.setup),
    ("POST", "/setup/{secret}", setup.set_up),
    ("GET", "/welcome", first_run.welcome),
    ("GET", "/welcome/state", first_run.state),
    ("POST", "/welcome/token", first_run.make_token),
    ("POST", "/welcome/sample", first_run.sample),
    ("POST", "/welcome/dismiss", first_run.dismiss),
    ("GET", "/welcome/{step}", first_run.step),
    ("POST", "/welcome/{step}", first_run.take),
    ("GET", "/join/{secret}", setup.join),
    ("POST", "/join/{secret}", setup.joined),
    ("GET", "/static/{version}/{name:.+}", pages.static),
    ("GET", "/healthz", health.healthz),
    ("GET", "/metrics", health.metrics),
    ("GET", "/problems/{kind}", problem.explain),
    ("GET", "/f/{token}", forms.page),
    ("POST", "/f/{token}", forms.page),
    ("GET", "/f/{token}/{path}", forms.page),
    ("POST", "/f/{token}/{path}", forms.page),
    ("GET", "/w/{token}.js", widget.loader),
    ("GET", "/w/{token}/frame", widget.frame),
    ("GET", "/w/{token}/state", widget.state),
    ("OPTIONS", "/w/{token}/state", widget.state),
    ("POST", "/preview", preview.make),
    ("GET", r"/preview/{look:[\w-]+}", preview.shop),
    ("GET", r"/preview/{look:[\w-]+}/w.js", preview.loader),
    ("GET", r"/preview/{look:[\w-]+}/w/frame", preview.frame),
    ("GET", r"/m/{id:\d{1,18}}/body", message_page.show),
    ("GET", r"/m/{id:\d{1,18}}/original", message_page.original),
    ("GET", r"/m/{id:\d{1,18}}/picture", message_page.picture),
    ("GET", "/files/{id}", files.show),
    ("PUT", "/files/{id}", files.put),
    ("POST", "/in/{token}", webhooks.take),
    ("GET", "/live", socket.live),
    ("POST", "/live/poll", poll.start),
    ("POST", "/live/poll/{id}", poll.go_on),
)

# The API: its document, the session, and one line for each row of the command table.
API: Final[tuple[tuple[str, str, Handler], ...]] = (
    ("GET", openapi.PATH, openapi.document),
    ("POST", session.PATH, session.sign_in),
    ("DELETE", session.PATH, session.sign_out),
    ("POST", live_ticket.PATH, live_ticket.create),
    *((command.method, rest.PREFIX + command.path, rest.handler(command)) for command in COMMANDS),
    *((command.method, rest.PREFIX + command.path, exports.handler(command)) for command in EXPORTS),
    *((command.method, rest.PREFIX + command.path, files.HANDLERS[command.name]) for command in FILES),
)

ROUTES: Final = (*PAGES, *API)


def application(desk: Desk) -> web.Application:
    app = web.Application(middlewares=[guard(desk.config)])
    app[DESK] = desk
    mount(app)
    return app


def mount(app: web.Application) -> None:
    """Puts every route, and what all of them need, on an application that has its desk."""
    desk = app[DESK]
    credentials = app[CREDENTIALS] = Credentials(desk)
    desk.store.committed.append(lambda events, _enqueued: credentials.heard(events))  # ours, before they are answered
    desk.stream.subscribe(credentials.heard)  # and those of other processes
    app.on_shutdown.append(_send_home)
    exports.mount(app)
    app.on_response_prepare.append(dress(security_headers(desk.config)))
    api = Tree(rest.PREFIX)
    for method, path, handler in ROUTES:
        for each in ("GET", "HEAD") if method == "GET" else (method,):
            if path.startswith(f"{rest.PREFIX}/"):
                api.add(each, path.removeprefix(rest.PREFIX), handler, _when_it_is_read)
            else:
                app.router.add_route(each, path, handler, expect_handler=_when_it_is_read)
    app.router.register_resource(api)


async def _when_it_is_read(request: web.Request) -> None:
    """`Expect: 100-continue` is answered by hub.web.body, once the caller is known and the size is found good."""


async def _send_home(app: web.Application) -> None:
    app[DESK].live.close()
