"""Writes tests/authz/matrix.csv: who gets which status from what. `python -m tests.authz.write_matrix`, then read it.

This is a second account of the rules, from the words of docs/architecture.md ("Access") and the built-in roles, and it
imports none of the code that enforces them: where the two differ, one is wrong.
"""

import csv
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from tests.authz.examples import EXAMPLES, label, objects

PATH = Path(__file__).with_name("matrix.csv")
PEOPLE = ("administrator", "supervisor", "agent", "outsider", "observer")
NOBODY = ("disabled", "stranger", "nobody")
COLUMNS = (*PEOPLE, "only", "without", *NOBODY)

# Which permissions a built-in role lacks.
_RUNS = {"agents.manage", "roles.manage", "inboxes.manage", "desk.manage"}
_CHANGES = {
    "tickets.reply", "tickets.assign", "tickets.change", "contacts.change", "feedback.record", "feedback.change",
    "tokens.manage",
}  # fmt: skip
_TAKES_OUT = {"tickets.export", "contacts.export"}
LACKS: dict[str, set[str]] = {
    "administrator": set(),
    "supervisor": _RUNS,
    "agent": _RUNS | _TAKES_OUT | {"agents.help"},
    "outsider": _RUNS | _TAKES_OUT | {"agents.help"},
    "observer": _RUNS | _TAKES_OUT | _CHANGES | {"agents.help"},
}
# Which side's tickets, contacts, inboxes, feedback and deliveries each sees.
SIGHT = {
    "administrator": {"front", "back"},
    "supervisor": {"front", "back"},
    "only": {"front", "back"},
    "without": {"front", "back"},
    "agent": {"front"},
    "observer": {"front"},
    "outsider": {"back"},
}
Rule = Callable[[str, dict[str, str]], int | None]  # (principal, field → side) → the status it is refused with


class Spec(NamedTuple):
    scope: str  # "" for what is no command
    permission: str | None
    done: int
    rules: tuple[Rule, ...] = ()
    comment: str = ""
    cases: Mapping[str, tuple[Rule, ...]] = MappingProxyType({})  # of one case besides
    case_comments: Mapping[str, str] = MappingProxyType({})


# --- rules -----------------------------------------------------------------------------------------------------------


def sees(*fields: str, refused: int = 404) -> Rule:
    """Absent and hidden are one."""
    return lambda who, sides: next(
        (refused for f in fields if f in sides and (sides[f] == "absent" or sides[f] not in SIGHT[who])), None
    )


def there(field: str, refused: int = 404) -> Rule:
    """Everybody may know of it (colleagues, teams, roles, jobs): only what is absent is refused."""
    return lambda _who, sides: refused if sides.get(field) == "absent" else None


def together(one: str, other: str, refused: int) -> Rule:
    """The one has to belong to the other."""
    return lambda _who, sides: refused if one in sides and other in sides and sides[one] != sides[other] else None


def theirs(field: str) -> Rule:
    """Only its owner's: that in front is the agent's, the other the outsider's."""
    owner = {"agent": "front", "outsider": "back"}
    return lambda who, sides: None if owner.get(who) == sides[field] else 404


def author(field: str) -> Rule:
    """Whoever sees it, but did not write it, is told so; that in front is the agent's, the other the outsider's."""
    owner = {"agent": "front", "outsider": "back"}
    return lambda who, sides: None if owner.get(who) == sides[field] else 403


def always(refused: int, *names: str) -> Rule:
    return lambda who, _sides: refused if not names or who in names else None


TICKET = (sees("number"),)
_T, _W = "tickets:read", "tickets:write"
_CHANGE = Spec(_W, "tickets.change", 200, TICKET)
_FILTER = "A filter refuses nothing: what the caller does not see is not in the list."
_TAKEN = "Agents may not take out a copy of it all; whoever may gets only what they see."
_LISTED = "Lists only what the caller sees."
_DIRECTORY = "Colleagues, teams and roles are known to whoever may read agents."
_ONE = sees("contact_id")
_POINT = (_ONE, together("point_id", "contact_id", 404))
_C = Spec("contacts:write", "contacts.change", 200, (_ONE,))
_NOTE = (sees("contact_note_id"), author("contact_note_id"))
_OWN_NOTE = "One's own; in front lies the agent's, at the back the outsider's. Others are told who may."
_STAFF, _MANAGES = "staff:write", "agents.manage"
_TEAM = there("team_id")
_HOURS = Spec("inboxes:read", "inboxes.read", 200, comment="Business hours are known to whoever may read inboxes.")

