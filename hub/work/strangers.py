"""How many posts of strangers one network may make in an hour, for each inbox: asked by connectors through their Hub.

Counted in this process's memory; several desks on one database count each for itself.
"""

import ipaddress
from collections import OrderedDict, deque
from typing import Final

from hub.clock import Clock

HOUR_SECONDS: Final = 3_600.0
MAX_NETWORKS: Final = 20_000  # the longest silent go first


class Strangers:
    def __init__(self, clock: Clock, per_hour: int) -> None:
        self._clock, self._per_hour = clock, per_hour
        self._posts: OrderedDict[tuple[int, str], deque[tuple[float, str]]] = OrderedDict()

    def wait(self, inbox_id: int, remote: str, mark: str) -> int:
        """Counts a post; 0: it may go on, else the seconds until the next one may. The same `mark` counts once: who
        presses the button again because nothing came back must not be refused for it."""
        now = self._clock.monotonic()
        key = (inbox_id, prefix(remote))
        posts = self._posts.setdefault(key, deque())
        self._posts.move_to_end(key)
        while posts and now - posts[0][0] >= HOUR_SECONDS:
            posts.popleft()
        if any(known == mark for _, known in posts):
            return 0
        if len(posts) >= self._per_hour:
            return int(posts[0][0] + HOUR_SECONDS - now) + 1
        posts.append((now, mark))
        if len(self._posts) > MAX_NETWORKS:
            self._posts.popitem(last=False)
        return 0


def prefix(remote: str) -> str:
    """The network that is counted as one sender: an IPv4 /24, an IPv6 /56, which is what one customer gets."""
    try:
        address = ipaddress.ip_address(remote)
    except ValueError:
        return remote
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            return str(ipaddress.IPv6Network((address, 56), strict=False))
        address = address.ipv4_mapped
    return str(ipaddress.IPv4Network((address, 24), strict=False))
