"""A valid request for every operation of the API, for tests/authz and tests/web/test_schemathesis.py.

Operation → name of the case → fields, those of the path and the query included. `Ref` names an object of the world that
tests/authz/world.py makes, so that a test can put another one in its place; `Own` is the caller's; `New` differs each
time.
"""

import dataclasses
import itertools
from typing import Any


@dataclasses.dataclass(frozen=True)
class Ref:
    what: str  # an attribute of `world.Side`


@dataclasses.dataclass(frozen=True)
class Own:
    """The caller's own id as an agent."""


@dataclasses.dataclass(frozen=True)
class New:
    text: str

    def __str__(self) -> str:
        return self.text.format(next(_numbers))


_numbers = itertools.count(1)
Fields = dict[str, Any]
PASSWORD = "a long sentence to sign in with"

NUMBER = {"number": Ref("number")}
CONTACT = {"contact_id": Ref("contact_id")}
POINT = {**CONTACT, "point_id": Ref("point_id")}
AGENT = {"agent_id": Ref("agent_id")}
TEAM = {"team_id": Ref("team_id")}
INBOX = {"inbox_id": Ref("inbox_id")}
HOURS = {"hours_id": Ref("hours_id")}
TARGET = {"priority": "normal", "first_reply_minutes": 60, "next_reply_minutes": 120, "warn_minutes": 15}
WEEK = [[["09:00", "13:00"], ["14:00", "18:00"]]] * 5 + [[], []]

