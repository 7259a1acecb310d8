"""Which addresses may be called from here at all: judged when they are saved (hub.desk.settings) and, by what a name
resolves to then, at every call (hub.work.http)."""

import ipaddress
from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

PORTS: Final = frozenset({80, 443, 8443})
MAX_URL: Final = 2_048

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
OWN_NETWORK: Final = "This address leads into a private network, which is not called from here."


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
        return OWN_NETWORK if host.rstrip(".") == "localhost" else None
    return None if is_public(str(address)) else OWN_NETWORK
