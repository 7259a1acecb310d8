"""Who is at the other end, and by which name they called us: peers, trusted proxies, Host."""

import ipaddress
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from hub.config import Network

LOCAL: Final = "localhost"


def remote(request: web.Request, trusted: Sequence[Network]) -> str:
    """The address that counts: the peer's, unless the peer is a proxy of ours; then the last in X-Forwarded-For that is
    none of ours. What anybody else writes into that header is worth nothing."""
    transport = request.transport
    peer = transport.get_extra_info("peername") if transport is not None else None
    address = str(peer[0]) if isinstance(peer, tuple) else ""
    if not trusted or not _is_one_of(address, trusted):
        return address
    for told in reversed(",".join(request.headers.getall("X-Forwarded-For", [])).split(",")):
        told = told.strip()
        if not _is_address(told):
            return address
        address = told
        if not _is_one_of(told, trusted):
            break
    return address


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_one_of(text: str, networks: Sequence[Network]) -> bool:
    try:
        address: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in networks)


def host_of(url: str) -> str:
    """The name in an address, in small letters; "" where there is none that can be read."""
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


class Hosts:
    """The names under which the desk answers: its public one, this machine, and bare addresses (health checks).

    A name of somebody else's that points here is a rebinding attack or a mistake. Links never come from Host.
    """

    def __init__(self, public_url: str) -> None:
        self._public = (urlsplit(public_url).hostname or LOCAL).lower()
        self._known: set[str] = set()

    def knows(self, header: str) -> bool:
        if header in self._known:
            return True
        good = self._judge(header)
        if good and len(self._known) < 100:
            self._known.add(header)
        return good

    def _judge(self, header: str) -> bool:
        try:
            parts = urlsplit(f"//{header}")
            name, port = parts.hostname, parts.port
        except ValueError:
            return False
        if not name or parts.path or parts.query or parts.fragment or "@" in header or port == 0:
            return False
        return name in (self._public, LOCAL) or _is_address(name)
