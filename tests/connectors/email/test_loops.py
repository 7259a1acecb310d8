"""Machines that write to machines: whatever they send, it ends; and what comes back says what became of a letter."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from hub.clock import HOUR, ManualClock
from hub.db.store import Store
from hub.desk import inboxes
from hub.staff.access import DESK
from tests.connectors.email.mailroom import Mailroom, letter, mailroom, settings
from tests.providers.imap_peer import USER, ImapPeer
from tests.providers.smtp_peer import SmtpPeer


def vouched(by: str) -> dict[str, str]:
    return {"Authentication_Results": f"mx.test; dmarc=pass header.from={by.rpartition('@')[2]}"}


@pytest_asyncio.fixture
async def room(sqlite_store: Store) -> AsyncIterator[Mailroom]:
    async with mailroom(sqlite_store, authserv_id="mx.test", acknowledge=True) as made:
        yield made


async def acknowledged(room: Mailroom) -> int:
    import asyncio

    for _ in range(50):
        if not await room.rows("SELECT 1 FROM delivery WHERE state IN ('queued', 'sending')"):
            break
        await asyncio.sleep(0.02)
    return sum(one.parsed["Auto-Submitted"] is not None for one in room.smtp.taken)


async def test_a_new_ticket_is_acknowledged_once_and_still_waits(room: Mailroom) -> None:
    await room.take(letter("Buy pills at http://spam.example", subject="Buy pills", **vouched("eve@example.net")))
    assert await acknowledged(room) == 1
    (sent,) = room.smtp.taken
    assert sent.sender in ("", "<>") and sent.recipients == ["eve@example.net"]
    assert sent.parsed["Auto-Submitted"] == "auto-replied" and sent.parsed["X-Auto-Response-Suppress"] == "All"
    assert "pills" not in sent.raw.decode(), "nothing that the sender wrote"
    assert await room.rows("SELECT waiting_since IS NOT NULL, first_reply_at IS NULL FROM ticket") == [(1, 1)]
    await room.take(*(letter(f"and {n}", **vouched("eve@example.net")) for n in range(5)))
    assert await acknowledged(room) == 1, "once a day"


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Auto_Submitted": "auto-generated; x"},
        {"Precedence": "BULK"},
        {"Precedence": "auto_reply"},
        {"List_Id": "<a.example>"},
        {"List_Unsubscribe": "<https://x.example>"},
        {"Return_Path": "<>"},
        {"X_Loop": "somebody"},
        {"X_Auto_Response_Suppress": "All"},
        {"From": "No Reply <no-reply@example.net>"},
        {"From": USER},
    ],
)
async def test_machines_are_never_answered(room: Mailroom, headers: dict[str, str]) -> None:
    by = headers.get("From", "eve@example.net").split("<")[-1].rstrip(">")
    await room.take(letter("I am away", **headers, **vouched(by)))
    assert await acknowledged(room) == 0
    assert len(await room.tickets()) == 1, "but it is there"


async def test_what_a_mail_server_says_of_a_mail_of_others_is_no_ticket(room: Mailroom) -> None:
    sender = "MAILER-DAEMON@example.net"
    await room.take(letter("I am away", From=sender, **vouched(sender)))
    assert (await acknowledged(room), await room.tickets()) == (0, [])
    rows = await room.store.read(lambda rx: rx.rows("SELECT state, reason FROM inbound"))
    assert rows == [("ignored", "A bounce of a mail that is none of ours.")]


async def test_auto_submitted_no_is_a_person(room: Mailroom) -> None:
    await room.take(letter("I am here", Auto_Submitted="NO ; comment", **vouched("eve@example.net")))
    assert await acknowledged(room) == 1


async def test_the_words_are_the_inboxs_own(sqlite_store: Store) -> None:
    own: dict[str, Any] = {"acknowledge": True, "acknowledge_text": "Got it, {number}.", "authserv_id": "mx.test"}
    async with mailroom(sqlite_store, **own) as room:
        await room.take(letter("Hello", **vouched("eve@example.net")))
        assert await acknowledged(room) == 1
        assert room.smtp.taken[0].text.startswith(f"Got it, {(await room.tickets())[0]}.")


async def test_who_is_not_proven_is_not_written_to(room: Mailroom) -> None:
    for headers in (
        {},
        {"Authentication_Results": "mx.other; dmarc=pass header.from=example.net"},
        {"Authentication_Results": "mx.test; dmarc=fail header.from=example.net; spf=pass smtp.mailfrom=example.net"},
        {"Authentication_Results": "mx.test; dkim=pass header.d=evil.example"},
    ):
        await room.take(letter("Let me flood somebody", by=f"v{len(headers)}{id(headers)}@example.net", **headers))
    assert await acknowledged(room) == 0
    points = await room.rows("SELECT DISTINCT sureness FROM contact_point")
    assert points == [("typed",)]


async def test_a_vacation_answer_in_a_ticket_is_kept_and_reopens_nothing(room: Mailroom) -> None:
    from hub.desk import tickets

    await room.take(letter("one"))
    (number,) = await room.tickets()
    ours = (await room.reply(number)).parsed
    await room.store.write(tickets.resolve, DESK, number)
    await room.take(letter("I am away until May", In_Reply_To=ours["Message-ID"], Auto_Submitted="auto-replied"))
    assert (await room.texts(number))[-1] == "I am away until May"
    assert await room.rows("SELECT status FROM ticket") == [("resolved",)]


def bounce(of: str, action: str = "failed", status: str = "5.1.1") -> bytes:
    return (
        "From: Mail Delivery System <MAILER-DAEMON@mx.example>\r\n"
        f"To: {USER}\r\nSubject: Undelivered Mail\r\nReturn-Path: <>\r\nMessage-ID: <b{action}{len(of)}@mx.example>\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n'
        "Auto-Submitted: auto-replied\r\n\r\n"
        "--b\r\nContent-Type: text/plain\r\n\r\nIt did not work.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        f"Final-Recipient: rfc822; eve@example.net\r\nAction: {action}\r\nStatus: {status}\r\n"
        f"Diagnostic-Code: smtp; 550 {status} No such user here\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {of}\r\nSubject: x\r\n\r\n--b--\r\n"
    ).encode()


async def test_a_bounce_is_the_state_of_the_letter_that_came_back(room: Mailroom) -> None:
    await room.take(letter("one"))
    (number,) = await room.tickets()
    ours = (await room.reply(number)).parsed
    await room.take(bounce(ours["Message-ID"], "delayed", "4.4.1"))
    assert await room.rows("SELECT state FROM delivery") == [("sent",)]
    await room.take(bounce(ours["Message-ID"]))
    ((state, reason),) = await room.rows("SELECT state, reason FROM delivery")
    assert state == "failed" and "No such user here" in reason
    assert await room.rows("SELECT COUNT(*) FROM ticket") == [(1,)]
    assert await room.rows("SELECT COUNT(*) FROM message") == [(2,)]


async def test_a_bounce_of_nothing_of_ours_is_kept_and_is_no_ticket(room: Mailroom) -> None:
    await room.take(letter("one"))
    (number,) = await room.tickets()
    id = (await room.reply(number)).parsed["Message-ID"]
    forged = f"<{'r' + 'a' * 48}.{id.partition('.')[2]}"
    await room.take(bounce("<strange@elsewhere.example>"), bounce(forged))
    assert await room.rows("SELECT state FROM delivery") == [("sent",)]
    assert await room.rows("SELECT COUNT(*) FROM ticket") == [(1,)]
    assert await room.rows("SELECT COUNT(*) FROM inbound WHERE state = 'ignored'") == [(2,)]


async def test_a_bounce_finds_a_letter_whose_answer_was_lost(room: Mailroom, monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    from hub.desk import replies
    from hub.work import outbound
    from tests.work.desk import BOSS

    monkeypatch.setattr(outbound, "SEND_SECONDS", 0.5)
    await room.take(letter("one"))
    (number,) = await room.tickets()
    room.imap.folders["Sent"].mails.clear()
    room.smtp.imap = None  # no copy anywhere
    room.smtp.script.append("hang")
    await room.store.write(lambda tx: replies.reply(tx, BOSS, number, "hello", external_id="ours-" + "0" * 32))
    clock: Any = room.store.clock
    for _ in range(200):
        clock.advance(1_000)
        room.runner.worker.wake()
        await asyncio.sleep(0.02)
        if await room.rows("SELECT 1 FROM delivery WHERE state = 'unknown'"):
            break
    assert await room.rows("SELECT state, external_id FROM delivery") == [("unknown", None)]
    await room.take(bounce(room.smtp.taken[-1].parsed["Message-ID"]))
    assert await room.rows("SELECT state FROM delivery") == [("failed",)]


@pytest.mark.parametrize("honest", [True, False], ids=["headers are kept", "headers are lost on the way"])
async def test_two_desks_back_to_back_for_a_day_write_two_automatic_letters_at_most(
    sqlite_store: Store, clock: ManualClock, honest: bool
) -> None:
    """Each acknowledges what is new, and each takes the other for a person where a relay throws headers away."""
    ours, theirs = USER, "support@firm.example"
    sees: dict[str, Any] = {"authserv_id": "mx.test", "acknowledge": True}
    async with mailroom(sqlite_store, **sees) as room, ImapPeer() as imap, SmtpPeer() as smtp:
        given = settings(imap, smtp, address=theirs, user=USER, **sees)
        other = await sqlite_store.write(inboxes.create, DESK, kind="email", name="Firm", settings=given)
        far = Mailroom(sqlite_store, room.runner, other, imap, smtp)
        await far.take(letter("How do you do?", by=ours, to=theirs, **vouched(ours)))
        done = [0, 0]
        for _ in range(24):
            for at, (here, there, by) in enumerate(((room, far, ours), (far, room, theirs))):
                await acknowledged(here)
                for sent in here.smtp.taken[done[at] :]:
                    done[at] += 1
                    raw = sent.raw
                    if not honest:
                        drop = (b"auto-submitted", b"precedence", b"x-auto", b"x-parley")
                        head, _, body = raw.partition(b"\r\n\r\n")
                        kept = [line for line in head.split(b"\r\n") if not line.lower().startswith(drop)]
                        raw = b"\r\n".join(kept) + b"\r\n\r\n" + body
                    stamp = f"Authentication-Results: mx.test; dmarc=pass header.from={by.rpartition('@')[2]}\r\n"
                    await there.take(stamp.encode() + raw)
            clock.advance(HOUR)
        assert await acknowledged(room) + await acknowledged(far) <= 2
        assert await acknowledged(room) + await acknowledged(far) >= 1
