"""Where a link goes, and whether it says so. Called by connectors.email.markup."""

import re
from typing import Final
from urllib.parse import urlsplit

MAX_URL: Final = 4_000
_SAID: Final = re.compile(
    r"(?:^|[\s(<\"'])(?:https?://)?(?:[^\s/@]{1,80}@)?((?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24})(?=[\s/:?#)>\"',]|$)",
    re.IGNORECASE,
)
_ODD: Final = re.compile(r"[\x00-\x20\x7f\\]|%0[ad]", re.IGNORECASE)
_SCHEME: Final = re.compile(r"^(?:https?://|mailto:|tel:)", re.IGNORECASE)


def may_be_linked(href: str) -> bool:
    """An absolute address of the web, of mail or of a telephone, and nothing that parsers disagree about."""
    href = href.strip()
    if len(href) > MAX_URL or _ODD.search(href) or not _SCHEME.match(href):
        return False
    return href[:4].lower() != "http" or bool(host_of(href))


def host_of(url: str) -> str:
    """In lower case; "" where there is none."""
    try:
        return (urlsplit(url.strip()).hostname or "").rstrip(".")
    except ValueError:
        return ""


def another_than_said(said: str, target: str) -> str:
    """The host that a link goes to, where its own words name another, where it hides behind a name before an "@", or
    where its letters only look like others; "" where all is as it seems."""
    host = host_of(target)
    if not host or target[:4].lower() != "http":
        return ""
    if host.startswith("xn--") or ".xn--" in host or not host.isascii():
        return host
    try:
        if urlsplit(target).username is not None:
            return host
    except ValueError:
        return host
    named = _SAID.search(said[:2_000])
    if named is None:
        return ""
    shown = named[1].lower().removeprefix("www.")
    real = host.removeprefix("www.")
    return "" if real == shown or real.endswith("." + shown) or shown.endswith("." + real) else host
