"""What the HTTP doors count, for /metrics: requests by route, method and status. Filled by hub.web.middleware."""

from collections import Counter
from typing import Final

MAX_SERIES: Final = 2_000  # routes are few and known; this is against a mistake of ours


class HttpFigures:
    def __init__(self) -> None:
        self.requests: Counter[tuple[str, str, int]] = Counter()

    def count(self, route: str, method: str, status: int) -> None:
        """`route` is the pattern ("/f/{token}"), never the address itself."""
        key = (route, method, status)
        if key in self.requests or len(self.requests) < MAX_SERIES:
            self.requests[key] += 1


HTTP: Final = HttpFigures()
