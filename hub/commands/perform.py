"""Runs one command for a caller: may they, was it done already, do it, remember the answer. Every door calls this."""

import hashlib
from typing import Any, Final

import msgspec

from hub.commands.table import Command
from hub.db import answered
from hub.db.tx import Rx, Tx
from hub.errors import Refusal
from hub.staff.access import Caller, require_permission

_RIGHTS: Final = 8

_encode = msgspec.json.Encoder().encode


def perform(
    tx: Tx, command: Command, caller: Caller, request: Any, client_id: str | None = None, request_hash: bytes = b""
) -> Any:
    """A command that writes. With a client id it happens once: the same request again gets the answer of the first
    time, another request under that id is refused. What was refused or failed is not remembered, so it may be tried
    again."""
    permit(command, caller)
    if command.write is None:
        raise TypeError(f"{command.name} only reads")
    if client_id is None or command.tells_secret:
        return command.write(tx, caller, request)
    actor = f"{caller.actor.kind}:{caller.actor.id}"
    remembered = answered.find(tx, actor, client_id)
    if remembered is not None:
        name, earlier, answer = remembered
        if name != command.name or earlier[:-_RIGHTS] != request_hash:
            raise Refusal(
                "mismatch", "This id was already used for another request. Give each request an id of its own."
            )
        if earlier[-_RIGHTS:] != _rights(caller):
            raise Refusal("conflict", "This was done once, but your rights have changed since. Look at how it is now.")
        return msgspec.json.decode(answer, type=command.answer)
    done = command.write(tx, caller, request)
    answered.keep(tx, actor, client_id, command.name, request_hash + _rights(caller), _encode(done).decode())
    return done


def _rights(caller: Caller) -> bytes:
    """What the caller may and sees, in few bytes: an answer is told again only to whoever may as much as the first
    time. Who has lost an inbox does not get its tickets out of the memory."""
    grants = caller.grants
    rights = (sorted(grants.permissions), grants.everything, sorted(grants.inboxes), sorted(grants.teams))
    return hashlib.blake2s(_encode(rights), digest_size=_RIGHTS).digest()


def look(rx: Rx, command: Command, caller: Caller, request: Any) -> Any:
    """A command that only reads."""
    permit(command, caller)
    if command.read is None:
        raise TypeError(f"{command.name} writes")
    return command.read(rx, caller, request)


def permit(command: Command, caller: Caller) -> None:
    """May they use this command at all? On what, is judged by the command itself, on the rows it touches."""
    if caller.scopes is not None and command.scope not in caller.scopes:
        raise Refusal("forbidden", f"This API token lacks the scope {command.scope}. Make one that has it.")
    if command.permission is not None:
        require_permission(caller, command.permission)
