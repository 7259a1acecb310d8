"""Commands on who gets what waits: what routing goes by, and putting back what waits for one agent."""

from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

from hub.commands.answers import Id, Request
from hub.commands.table import Command
from hub.db.tx import Rx, Tx
from hub.desk import routing, routing_settings
from hub.desk.routing_settings import RoutingSettings
from hub.staff.access import Caller

Minutes = Annotated[int, Meta(ge=0, le=24 * 60)]


class Nothing(Request, frozen=True, kw_only=True):
    pass


class ChangeRouting(Request, frozen=True, kw_only=True):
    """What is left out stays. `auto_away_minutes` and `long_wait_minutes`: 0 is never."""

    auto_away_minutes: Minutes | UnsetType = UNSET
    long_wait_minutes: Minutes | UnsetType = UNSET
    zone: Annotated[str, Meta(min_length=1, max_length=100)] | UnsetType = UNSET


class OneAgent(Request, frozen=True, kw_only=True):
    agent_id: Id


class DrainAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """`more`: there are others; ask again."""

    agent_id: int
    handed_back: int
    more: bool


def _read(rx: Rx, caller: Caller, _request: Nothing) -> RoutingSettings:
    return routing_settings.read(rx)


def _change(tx: Tx, caller: Caller, request: ChangeRouting) -> RoutingSettings:
    given = {name: value for name, value in msgspec.structs.asdict(request).items() if value is not UNSET}
    return routing_settings.change(tx, caller, **given)


def _drain(tx: Tx, caller: Caller, request: OneAgent) -> DrainAnswer:
    handed_back, more = routing.drain_agent(tx, caller, request.agent_id)
    return DrainAnswer(agent_id=request.agent_id, handed_back=handed_back, more=more)


_ROUTING: dict[str, Any] = {"noun": "routing", "path": "/routing", "answer": RoutingSettings}

COMMANDS: Final = (
    Command(
        name="read_routing",
        summary="What the whole desk goes by when it offers what waits.",
        method="GET",
        request=Nothing,
        scope="desk:read",
        read=_read,
        **_ROUTING,
    ),
    Command(
        name="change_routing",
        summary="Change what the whole desk goes by when it offers what waits.",
        method="PATCH",
        request=ChangeRouting,
        scope="desk:write",
        permission=routing_settings.MANAGE,
        write=_change,
        **_ROUTING,
    ),
    Command(
        name="drain_agent",
        noun="agents",
        summary="Put back what waits for one agent, so that others are asked.",
        method="POST",
        path="/agents/{agent_id}/drain",
        request=OneAgent,
        answer=DrainAnswer,
        scope="tickets:write",
        permission="tickets.assign",
        write=_drain,
    ),
)
