"""How much one key may ask for: token buckets in this process's memory, asked by the doors in hub.web.

A bucket holds a minute's worth and fills evenly, so a burst is fine and a stream of requests is not. Several desks on
one database count each for itself.
"""

import ipaddress
from collections import OrderedDict
from typing import Final

from hub.clock import Clock
from hub.errors import Refusal

MAX_BUCKETS: Final = 50_000  # the longest unused go first: by then they have long been full again


class Limits:
    def __init__(self, clock: Clock, *, api_per_minute: int = 600, strangers_per_minute: int = 120) -> None:
        self.api_per_minute = api_per_minute
        self.strangers_per_minute = strangers_per_minute
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # key → (left, when)

    def account(self, key: str) -> None:
        """One request of a token or an agent."""
        self.take(f"account {key}", self.api_per_minute)

    def stranger(self, remote: str) -> None:
        """One request of somebody who has not shown who they are, counted by network."""
        self.take(f"network {network(remote)}", self.strangers_per_minute)

    def take(self, key: str, per_minute: int) -> None:
        """Raises too_many, with the seconds to wait, when the bucket is empty."""
        now = self._clock.monotonic()
        left, then = self._buckets.get(key, (float(per_minute), now))
        left = min(float(per_minute), left + (now - then) * per_minute / 60)
        if left < 1:
            wait = max(1, round((1 - left) * 60 / per_minute + 0.5))
            raise Refusal(
                "too_many",
                f"That is more than {per_minute} requests a minute. Wait {wait} s and try again.",
                extra={"retry_after": wait},
            )
        self._buckets[key] = (left - 1, now)
        self._buckets.move_to_end(key)
        if len(self._buckets) > MAX_BUCKETS:
            self._buckets.popitem(last=False)


def network(remote: str) -> str:
    """Who shares a bucket: an IPv4 address, or the /64 of an IPv6 one, which any home or host has to itself."""
    try:
        address = ipaddress.ip_address(remote)
    except ValueError:
        return remote
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.IPv6Network((address, 64), strict=False).network_address)
    return remote
