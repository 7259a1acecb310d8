"""What has had its time: files of inboxes that keep them so many days, and contents that nothing names any longer. In
small units, for the housekeeping."""

from collections.abc import Iterable
from typing import Final

from hub.clock import DAY, HOUR
from hub.db.tx import Rx, Tx
from hub.desk import inboxes
from hub.desk.files import rows

AT_ONCE: Final = 100

_OLD = """
SELECT file.id FROM file JOIN message ON message.id = file.message_id
WHERE message.inbox_id = :inbox_id AND file.content_id IS NOT NULL AND file.created_at < :before
ORDER BY file.created_at LIMIT :limit"""
_UNNAMED = """
DELETE FROM content WHERE id IN (
  SELECT content.id FROM content
  WHERE content.created_at < :before AND NOT EXISTS (SELECT 1 FROM file WHERE file.content_id = content.id)
  ORDER BY content.id LIMIT :limit)"""
_KNOWN = "SELECT 1 FROM content WHERE sha256 = :sha256"
_NAMES = "SELECT id, sha256, size FROM content WHERE id > :after ORDER BY id LIMIT :limit"


def expire(tx: Tx) -> int:
    """Takes away some files that their inbox keeps no longer; how many. That there was one, and its name, stay."""
    for inbox in inboxes.all_of_them(tx):
        days = inbox.common.files_kept_days
        if days is None:
            continue
        found = tx.rows(_OLD, inbox_id=inbox.id, before=tx.now - days * DAY, limit=AT_ONCE)
        for (file_id,) in found:
            row = rows.by_id(tx, file_id)
            if row is not None:
                rows.lose(tx, row, f"Removed after {days} days.")
        if found:
            return len(found)
    return 0


def forget_contents(tx: Tx) -> int:
    """Drops some rows of contents that no file names; how many. Their bytes go as orphans do."""
    return tx.run(_UNNAMED, before=tx.now - HOUR, limit=AT_ONCE)


def known(rx: Rx, names: Iterable[str]) -> set[str]:
    """Which of these contents the record knows."""
    return {name for name in names if rx.value(_KNOWN, sha256=name) is not None}


def contents(rx: Rx, after: int, limit: int = 500) -> list[tuple[int, str, int]]:
    """(id, name, size), a page of all there are."""
    return [(row[0], row[1], row[2]) for row in rx.rows(_NAMES, after=after, limit=limit)]