SPECS: dict[str, Spec] = {
    "list_tickets": Spec(_T, "tickets.read", 200, comment=_FILTER),
    "export_tickets": Spec(_T, "tickets.export", 200, comment=_TAKEN),
    "read_ticket": Spec(_T, "tickets.read", 200, TICKET),
    "list_ticket_events": Spec(_T, "tickets.read", 200, TICKET),
    "read_position": Spec(_T, "tickets.read", 200, TICKET),
    "mark_read": Spec(
        _T,
        "tickets.read",
        200,
        (*TICKET, together("message_id", "number", 422)),
        "One's own mark: whoever may read may set it. Another ticket's message is refused like one that never was.",
    ),
    "mark_unread": Spec(_T, "tickets.read", 200, TICKET),
    "read_counts": Spec(_T, "tickets.read", 200, comment="Counts only what the caller sees."),
    "open_ticket": Spec(
        _W,
        "tickets.reply",
        201,
        (sees("inbox_id"), _ONE),
        "Both have to be seen: else a ticket of one's own would open any contact.",
    ),
    "reply": Spec(
        _W,
        "tickets.reply",
        201,
        TICKET,
        cases={"having seen": (together("seen", "number", 422),)},
        case_comments={"having seen": "A message of another ticket is refused like one that never was."},
    ),
    "forward": Spec(
        _W,
        "tickets.reply",
        201,
        (*TICKET, together("message_id", "number", 422), always(409)),
        "This world has no mailbox to forward by; another ticket's message is refused like one that never was.",
    ),
    "note": Spec(
        _W,
        "tickets.note",
        201,
        TICKET,
        "The one thing that an observer may write.",
        cases={"calling": (there("mentions", 422), together("mentions", "number", 422))},
        case_comments={"calling": "Whom it calls has to see the ticket. Colleagues are known, so they may be named."},
    ),
    "save_draft": Spec(
        _W,
        None,
        200,
        TICKET,
        cases={"reply": (always(403, "observer"),)},
        case_comments={"reply": "Judged inside: an observer writes notes and no answers.", "note": ""},
    ),
    "upload_file": Spec(_W, None, 201, comment="Whoever can answer or write a note, which is everybody here."),
    "download_file": Spec(_T, "tickets.read", 200, (sees("file_id"),), "Seen with its ticket."),
    "caption_file": Spec(_W, "tickets.note", 200, (sees("file_id"),), "Seen with its ticket."),
    "fetch_file": Spec(_W, "tickets.reply", 200, (sees("file_id"),), "Seen with its ticket."),
    "delete_upload": Spec(_W, None, 204, (theirs("file_id"),), "One's own, as long as it was not sent."),
    "list_drafts": Spec(_T, "tickets.read", 200, comment="One's own, of tickets that one sees."),
    "list_canned": Spec(_T, "tickets.read", 200, comment=_LISTED),
    "create_canned": Spec(
        _W,
        "tickets.reply",
        201,
        cases={
            "of a team": (always(422, "agent", "outsider"), there("team_id", 422)),
            "of the desk": (always(403, "agent", "outsider"),),
        },
        case_comments={
            "of a team": "The spare teams are nobody's here, so only who sees everything writes for them.",
            "of the desk": "For everybody writes who sees everything.",
        },
    ),
    "change_canned": Spec(
        _W,
        "tickets.reply",
        200,
        (sees("canned_id"),),
        "Seen with its team.",
        cases={"another team's": (always(422, "agent", "outsider"), there("team_id", 422))},
        case_comments={"another team's": "Only to a team of which one sees the tickets."},
    ),
    "delete_canned": Spec(_W, "tickets.reply", 200, (sees("canned_id"),), "Seen with its team."),
    "fill_canned": Spec(_T, "tickets.read", 200, (sees("canned_id"), *TICKET), "Both have to be seen."),
    "assign": Spec(
        _W,
        "tickets.assign",
        200,
        (*TICKET, there("agent_id", 422), together("agent_id", "number", 422)),
        "To whoever sees the ticket and nobody else. Colleagues are known, so absent and unfit may be told apart.",
    ),
    "claim": Spec(_W, "tickets.reply", 200, TICKET),
    "accept_offer": Spec(_W, "tickets.reply", 200, TICKET, "It is offered to the caller here."),
    "decline_offer": Spec(_W, "tickets.reply", 200, TICKET, "It is offered to the caller here."),
    "move": Spec(
        _W,
        "tickets.assign",
        200,
        (*TICKET, there("team_id", 422)),
        "To any team, also one that the caller is not in: so a matter goes to those who can deal with it.",
    ),
    "hand_over": Spec(
        _W,
        "tickets.assign",
        200,
        TICKET,
        cases={
            "to a colleague": (there("agent_id", 422), together("agent_id", "number", 422)),
            "to a team": (there("team_id", 422),),
        },
        case_comments={"to a colleague": "As assign.", "to a team": "As move."},
    ),
    "follow": Spec(_T, "tickets.read", 200, TICKET, "One's own mark."),
    "unfollow": Spec(_T, "tickets.read", 200, TICKET),
    "resolve": _CHANGE,
    "reopen": _CHANGE,
    "await_contact": _CHANGE,
    "snooze": _CHANGE,
    "change_ticket": _CHANGE,
    "tag_ticket": _CHANGE,
    "untag_ticket": _CHANGE,
    "change_tickets": Spec(
        _W,
        "tickets.change",
        200,
        (sees("numbers"),),
        "One that is hidden or absent refuses all.",
        cases={"assign": (there("agent_id", 422),), "move": (there("team_id", 422),), "by filter": ()},
        case_comments={
            "assign": "A colleague who cannot see a ticket is named as a refusal of that one.",
            "move": "As move.",
            "by filter": _FILTER,
        },
    ),
    "read_bulk": Spec(_T, "tickets.read", 200, (theirs("bulk_id"),), "One's own."),
    "undo_bulk": Spec(_W, "tickets.change", 200, (theirs("bulk_id"),), "One's own."),
    "list_views": Spec(_T, "tickets.read", 200, comment="One's own and those that are shared."),
    "create_view": Spec(_T, "tickets.read", 201, comment="A way of reading, so it needs no more than that."),
    "change_view": Spec(_T, "tickets.read", 200, (theirs("view_id"),), "One's own; shared ones: test_saved_views."),
    "delete_view": Spec(_T, "tickets.read", 200, (theirs("view_id"),), "One's own."),
    "merge_ticket": Spec(
        _W,
        "tickets.change",
        200,
        (*TICKET, sees("into"), together("into", "number", 409)),
        "Both have to be seen, and be of one contact.",
    ),
    "unmerge_ticket": Spec(_W, "tickets.change", 200, TICKET),
    "split_ticket": Spec(
        _W,
        "tickets.change",
        201,
        (*TICKET, together("from_message_id", "number", 422)),
        "A message of another ticket is refused like one that never was.",
    ),
    "mail_conversation": Spec(_W, "tickets.reply", 409, TICKET, "No inbox sends the desk's own mail there."),
    "resend_delivery": Spec(_W, "tickets.reply", 200, (sees("delivery_id"),), "Seen with its ticket."),
    "cancel_delivery": Spec(_W, "tickets.reply", 200, (sees("delivery_id"),), "Seen with its ticket."),
    "move_delivery": Spec(_W, "tickets.reply", 200, (sees("delivery_id"),), "Seen with its ticket."),
    "list_deliveries": Spec("tickets:read", "tickets.read", 200, (), "Of the tickets that the caller sees."),
    "list_contacts": Spec("contacts:read", "contacts.read", 200, comment=_FILTER),
    "get_contact": Spec("contacts:read", "contacts.read", 200, (_ONE,)),
    "export_contacts": Spec("contacts:read", "contacts.export", 200, comment=_TAKEN),
    "create_contact": Spec("contacts:write", "contacts.change", 201, cases={"owned": (there("owner_id", 422),)}),
    "change_contact": _C._replace(
        cases={"owner": (there("owner_id", 422),)},
        case_comments={"owner": "Any colleague who is there; the contact need not be in their sight."},
    ),
    "add_contact_point": _C._replace(done=201),
    "remove_contact_point": _C._replace(rules=_POINT, comment="Another contact's point is refused like an absent one."),
    "record_consent": _C._replace(
        done=201, rules=_POINT, comment="Another contact's point is refused like an absent one."
    ),
    "tag_contact": _C,
    "untag_contact": _C,
    "list_tags": Spec("contacts:read", "contacts.read", 200, comment="There is one set of tags for the whole desk."),
    "review_tags": Spec("desk:read", "desk.manage", 200, comment="There is one set of tags for the whole desk."),
    "create_tag": Spec("desk:write", "desk.manage", 201),
    "change_tag": Spec("desk:write", "desk.manage", 200, (there("tag_id"),)),
    "merge_tag": Spec("desk:write", "desk.manage", 200, (there("tag_id"), there("into", 422))),
    "delete_tag": Spec("desk:write", "desk.manage", 200, (there("tag_id"),)),
    "restore_tag": Spec("desk:write", "desk.manage", 200, (there("tag_id"),)),
    "list_contact_notes": Spec("contacts:read", "contacts.read", 200, (_ONE,)),
    "note_contact": _C._replace(done=201),
    "change_contact_note": _C._replace(rules=_NOTE, comment=_OWN_NOTE),
    "delete_contact_note": _C._replace(done=204, rules=_NOTE, comment=_OWN_NOTE),
    "list_contact_ways": Spec("contacts:read", "contacts.read", 200, (_ONE,), "Through inboxes that they see."),
    "write_to_contact": Spec(
        _W,
        "tickets.reply",
        201,
        (_ONE, sees("inbox_id")),
        "Both have to be seen, as for opening a ticket.",
        cases={"to an address": (together("point_id", "contact_id", 404),)},
        case_comments={"to an address": "Another contact's point is refused like an absent one."},
    ),
    "read_contact_timeline": Spec("contacts:read", "contacts.read", 200, (_ONE,), "Of each ticket what they see."),
    "read_contact_visits": Spec("contacts:read", "contacts.read", 200, (_ONE,)),
    "list_fields": Spec("contacts:read", "contacts.read", 200, comment="There is one set for the whole desk."),
    "create_field": Spec("desk:write", "desk.manage", 201),
    "change_field": Spec("desk:write", "desk.manage", 200, (there("own_field_id"),)),
    "remove_field": Spec("desk:write", "desk.manage", 204, (there("own_field_id"),)),
    "block_contact": _C,
    "unblock_contact": _C,
    "list_blocked": Spec(_T, "tickets.read", 200, comment="Of inboxes that one sees: it is what somebody wrote there."),
    "restore_blocked": Spec(_W, "tickets.change", 200, (sees("inbound_id"),)),
    "record_feedback": Spec(
        "feedback:write",
        "feedback.record",
        201,
        cases={
            "about a ticket": (sees("ticket"), together("contact_id", "ticket", 422)),
            "by itself": (_ONE, sees("inbox_id"), there("about_agent_id", 422)),
        },
        case_comments={
            "about a ticket": "The ticket says whose it is and where: inbox_id counts for nothing, another "
            "contact is a contradiction."
        },
    ),
    "change_feedback": Spec(
        "feedback:write", "feedback.change", 200, (sees("feedback_id"), there("about_agent_id", 422))
    ),
    "get_feedback": Spec("feedback:read", "feedback.read", 200, (sees("feedback_id"),)),
    "list_feedback": Spec("feedback:read", "feedback.read", 200, comment=_FILTER),
    "list_agents": Spec("staff:read", "agents.read", 200, comment=_DIRECTORY),
    "read_agent": Spec("staff:read", "agents.read", 200, (there("agent_id"),), _DIRECTORY),
    "create_agent": Spec(
        _STAFF, _MANAGES, 201, (there("role_id", 422),), "The role allows nothing, so it can be given."
    ),
    "change_agent": Spec(
        _STAFF,
        None,
        200,
        cases={
            "": (always(403, "supervisor", "agent", "outsider", "observer"), there("agent_id")),
            "another role": (
                always(403, "supervisor", "agent", "outsider", "observer"),
                there("agent_id"),
                there("role_id", 422),
            ),
        },
        case_comments={
            "": "Judged inside, because of oneself everybody may change something.",
            "another role": "Judged inside, because of oneself everybody may change something.",
            "oneself": "Name and languages of oneself are everybody's to change.",
        },
    ),
    "disable_agent": Spec(_STAFF, _MANAGES, 200, (there("agent_id"),)),
    "enable_agent": Spec(_STAFF, _MANAGES, 200, (there("agent_id"),)),
    "sign_out_agent": Spec(_STAFF, "agents.help", 200, (there("agent_id"),)),
    "reset_two_factor": Spec(_STAFF, "agents.help", 200, (there("agent_id"),), "A supervisor may: it is no new right."),
    "read_sign_in": Spec("desk:read", "desk.manage", 200),
    "change_sign_in": Spec("desk:write", "desk.manage", 200),
    "list_sessions": Spec("staff:read", None, 200, comment="Lists only the caller's own."),
    "end_session": Spec(
        _STAFF, None, 200, (theirs("session_id"),), "One's own; nobody else's, not even an administrator."
    ),
    "make_password_link": Spec(_STAFF, _MANAGES, 201, (there("agent_id"),)),
    "list_roles": Spec("staff:read", "agents.read", 200, comment=_DIRECTORY),
    "create_role": Spec(_STAFF, "roles.manage", 201),
    "change_role": Spec(_STAFF, "roles.manage", 200, (there("role_id"),)),
    "delete_role": Spec(_STAFF, "roles.manage", 200, (there("role_id"),)),
    "list_teams": Spec("staff:read", "agents.read", 200, comment=_DIRECTORY),
    "create_team": Spec(_STAFF, _MANAGES, 201),
    "delete_team": Spec(
        _STAFF,
        _MANAGES,
        200,
        (_TEAM,),
        cases={"with its tickets to another": (there("tickets_to", 422),)},
        case_comments={"with its tickets to another": "To any team, as move."},
    ),
    "rename_team": Spec(_STAFF, _MANAGES, 200, (_TEAM,), cases={"other hours": (there("hours_id", 422),)}),
    "add_team_member": Spec(_STAFF, _MANAGES, 200, (_TEAM, there("agent_id", 422))),
    "remove_team_member": Spec(
        _STAFF, _MANAGES, 200, (_TEAM,), "Whoever is not in the team, absent or not, is not in it afterwards."
    ),
    "add_team_inbox": Spec(_STAFF, _MANAGES, 200, (_TEAM, sees("inbox_id", refused=422))),
    "remove_team_inbox": Spec(_STAFF, _MANAGES, 200, (_TEAM, sees("inbox_id", refused=422))),
    "read_me": Spec("staff:read", None, 200),
    "read_preferences": Spec("staff:read", None, 200, comment="One's own."),
    "set_preferences": Spec(_STAFF, None, 200, comment="One's own."),
    "set_availability": Spec(
        _STAFF,
        None,
        200,
        comment="Of oneself; an observer takes no work, which harms nobody.",
        cases={"and hand back": (always(403, "observer", "only"),)},
        case_comments={"and hand back": "Puts tickets back, so it needs the right and the token's scope to assign."},
    ),
    "list_tokens": Spec("staff:read", None, 200, comment="One's own."),
    "create_token": Spec(
        _STAFF,
        "tokens.manage",
        201,
        (always(403, "only"),),
        "The token that only changes staff asks for one that reads tickets: no token makes one that may more.",
    ),
    "revoke_token": Spec(
        _STAFF,
        "tokens.manage",
        200,
        (theirs("token_id"),),
        "One's own; in front lies the agent's, at the back the outsider's. Even an administrator sees nobody else's.",
    ),
    "list_channels": Spec("inboxes:read", "inboxes.read", 200),
    "list_inboxes": Spec("inboxes:read", "inboxes.read", 200, comment=_LISTED),
    "read_inbox": Spec("inboxes:read", "inboxes.read", 200, (sees("inbox_id"),)),
    "create_inbox": Spec("inboxes:write", "inboxes.manage", 201, (there("team_id", 422), there("teams", 422))),
    "check_inbox": Spec("inboxes:write", "inboxes.manage", 202, (sees("inbox_id"),)),
    "change_inbox": Spec("inboxes:write", "inboxes.manage", 200, (sees("inbox_id"), there("team_id", 422))),
    "drain_agent": Spec(
        _W, "tickets.assign", 200, (there("agent_id"),), "Moves only the tickets that the caller may assign one by one."
    ),
    "read_routing": Spec("desk:read", None, 200),
    "change_routing": Spec("desk:write", "desk.manage", 200),
    "read_board": Spec("tickets:read", "tickets.read", 200, comment=_FILTER),
    "read_day": Spec("tickets:read", "tickets.read", 200, comment="One's own."),
    "list_targets": Spec("inboxes:read", "inboxes.read", 200, comment=_LISTED),
    "set_targets": Spec("inboxes:write", "inboxes.manage", 200, (sees("inbox_id"),)),
    "list_hours": _HOURS,
    "list_countries": _HOURS,
    "create_hours": Spec("inboxes:write", "inboxes.manage", 201),
    "change_hours": Spec("inboxes:write", "inboxes.manage", 200, (there("hours_id"),)),
    "delete_hours": Spec("inboxes:write", "inboxes.manage", 200, (there("hours_id"),)),
    "read_calendar": _HOURS._replace(rules=(there("hours_id"),)),
    "read_open": _HOURS._replace(rules=(there("hours_id"),)),
    "list_dead_jobs": Spec("desk:read", "desk.manage", 200),
    "retry_job": Spec("desk:write", "desk.manage", 200, (there("job_id"),)),
    "drop_job": Spec("desk:write", "desk.manage", 200, (there("job_id"),)),
    "list_quarantine": Spec("desk:read", "desk.manage", 200),
    "retry_quarantined": Spec("desk:write", "desk.manage", 200, (sees("inbound_id"),)),
    "discard_quarantined": Spec("desk:write", "desk.manage", 200, (sees("inbound_id"),)),
    "read_outbox": Spec("desk:read", "desk.manage", 200),
    "change_outbox": Spec("desk:write", "desk.manage", 200),
    "read_sample": Spec("desk:read", "desk.manage", 200),
    "load_sample": Spec("desk:write", "desk.manage", 202),
    "clear_sample": Spec("desk:write", "desk.manage", 202, (always(409),), "There is none in this world."),
    "sign_in": Spec("", None, 200, comment="With the right password, whoever one was before."),
    "sign_out": Spec(
        "", None, 204, (always(403, "only", "without"),), "Ends a cookie's session; a token comes without one."
    ),
    "create_live_ticket": Spec("tickets:read", None, 201, comment="What it opens shows only what they may see."),
    "openapi": Spec("", None, 200, comment="Public."),
}
PUBLIC = ("sign_in", "openapi")


