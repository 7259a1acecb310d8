"""Every kind of event has its audience, so that a new one is told to nobody by mistake or to everybody by chance."""

from hub.events import BY_NAME
from hub.live.audience import rule_of

# Reviewed: these are told to nobody.
NOBODY = {
    *("access.changed", "desk.health_checked"),
    *("visitor.changed", "visitor.replaced", "visitor.started_anew"),
}
# Reviewed: these are told to all agents or to those with a permission; see the table in hub/live/audience.py.
HOUSE = {
    *("agent.created", "agent.changed", "agent.disabled", "agent.enabled", "agent.availability_changed"),
    *("agent.load_changed", "agent.presence_changed", "agent.signed_in", "agent.signed_out", "agent.sign_in_failed"),
    *("team.created", "team.changed", "team.deleted", "role.changed", "api_token.created", "api_token.revoked"),
    *("inbox.created", "inbox.changed", "inbox.health_changed", "inbox.seen"),
    *("tag.created", "tag.changed", "tag.merged", "tag.deleted", "tag.restored"),
    *("company.created", "desk.set_up", "desk.named", "desk.routing_changed"),
    *("own_field.created", "own_field.changed", "own_field.removed", "desk.exported"),
    *("hours.changed", "targets.changed"),
    *("sample.loaded", "sample.cleared"),
    "desk.deliveries_unended",
    "desk.own_mail_changed",
    *("job.died", "job.retried", "inbound.quarantined", "inbound.released", "reaction.failed"),
}


def test_every_event_has_an_audience_that_was_read() -> None:
    for name, kind in BY_NAME.items():
        rule = rule_of(kind)
        if rule == "nobody":
            assert name in NOBODY
        elif rule == "house":
            assert name in HOUSE
        else:
            assert (
                name.split(".")[0]
                in {
                    "ticket": ("ticket", "reply", "message", "note", "delivery"),
                    "contact": ("contact", "contact_point", "contact_note", "consent", "visitor"),
                    "feedback": ("feedback",),
                    "shared": ("canned", "view"),
                }[rule]
                or name == "agent.mentioned"  # in a note, so it is about the ticket
            )
