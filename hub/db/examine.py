"""What `parley doctor` asks the database: whether it is whole, whether it is durable, whether kept counts are true."""

from typing import Any, Final

from hub.db.backend import Row, Session
from hub.db.tx import Rx

# --- whole and durable -------------------------------------------------------------------------------------------

_PRAGMAS: Final = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
_SERVER: Final = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}
SERVER_SETTING = "SELECT current_setting(:name)"
CHECKSUM_FAILURES = """
SELECT COALESCE(checksum_failures, 0) FROM pg_stat_database WHERE datname = current_database()"""
NOT_VALID = "SELECT conname FROM pg_constraint WHERE NOT convalidated ORDER BY conname"
NEWEST_EVENT = "SELECT at FROM event ORDER BY id DESC LIMIT 1"


def durability(session: Session, database: str) -> dict[str, Any]:
    """Settings of the writer's own connection that would lose what was acknowledged; runs in its thread."""
    session.begin(0)
    try:
        if database == "sqlite":
            found = {name: session.rows(f"PRAGMA {name}", {})[0][0] for name in _PRAGMAS}
            return {name: found[name] for name, wanted in _PRAGMAS.items() if found[name] != wanted}
        found = {name: session.rows(SERVER_SETTING, {"name": name})[0][0] for name in _SERVER}
        return {name: found[name] for name, wanted in _SERVER.items() if found[name] != wanted}
    finally:
        session.rollback()


def integrity(rx: Rx, database: str) -> list[str]:
    """What is broken, in the database's own words; empty: nothing."""
    if database == "sqlite":
        wrong = [row[0] for row in rx.rows("PRAGMA integrity_check(20)") if row[0] != "ok"]
        for table, row_id, parent, _ in rx.rows("PRAGMA foreign_key_check"):
            wrong.append(f"row {row_id} of {table} points to a {parent} that is not there")
        return wrong
    wrong = [f"the reference {row[0]} was never checked" for row in rx.rows(NOT_VALID)]
    failures = rx.value(CHECKSUM_FAILURES)
    return wrong + ([f"{failures} pages failed their checksum"] if failures else [])


def newest_event(rx: Rx) -> int | None:
    at: int | None = rx.value(NEWEST_EVENT)
    return at


# --- kept counts -------------------------------------------------------------------------------------------------

RECOUNT = """
SELECT inbox_id, status, COALESCE(team_id, 0), COALESCE(assignee_id, 0), CAST(SUM(1 - spam) AS BIGINT),
  CAST(SUM(CASE WHEN spam = 0 AND status = 'open' AND waiting_since IS NOT NULL THEN 1 ELSE 0 END) AS BIGINT),
  CAST(SUM(spam) AS BIGINT)
FROM ticket WHERE merged_into IS NULL
GROUP BY inbox_id, status, COALESCE(team_id, 0), COALESCE(assignee_id, 0)"""
KEPT = """
SELECT inbox_id, status, team_id, assignee_id, tickets, waiting, spam FROM ticket_count
WHERE tickets <> 0 OR waiting <> 0 OR spam <> 0"""
LOADS = """
SELECT agent.id, agent.load, COALESCE(SUM(ticket.weight), 0) FROM agent
LEFT JOIN ticket ON ticket.assignee_id = agent.id AND ticket.status IN ('open', 'pending') AND ticket.spam = 0
  AND ticket.merged_into IS NULL
GROUP BY agent.id, agent.load
HAVING agent.load <> COALESCE(SUM(ticket.weight), 0)
ORDER BY agent.id"""
STUCK = "SELECT COUNT(*) FROM delivery WHERE state = 'sending' AND changed_at < :before"


def wrong_ticket_counts(rx: Rx) -> list[Row]:
    """(inbox, status, team, assignee, tickets, waiting, spam) that are in one of the counts and not in the other."""
    return sorted(set(rx.rows(RECOUNT)) ^ set(rx.rows(KEPT)))


def wrong_loads(rx: Rx) -> list[Row]:
    """(agent, kept, recounted) where the two differ."""
    return rx.rows(LOADS)


def stuck_deliveries(rx: Rx, for_ms: int) -> int:
    return int(rx.value(STUCK, before=rx.now - for_ms))
