"""Commands on what is the caller's own: who they are, their API tokens, their availability, what is offered to them."""

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from hub.commands.table import Command
from hub.db import cursor
from hub.db.tx import Rx, Tx
from hub.desk import presence, queue, routing
from hub.desk import ticket as gate
from hub.errors import Refusal
from hub.staff import agents, availability, preferences, sessions, tokens
from hub.staff.access import Caller, agent_of, require_permission
from hub.staff.agents import Agent
from hub.staff.availability import MAX_REASON, Availability
from hub.staff.preferences import Preferences
from hub.staff.tokens import Scope, Token
from hub.text import MAX_NAME

Id = Annotated[int, Meta(ge=1, le=2**63 - 1)]
Limit = Annotated[int, Meta(ge=1, le=100)]
Cursor = Annotated[str, Meta(max_length=1_000)]
Name = Annotated[str, Meta(min_length=1, max_length=MAX_NAME)]
Scopes = Annotated[list[Scope], Meta(min_length=1, max_length=len(tokens.SCOPES))]
At = Annotated[int, Meta(ge=0, le=2**53)]


class _Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class MeAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """`permissions`: what the caller may in effect. `scopes`: of the API token they came with; null: they signed in."""

    agent: Agent
    permissions: list[str]
    sees_everything: bool
    scopes: list[str] | None
    preferences: Preferences


class TokenPage(msgspec.Struct, frozen=True):
    items: list[Token]
    next: str | None


class TokenAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """`secret` is told this once and never again."""

    id: int
    secret: str


class SessionAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """`browser`: what it called itself. `network`: whom its address belonged to. Both null: nobody wrote them down."""

    id: int
    created_at: int
    used_at: int
    browser: str | None
    network: str | None


class SessionList(msgspec.Struct, frozen=True):
    items: list[SessionAnswer]


class EndedAnswer(msgspec.Struct, frozen=True):
    id: int


class RevokedAnswer(msgspec.Struct, frozen=True):
    id: int


class AvailabilityAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """`present`: whether the caller is connected, which routing wants besides. `automatic`: they were found to be away,
    and are back with the next sign of life. `handed_back`: so many who waited for them wait for everybody now."""

    availability: Availability
    until: int | None
    reason: str | None
    automatic: bool
    present: bool
    handed_back: int


class OfferAnswer(msgspec.Struct, frozen=True, kw_only=True):
    number: int
    accepted: bool


class PositionAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """`ahead`: how many older tickets of the same team and urgency wait for an agent; null: it waits for none."""

    number: int
    ahead: int | None


class Nothing(_Request, frozen=True, kw_only=True):
    pass


class ListTokens(_Request, frozen=True, kw_only=True):
    limit: Limit = 50
    cursor: Cursor | None = None


class CreateToken(_Request, frozen=True, kw_only=True):
    """`expires_at`: milliseconds since 1970, UTC, at most two years away; null: never, until it is revoked."""

    name: Name
    scopes: Scopes
    expires_at: At | None = None


class OneToken(_Request, frozen=True, kw_only=True):
    token_id: Id


class OneSession(_Request, frozen=True, kw_only=True):
    session_id: Id


class SetAvailability(_Request, frozen=True, kw_only=True):
    """`until`: milliseconds since 1970, UTC, when one means to take work again; not with online. `hand_back`: whoever
    waits for the caller is put back, so that others are asked."""

    availability: Availability
    until: At | None = None
    reason: Annotated[str, Meta(max_length=MAX_REASON)] | None = None
    hand_back: bool = False


