"""Commands that read the live board and one's own day."""

from typing import Any, Final

from hub.commands.answers import Id, Request
from hub.commands.table import Command
from hub.db.tx import Rx
from hub.insight import board
from hub.insight.board import Board, Day
from hub.staff.access import Caller, agent_of


class ReadBoard(Request, frozen=True, kw_only=True):
    """`team_id`: only that team's tickets and members."""

    team_id: Id | None = None


class ReadDay(Request, frozen=True, kw_only=True):
    pass


def _board(rx: Rx, caller: Caller, request: ReadBoard) -> Board:
    return board.board(rx, caller, request.team_id)


def _day(rx: Rx, caller: Caller, _request: ReadDay) -> Day:
    agent_of(caller)
    return board.day(rx, caller)


_READ: dict[str, Any] = {"noun": "board", "method": "GET", "scope": "tickets:read", "permission": "tickets.read"}

COMMANDS: Final = (
    Command(
        name="read_board",
        summary="Who waits, who is there, and today against the same weekday a week ago.",
        path="/board",
        request=ReadBoard,
        answer=Board,
        read=_board,
        **_READ,
    ),
    Command(
        name="read_day",
        summary="One's own day: what one has in hand, what is due, what one did.",
        path="/me/day",
        request=ReadDay,
        answer=Day,
        read=_day,
        **_READ,
    ),
)
