"""Where the mailboxes of well-known providers are, by the domain of an address; and where two of them ask for leave.

What is not in the list is looked for at imap.<domain> and smtp.<domain>; whoever knows better writes it into the
settings.
"""

from typing import Final, NamedTuple

Security = str  # "tls", "starttls" or "none"


class Servers(NamedTuple):
    imap_host: str
    imap_port: int
    imap_security: Security
    smtp_host: str
    smtp_port: int
    smtp_security: Security


class Consent(NamedTuple):
    """The endpoints of RFC 6749, and what we ask leave for."""

    authorize_url: str
    token_url: str
    scope: str
    more: tuple[tuple[str, str], ...] = ()  # parameters of the first request that this provider wants besides


def _usual(imap: str, smtp: str) -> Servers:
    return Servers(imap, 993, "tls", smtp, 465, "tls")


GOOGLE: Final = _usual("imap.gmail.com", "smtp.gmail.com")
MICROSOFT: Final = Servers("outlook.office365.com", 993, "tls", "smtp.office365.com", 587, "starttls")
_OUTLOOK: Final = Servers("outlook.office365.com", 993, "tls", "smtp-mail.outlook.com", 587, "starttls")
_YAHOO: Final = _usual("imap.mail.yahoo.com", "smtp.mail.yahoo.com")
_ICLOUD: Final = Servers("imap.mail.me.com", 993, "tls", "smtp.mail.me.com", 587, "starttls")
_FASTMAIL: Final = _usual("imap.fastmail.com", "smtp.fastmail.com")
_GMX: Final = Servers("imap.gmx.net", 993, "tls", "mail.gmx.net", 465, "tls")
_YANDEX: Final = _usual("imap.yandex.com", "smtp.yandex.com")
_MAIL_RU: Final = _usual("imap.mail.ru", "smtp.mail.ru")

_BY_DOMAIN: Final = {
    "gmail.com": GOOGLE,
    "googlemail.com": GOOGLE,
    "outlook.com": _OUTLOOK,
    "hotmail.com": _OUTLOOK,
    "live.com": _OUTLOOK,
    "msn.com": _OUTLOOK,
    "yahoo.com": _YAHOO,
    "ymail.com": _YAHOO,
    "aol.com": _usual("imap.aol.com", "smtp.aol.com"),
    "icloud.com": _ICLOUD,
    "me.com": _ICLOUD,
    "mac.com": _ICLOUD,
    "fastmail.com": _FASTMAIL,
    "fastmail.fm": _FASTMAIL,
    "gmx.net": _GMX,
    "gmx.de": _GMX,
    "gmx.com": _usual("imap.gmx.com", "mail.gmx.com"),
    "web.de": Servers("imap.web.de", 993, "tls", "smtp.web.de", 587, "starttls"),
    "t-online.de": _usual("secureimap.t-online.de", "securesmtp.t-online.de"),
    "orange.fr": _usual("imap.orange.fr", "smtp.orange.fr"),
    "free.fr": _usual("imap.free.fr", "smtp.free.fr"),
    "zoho.com": _usual("imap.zoho.com", "smtp.zoho.com"),
    "zoho.eu": _usual("imap.zoho.eu", "smtp.zoho.eu"),
    "yandex.ru": _YANDEX,
    "yandex.com": _YANDEX,
    "ya.ru": _YANDEX,
    "mail.ru": _MAIL_RU,
    "bk.ru": _MAIL_RU,
    "inbox.ru": _MAIL_RU,
    "list.ru": _MAIL_RU,
    "mailbox.org": _usual("imap.mailbox.org", "smtp.mailbox.org"),
    "posteo.de": _usual("posteo.de", "posteo.de"),
    "qq.com": _usual("imap.qq.com", "smtp.qq.com"),
    "163.com": _usual("imap.163.com", "smtp.163.com"),
    "126.com": _usual("imap.126.com", "smtp.126.com"),
    "seznam.cz": _usual("imap.seznam.cz", "smtp.seznam.cz"),
    "wp.pl": _usual("imap.wp.pl", "smtp.wp.pl"),
}


def of_domain(domain: str) -> Servers:
    """As known, else as most hosts of mail name theirs."""
    domain = domain.casefold()
    return _BY_DOMAIN.get(domain) or _usual(f"imap.{domain}", f"smtp.{domain}")


def google_consent() -> Consent:
    return Consent(
        "https://accounts.google.com/o/oauth2/v2/auth",
        "https://oauth2.googleapis.com/token",
        "https://mail.google.com/",
        (("access_type", "offline"), ("prompt", "consent")),
    )


def microsoft_consent(tenant: str) -> Consent:
    base = f"https://login.microsoftonline.com/{tenant}/oauth2/v2.0"
    scope = "offline_access https://outlook.office.com/IMAP.AccessAsUser.All https://outlook.office.com/SMTP.Send"
    return Consent(f"{base}/authorize", f"{base}/token", scope, (("prompt", "select_account"),))
