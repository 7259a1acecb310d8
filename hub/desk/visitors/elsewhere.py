"""What a visitor wrote in other browsers: theirs to see while their site says freshly who they are."""

from hub.db.tx import Rx
from hub.desk.visitors.row import Visitor

# What the same person, as their site signs it, wrote in other browsers.
_ELSEWHERE = """
SELECT ticket.id FROM ticket
JOIN visitor_ticket ON visitor_ticket.ticket_id = ticket.id
JOIN visitor ON visitor.id = visitor_ticket.visitor_id
WHERE ticket.contact_id = :contact_id AND ticket.inbox_id = :inbox_id AND visitor.subject = :subject
  AND visitor.id <> :visitor_id
ORDER BY ticket.id DESC LIMIT 50"""


def elsewhere(rx: Rx, visitor: Visitor) -> list[int]:
    """The tickets that the same person opened in other browsers of this inbox, while their site's word is fresh: what a
    browser's token alone never opens."""
    if visitor.subject is None or (visitor.verified_until or 0) <= rx.now:
        return []
    found = rx.rows(
        _ELSEWHERE,
        contact_id=visitor.contact_id,
        inbox_id=visitor.inbox_id,
        subject=visitor.subject,
        visitor_id=visitor.id,
    )
    return [row[0] for row in found]
