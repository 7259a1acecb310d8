"""What is set for a mailbox. Little of it is needed: for a well-known provider an address and a password."""

import dataclasses
import re
from typing import Final, Literal

from connectors.email import providers
from connectors.email.providers import Consent
from hub.connector import WrongSetting, setting

SIGN_IN: Final = "Signing in"
IN: Final = "What comes in (IMAP)"
OUT: Final = "What goes out (SMTP)"
LETTERS: Final = "Our letters"
TRUST: Final = "Whom to believe"

_SECURITY: Final = ("auto", "tls", "starttls", "none")
_ADDRESS: Final = re.compile(r"[^\s@<>()\[\],;:\\\"]{1,64}@[^\s@<>()\[\],;:\\\"]{1,253}")
_HOST: Final = re.compile(r"[A-Za-z0-9._:-]{1,253}")


@dataclasses.dataclass(frozen=True)
class EmailSettings:
    address: str = setting("Address", "The one that customers write to: help@shop.example.", early=True)
    sign_in: Literal["password", "google", "microsoft", "oauth2"] = setting(
        "How to sign in",
        "google and microsoft: no password; you are sent there to allow it once the inbox is added. "
        "oauth2: the same with a provider of your own.",
        default="password",
        choices=("password", "google", "microsoft", "oauth2"),
        group=SIGN_IN,
        early=True,
    )
    user: str | None = setting(
        "User name", "Empty: the address itself, as nearly everywhere.", default=None, group=SIGN_IN, early=True
    )
    password: str | None = setting(
        "Password",
        "Many providers want one made for this purpose, called an app password.",
        default=None,
        secret=True,
        group=SIGN_IN,
        early=True,
    )
    client_id: str | None = setting(
        "Client ID", "Of the app that you made at Google, Microsoft or your own provider.", default=None, group=SIGN_IN
    )
    client_secret: str | None = setting("Client secret", "Of the same app.", default=None, secret=True, group=SIGN_IN)
    tenant: str | None = setting(
        "Tenant (Microsoft)", "The directory of your organisation. Empty: any (common).", default=None, group=SIGN_IN
    )
    authorize_url: str | None = setting(
        "Authorisation address (oauth2)", "Where leave is asked for.", default=None, group=SIGN_IN, url=True
    )
    exchange_url: str | None = setting(
        "Token address (oauth2)", "Where the code is changed for a token.", default=None, group=SIGN_IN, url=True
    )
    scope: str | None = setting("Scope (oauth2)", "What leave is asked for.", default=None, group=SIGN_IN)
    refresh_token: str | None = setting(
        "Refresh token", "Comes by itself when you allow it. Nothing to write here.", default=None, secret=True,
        group=SIGN_IN,
    )  # fmt: skip
    imap_host: str | None = setting(
        "IMAP server", "Empty: as known for the address, else imap. and its domain.", default=None, group=IN, early=True
    )
    imap_port: int | None = setting("IMAP port", "Empty: 993, or 143 with starttls.", default=None, group=IN)
    imap_security: Literal["auto", "tls", "starttls", "none"] = setting(
        "IMAP security",
        "auto: as known for the address, else tls from the first byte. starttls is then required. "
        "none sends passwords in the clear.",
        default="auto",
        choices=_SECURITY,
        group=IN,
    )
    folders: tuple[str, ...] = setting(
        "Folders", "Whatever arrives in these becomes tickets.", default=("INBOX",), shape="lines", group=IN
    )
    begin: Literal["new", "all"] = setting(
        "What lies there already",
        "new: only what arrives from now on. all: every mail that is in the folders becomes a ticket.",
        default="new",
        choices=("new", "all"),
        group=IN,
    )
    smtp_host: str | None = setting(
        "SMTP server", "Empty: as known for the address, else smtp. and its domain.", default=None, group=OUT,
        early=True,
    )  # fmt: skip
    smtp_port: int | None = setting("SMTP port", "Empty: 465, or 587 with starttls.", default=None, group=OUT)
    smtp_security: Literal["auto", "tls", "starttls", "none"] = setting(
        "SMTP security", "As above, for sending.", default="auto", choices=_SECURITY, group=OUT
    )
    smtp_user: str | None = setting(
        "SMTP user name", "Empty: the same as for IMAP. A dash: it wants none.", default=None, group=OUT
    )
    smtp_password: str | None = setting(
        "SMTP password", "Empty: the same as for IMAP.", default=None, secret=True, group=OUT
    )
    sent_folder: str | None = setting(
        "Folder of sent mail",
        "Where the provider keeps what we sent: looked into when nobody can tell whether a letter has left. "
        "Empty: found by itself.",
        default=None,
        group=OUT,
    )
    keep_copies: bool = setting(
        "Put a copy there",
        "Most providers do that themselves (Google, Microsoft): then leave it off.",
        default=False,
        group=OUT,
    )
    display_name: str | None = setting(
        "Name of the sender", "What customers see beside the address: Shop support.", default=None, group=LETTERS
    )
    agent_name: bool = setting(
        "Name the agent", "Anna (Shop support) instead of Shop support alone.", default=True, group=LETTERS
    )
    signature: str | None = setting(
        "Signature", "Under every letter of this inbox, below the agent's own.", default=None, shape="lines",
        group=LETTERS,
    )  # fmt: skip
    plus_addressing: bool = setting(
        "A reply address for each ticket",
        "help+r…@shop.example, which nobody can guess: an answer finds its ticket even when a mail program loses the "
        "thread. Needs a provider that delivers such addresses (Google, Microsoft, Postfix and most others do).",
        default=True,
        group=LETTERS,
    )
    authserv_id: str | None = setting(
        "Name of your mail server",
        "As it stands first in Authentication-Results of mails that you get: mx.google.com. "
        "Only what this server found out about a sender is believed. Empty: nobody's word is.",
        default=None,
        group=TRUST,
    )
    own_addresses: tuple[str, ...] = setting(
        "Other addresses of yours",
        "Aliases and lists that end in this mailbox. Mail from them is never answered by itself.",
        default=(),
        shape="lines",
        group=TRUST,
    )
    joining: Literal["thread", "person"] = setting(
        "What joins a ticket",
        "thread: only an answer does. person: also a new mail of somebody whose ticket is still open.",
        default="thread",
        choices=("thread", "person"),
        group=TRUST,
    )
    strangers: Literal["join", "new"] = setting(
        "Answers from another address",
        "join: whoever has the reply address may join the ticket, and is shown as not verified. "
        "new: they open a ticket of their own.",
        default="join",
        choices=("join", "new"),
        group=TRUST,
    )

    def __post_init__(self) -> None:
        if not _ADDRESS.fullmatch(self.address):
            raise WrongSetting("address", "Write an e-mail address, like help@shop.example.")
        for own in self.own_addresses:
            if not _ADDRESS.fullmatch(own):
                raise WrongSetting("own_addresses", f"{own!r} is no e-mail address.")
        for name in ("imap_host", "smtp_host"):
            host = getattr(self, name)
            if host is not None and not _HOST.fullmatch(host):
                raise WrongSetting(name, "Write the name of a server, without https:// and without a path.")
        for name in ("imap_port", "smtp_port"):
            port = getattr(self, name)
            if port is not None and not 1 <= port <= 65_535:
                raise WrongSetting(name, "A port is a number between 1 and 65535.")
        if not self.folders or any(not folder.strip() or not folder.isprintable() for folder in self.folders):
            raise WrongSetting("folders", "Name at least one folder. Most mailboxes have INBOX.")
        for name in ("display_name", "user", "smtp_user", "authserv_id", "client_id", "tenant", "scope"):
            if not (getattr(self, name) or "").isprintable():
                raise WrongSetting(name, "This has to be one line.")
        if self.tenant is not None and not re.fullmatch(r"[A-Za-z0-9.-]{1,100}", self.tenant):
            raise WrongSetting("tenant", "Write the tenant's id or domain.")
        if self.sign_in == "oauth2" and not (self.authorize_url and self.exchange_url):
            raise WrongSetting("authorize_url", "Enter both addresses of your provider.")

    # --- what follows from them ---

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]

    @property
    def login(self) -> str:
        return self.user or self.address

    @property
    def servers(self) -> providers.Servers:
        """With everything filled in that was left empty."""
        known = providers.of_domain(self.domain)
        if self.sign_in == "google":
            known = providers.GOOGLE
        elif self.sign_in == "microsoft":
            known = providers.MICROSOFT
        imap_as_known = self.imap_host is None and self.imap_security == "auto"
        smtp_as_known = self.smtp_host is None and self.smtp_security == "auto"
        imap_security = _security(self.imap_security, known.imap_security if imap_as_known else "tls")
        smtp_security = _security(self.smtp_security, known.smtp_security if smtp_as_known else "tls")
        return providers.Servers(
            self.imap_host or known.imap_host,
            self.imap_port or (known.imap_port if imap_as_known else 993 if imap_security == "tls" else 143),
            imap_security,
            self.smtp_host or known.smtp_host,
            self.smtp_port or (known.smtp_port if smtp_as_known else 465 if smtp_security == "tls" else 587),
            smtp_security,
        )

    @property
    def consent(self) -> Consent | None:
        match self.sign_in:
            case "google":
                return providers.google_consent()
            case "microsoft":
                return providers.microsoft_consent(self.tenant or "common")
            case "oauth2":
                return Consent(self.authorize_url or "", self.exchange_url or "", self.scope or "")
        return None

    @property
    def own(self) -> frozenset[str]:
        """Every address of ours, folded."""
        return frozenset(one.casefold() for one in (self.address, *self.own_addresses))


def _security(wanted: str, known: str) -> str:
    return known if wanted == "auto" else wanted