class SetPreferences(Preferences, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is left out is set to its default. `window`: names the client's window, for it to know its own word."""

    window: Annotated[str, Meta(max_length=64)] | None = None


class OneTicket(_Request, frozen=True, kw_only=True):
    number: Id


def me(rx: Rx, caller: Caller, request: Nothing | None = None) -> MeAnswer:
    return MeAnswer(
        agent=agents.get(rx, agent_of(caller)),
        permissions=sorted(caller.grants.permissions),
        sees_everything=caller.grants.everything,
        scopes=None if caller.scopes is None else sorted(caller.scopes),
        preferences=preferences.of(rx, agent_of(caller)),
    )


def _read_preferences(rx: Rx, caller: Caller, _: Nothing) -> Preferences:
    return preferences.of(rx, agent_of(caller))


def _set_preferences(tx: Tx, caller: Caller, request: SetPreferences) -> Preferences:
    fields = msgspec.structs.asdict(request)
    window = fields.pop("window")
    return preferences.put(tx, caller, Preferences(**fields), window)


def _list_tokens(rx: Rx, caller: Caller, request: ListTokens) -> TokenPage:
    after = 0 if request.cursor is None else cursor.read("tokens", request.cursor, (int,))[0]
    found = tokens.page(rx, agent_of(caller), after=after, limit=request.limit + 1)
    items = found[: request.limit]
    return TokenPage(items, cursor.make("tokens", (items[-1].id,)) if len(found) > request.limit else None)


def _create_token(tx: Tx, caller: Caller, request: CreateToken) -> TokenAnswer:
    token_id, secret = tokens.create(
        tx, caller, name=request.name, scopes=request.scopes, expires_at=request.expires_at
    )
    return TokenAnswer(id=token_id, secret=secret)


def _revoke_token(tx: Tx, caller: Caller, request: OneToken) -> RevokedAnswer:
    tokens.revoke(tx, caller, request.token_id)
    return RevokedAnswer(request.token_id)


def _list_sessions(rx: Rx, caller: Caller, request: Nothing) -> SessionList:
    return SessionList(
        [
            SessionAnswer(
                id=one.id, created_at=one.created_at, used_at=one.used_at, browser=one.browser, network=one.network
            )
            for one in sessions.listed(rx, agent_of(caller))
        ]
    )


def _end_session(tx: Tx, caller: Caller, request: OneSession) -> EndedAnswer:
    sessions.end_one(tx, caller, request.session_id)
    return EndedAnswer(request.session_id)


def _set_availability(tx: Tx, caller: Caller, request: SetAvailability) -> AvailabilityAnswer:
    agent_id = agent_of(caller)
    if request.hand_back:
        require_permission(caller, "tickets.assign")
        if caller.scopes is not None and "tickets:write" not in caller.scopes:
            raise Refusal("forbidden", "This API token lacks the scope tickets:write. Make one that has it.")
    presence.set_availability(tx, caller, request.availability, until=request.until, reason=request.reason)
    handed_back = routing.drain_agent(tx, caller, agent_id)[0] if request.hand_back else 0
    stand = availability.get(tx, agent_id)
    return AvailabilityAnswer(
        availability=stand.availability,
        until=stand.until,
        reason=stand.reason,
        automatic=stand.automatic is not None,
        present=presence.is_present(tx, agent_id),
        handed_back=handed_back,
    )


def _accept(tx: Tx, caller: Caller, request: OneTicket) -> OfferAnswer:
    routing.accept(tx, caller, request.number)
    return OfferAnswer(number=request.number, accepted=True)


def _decline(tx: Tx, caller: Caller, request: OneTicket) -> OfferAnswer:
    routing.decline(tx, caller, request.number)
    return OfferAnswer(number=request.number, accepted=False)


def _position(rx: Rx, caller: Caller, request: OneTicket) -> PositionAnswer:
    return PositionAnswer(number=request.number, ahead=queue.position(rx, gate.seen(rx, caller, request.number).id))


_TOKENS: dict[str, Any] = {"noun": "tokens", "permission": "tokens.manage", "scope": "staff:write"}
_OFFERS: dict[str, Any] = {
    "noun": "tickets",
    "method": "POST",
    "scope": "tickets:write",
    "permission": queue.REPLY,
    "refuses": ("conflict",),
}

COMMANDS: Final = (
    Command(
        name="read_me",
        noun="agents",
        summary="Who the caller is, and what they may.",
        method="GET",
        path="/me",
        request=Nothing,
        answer=MeAnswer,
        scope="staff:read",
        read=me,
    ),
    Command(
        name="set_availability",
        noun="agents",
        summary="Say whether one takes work, and if not, until when.",
        method="PUT",
        path="/me/availability",
        request=SetAvailability,
        answer=AvailabilityAnswer,
        scope="staff:write",
        write=_set_availability,
    ),
    Command(
        name="read_preferences",
        noun="agents",
        summary="How the caller wants the console to be.",
        method="GET",
        path="/me/preferences",
        request=Nothing,
        answer=Preferences,
        scope="staff:read",
        read=_read_preferences,
    ),
    Command(
        name="set_preferences",
        noun="agents",
        summary="Set how one wants the console to be: all of it at once.",
        method="PUT",
        path="/me/preferences",
        request=SetPreferences,
        answer=Preferences,
        scope="staff:write",
        write=_set_preferences,
    ),
    Command(
        name="list_sessions",
        noun="sessions",
        summary="The browsers in which the caller is signed in, the last used first.",
        method="GET",
        path="/me/sessions",
        request=Nothing,
        answer=SessionList,
        scope="staff:read",
        read=_list_sessions,
    ),
    Command(
        name="end_session",
        noun="sessions",
        summary="Sign one of one's own browsers out, at once.",
        method="DELETE",
        path="/me/sessions/{session_id}",
        request=OneSession,
        answer=EndedAnswer,
        scope="staff:write",
        write=_end_session,
    ),
    Command(
        name="list_tokens",
        noun="tokens",
        summary="One's own API tokens, oldest first, those that are over too; never their secrets.",
        method="GET",
        path="/tokens",
        request=ListTokens,
        answer=TokenPage,
        scope="staff:read",
        read=_list_tokens,
    ),
    Command(
        name="create_token",
        summary="Make an API token of one's own. Its secret is in the answer and nowhere else.",
        method="POST",
        path="/tokens",
        request=CreateToken,
        answer=TokenAnswer,
        write=_create_token,
        status=201,
        tells_secret=True,
        refuses=("conflict",),
        **_TOKENS,
    ),
    Command(
        name="revoke_token",
        summary="End one of one's own API tokens, at once.",
        method="DELETE",
        path="/tokens/{token_id}",
        request=OneToken,
        answer=RevokedAnswer,
        write=_revoke_token,
        **_TOKENS,
    ),
    Command(
        name="accept_offer",
        summary="Take the ticket that is offered to the caller.",
        path="/tickets/{number}/accept",
        request=OneTicket,
        answer=OfferAnswer,
        write=_accept,
        **_OFFERS,
    ),
    Command(
        name="decline_offer",
        summary="Let the ticket that is offered to the caller pass to the next agent.",
        path="/tickets/{number}/decline",
        request=OneTicket,
        answer=OfferAnswer,
        write=_decline,
        **_OFFERS,
    ),
    Command(
        name="read_position",
        noun="tickets",
        summary="How many older tickets wait before this one.",
        method="GET",
        path="/tickets/{number}/position",
        request=OneTicket,
        answer=PositionAnswer,
        scope="tickets:read",
        permission="tickets.read",
        read=_position,
        refuses=("conflict",),
    ),
)
