"""A process that has imported the desk already and forks one on demand: a desk is killed and there again in moments.

Run as `python -m hub.bench.zygote` by hub.bench.process. A line of JSON (the child's environment) on its input starts a
desk; it answers with the child's number, and with its status when it has ended. The desk itself is `parley serve`.
"""

import importlib
import json
import os
import select
import signal
import sys
from typing import NoReturn


def _serve(environ: dict[str, str]) -> NoReturn:
    status = 1
    try:
        os.setsid()
        log = os.open(os.environ["PARLEY_DATA"] + "/desk.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for target, source in ((0, nothing), (1, log), (2, log)):
            os.dup2(source, target)
        os.environ.update(environ)
        from hub.db import crash

        importlib.reload(crash)  # it has read the environment of the parent
        sys.argv = ["parley", "serve"]
        from hub.cli import main

        main()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    finally:
        os._exit(status)


def run() -> None:
    from connectors import CONNECTORS

    for module in ("hub.serve", "hub.cli", "uvloop", *(target.partition(":")[0] for _, target in CONNECTORS.values())):
        importlib.import_module(module)
    if os.environ.get("PARLEY_DATABASE"):
        importlib.import_module("hub.db.postgres")
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _serve(json.loads(line))
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
        sys.stdout.write(f"{_status(child)}\n")
        sys.stdout.flush()


def _status(child: int) -> int:
    """Waits for it. Nothing comes in meanwhile, so input that can be read has ended: whoever ran us is gone."""
    while True:
        pid, ended = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(ended)
        if select.select([sys.stdin], [], [], 0.003)[0]:
            os.kill(child, signal.SIGKILL)
            sys.exit(1)


if __name__ == "__main__":
    run()
