"""How much one key may ask for."""

import pytest

from hub.clock import ManualClock
from hub.errors import Refusal
from hub.web import limits
from hub.web.limits import Limits, network


def taken(bucket: Limits, times: int) -> int:
    for done in range(times):
        try:
            bucket.account("x")
        except Refusal as refusal:
            assert refusal.code == "too_many"
            return done
    return times


def test_a_minutes_worth_may_come_at_once_and_then_evenly(clock: ManualClock) -> None:
    bucket = Limits(clock, api_per_minute=60)
    assert taken(bucket, 100) == 60
    clock.advance(999)
    assert taken(bucket, 1) == 0
    clock.advance(1)
    assert taken(bucket, 2) == 1
    clock.advance(3_600_000)
    assert taken(bucket, 100) == 60, "what was not used does not add up"


def test_who_waits_as_long_as_told_is_let_in(clock: ManualClock) -> None:
    for per_minute in (1, 7, 60, 600):
        bucket = Limits(clock, api_per_minute=per_minute)
        taken(bucket, per_minute)
        with pytest.raises(Refusal) as refused:
            bucket.account("x")
        clock.advance(refused.value.extra["retry_after"] * 1000)
        bucket.account("x")


def test_a_jump_of_the_wall_clock_gives_nothing(clock: ManualClock) -> None:
    bucket = Limits(clock, api_per_minute=5)
    assert taken(bucket, 5) == 5
    clock.jump(86_400_000)
    assert taken(bucket, 5) == 0


def test_memory_is_bounded(clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_BUCKETS", 100)
    bucket = Limits(clock)
    for n in range(1_000):
        bucket.stranger(f"10.0.{n // 250}.{n % 250}")
    assert len(bucket._buckets) == 100


def test_networks() -> None:
    assert network("203.0.113.9") == "203.0.113.9"
    assert network("2001:db8:1:2:3::4") == "2001:db8:1:2::"
    assert network("::ffff:203.0.113.9") == "203.0.113.9"
    assert network("") == ""
