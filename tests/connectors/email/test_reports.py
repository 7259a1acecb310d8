"""What looks like a bounce and is about no mail of ours is what somebody wrote: it is not put aside unread."""

import pytest

from connectors.email import reading
from connectors.email.parse import parse
from connectors.email.settings import EmailSettings
from hub.connector import Ignored, Message

SETTINGS = EmailSettings(
    address="help@example.org", password="x", imap_host="imap.example.org", smtp_host="smtp.example.org"
)


def made_of(fields: str) -> object:
    mail = reading.read(f"To: help@example.org\r\nMessage-ID: <1@example.net>\r\n{fields}\r\n\r\nwords".encode())
    (item,) = parse(mail, SETTINGS, bytes(32), 1_800_000_000_000)
    return item


@pytest.mark.parametrize(
    "fields",
    [
        "From: postmaster@small-firm.example\r\nSubject: Undeliverable mail to you",
        "From: noreply@shop.example\r\nSubject: Delivery failure of your parcel",
        "From: eve@example.net\r\nReturn-Path: <>\r\nSubject: Delivery notification",
    ],
)
def test_what_only_looks_like_a_bounce_is_read(fields: str) -> None:
    assert isinstance(made_of(fields), Message)


@pytest.mark.parametrize(
    "fields",
    [
        "From: MAILER-DAEMON@example.com\r\nSubject: x",
        "From: a@example.com\r\nX-Failed-Recipients: eve@example.net\r\nSubject: x",
        "From: a@example.com\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b",
    ],
)
def test_what_is_one_of_another_mail_is_put_aside(fields: str) -> None:
    assert isinstance(made_of(fields), Ignored)
