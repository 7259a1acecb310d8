"""What a person allowed or refused for a contact point, in the words they were asked. Rows are only ever added."""

from typing import Final, Literal

from hub.connector import Consent
from hub.db.tx import Rx, Tx
from hub.events import Actor, ConsentGiven, ConsentRefused

# Answers to what somebody asked of us, apart from what we would like to tell them.
SUPPORT: Final = "support"
MARKETING: Final = "marketing"
Purpose = Literal["support", "marketing", "survey", "recording", "privacy"]

_INSERT = """
INSERT INTO consent (contact_point_id, purpose, given, wording, how, inbox_id, created_at)
VALUES (:point_id, :purpose, :given, :wording, :how, :inbox_id, :now)
RETURNING id"""
_NEWEST = """
SELECT given FROM consent WHERE contact_point_id = :point_id AND purpose = :purpose ORDER BY id DESC LIMIT 1"""
_OF_CONTACT = """
SELECT consent.id, consent.contact_point_id, consent.purpose, consent.given, consent.wording, consent.how,
       consent.created_at
FROM consent JOIN contact_point ON contact_point.id = consent.contact_point_id
WHERE contact_point.contact_id = :contact_id
ORDER BY consent.id"""


def put(
    tx: Tx, point_id: int, contact_id: int, consent: Consent, *, how: str, by: Actor, inbox_id: int | None = None
) -> None:
    """`how`: the door and the deed, for example "form", "said on the phone"."""
    tx.insert(
        _INSERT,
        point_id=point_id,
        purpose=consent.purpose,
        given=int(consent.given),
        wording=consent.wording,
        how=how,
        inbox_id=inbox_id,
        now=tx.now,
    )
    kind = ConsentGiven if consent.given else ConsentRefused
    tx.record(kind(point_id=point_id, purpose=consent.purpose), by=by, contact_id=contact_id)


def current(rx: Rx, point_id: int, purpose: str) -> bool | None:
    """The newest word on it; None when never asked."""
    given = rx.value(_NEWEST, point_id=point_id, purpose=purpose)
    return None if given is None else bool(given)


def may_send(rx: Rx, point_id: int, purpose: str = SUPPORT) -> bool:
    """Asked by the one outgoing path. Answers to what somebody asked need no consent, only no refusal; anything that
    they did not ask for needs a yes."""
    said = current(rx, point_id, purpose)
    return said is not False if purpose == SUPPORT else said is True


def of_contact(rx: Rx, contact_id: int) -> list[tuple[int, int, str, int, str, str, int]]:
    """(id, point id, purpose, given, wording, how, created at), oldest first."""
    return rx.rows(_OF_CONTACT, contact_id=contact_id)