EXAMPLES: dict[str, dict[str, Fields]] = {
    # tickets
    "list_tickets": {
        "": {},
        "by inbox": {**INBOX},
        "by team": {**TEAM},
        "by assignee": {"assignee_id": Ref("agent_id")},
        "by contact": {**CONTACT},
        "of a contact in an inbox": {**CONTACT, **INBOX},
    },
    "export_tickets": {
        "": {},
        "by inbox": {**INBOX},
        "by team": {**TEAM},
        "by assignee": {"assignee_id": Ref("agent_id")},
        "by contact": {**CONTACT},
    },
    "read_ticket": {"": NUMBER},
    "list_ticket_events": {"": NUMBER},
    "read_position": {"": NUMBER},
    "mark_read": {"": {**NUMBER, "message_id": Ref("message_id")}},
    "mark_unread": {"": NUMBER},
    "read_counts": {"": {}},
    "open_ticket": {"": {**CONTACT, **INBOX, "text": "They called: the kettle leaks."}},
    "reply": {
        "": {**NUMBER, "text": "We send a new one."},
        "having seen": {**NUMBER, "text": "We send a new one.", "seen": Ref("later_id")},
        "to be undone": {**NUMBER, "text": "We send a new one.", "hold": 10},
    },
    "forward": {"": {**NUMBER, "message_id": Ref("message_id"), "to": ["workshop@example.org"], "text": "Yours?"}},
    "note": {
        "": {**NUMBER, "text": "A regular customer."},
        "calling": {**NUMBER, "text": "Please look.", "mentions": [Ref("colleague_id")]},
    },
    "upload_file": {"": {}},
    "download_file": {"": {"file_id": Ref("file_id")}},
    "caption_file": {"": {"file_id": Ref("file_id"), "caption": "The crack below the handle."}},
    "fetch_file": {"": {"file_id": Ref("failed_file_id")}},
    "delete_upload": {"": {"file_id": Ref("upload_id")}},
    "save_draft": {
        "reply": {**NUMBER, "mode": "reply", "text": "We sen"},
        "note": {**NUMBER, "mode": "note", "text": "A reg"},
    },
    "list_drafts": {"": {}},
    "list_canned": {"": {}},
    "create_canned": {
        "own": {"short": New("thanks{}"), "text": "Thank you, {{contact.first_name}}.", "own": True},
        "of a team": {"short": New("thanks{}"), "text": "Thank you.", **TEAM},
        "of the desk": {"short": New("thanks{}"), "text": "Thank you."},
    },
    "change_canned": {
        "": {"canned_id": Ref("canned_id"), "title": "Thanks"},
        "another team's": {"canned_id": Ref("canned_id"), **TEAM},
    },
    "delete_canned": {"": {"canned_id": Ref("canned_id")}},
    "fill_canned": {"": {"canned_id": Ref("canned_id"), **NUMBER}},
    "assign": {"": {**NUMBER, **AGENT}, "to nobody": {**NUMBER, "agent_id": None}},
    "claim": {"": NUMBER},
    "accept_offer": {"": NUMBER},
    "decline_offer": {"": NUMBER},
    "move": {"": {**NUMBER, **TEAM}},
    "hand_over": {
        "to a colleague": {**NUMBER, **AGENT, "note": "Yours, I think."},
        "to a team": {**NUMBER, **TEAM, "note": "Yours, I think."},
    },
    "follow": {"": NUMBER},
    "unfollow": {"": NUMBER},
    "resolve": {"": NUMBER},
    "reopen": {"": NUMBER},
    "await_contact": {"": NUMBER},
    "snooze": {"": {**NUMBER, "until": None}},
    "change_ticket": {"": {**NUMBER, "subject": "Kettle", "priority": "high", "spam": False}},
    "tag_ticket": {"": {**NUMBER, "tag": "warranty"}},
    "untag_ticket": {"": {**NUMBER, "tag": "regular"}},
    "change_tickets": {
        "resolve": {"numbers": [Ref("number")], "do": "resolve"},
        "assign": {"numbers": [Ref("number")], "do": "assign", **AGENT},
        "move": {"numbers": [Ref("number")], "do": "move", **TEAM},
        "by filter": {"filter": {"view": "open"}, "do": "priority", "priority": "high"},
    },
    "read_bulk": {"": {"bulk_id": Ref("bulk_id")}},
    "undo_bulk": {"": {"bulk_id": Ref("bulk_id")}},
    "review_tags": {"": {}},
    "create_tag": {"": {"name": New("tag {}"), "colour": "blue"}},
    "change_tag": {"": {"tag_id": Ref("tag_id"), "name": New("renamed {}"), "colour": "red"}},
    "merge_tag": {"": {"tag_id": Ref("tag_id"), "into": Ref("other_tag_id")}},
    "delete_tag": {"": {"tag_id": Ref("tag_id")}},
    "restore_tag": {"": {"tag_id": Ref("gone_tag_id")}},
    "list_views": {"": {}},
    "create_view": {"": {"name": "Urgent ones", "filter": {"priority": ["urgent"]}, "sort": "oldest_waiting"}},
    "change_view": {"": {"view_id": Ref("view_id"), "name": "Others"}},
    "delete_view": {"": {"view_id": Ref("view_id")}},
    "merge_ticket": {"": {**NUMBER, "into": Ref("other_number")}},
    "unmerge_ticket": {"": {"number": Ref("merged_number")}},
    "split_ticket": {"": {**NUMBER, "from_message_id": Ref("later_id")}},
    "mail_conversation": {"": NUMBER},
    "resend_delivery": {"": {"delivery_id": Ref("delivery_id")}},
    "cancel_delivery": {"": {"delivery_id": Ref("held_id")}, "planned": {"delivery_id": Ref("planned_id")}},
    "move_delivery": {"": {"delivery_id": Ref("planned_id"), "send_at": None}},
    "list_deliveries": {"": {}, "planned by oneself": {"state": ["planned"], "mine": True}},
    # contacts
    "list_contacts": {
        "": {},
        "by address": {"point": Ref("address")},
        "by owner": {"owner_id": Ref("agent_id"), "has_open": True, "sort": "last_seen"},
        "by words": {"q": "front", "next_contact": "week", "sort": "next_contact"},
        "by a field": {"field": ["plan:gold"], "tag": "regular", "sort": "newest"},
    },
    "get_contact": {"": CONTACT},
    "export_contacts": {"": {}, "by owner": {"owner_id": Ref("agent_id"), "q": "front"}},
    "create_contact": {
        "": {"name": "Bekele", "points": [{"kind": "email", "value": New("bekele{}@example.org")}]},
        "owned": {"name": "Bekele", "owner_id": Ref("agent_id"), "fields": {"plan": "tin"}},
    },
    "change_contact": {
        "": {**CONTACT, "name": "Abeba T.", "zone": "Africa/Addis_Ababa"},
        "owner": {**CONTACT, "owner_id": Ref("agent_id"), "next_contact_at": 1_900_000_000_000, "title": "Buyer"},
        "field": {**CONTACT, "fields": {"plan": "gold"}},
    },
    "add_contact_point": {"": {**CONTACT, "kind": "email", "value": New("abeba{}@example.net")}},
    "remove_contact_point": {"": POINT},
    "record_consent": {
        "": {**POINT, "purpose": "marketing", "given": True, "wording": "May we write?", "how": "on the phone"}
    },
    "tag_contact": {"": {**CONTACT, "tag": "firm"}},
    "untag_contact": {"": {**CONTACT, "tag": "regular"}},
    "list_tags": {"": {}},
    "list_contact_notes": {"": CONTACT},
    "note_contact": {"": {**CONTACT, "text": "Rings before noon."}},
    "change_contact_note": {"": {"contact_note_id": Ref("contact_note_id"), "text": "Rings in the evening."}},
    "delete_contact_note": {"": {"contact_note_id": Ref("contact_note_id")}},
    "list_contact_ways": {"": CONTACT},
    "write_to_contact": {
        "": {**CONTACT, "inbox_id": Ref("post_id"), "text": "Your kettle is here."},
        "to an address": {
            **CONTACT,
            "inbox_id": Ref("post_id"),
            "point_id": Ref("point_id"),
            "text": "Your kettle is here.",
            "subject": "Kettle",
        },
    },
    "read_contact_timeline": {"": CONTACT},
    "read_contact_visits": {"": CONTACT},
    "list_fields": {"": {}},
    "create_field": {"": {"key": New("field_{}"), "label": "Plan", "type": "choice", "choices": ["gold", "tin"]}},
    "change_field": {"": {"own_field_id": Ref("own_field_id"), "label": "Contract"}},
    "remove_field": {"": {"own_field_id": Ref("own_field_id")}},
    "block_contact": {"": {**CONTACT, "reason": "Sends nothing but advertising."}},
    "unblock_contact": {"": CONTACT},
    "list_blocked": {"": {}},
    "restore_blocked": {"": {"inbound_id": Ref("kept_id")}},
    # feedback
    "record_feedback": {
        "about a ticket": {
            "kind": "complaint",
            "text": "Nobody called back.",
            "ticket": Ref("number"),
            **CONTACT,
            **INBOX,
        },
        "by itself": {
            "kind": "praise",
            "text": "So friendly.",
            **CONTACT,
            **INBOX,
            "about_agent_id": Ref("agent_id"),
        },
    },
    "change_feedback": {
        "": {"feedback_id": Ref("feedback_id"), "cause": "Two on leave.", "about_agent_id": Ref("agent_id")}
    },
    "get_feedback": {"": {"feedback_id": Ref("feedback_id")}},
    "list_feedback": {"": {}, "by ticket": {"ticket": Ref("number")}, "by contact": {**CONTACT}},
    # staff
    "list_agents": {"": {}},
    "read_agent": {"": AGENT},
    "create_agent": {"": {"email": New("new{}@desk.example"), "name": "New", "role_id": Ref("role_id")}},
    "change_agent": {
        "": {**AGENT, "capacity": 7},
        "another role": {**AGENT, "role_id": Ref("role_id")},
        "oneself": {"agent_id": Own(), "languages": ["en", "am"]},
    },
    "disable_agent": {"": AGENT},
    "enable_agent": {"": AGENT},
    "sign_out_agent": {"": AGENT},
    "reset_two_factor": {"": {"agent_id": Ref("guarded_id")}},
    "read_sign_in": {"": {}},
    "change_sign_in": {"": {"two_factor_required": False}},
    "list_sessions": {"": {}},
    "end_session": {"": {"session_id": Ref("session_id")}},
    "make_password_link": {"": AGENT},
    "list_roles": {"": {}},
    "create_role": {"": {"name": New("Role {}"), "permissions": [], "sees": "own"}},
    "change_role": {"": {"role_id": Ref("role_id"), "name": New("Renamed {}")}},
    "delete_role": {"": {"role_id": Ref("empty_role_id")}},
    "list_teams": {"": {}},
    "delete_team": {
        "": {**TEAM},
        "with its tickets to another": {**TEAM, "tickets_to": Ref("other_team_id")},
    },
    "create_team": {"": {"name": New("Team {}")}},
    "rename_team": {
        "": {**TEAM, "name": New("Renamed team {}")},
        "other hours": {**TEAM, "hours_id": Ref("hours_id")},
    },
    "add_team_member": {"": {**TEAM, **AGENT}},
    "remove_team_member": {"": {**TEAM, **AGENT}},
    "add_team_inbox": {"": {**TEAM, **INBOX}},
    "remove_team_inbox": {"": {**TEAM, **INBOX}},
    "read_me": {"": {}},
    "read_preferences": {"": {}},
    "set_preferences": {"": {"density": "compact", "undo_seconds": 10}},
    "set_availability": {
        "": {"availability": "busy"},
        "and hand back": {"availability": "offline", "hand_back": True},
    },
    "drain_agent": {"": AGENT},
    "read_routing": {"": {}},
    "change_routing": {"": {"auto_away_minutes": 20}},
    "list_tokens": {"": {}},
    "create_token": {"": {"name": "spare", "scopes": ["tickets:read"]}},
    "revoke_token": {"": {"token_id": Ref("token_id")}},
    # inboxes and the desk
    "list_channels": {"": {}},
    "list_inboxes": {"": {}},
    "read_inbox": {"": INBOX},
    "create_inbox": {"": {"kind": "form", "name": New("Shop {}"), **TEAM, "teams": [Ref("team_id")]}},
    "check_inbox": {"": INBOX},
    "change_inbox": {"": {**INBOX, "name": New("Renamed inbox {}"), **TEAM}},
    "read_board": {"": {}, "of a team": TEAM},
    "read_day": {"": {}},
    "list_targets": {"": {}},
    "set_targets": {
        "of an inbox": {**INBOX, "items": [TARGET]},
        "of the desk": {"inbox_id": None, "items": [TARGET]},
    },
    "list_hours": {"": {}},
    "list_countries": {"": {}},
    "create_hours": {"": {"name": New("Opening {}"), "zone": "Africa/Addis_Ababa", "week": WEEK, "country": "ET"}},
    "change_hours": {"": {**HOURS, "zone": "Asia/Phnom_Penh"}},
    "delete_hours": {"": HOURS},
    "read_calendar": {"": {**HOURS, "first": "2026-12-01", "last": "2026-12-31"}},
    "read_open": {"": {**HOURS, "at": 1_790_000_000_000}},
    "list_dead_jobs": {"": {}},
    "retry_job": {"": {"job_id": Ref("job_id")}},
    "drop_job": {"": {"job_id": Ref("job_id")}},
    "list_quarantine": {"": {}},
    "retry_quarantined": {"": {"inbound_id": Ref("inbound_id")}},
    "discard_quarantined": {"": {"inbound_id": Ref("inbound_id")}},
    "read_outbox": {"": {}},
    "change_outbox": {"": {"state": "frozen"}},
    "read_sample": {"": {}},
    "load_sample": {"": {}},
    "clear_sample": {"": {}},
    # what is no command
    "sign_in": {"": {"email": "supervisor@desk.example", "password": PASSWORD}},
    "sign_out": {"": {}},
    "create_live_ticket": {"": {}},
    "openapi": {"": {}},
}

