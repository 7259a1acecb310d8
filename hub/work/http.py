"""The guarded client: the only way in which anything that others may choose the address of is called.

Made by hub.work.runner, used by connectors as `hub.http`. The address that is really connected to is judged, at the
moment of connecting, so that neither names nor forms of writing numbers get round it. No redirects, no cookies, no
proxies of the environment, no compressed answers, no reuse of connections.
"""

import socket
import ssl
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from hub.addresses import OWN_NETWORK, is_public, wrong_url
from hub.connector import HttpAnswer, Rejected, Retry, Unknown

if TYPE_CHECKING:
    import aiohttp

CONNECT_SECONDS: Final = 5.0
TOTAL_SECONDS: Final = 15.0
USER_AGENT: Final = "Parley"


class _Denied(OSError):
    """Raised at connecting; the same words for every address, so that several fold into one."""

    def __init__(self) -> None:
        super().__init__(OWN_NETWORK)


class SafeClient:
    """One for the desk. `allowed`: "host:port" of the operator's own network that may be called all the same."""

    def __init__(self, allowed: Collection[str] = ()) -> None:
        self._allowed = frozenset(allowed)
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    def for_inbox(self, *, allow_http: bool) -> "InboxClient":
        return InboxClient(self, allow_http)

    async def close(self) -> None:
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] = {},
        body: bytes | None = None,
        timeout: float = TOTAL_SECONDS,
        max_body: int = 65_536,
        allow_http: bool = False,
    ) -> HttpAnswer:
        """As in the contract: Retry, Unknown or Rejected, whatever goes wrong; any status is an answer."""
        wrong = wrong_url(url, allow_http=allow_http, allowed=self._allowed)
        if wrong is not None:
            raise Rejected(wrong)
        parts = urlsplit(url)
        place = f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"
        import aiohttp

        session = self._session(guarded=place not in self._allowed)
        limit = aiohttp.ClientTimeout(
            total=min(timeout, TOTAL_SECONDS), connect=CONNECT_SECONDS, sock_connect=CONNECT_SECONDS
        )
        try:
            async with session.request(
                method, url, headers=dict(headers), data=body, timeout=limit, allow_redirects=False
            ) as answer:
                return HttpAnswer(
                    status=answer.status,
                    headers=tuple((str(name), value) for name, value in answer.headers.items()),
                    body=await _bounded(answer.content, max_body),
                )
        except (aiohttp.InvalidURL, ValueError) as error:
            raise Rejected(f"This cannot be called: {type(error).__name__}.") from None
        except aiohttp.ClientConnectorCertificateError:
            raise Retry(reason=f"The certificate of {parts.hostname} does not hold.") from None
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise _not_reached(error, parts.hostname or "") from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unknown(f"No whole answer came from {parts.hostname} ({type(error).__name__}).") from None

    def _session(self, *, guarded: bool) -> "aiohttp.ClientSession":
        import aiohttp

        found = self._sessions.get(guarded)
        if found is None or found.closed:
            found = self._sessions[guarded] = aiohttp.ClientSession(
                # A connection kept open may die under a request, and then nobody knows whether it arrived.
                connector=aiohttp.TCPConnector(
                    force_close=True, limit=64, ttl_dns_cache=None, use_dns_cache=False, **_guard(guarded)
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
                trust_env=False,
                auto_decompress=False,
                max_line_size=8_190,
                max_field_size=8_190,
            )
        return found


class InboxClient:
    """The client as one inbox may use it."""

    def __init__(self, client: SafeClient, allow_http: bool) -> None:
        self._client, self._allow_http = client, allow_http

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] = {},
        body: bytes | None = None,
        timeout: float = TOTAL_SECONDS,
        max_body: int = 65_536,
    ) -> HttpAnswer:
        return await self._client.request(
            method, url, headers=headers, body=body, timeout=timeout, max_body=max_body, allow_http=self._allow_http
        )


def _guard(guarded: bool) -> dict[str, Any]:
    return {"socket_factory": _public_socket} if guarded else {}


def _public_socket(found: tuple[Any, ...]) -> socket.socket:
    """Called for every address that is about to be connected to, named or numeric."""
    family, kind, proto, _, address = found
    if not is_public(address[0]):
        raise _Denied
    made = socket.socket(family, kind, proto)
    made.setblocking(False)
    return made


def _not_reached(error: Exception, host: str) -> Rejected | Retry:
    cause = getattr(error, "os_error", None)
    if isinstance(cause, _Denied) or OWN_NETWORK in str(error):
        return Rejected(OWN_NETWORK)
    if isinstance(cause, ssl.SSLError):
        return Retry(reason=f"No TLS connection to {host} could be made.")
    return Retry(reason=f"{host} cannot be reached ({type(cause or error).__name__}).")


async def _bounded(content: "aiohttp.StreamReader", most: int) -> bytes:
    """At most `most` bytes of the answer; the rest is never read."""
    found = bytearray()
    while len(found) < most and (chunk := await content.read(most - len(found))):
        found += chunk
    return bytes(found)
