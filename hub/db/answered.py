"""Answers that commands gave under a client's own id, so that a repeat is answered and not done again. Asked by
hub.commands.perform, dropped by housekeeping."""

from typing import Final

from hub.db.tx import Rx, Tx

_FIND: Final = """
SELECT command, request_hash, answer FROM answered WHERE actor = :actor AND client_id = :client_id"""
_KEEP: Final = """
INSERT INTO answered (actor, client_id, command, request_hash, answer, at)
VALUES (:actor, :client_id, :command, :request_hash, :answer, :now)"""


def find(rx: Rx, actor: str, client_id: str) -> tuple[str, bytes, str] | None:
    """(command, hash, answer) as they were kept."""
    row = rx.row(_FIND, actor=actor, client_id=client_id)
    return None if row is None else (row[0], bytes(row[1]), row[2])


def keep(tx: Tx, actor: str, client_id: str, command: str, request_hash: bytes, answer: str) -> None:
    tx.run(
        _KEEP,
        actor=actor,
        client_id=client_id,
        command=command,
        request_hash=request_hash,
        answer=answer,
        now=tx.now,
    )
