"""Commands on the sample data: loaded and removed by a job, with `read_sample` telling how far it is."""

from typing import Any, Final, Literal

import msgspec

from hub.commands.table import Command
from hub.db.tx import Rx, Tx
from hub.sample import clear, load
from hub.staff.access import Caller


class NoRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """There is nothing to say."""


class SampleAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """`done` of `of`: how far the job is that loads or removes it."""

    state: Literal["none", "loading", "loaded", "clearing"]
    done: int
    of: int


def _answer(state: load.State) -> SampleAnswer:
    return SampleAnswer(state=state.state, done=state.done, of=state.of)


def _read(rx: Rx, _caller: Caller, _request: NoRequest) -> SampleAnswer:
    return _answer(load.state(rx))


def _load(tx: Tx, caller: Caller, _request: NoRequest) -> SampleAnswer:
    return _answer(load.start(tx, caller))


def _clear(tx: Tx, caller: Caller, _request: NoRequest) -> SampleAnswer:
    return _answer(clear.start(tx, caller))


_ANY: Final[dict[str, Any]] = {
    "noun": "sample",
    "path": "/sample",
    "request": NoRequest,
    "answer": SampleAnswer,
    "permission": load.MANAGE,
}

COMMANDS: Final = (
    Command(
        name="read_sample",
        summary="Whether there is sample data, or how far the job is that loads or removes it.",
        method="GET",
        scope="desk:read",
        read=_read,
        **_ANY,
    ),
    Command(
        name="load_sample",
        summary="Load two weeks of a made-up desk. All of it is marked, and nothing of it ever leaves the desk.",
        method="POST",
        scope="desk:write",
        write=_load,
        status=202,
        refuses=("conflict",),
        **_ANY,
    ),
    Command(
        name="clear_sample",
        summary="Remove the sample data, all of it and nothing else.",
        method="DELETE",
        scope="desk:write",
        write=_clear,
        status=202,
        refuses=("conflict",),
        **_ANY,
    ),
)