def expected(operation: str, case: str, sides: dict[str, str], who: str) -> int:
    """The status that this principal gets; the first reason to refuse wins."""
    spec = SPECS[operation]
    if operation in PUBLIC:
        return spec.done
    if who in NOBODY:
        return 401
    if spec.scope and who == "without":
        return 403
    if spec.permission in LACKS.get(who, ()):
        return 403
    for rule in (*spec.rules, *spec.cases.get(case, ())):
        refused = rule(who, sides)
        if refused is not None:
            return refused
    return spec.done


def rows() -> list[list[str]]:
    found = []
    for operation, cases in EXAMPLES.items():
        spec = SPECS[operation]
        for case, fields in cases.items():
            for number, sides in enumerate(objects(fields)):
                answers = [str(expected(operation, case, sides, who)) for who in COLUMNS]
                comment = spec.case_comments.get(case, spec.comment) if number == 0 else ""
                found.append([operation, case, label(sides), *answers, comment])
    return found


def read() -> dict[tuple[str, str, str], dict[str, int]]:
    """(operation, case, objects) → principal → status."""
    with PATH.open(newline="") as file:
        lines = list(csv.DictReader(file))
    return {(r["operation"], r["case"], r["objects"]): {who: int(r[who]) for who in COLUMNS} for r in lines}


if __name__ == "__main__":
    with PATH.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["operation", "case", "objects", *COLUMNS, "comment"])
        writer.writerows(rows())
    print(f"{PATH}: {len(rows())} lines")