# Fields that name an object. A new one has to stand in an example, or the test says so.
NAMES_AN_OBJECT = r"(.*_ids?|number|ticket|seen|teams|agents|inboxes|mentions|into|numbers|tickets_to)"
ABSENT = 2**53 - 1


def references(fields: Fields) -> dict[str, Ref]:
    """Field → what it names, for those that name an object."""
    found = {}
    for field, value in fields.items():
        inner = value[0] if isinstance(value, list) and value else value
        if isinstance(inner, Ref):
            found[field] = inner
    return found


def objects(fields: Fields) -> list[dict[str, str]]:
    """Which objects a request is tried with: field → "front", "back" or "absent". All the same, then one by one."""
    refs = list(references(fields))
    if not refs:
        return [{}]
    found = [dict.fromkeys(refs, "front"), dict.fromkeys(refs, "back")]
    if len(refs) == 1:
        return [*found, {refs[0]: "absent"}]
    for field in refs:
        found += [{**found[0], field: "back"}, {**found[0], field: "absent"}]
    return found


def label(sides: dict[str, str]) -> str:
    """How the table names them: "front", "front; contact_id absent"."""
    if not sides:
        return "-"
    if len(set(sides.values())) == 1:
        return next(iter(sides.values()))
    odd = next(field for field, side in sides.items() if list(sides.values()).count(side) == 1 and side != "front")
    return f"front; {odd} {sides[odd]}"
