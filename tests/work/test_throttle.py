"""Counting what strangers post."""

import pytest

from hub.clock import ManualClock
from hub.work.throttle import Throttle, network


def test_a_network_has_its_number_of_posts_an_hour_and_is_told_how_long_to_wait() -> None:
    clock = ManualClock()
    posts = Throttle(clock, per_hour=2)
    assert posts.wait("a", "203.0.113.7", "a") == 0
    clock.advance(600_000)
    assert posts.wait("a", "203.0.113.200", "b") == 0
    assert posts.wait("a", "203.0.113.7", "c") == 3_000
    clock.advance(3_000_000)
    assert posts.wait("a", "203.0.113.7", "c") == 0
    assert posts.wait("a", "203.0.113.7", "d") == 600


def test_the_same_post_again_counts_once_and_inboxes_count_for_themselves() -> None:
    posts = Throttle(ManualClock(), per_hour=1)
    assert [posts.wait("a", "203.0.113.7", "a") for _ in range(5)] == [0] * 5
    assert posts.wait("b", "203.0.113.7", "b") == 0
    assert posts.wait("a", "203.0.114.7", "c") == 0
    assert posts.wait("a", "203.0.113.7", "d") > 0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("203.0.113.1", "203.0.113.254", True),
        ("203.0.113.1", "203.0.114.1", False),
        ("2001:db8:0:1::1", "2001:db8:0:ff::1", True),
        ("2001:db8:0:1::1", "2001:db8:0:100::1", False),
        ("::ffff:203.0.113.1", "203.0.113.9", True),
        ("", "", True),
    ],
)
def test_one_sender_is_one_network(one: str, other: str, same: bool) -> None:
    assert (network(one) == network(other)) is same
