"""Business hours: exact by the wall clock of a zone, with holidays; kept, and seen by visitors."""

import datetime
import random
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.clock import DAY, HOUR, MINUTE, ManualClock
from hub.commands import BY_NAME
from hub.commands.perform import look, perform
from hub.db.store import Store
from hub.db.tx import Tx
from hub.desk import hours, inboxes, routing_settings, visitors
from hub.desk.hours import Schedule, SpecialDay, lookup
from hub.desk.hours.schedule import date_of, number_of
from hub.desk.visitors.details import Details
from hub.desk.zones import zone
from hub.errors import Refusal
from hub.staff import agents, roles, teams
from hub.staff.access import DESK
from hub.work import timers
from tests.fixtures.visits import Hall

OFFICE: Any = ((("09:00", "13:00"), ("14:00", "18:00")),) * 5 + ((),) * 2
NINE_TO_FIVE = ((540, 1020),)
# Skips and repeats an hour in many ways; half an hour (Lord Howe), at midnight (Beirut, Havana), a whole day (Apia).
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Beirut", "America/Havana", "Asia/Kathmandu",
         "Africa/Casablanca", "Pacific/Apia", "Africa/Addis_Ababa", "America/St_Johns")  # fmt: skip


def ms(text: str, name: str = "UTC", fold: int = 0) -> int:
    return int(datetime.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(name), fold=fold).timestamp() * 1000)


def week(*spans: tuple[int, int]) -> tuple[tuple[tuple[int, int], ...], ...]:
    return (spans,) * 7


class TestReckoning:
    def test_a_working_day_with_its_pause(self) -> None:
        schedule = Schedule("Africa/Addis_Ababa", (((540, 780), (840, 1080)),) * 5 + ((),) * 2)
        friday = ms("2026-03-06T12:30", "Africa/Addis_Ababa")
        assert schedule.is_open(friday)
        assert schedule.next_change(friday) == friday + 30 * MINUTE
        assert not schedule.is_open(friday + 30 * MINUTE)
        assert schedule.next_change(friday + 30 * MINUTE) == friday + 90 * MINUTE
        assert schedule.add(friday, HOUR) == friday + 2 * HOUR, "half an hour, the pause, half an hour"
        assert schedule.add(friday, 5 * HOUR) == ms("2026-03-09T09:30", "Africa/Addis_Ababa"), "the rest on Monday"
        assert schedule.between(friday, ms("2026-03-09T10:00", "Africa/Addis_Ababa")) == 5 * HOUR + 30 * MINUTE

    def test_what_is_asked_while_it_is_closed_counts_from_the_opening(self) -> None:
        schedule = Schedule("UTC", week(*NINE_TO_FIVE))
        assert schedule.add(ms("2026-03-06T03:00"), HOUR) == ms("2026-03-06T10:00")
        assert schedule.add(ms("2026-03-06T17:00"), 0) == ms("2026-03-07T09:00"), "no time at all, from the opening"

    def test_a_night_in_which_an_hour_is_missing_is_shorter(self) -> None:
        schedule = Schedule("Europe/Berlin", week((60, 240)))  # 01:00 to 04:00
        day = number_of(datetime.date(2026, 3, 29))
        assert schedule.day(day) == [(ms("2026-03-29T00:00"), ms("2026-03-29T02:00"))]

    def test_one_with_an_hour_twice_is_longer(self) -> None:
        schedule = Schedule("Europe/Berlin", week((60, 240)))
        ((start, end),) = schedule.day(number_of(datetime.date(2026, 10, 25)))
        assert end - start == 4 * HOUR
        assert schedule.add(start, 4 * HOUR) == end

    def test_what_begins_in_the_missing_hour_begins_where_the_clock_goes_on(self) -> None:
        schedule = Schedule("Europe/Berlin", week((150, 240)))  # 02:30, which is not there
        assert schedule.day(number_of(datetime.date(2026, 3, 29))) == [(ms("2026-03-29T01:00"), ms("2026-03-29T02:00"))]

    def test_day_and_night_is_one_stretch(self) -> None:
        schedule = Schedule("Europe/Berlin", week((0, 1440)))
        assert schedule.is_open(0) and schedule.next_change(ms("2026-03-28T12:00")) is None
        assert schedule.add(ms("2026-03-28T12:00"), 30 * DAY) == ms("2026-03-28T12:00") + 30 * DAY

    def test_past_midnight_it_stays_open(self) -> None:
        schedule = Schedule("UTC", (((1200, 1440),),) + (((0, 120),),) + ((),) * 5)  # Monday 20:00 to Tuesday 02:00
        assert schedule.next_change(ms("2026-03-02T21:00")) == ms("2026-03-03T02:00")

    def test_what_never_opens_never_comes(self) -> None:
        never = Schedule("UTC", ((),) * 7)
        assert never.next_change(0) is None and never.add(0, 1) is None and never.between(0, 400 * DAY) == 0

    def test_a_day_of_its_own_goes_before_its_weekday(self) -> None:
        monday = number_of(datetime.date(2026, 3, 2))
        schedule = Schedule("UTC", week(*NINE_TO_FIVE), {monday: ((600, 660),), monday + 1: ()})
        assert schedule.add(ms("2026-03-02T00:00"), 2 * HOUR) == ms("2026-03-04T10:00")

    @settings(max_examples=150)
    @given(
        st.sampled_from(ZONES),
        st.integers(0, 2**31),
        st.lists(st.tuples(st.integers(0, 1439), st.integers(1, 1440)), min_size=1, max_size=3),
    )
    def test_it_is_open_when_the_wall_clock_says_so(self, name: str, seed: int, spans: list[tuple[int, int]]) -> None:
        """Minute by minute against the clock on the wall, over a change of the clock where there is one."""
        chance = random.Random(seed)
        ordered: list[tuple[int, int]] = []
        for start, end in sorted(spans):
            if start < end and (not ordered or start > ordered[-1][1]):
                ordered.append((start, end))
        schedule = Schedule(name, week(*ordered))
        changes = changes_of(name)
        at = chance.choice(changes) - 30 * HOUR if changes else ms("2026-05-01T00:00")
        place = ZoneInfo(name)

        def wall(moment: int) -> bool:
            shown = datetime.datetime.fromtimestamp(moment / 1000, place)
            return any(s <= shown.hour * 60 + shown.minute < e for s, e in ordered)

        opened = [wall(at + n * MINUTE) for n in range(60 * 60)]
        for n in range(0, 60 * 60, 7):
            assert schedule.is_open(at + n * MINUTE) == opened[n]
        end = at + len(opened) * MINUTE
        assert schedule.between(at, end) == sum(opened) * MINUTE
        if any(opened):
            wanted = chance.randint(1, sum(opened))
            there = schedule.add(at, wanted * MINUTE)
            assert there is not None and schedule.between(at, there) == wanted * MINUTE
            assert there == at + (nth(opened, wanted) + 1) * MINUTE, "the first moment at which so much was open"
        change = schedule.next_change(at)
        switched = next((n for n in range(1, len(opened)) if opened[n] != opened[0]), None)
        if switched is not None:
            assert change == at + switched * MINUTE


