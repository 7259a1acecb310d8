"""What our own mail server found out about a sender (RFC 8601), and whether it speaks of the address in From.

Only the topmost Authentication-Results counts, and only where it carries the name that was set for this mailbox: what
stands below it, or under another name, anybody can have written.
"""

import re
from typing import Final, NamedTuple

from connectors.email.mail import Mail

_COMMENT: Final = re.compile(r"\([^()]*\)")
_RESULT: Final = re.compile(r"^(spf|dkim|dmarc)\s*=\s*([a-z]+)", re.IGNORECASE)
_HEADER_FROM: Final = re.compile(r"header\.from\s*=\s*\"?([^\s;\"]+)", re.IGNORECASE)
_DKIM_DOMAIN: Final = re.compile(r"header\.(?:d|i)\s*=\s*\"?@?([^\s;\"]+)", re.IGNORECASE)
_SPF_DOMAIN: Final = re.compile(r"smtp\.(?:mailfrom|helo)\s*=\s*\"?([^\s;\"]+)", re.IGNORECASE)


class Verdict(NamedTuple):
    """Each "pass", "fail", "none" and the like; empty: nobody whom we trust has said anything."""

    spf: str = ""
    dkim: str = ""
    dmarc: str = ""
    aligned: bool = False  # proven that it comes from the domain in From

    @property
    def shown(self) -> dict[str, str | bool]:
        if not (self.spf or self.dkim or self.dmarc):
            return {}
        return {"spf": self.spf, "dkim": self.dkim, "dmarc": self.dmarc, "aligned": self.aligned}


def judge(mail: Mail, trusted: str | None) -> Verdict:
    if not trusted or not mail.results or len(mail.senders) != 1:
        return Verdict()
    whole = mail.results[0]
    for _ in range(5):  # comments may nest
        whole, cut = _COMMENT.subn(" ", whole)
        if not cut:
            break
    server, *results = whole.split(";")
    if [word.casefold() for word in server.split()[:1]] != [trusted.casefold()]:
        return Verdict()
    domain = mail.senders[0].address.rpartition("@")[2].casefold()
    said: dict[str, str] = {}
    aligned = False
    for result in results:
        match = _RESULT.match(result.strip())
        if match is None:
            continue
        method, word = match[1].casefold(), match[2].casefold()
        if said.get(method) != "pass":
            said[method] = word
        if word != "pass":
            continue
        if method == "dmarc":
            about = _HEADER_FROM.search(result)
            aligned = aligned or about is None or about[1].rpartition("@")[2].casefold() == domain
        elif method == "dkim":
            aligned = aligned or any(_same(one, domain) for one in _DKIM_DOMAIN.findall(result))
        elif method == "spf":
            aligned = aligned or any(_same(one, domain) for one in _SPF_DOMAIN.findall(result))
    if said.get("dmarc") not in (None, "pass", "none"):
        aligned = False  # the domain's own owner says that this is not enough
    return Verdict(said.get("spf", ""), said.get("dkim", ""), said.get("dmarc", ""), aligned)


def _same(found: str, domain: str) -> bool:
    """Strictly the same domain: what counts as one organisation only a list of all suffixes could tell, and a server
    that evaluates DMARC has one."""
    return bool(domain) and found.rpartition("@")[2].casefold().rstrip(".") == domain
