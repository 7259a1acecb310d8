"""How often strangers may post through the pages of one inbox: by network, in memory. Used by hub.work.hub."""

import ipaddress
from collections import OrderedDict, deque
from typing import Final

from hub.clock import Clock

MAX_NETWORKS: Final = 20_000  # the longest silent go first
WINDOW_SECONDS: Final = 3_600.0


class Throttle:
    def __init__(self, clock: Clock, per_hour: int) -> None:
        self._clock = clock
        self._per_hour = per_hour
        self._posts: OrderedDict[str, deque[tuple[float, str]]] = OrderedDict()

    def wait(self, place: str, remote: str, mark: str) -> int:
        """Counts a post to `place`; seconds until the next one may come, 0: go on. The same `mark` counts once."""
        now = self._clock.monotonic()
        key = f"{place} {network(remote)}"
        posts = self._posts.setdefault(key, deque())
        self._posts.move_to_end(key)
        if len(self._posts) > MAX_NETWORKS:
            self._posts.popitem(last=False)
        while posts and posts[0][0] <= now - WINDOW_SECONDS:
            posts.popleft()
        if any(mark == known for _, known in posts):
            return 0
        if len(posts) >= self._per_hour:
            return max(1, round(posts[0][0] + WINDOW_SECONDS - now + 0.5))
        posts.append((now, mark))
        return 0


def network(remote: str) -> str:
    """Who counts as one sender: an IPv4 /24, an IPv6 /56, which is what one customer of a provider gets."""
    try:
        address = ipaddress.ip_address(remote)
    except ValueError:
        return remote
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            return str(ipaddress.IPv6Network((address, 56), strict=False))
        address = address.ipv4_mapped
    return str(ipaddress.IPv4Network((address, 24), strict=False))