def nth(opened: list[bool], wanted: int) -> int:
    return [n for n, is_open in enumerate(opened) if is_open][wanted - 1]


def changes_of(name: str) -> list[int]:
    """When the clock was changed there from 2011 to 2026."""
    place, found = ZoneInfo(name), []
    before = None
    for day in range(15_000, 20_800):
        offset = datetime.datetime.fromtimestamp(day * 86_400, place).utcoffset()
        if before is not None and offset != before:
            found.append(day * DAY)
        before = offset
    return found


# --- kept ----------------------------------------------------------------------------------------------------------


async def made(store: Store, **more: Any) -> int:
    fields = {"name": "Office", "zone": "Africa/Addis_Ababa", "week": OFFICE, **more}
    return await store.write(hours.create, DESK, **fields)


async def refused(doing: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        await doing
    return caught.value


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"zone": "../../etc/passwd"}, "zone"),
        ({"zone": "Africa"}, "zone"),
        ({"week": OFFICE[:6]}, "week"),
        ({"week": ((("9:00", "12:00"),), *OFFICE[1:])}, "week.0"),
        ({"week": ((("09:00", "25:00"),), *OFFICE[1:])}, "week.0"),
        ({"week": (*OFFICE[:6], (("12:00", "12:00"),))}, "week.6"),
        ({"week": (*OFFICE[:6], (("09:00", "12:00"), ("11:00", "13:00")))}, "week.6"),
        ({"country": "XX"}, "country"),
        ({"country": "DE", "region": "ZZ"}, "region"),
        ({"region": "BY"}, "region"),
        ({"days": [SpecialDay("2026-02-30")]}, "days.0.date"),
        ({"days": [SpecialDay("2026-02-20"), SpecialDay("2026-02-20")]}, "days.1.date"),
        ({"days": [SpecialDay("2026-02-20", closed=False)]}, "days.0.open"),
        ({"days": [SpecialDay("2026-02-20", open=(("09:00", "10:00"),))]}, "days.0.open"),
        ({"name": " "}, "name"),
    ],
)
async def test_what_is_wrong_is_named(store: Store, given: dict[str, Any], field: str) -> None:
    error = await refused(made(store, **given))
    assert [e.field for e in error.errors] == [field]


