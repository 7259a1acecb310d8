"""The guarded client: the only way in which anything that others may choose the address of is called.

Made by hub.work.runner, used by connectors as `hub.http`. The address that is really connected to is judged, at the
moment of connecting, so that neither names nor forms of writing numbers get round it. No redirects, no cookies, no
proxies of the environment, no compressed answers, no reuse of connections.
"""

import ipaddress
import socket
import ssl
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from hub.connector import HttpAnswer, Rejected, Retry, Unknown

if TYPE_CHECKING:
    import aiohttp

CONNECT_SECONDS: Final = 5.0
TOTAL_SECONDS: Final = 15.0
PORTS: Final = frozenset({80, 443, 8443})
MAX_URL: Final = 2_048
USER_AGENT: Final = "Parley"

# Not public, though `is_global` says so (or depends on the version of Python): special uses, translation, tunnels.
_DENIED: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",
        "100.64.0.0/10",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "198.18.0.0/15",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/96",
        "::ffff:0:0/96",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",
        "2002::/16",
        "fc00::/7",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    )
)
_OWN_NETWORK: Final = "This address leads into a private network, which is not called from here."


class _Denied(OSError):
    """Raised at connecting; the same words for every address, so that several fold into one."""

    def __init__(self) -> None:
        super().__init__(_OWN_NETWORK)


def is_public(address: str) -> bool:
    """May this numeric address be connected to?"""
    try:
        ip = ipaddress.ip_address(address.split("%")[0])
    except ValueError:
        return False
    return ip.is_global and not any(ip in network for network in _DENIED if network.version == ip.version)


def wrong_url(url: str, *, allow_http: bool = False, allowed: Collection[str] = ()) -> str | None:
    """Why this URL is not called, whatever its name resolves to; None: it may be tried. `allowed`: "host:port"."""
    if len(url) > MAX_URL:
        return f"This address is longer than {MAX_URL:,} characters."
    if any(c <= " " or c == "\x7f" or c == "\\" for c in url):
        return "This address has a space, a backslash or a control character in it."
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "This is no address that can be called."
    if parts.scheme not in ("https", "http") or not parts.hostname or not url[len(parts.scheme) :].startswith("://"):
        return "Write the whole address, beginning with https://"
    if parts.scheme == "http" and not allow_http:
        return "Only https:// is called; the inbox's setting “Allow plain http” opens http:// too."
    if parts.username is not None or parts.password is not None:
        return "An address with a name or password in it is not called."
    port = (443 if parts.scheme == "https" else 80) if port is None else port
    if f"{parts.hostname}:{port}" in allowed:
        return None
    if port not in PORTS:
        return f"Port {port} is not called; 443, 8443 and 80 are."
    return _wrong_literal(parts.hostname)


def _wrong_literal(host: str) -> str | None:
    try:
        address = ipaddress.ip_address(host.split("%")[0])
    except ValueError:
        return _OWN_NETWORK if host.rstrip(".") == "localhost" else None
    return None if is_public(str(address)) else _OWN_NETWORK


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
    if isinstance(cause, _Denied) or _OWN_NETWORK in str(error):
        return Rejected(_OWN_NETWORK)
    if isinstance(cause, ssl.SSLError):
        return Retry(reason=f"No TLS connection to {host} could be made.")
    return Retry(reason=f"{host} cannot be reached ({type(cause or error).__name__}).")


async def _bounded(content: "aiohttp.StreamReader", most: int) -> bytes:
    """At most `most` bytes of the answer; the rest is never read."""
    found = bytearray()
    while len(found) < most and (chunk := await content.read(most - len(found))):
        found += chunk
    return bytes(found)
