"""What a mail that was read means: by whom it counts as written, whether a machine wrote it, what is only text."""

import msgspec
import pytest

from connectors.email import reading
from connectors.email.parse import parse
from connectors.email.settings import EmailSettings
from hub.connector import Message, Raw
from hub.db.tx import Tx
from hub.desk import inboxes
from hub.desk.inboxes import Inbox
from hub.staff.access import DESK
from hub.work import inbound
from tests.fixtures.desk import DeskClient

HOSTS = {"imap_host": "imap.example.org", "smtp_host": "smtp.example.org"}
SETTINGS = EmailSettings(
    address="help@example.org",
    password="x",
    imap_host="imap.example.org",
    smtp_host="smtp.example.org",
    authserv_id="mx.example.org",
)
USUAL = {"From": "Eve <eve@example.net>", "To": "help@example.org", "Message-ID": "<1@example.net>", "Subject": "Hello"}


def raw(text: str = "words", **fields: str) -> bytes:
    given = USUAL | {name.replace("_", "-"): value for name, value in fields.items()}
    return ("".join(f"{name}: {value}\r\n" for name, value in given.items()) + f"\r\n{text}").encode()


def made_of(text: str = "words", **fields: str) -> Message:
    (item,) = parse(reading.read(raw(text, **fields)), SETTINGS, bytes(32), 1_800_000_000_000)
    assert isinstance(item, Message)
    return item


def test_a_mail_from_our_own_address_is_a_machines_and_says_so() -> None:
    found = made_of(From="Help <help@example.org>")
    assert found.automatic and "own address" in found.details["flags"]


def test_the_address_of_an_agent_proves_nothing() -> None:
    found = made_of(From="Anna Berg <anna@example.org>")
    assert found.sender.sureness == "typed" and "verdict" not in found.details


def test_auto_submitted_no_is_written_by_a_person() -> None:
    assert not made_of(Auto_Submitted="no").automatic
    assert not made_of(Auto_Submitted="NO ; comment").automatic
    assert made_of(Auto_Submitted="auto-replied").automatic


def test_a_vacation_without_a_header_counts_as_written() -> None:
    for text in (
        "I am out of office until Monday.",
        "Ich bin bis Montag nicht im Büro.",
        "Я в отпуске до понедельника.",
    ):
        assert not made_of(text).automatic


@pytest.mark.parametrize("address", ["no-reply@shop.example", "noreply@shop.example", "donotreply@shop.example"])
def test_whoever_wants_no_answer_is_a_machine(address: str) -> None:
    assert made_of(From=address).automatic


@pytest.mark.parametrize(
    ("results", "sure"),
    [
        ("mx.example.org; dmarc=pass header.from=example.net", True),
        ("mx.example.org; dkim=pass header.d=example.net", True),
        ("mx.example.org; dkim=pass header.d=other.example", False),
        ("mx.example.org; spf=pass smtp.mailfrom=other.example", False),
        ("mx.example.org; dmarc=fail header.from=example.net", False),
        ("mx.example.org; arc=pass", False),
        ("other.example; dmarc=pass header.from=example.net", False),
    ],
)
def test_what_our_own_server_found_is_what_counts(results: str, sure: bool) -> None:
    found = made_of(Authentication_Results=results)
    assert (found.sender.sureness == "attested") is sure


def test_commands_in_a_mail_are_words() -> None:
    text = "@status closed\n@assign anna\n#resolve\n@fwd eve@example.net"
    assert made_of(text).text == text


def test_a_long_mail_begins_with_what_was_written() -> None:
    quoted = "\n".join(f"> line {n}" for n in range(3_000))
    above = "On Mon, May 4, 2026 at 9:12 AM Desk <desk@example.org> wrote:"
    found = made_of(f"{above}\n{quoted}\n\nYes, that is fine.")
    assert found.text == "Yes, that is fine." and found.details["quoted"].startswith(above)


async def test_the_same_mail_to_two_mailboxes_is_one_message_in_each(sqlite_desk_client: DeskClient) -> None:
    client = sqlite_desk_client
    read = msgspec.msgpack.encode(reading.read(raw()))
    for address in ("help@example.org", "sales@example.org"):
        inbox = await client.store.write(_mailbox, client.team_id, address)
        for item in client.desk.runner.connector(inbox).parse(Raw(body=raw(), read=read)) * 2:
            await client.store.write(inbound.apply, inbox, item, [])
    rows = await client.store.read(lambda rx: rx.rows("SELECT inbox_id FROM message"))
    assert len(rows) == 2 and rows[0] != rows[1]


def _mailbox(tx: Tx, team_id: int, address: str) -> Inbox:
    settings = {"address": address, "password": "x", **HOSTS}
    return inboxes.create(tx, DESK, kind="email", name=address, team_id=team_id, settings=settings)