async def test_they_are_changed_in_parts_and_what_touches_is_one(store: Store) -> None:
    first = await made(store, country="DE", region="BY")
    touching = ((("13:00", "14:00"), ("09:00", "13:00")),) + ((),) * 6
    await store.write(hours.change, DESK, first, week=touching, country="ET")
    got = await store.read(hours.get, first)
    assert got.week[0] == (("09:00", "14:00"),)
    assert (got.country, got.region, got.zone) == ("ET", None, "Africa/Addis_Ababa")
    assert (await refused(made(store, name="OFFICE"))).errors[0].field == "name"
    assert [h.name for h in await store.read(hours.all_of_them)] == ["Office"]


async def test_what_something_goes_by_stays(store: Store) -> None:
    first = await made(store)
    team_id = await store.write(teams.create, DESK, "Counter")
    await store.write(teams.change, DESK, team_id, hours_id=first)
    assert "Counter" in (await refused(store.write(hours.delete, DESK, first))).text
    await store.write(teams.change, DESK, team_id, hours_id=None)
    await store.write(hours.delete, DESK, first)
    assert (await refused(store.read(hours.get, first))).code == "not_found"
    assert (await refused(store.write(teams.change, DESK, team_id, hours_id=first))).errors[0].field == "hours_id"


async def test_an_inbox_goes_by_hours_that_there_are(hall: Hall) -> None:
    change = hall.store.write(inboxes.change, DESK, hall.inbox.id, settings={"hours_id": 4711})
    assert (await refused(change)).errors[0].field == "settings.hours_id"


async def test_the_teams_go_before_the_inboxs(hall: Hall) -> None:
    store = hall.store
    weekend = ((),) * 5 + ((("10:00", "12:00"),),) * 2
    of_inbox, of_team = await made(store), await made(store, name="Weekend", week=weekend)
    team_id = await store.write(teams.create, DESK, "Sunday people")
    await store.write(inboxes.change, DESK, hall.inbox.id, settings={"hours_id": of_inbox})
    sunday = ms("2026-03-01T11:00", "Africa/Addis_Ababa")
    schedule = await store.read(hours.of, team_id, hall.inbox.id)
    assert schedule is not None and not schedule.is_open(sunday)
    await store.write(teams.change, DESK, team_id, hours_id=of_team)
    schedule = await store.read(hours.of, team_id, hall.inbox.id)
    assert schedule is not None and schedule.is_open(sunday)
    assert await store.read(hours.of, None, hall.other.id) is None


# --- public holidays -----------------------------------------------------------------------------------------------


def test_the_countries_are_those_of_the_library() -> None:
    import holidays

    known = holidays.list_supported_countries(include_aliases=False)
    assert hours.countries() == {code: tuple(sorted(r)) for code, r in sorted(known.items()) if len(code) == 2}


