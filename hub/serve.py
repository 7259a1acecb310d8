"""The process of a running desk: from settings to an orderly end. Called by hub.cli."""

import asyncio
import contextlib
import dataclasses
import gc
import importlib
import os
import signal
import socket
import sys
from typing import Final

import structlog

from hub import app
from hub.config import Config, complete, is_loopback
from hub.errors import StartRefused
from hub.staff import one_time
from hub.web import control, pages, protocol, server

log = structlog.get_logger("desk")

# A unit in the database's thread waits for the loop to give up Python's lock: 5 ms by default, which is an age.
SWITCH_SECONDS: Final = 0.0002
ANSWER_SECONDS: Final = 10.0  # with what jobs get in hub.app, well within the 30 s that Docker waits
WARM_UP_AFTER_SECONDS: Final = 1.0
_STOP: Final = (signal.SIGTERM, signal.SIGINT)
_IGNORED: Final = (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)


def run(config: Config) -> None:
    """Serves until SIGTERM or Ctrl-C. Raises StartRefused where it does not come to that."""
    prepare_process()
    with contextlib.closing(server.bind(config.host, config.port)) as taken:
        desk = app.build(_with_port(config, taken))
        with new_loop() as runner:
            runner.run(_serve(desk, taken))


def prepare_process() -> None:
    refuse_optimised()
    os.umask(0o077)
    sys.setswitchinterval(SWITCH_SECONDS)


def refuse_optimised() -> None:
    if not __debug__:
        raise StartRefused(
            "Python runs with -O (or PYTHONOPTIMIZE is set), which removes checks that keep the desk safe.",
            "Start it without.",
        )


def new_loop() -> asyncio.Runner:
    try:
        import uvloop
    except ImportError:
        return asyncio.Runner()
    return asyncio.Runner(loop_factory=uvloop.new_event_loop)


def _with_port(config: Config, taken: socket.socket) -> Config:
    """PORT 0: the one that was free."""
    port = taken.getsockname()[1]
    if config.port == port:
        return config
    derived = config.public_url.endswith(":0")
    return complete(dataclasses.replace(config, port=port, public_url="" if derived else config.public_url))


async def _serve(desk: app.Desk, taken: socket.socket) -> None:
    stop = _stop_on_signals()
    if os.geteuid() == 0:
        log.warning("runs as root; a user of its own is safer")
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(desk)
        if desk.config.is_sqlite:
            door = stack.enter_context(contextlib.closing(server.bind_file(desk.config.control_path)))
            await stack.enter_async_context(server.answering(control.runner(desk), door))
        public = protocol.Runner(app.web_app(desk), shutdown_timeout=ANSWER_SECONDS)
        await stack.enter_async_context(server.answering(public, taken))
        await _announce(desk)
        gc.collect()
        gc.freeze()  # what a start leaves behind stays: no need to look at it again and again
        warming = asyncio.create_task(_warm_up())
        await stop.wait()
        warming.cancel()
        log.info("stopping: no new work is taken, what is being done is finished")
    log.info("stopped")


async def _warm_up() -> None:
    """What the first message, page and phone number would wait for, brought in while nobody waits."""
    await asyncio.sleep(WARM_UP_AFTER_SECONDS)
    for module in ("email_validator", "phonenumbers"):
        await asyncio.to_thread(importlib.import_module, module)
    await pages.ready()


def _stop_on_signals() -> asyncio.Event:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()

    def asked() -> None:
        if stop.is_set():  # asked twice: somebody is in a hurry. Nothing acknowledged is lost by that
            os._exit(130)
        stop.set()

    for number in _STOP:
        loop.add_signal_handler(number, asked)
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    return stop


async def _announce(desk: app.Desk) -> None:
    config = desk.config
    log.info("ready", url=config.public_url, database=desk.store.backend.name, process=os.getpid())
    lines = [f"Parley is ready: {config.public_url}", f"The demo shop:   {config.public_url}/demo"]
    secret = await desk.store.write(one_time.first_administrator_link)
    if secret:
        lines += [
            "",
            "There is no administrator yet. This link makes the first one; it works once, for three days,",
            "and a later one replaces it:",
            "",
            f"    {config.public_url}/setup/{secret}",
        ]
    if not (config.is_https or is_loopback(config.host)):
        lines += ["", "Reached without HTTPS, whoever listens in on the network reads passwords."]
    print("\n".join(lines), flush=True)
