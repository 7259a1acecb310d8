"""Allowing the desk into a mailbox without a password, and what comes back that nobody asked for."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import pytest_asyncio

from hub.clock import MINUTE
from hub.desk import inboxes
from hub.staff.access import DESK
from tests.fixtures.desk import URL, DeskClient
from tests.providers.oauth_server import CLIENT, SECRET, OAuthServer
from tests.web.settings.pages import look, text

BACK = f"{URL}/settings/inboxes/consent"


@pytest_asyncio.fixture
async def provider(sqlite_desk_client: DeskClient) -> AsyncIterator[OAuthServer]:
    async with OAuthServer(BACK) as server:
        sqlite_desk_client.desk.runner.http._allowed = frozenset({server.host})
        sqlite_desk_client.store.allowed_hosts = frozenset({server.host})
        yield server


async def made(desk: DeskClient, provider: OAuthServer, **more: Any) -> int:
    settings = {
        "address": "help@shop.example",
        "sign_in": "oauth2",
        "authorize_url": provider.authorize_url,
        "exchange_url": provider.token_url,
        "client_id": CLIENT,
        "client_secret": SECRET,
        "allow_http": True,
    } | more
    found = await desk.store.write(
        lambda tx: inboxes.create(tx, DESK, kind="email", name="Help", settings=settings, enabled=False)
    )
    return found.id


async def test_an_administrator_allows_it_and_the_desk_stays_signed_in(
    sqlite_desk_client: DeskClient, provider: OAuthServer
) -> None:
    desk, inbox = sqlite_desk_client, await made(sqlite_desk_client, provider)
    page = await look(desk, f"/settings/inboxes/{inbox}")
    assert BACK in text(page) and f"/settings/inboxes/{inbox}/consent" in page.body.decode()
    off = await look(desk, f"/settings/inboxes/{inbox}/consent")
    assert off.status == 303
    where = urlsplit(provider.allow(off.headers["Location"]))
    done = await look(desk, f"{where.path}?{where.query}")
    assert done.status == 303 and done.headers["Location"] == f"/settings/inboxes/{inbox}?done=checking"
    found = await desk.store.read(inboxes.by_id, inbox)
    assert found is not None and "refresh_token" in found.sealed
    page = await look(desk, f"/settings/inboxes/{inbox}")
    assert "Allow it once more" in text(page) and not any(one in page.body.decode() for one in provider.refresh)
    again = await look(desk, f"{where.path}?{where.query}")
    assert "invalid_grant" in text(again), "a code holds once"


async def test_tokens_turn_and_the_newest_is_kept_through_a_restart(
    sqlite_desk_client: DeskClient, provider: OAuthServer
) -> None:
    desk, inbox_id = sqlite_desk_client, await made(sqlite_desk_client, provider)
    off = await look(desk, f"/settings/inboxes/{inbox_id}/consent")
    where = urlsplit(provider.allow(off.headers["Location"]))
    await look(desk, f"{where.path}?{where.query}")
    for _ in range(3):
        inbox = await desk.store.read(inboxes.by_id, inbox_id)
        assert inbox is not None
        connector: Any = desk.desk.runner.connector(inbox)  # made anew each time, as after a restart
        token = await connector._sign_in.token()
        assert token in provider.access and token == await connector._sign_in.token()
        assert len(provider.refresh) == 1
    kept = await desk.store.read(lambda rx: rx.rows("SELECT value FROM connector_memory"))
    assert not any(one in str(kept) for one in provider.refresh), "what is kept is sealed"


async def test_what_nobody_asked_for_is_refused(sqlite_desk_client: DeskClient, provider: OAuthServer) -> None:
    desk, inbox = sqlite_desk_client, await made(sqlite_desk_client, provider)
    off = await look(desk, f"/settings/inboxes/{inbox}/consent")
    where = urlsplit(provider.allow(off.headers["Location"]))
    query = where.query
    forged = [query.replace("state=", "state=x"), query.partition("&")[0], "code=1&state=", "code=1&state=s1.a.b"]
    for one in forged:
        assert (await look(desk, f"{where.path}?{one}")).status in (403, 404)
    assert (await look(desk, f"{where.path}?{query}", "supervisor")).status in (403, 404), (
        "another administrator's answer"
    )
    assert (await look(desk, f"{where.path}?{query}", "agent")).status == 403
    desk.clock.advance(16 * MINUTE)
    assert (await look(desk, f"{where.path}?{query}")).status == 404
    found = await desk.store.read(inboxes.by_id, inbox)
    assert found is not None and "refresh_token" not in found.sealed


async def test_what_goes_wrong_is_said_on_the_page(sqlite_desk_client: DeskClient, provider: OAuthServer) -> None:
    desk, inbox = sqlite_desk_client, await made(sqlite_desk_client, provider)
    path = f"/settings/inboxes/{inbox}/consent"
    for script, said in ((503, "503"), ("no refresh", "no refresh token")):
        where = urlsplit(provider.allow((await look(desk, path)).headers["Location"]))
        provider.script.append(script)
        assert said in text(await look(desk, f"{where.path}?{where.query}"))
    where = urlsplit(provider.allow((await look(desk, path)).headers["Location"]))
    state = where.query.partition("state=")[2]
    refused = await look(desk, f"{where.path}?error=access_denied&error_description=<b>No</b>&state={state}")
    assert "<b>No</b>" in text(refused) and "<b>No</b>" not in refused.body.decode()
    bare = await made_without_client(desk)
    assert "client ID" in text(await look(desk, f"/settings/inboxes/{bare}/consent"))


async def made_without_client(desk: DeskClient) -> int:
    settings = {"address": "help@shop.example", "sign_in": "google"}
    found = await desk.store.write(
        lambda tx: inboxes.create(tx, DESK, kind="email", name="Bare", settings=settings, enabled=False)
    )
    return found.id