@pytest.mark.loop_may_block(reason="a child is started")
async def test_public_holidays_are_looked_up_once_and_close(store: Store, clock: ManualClock) -> None:
    hours_id = await made(store, country="ET")
    assert await store.read(hours.unknown_holidays) == [("ET", "")]
    await timers.look_up(store)
    assert await store.read(hours.unknown_holidays) == []
    year = date_of(clock.now() // DAY).year
    meskel = datetime.date(year, 9, 27)
    (day,) = await store.read(hours.calendar, hours_id, meskel, meskel)
    assert day.holiday and day.open == [] and day.name
    await store.write(
        hours.change,
        DESK,
        hours_id,
        days=[SpecialDay(meskel.isoformat(), "Open all the same", False, (("10:00", "12:00"),))],
    )
    (day,) = await store.read(hours.calendar, hours_id, meskel, meskel)
    assert len(day.open) == 1 and day.name == "Open all the same", "what is written by hand goes before"
    clock.advance(400 * DAY)
    assert await store.read(hours.unknown_holidays) == [] or year < date_of(clock.now() // DAY).year
    clock.advance(800 * DAY)
    assert await store.read(hours.unknown_holidays) == [("ET", "")]


def test_a_region_has_its_own() -> None:
    assert "2026-01-06" in lookup.look_up("DE", "BY", 2026, 2026)
    assert "2026-01-06" not in lookup.look_up("DE", "", 2026, 2026)


# --- commands ------------------------------------------------------------------------------------------------------


async def test_the_commands(store: Store) -> None:
    def asks(name: str, /, **fields: Any) -> Any:
        def unit(tx: Tx) -> Any:
            command = BY_NAME[name]
            request = msgspec.convert(fields, type=command.request)
            answer = (perform if command.write else look)(tx, command, DESK, request)
            return msgspec.json.decode(msgspec.json.encode(answer))

        return store.write(unit)

    made = await asks("create_hours", name="Office", zone="UTC", week=[[["09:00", "17:00"]]] * 5 + [[], []])
    asked = {"hours_id": made["id"], "at": ms("2026-03-06T16:00")}
    assert await asks("read_open", **asked) == {"open": True, "next_change_at": ms("2026-03-06T17:00")}
    changed = await asks(
        "change_hours", hours_id=made["id"], days=[{"date": "2026-03-06", "name": "Inventory", "closed": True}]
    )
    assert changed["days"] == [{"date": "2026-03-06", "name": "Inventory", "closed": True, "open": []}]
    assert await asks("read_open", **asked) == {"open": False, "next_change_at": ms("2026-03-09T09:00")}
    days = (await asks("read_calendar", hours_id=made["id"], first="2026-03-05", last="2026-03-06"))["items"]
    assert [(d["date"], len(d["open"]), d["name"]) for d in days] == [
        ("2026-03-05", 1, None),
        ("2026-03-06", 0, "Inventory"),
    ]
    for wrong in (("2026-03-06", "2026-03-05"), ("2026-01-01", "2027-12-31"), ("2026-02-30", "2026-03-01")):
        error = await refused(asks("read_calendar", hours_id=made["id"], first=wrong[0], last=wrong[1]))
        assert error.code == "invalid"
    assert {c["code"] for c in (await asks("list_countries"))["items"]} >= {"ET", "KH", "FR"}
    assert await asks("delete_hours", hours_id=made["id"]) == {"id": made["id"]}
    assert (await asks("list_hours"))["items"] == []


# --- what visitors see ---------------------------------------------------------------------------------------------


async def test_a_visitor_is_told_when_it_opens(hall: Hall, clock: ManualClock) -> None:
    opening = (clock.now() // DAY + 1) * DAY
    minute = (clock.now() % DAY) // MINUTE
    assert minute < 1380
    soon = f"{minute // 60 + 1:02}:00"
    hours_id = await made(hall.store, zone="UTC", week=((("00:00", soon),),) * 7)
    await hall.set(hours_id=hours_id, offline="auto")
    await hall.ann_is_there()
    eve = await hall.browser()
    state = await eve.sees()
    assert (state.closed, state.opens_at) == (False, None)
    clock.advance(HOUR)
    await hall.ann_is_there()
    state = await eve.sees()
    assert state.online and (state.closed, state.opens_at) == (True, opening)


_ADDRESS = """
SELECT contact_point.sureness, consent.purpose, consent.given, consent.wording
FROM contact_point JOIN consent ON consent.contact_point_id = contact_point.id
WHERE contact_point.kind = 'email' AND contact_point.value = 'eve@example.net'"""


async def test_who_waits_long_is_offered_another_way(hall: Hall, clock: ManualClock) -> None:
    await hall.ann_is_there()
    eve, adam = await hall.browser(), await hall.browser()
    await eve.says("Is anybody here?")
    assert not (await eve.sees()).long_wait
    clock.advance(5 * MINUTE)
    await hall.ann_is_there()
    state = await eve.sees()
    assert (state.long_wait, state.ways) == (True, ("message",))
    assert (await adam.sees()).long_wait, "who comes now learns that others wait already"
    words = "You may answer me at this address."
    await eve.does(visitors.leave_details, hall.inbox, Details(email="eve@example.net", answer_me=words))
    state = await eve.sees()
    assert (state.long_wait, state.ways) == (True, ())
    kept = await hall.store.read(lambda rx: rx.rows(_ADDRESS))
    assert kept == [("typed", "support", 1, words)]
    await hall.store.write(routing_settings.change, DESK, long_wait_minutes=0)
    assert not (await eve.sees()).long_wait
    await hall.store.write(routing_settings.change, DESK, long_wait_minutes=1)
    await hall.answers((await eve.sees()).ticket.number, "Yes.")  # type: ignore[union-attr]
    assert not (await eve.sees()).long_wait and not (await adam.sees()).long_wait


def test_a_zone_is_known_by_its_name() -> None:
    assert str(zone("America/Argentina/Buenos_Aires")) == "America/Argentina/Buenos_Aires"
    for name in ("", "Europe", "Europe/Atlantis", "/etc/passwd", "A" * 200, "Europe/../UTC"):
        with pytest.raises(Refusal):
            zone(name)


async def test_only_who_manages_inboxes_changes_them(store: Store) -> None:
    def agent(tx: Tx) -> Any:
        roles.ensure_built_in(tx)
        role = roles.named(tx, "supervisor").id
        return agents.create(tx, DESK, email="s@example.org", name="S", role_id=role)

    from hub.events import Actor
    from hub.staff import access

    agent_id = await store.write(agent)
    grants = await store.read(access.load, agent_id)
    assert grants is not None
    caller = access.Caller(Actor("agent", agent_id), grants)
    error = await refused(store.write(hours.create, caller, name="x", zone="UTC", week=OFFICE))
    assert error.code == "forbidden"
