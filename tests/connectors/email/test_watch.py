"""Reading a mailbox: everything once, whatever breaks; and an end at once."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from connectors.email import mailbox as mailboxes
from connectors.email import watch
from connectors.email.connector import EmailConnector
from connectors.email.settings import EmailSettings
from hub.connector import Rejected, Retry
from hub.db.store import Store
from hub.errors import Unavailable
from hub.work import pollers
from hub.work.hub import HubOf
from tests.connectors.email.mailroom import Mailroom, letter, mailroom, settings, until
from tests.providers.imap_peer import ImapPeer
from tests.providers.smtp_peer import SmtpPeer


@pytest_asyncio.fixture
async def room(sqlite_store: Store, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Mailroom]:
    """Whose poller comes back at once."""
    monkeypatch.setattr(pollers, "FIRST_PAUSE", 0.02)
    monkeypatch.setattr(pollers, "LONGEST_PAUSE", 0.05)
    async with mailroom(sqlite_store) as made:
        await idling(made)
        yield made


def made(imap: ImapPeer, smtp: SmtpPeer, **changed: Any) -> EmailSettings:
    return EmailSettings(**settings(imap, smtp) | changed)


async def idling(room: Mailroom, times: int = 1) -> None:
    await until(lambda: room.imap.calls.count("IDLE") >= times)


async def there(room: Mailroom, *texts: str) -> None:
    async def are() -> bool:
        rows = await room.rows("SELECT text FROM message WHERE direction = 'incoming'")
        return sorted(row[0] for row in rows) == sorted(texts)

    try:
        await until(are)
    except TimeoutError:
        raise AssertionError(await room.rows("SELECT text FROM message")) from None


async def test_what_arrives_is_a_ticket_at_once(room: Mailroom) -> None:
    room.imap.folders["INBOX"].add(letter("one"))
    await there(room, "one")
    ((at, error),) = await room.rows("SELECT health_in_at, health_in_error FROM inbox")
    assert at and error is None


async def test_what_lay_there_before_is_left_unless_it_is_wanted(sqlite_store: Store) -> None:
    for begin, wanted in (("new", []), ("all", ["old"])):
        async with mailroom(sqlite_store, started=False, begin=begin) as room:
            await sqlite_store.write(lambda tx: tx.run("UPDATE inbox SET name_folded = 'x' || id"))
            room.imap.folders["INBOX"].add(letter("old"))
            async with room.runner:
                await idling(room)
                await room.read()
                found = await room.rows(
                    f"SELECT text FROM message WHERE direction = 'incoming' AND inbox_id = {room.inbox.id}"
                )
                assert [row[0] for row in found] == wanted


@pytest.mark.parametrize("how", ["drop", "half", "no", "bad", "bye", "huge", "junk"])
@pytest.mark.parametrize("where", ["GREETING", "LOGIN", "EXAMINE", "SEARCH", "FETCH", "IDLE"])
async def test_whatever_breaks_at_whatever_step_each_letter_is_there_once(room: Mailroom, where: str, how: str) -> None:
    if where == "GREETING" and how in ("no", "bad", "half", "huge"):
        how = "drop"  # a greeting cannot break so
    room.imap.breaks[where] = [how, how]
    room.imap.drop_all()
    for n in range(3):
        room.imap.folders["INBOX"].add(letter(f"{n}"))
    await there(room, "0", "1", "2")
    await idling(room)
    assert await room.rows("SELECT COUNT(*) FROM message") == [(3,)]


async def test_a_server_that_falls_silent_is_noticed(room: Mailroom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "ANSWER_SECONDS", 0.2)
    monkeypatch.setattr(mailboxes, "ANSWER_SECONDS", 0.2)
    monkeypatch.setattr(watch.Watch._call, "__kwdefaults__", {"seconds": 0.5})
    for where in ("EXAMINE", "SEARCH", "FETCH"):
        room.imap.breaks[where] = ["hang"]
        room.imap.drop_all()
        room.imap.folders["INBOX"].add(letter(where))
    await there(room, "EXAMINE", "SEARCH", "FETCH")


async def test_a_folder_that_is_numbered_anew_is_read_again_and_each_letter_is_there_once(room: Mailroom) -> None:
    folder = room.imap.folders["INBOX"]
    for n in range(30):
        folder.add(letter(f"{n}"))
    await there(room, *map(str, range(30)))
    folder.add(letter("from before we came"), at="01-Jan-2020 10:00:00 +0000")
    folder.renumber()
    room.imap.drop_all()
    folder.add(letter("new"))
    await there(room, *map(str, range(30)), "new", *(() if await _left(room) else ("from before we came",)))


async def _left(room: Mailroom) -> bool:
    """Whether the old one was taken before the folder was numbered anew: then it simply stays."""
    await asyncio.sleep(0.3)
    await room.read()
    return not await room.rows("SELECT 1 FROM message WHERE text = 'from before we came'")


async def test_one_that_vanishes_before_it_is_read_and_one_that_is_refused_do_not_stop_the_others(
    room: Mailroom,
) -> None:
    folder = room.imap.folders["INBOX"]
    room.imap.vanish.add(folder.next_uid)
    room.imap.drop_all()
    for n in range(3):
        folder.add(letter(f"{n}"))
    await there(room, "1", "2")


async def test_one_that_the_server_will_not_give_lies_in_quarantine(room: Mailroom) -> None:
    room.imap.drop_all()
    # One answer with sizes, the one with both bodies, then each alone.
    room.imap.breaks["FETCH"] = ["", "no", "no"]
    for n in range(2):
        room.imap.folders["INBOX"].add(letter(f"{n}"))
    await there(room, "1")
    await room.read()
    rows = await room.rows("SELECT state, reason FROM inbound ORDER BY id")
    assert [row[0] for row in rows].count("quarantined") == 1
    assert any("LIMIT" in (row[1] or "") or "would not give" in (row[1] or "") for row in rows)


async def test_what_comes_while_the_folder_is_searched_does_not_wait_for_the_next(room: Mailroom) -> None:
    """The server tells of it with the answer to the search, and not again."""
    room.imap.arrive_while_searching.append(letter("between"))
    room.imap.folders["INBOX"].add(letter("first"))
    await until(lambda: room.rows("SELECT 1 FROM message WHERE text LIKE 'between%'"))


async def test_a_very_large_letter_is_taken_in_part_and_says_so(
    room: Mailroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (mailboxes, watch):
        monkeypatch.setattr(module, "LARGEST", 20_000)
    monkeypatch.setattr(mailboxes, "PART", 2_000)
    room.imap.folders["INBOX"].add(letter("begins so " + "x" * 30_000))
    await until(lambda: room.rows("SELECT 1 FROM message"))
    details = await room.details()
    assert "too large" in details["flags"] and int(details["size"]) > 30_000


async def test_a_wrong_password_is_said_in_words(sqlite_store: Store) -> None:
    async with mailroom(sqlite_store, started=False, password="wrong") as room:
        with pytest.raises(Rejected, match="does not let us in"):
            await room.runner.connector(room.inbox).run()
        with pytest.raises(Rejected, match=r"IMAP.*does not let us in.*mail server does not let us in"):
            await room.runner.connector(room.inbox).check()


async def test_what_is_wrong_with_a_server_is_said_in_words(sqlite_store: Store) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"imap_port": 1}, "takes no connections"),
        ({"imap_host": "nowhere.invalid"}, "no server called"),
        ({"imap_security": "tls"}, "TLS"),
        ({"imap_security": "starttls"}, "STARTTLS"),
        ({"smtp_security": "starttls"}, "STARTTLS"),
        ({"smtp_security": "tls"}, "TLS"),
        ({"folders": ("Nowhere",)}, "'Nowhere' cannot be opened"),
    ]
    async with mailroom(sqlite_store, started=False) as room:
        hub = room.runner.connector(room.inbox).hub
        for changed, said in cases:
            with pytest.raises(Rejected, match=said):
                await EmailConnector(made(room.imap, room.smtp, **changed), hub).check()
        await EmailConnector(made(room.imap, room.smtp), hub).check()


async def test_it_ends_at_once_wherever_it_is(room: Mailroom) -> None:
    for where in ("", "FETCH", "EXAMINE", "LOGIN", "GREETING"):
        if where:
            room.imap.breaks[where] = ["hang"]
            room.imap.drop_all()
            room.imap.folders["INBOX"].add(letter(where))
            await asyncio.sleep(0.3)
        async with asyncio.timeout(30):  # a minute is what a silent server is given
            await room.runner.pollers.end(room.inbox.id)
        room.imap.breaks.clear()
        room.runner.pollers.start(room.inbox)


async def test_a_mailbox_without_idle_is_asked_now_and_then(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "POLL_SECONDS", 0.05)
    async with mailroom(sqlite_store, started=False) as room:
        room.imap.idle = False
        async with room.runner:
            await until(lambda: room.imap.calls.count("SEARCH") >= 2)
            room.imap.folders["INBOX"].add(letter("one"))
            await there(room, "one")


async def test_several_folders_are_read_and_the_first_is_waited_in(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.providers.imap_peer import Folder

    monkeypatch.setattr(watch, "POLL_SECONDS", 0.3)
    async with mailroom(sqlite_store, started=False, folders=["INBOX", "Orders"]) as room:
        room.imap.folders["Orders"] = Folder()
        async with room.runner:
            await idling(room)
            room.imap.folders["Orders"].add(letter("an order"))
            await there(room, "an order")


async def test_what_is_raised_while_the_desk_is_full_moves_nothing(
    room: Mailroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, times = HubOf.receive, [0]

    async def full(hub: HubOf, raw: Any) -> Any:
        times[0] += 1
        if times[0] < 3:
            raise Unavailable("full")
        return await real(hub, raw)

    monkeypatch.setattr(HubOf, "receive", full)
    room.imap.folders["INBOX"].add(letter("one"))
    await there(room, "one")
    assert times[0] >= 3


async def test_a_thread_that_hangs_is_left_behind() -> None:
    cut = []
    with pytest.raises(watch.Hung):
        await watch.in_thread(time.sleep, 2, seconds=0.1, cut=lambda: cut.append(1))
    assert cut


async def test_a_lost_server_is_something_that_passes(sqlite_store: Store) -> None:
    async with mailroom(sqlite_store, started=False) as room, ImapPeer() as peer:
        hub = room.runner.connector(room.inbox).hub
        connector = EmailConnector(made(room.imap, room.smtp, imap_port=peer.port), hub)
        peer.breaks["LOGIN"] = ["drop"]
        with pytest.raises(Retry):
            await connector.run()
