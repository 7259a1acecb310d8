"""Which rows are sample data. Marked by hub.sample; asked before anything leaves, for nothing of it ever may."""

from hub.db.tx import Rx, Tx

_MARK = "INSERT INTO sample (kind, row_id, called) VALUES (:kind, :row_id, :called) ON CONFLICT DO NOTHING"
_IS_ONE = "SELECT 1 FROM sample WHERE kind = :kind AND row_id = :row_id"
_CALLED = "SELECT row_id FROM sample WHERE kind = :kind AND called = :called ORDER BY row_id DESC LIMIT 1"
_OF_KIND = "SELECT row_id FROM sample WHERE kind = :kind ORDER BY row_id LIMIT :limit"
_FORGET = "DELETE FROM sample WHERE kind = :kind AND row_id = :row_id"


def mark(tx: Tx, kind: str, row_id: int, called: str = "") -> None:
    tx.run(_MARK, kind=kind, row_id=row_id, called=called)


def is_one(rx: Rx, kind: str, row_id: int) -> bool:
    return rx.value(_IS_ONE, kind=kind, row_id=row_id) is not None


def called(rx: Rx, kind: str, name: str) -> int | None:
    """The id of what the script calls so."""
    found: int | None = rx.value(_CALLED, kind=kind, called=name)
    return found


def of_kind(rx: Rx, kind: str, limit: int = 500) -> list[int]:
    return [row[0] for row in rx.rows(_OF_KIND, kind=kind, limit=limit)]


def forget(tx: Tx, kind: str, row_id: int) -> None:
    """It is no sample (any longer)."""
    tx.run(_FORGET, kind=kind, row_id=row_id)
