"""THE CONTRACT a connector sees, and nothing else of the hub.

A connector owns one protocol: it verifies, parses, renders and sends. The hub owns the webhook route, HTTP sessions,
retries, lanes, health, limits and storage. docs/connectors.md is the how-to; tests/contract/ runs one suite against
every connector.
"""

import dataclasses
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol

import msgspec

from hub.errors import ParleyError
from hub.errors import Unavailable as Unavailable  # what `Hub.receive` raises when nothing could be stored

Sureness = Literal["typed", "attested", "verified"]


# --- what a send may end in -----------------------------------------------------------------------------------------


class Retry(ParleyError):
    """Not now: the other side is busy or unreachable and has certainly not taken it. `after` seconds, None: as the
    hub sees fit. `whole_account`: everything on this inbox has to wait (a 429), not this part alone."""

    def __init__(self, after: float | None = None, reason: str = "", *, whole_account: bool = False) -> None:
        super().__init__(reason or "try again later")
        self.after, self.reason, self.whole_account = after, reason, whole_account


class Rejected(ParleyError):
    """Never: the other side refused it for good. `reason` is shown to an agent as it stands."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Unknown(ParleyError):
    """It may have arrived. Never repeated blindly: `find` is asked, or a person."""

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason or "nobody can tell whether it arrived")
        self.reason = reason


class Unparsable(ParleyError):
    """Genuine, but not understood: kept in quarantine with this reason, answered so that nobody sends it again."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class WrongSetting(ParleyError):
    """Raised by the `__post_init__` of a connector's `Settings`: the sentence is shown beside the field."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field, self.text = field, text


class Sent(msgspec.Struct, frozen=True):
    """It has left. `notice`: what did not come off all the same, in words for an agent."""

    external_id: str | None
    notice: str | None = None


class Found(msgspec.Struct, frozen=True):
    external_id: str


class NotFound(msgspec.Struct, frozen=True):
    """It certainly did not arrive: sending again is safe."""


class Unknowable(msgspec.Struct, frozen=True):
    """This channel cannot be asked, or could not tell."""


# --- what comes in --------------------------------------------------------------------------------------------------


class Raw(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider or a stranger sent, before anybody looked into it."""

    method: str = "POST"
    url: str = ""  # as the sender saw it, by the configured public URL
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    remote: str = ""  # network address, by the trusted proxies only
    received_at: int = 0
    read: bytes | None = None  # what the connector's `reader` made of `body`, as MessagePack

    def header(self, name: str) -> str | None:
        wanted = name.lower()
        return next((v for n, v in self.headers if n.lower() == wanted), None)


class Reply(msgspec.Struct, frozen=True):
    """What the provider wants back."""

    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()


class Point(msgspec.Struct, frozen=True):
    """One way to reach somebody, as the channel names it. `value` is normalised by the hub; `scope` stays empty for
    e-mail and phone, else it is the page, bot or inbox within which the id means something."""

    kind: str
    value: str
    scope: str = ""


class Consent(msgspec.Struct, frozen=True):
    """What was asked in which words, and the answer."""

    purpose: str
    given: bool
    wording: str


class Source(msgspec.Struct, frozen=True):
    """Where a matter began. `page` and `referrer` without query and fragment."""

    place: str | None = None
    page: str | None = None
    referrer: str | None = None
    utm: dict[str, str] = {}


class Sender(msgspec.Struct, frozen=True):
    point: Point
    name: str = ""
    sureness: Sureness = "typed"
    language: str | None = None
    company: str | None = None
    points: tuple[Point, ...] = ()  # more that they typed; always merely typed
    consents: tuple[Consent, ...] = ()  # of `point`


class File(msgspec.Struct, frozen=True):
    """An attachment that a job fetches by its reference, once its message is stored. `cid`: by which the message's HTML
    shows it. `voice`: something said to us; `seconds` long."""

    ref: str
    name: str = ""
    content_type: str = "application/octet-stream"  # as the other side has it; ours is told by the bytes
    size: int | None = None
    cid: str | None = None
    voice: bool = False
    seconds: int | None = None


class Sink(Protocol):
    """Where the bytes of a file go. Raises Rejected when there are too many of them."""

    async def write(self, chunk: bytes) -> None: ...


class Message(msgspec.Struct, frozen=True, kw_only=True):
    external_id: str  # never empty: derive one where the channel gives none
    sender: Sender
    text: str
    html: str | None = None
    subject: str | None = None
    sent_at: int | None = None
    in_reply_to: str | None = None  # an external id of the same inbox
    tokens: tuple[str, ...] = ()  # `Outgoing.ticket` as it came back, proven by the connector with `Hub.key`
    known_as: str | None = None  # how others refer to it, where that is not its external id
    references: tuple[str, ...] = ()  # what it hangs on, by those names, whether that has come yet or not
    copied: tuple[Sender, ...] = ()  # who else got it: they take part from then on, and are shown as not proven
    automatic: bool = False  # a machine wrote it: it reopens nothing and is never answered by a machine
    new_ticket: bool = False  # a matter of its own, whatever else is open (a form); else it joins the open ticket
    suspicion: str | None = None  # why it goes to the spam bin at once; it is stored all the same
    source: Source | None = None
    files: tuple[File, ...] = ()
    details: dict[str, Any] = {}


class Edit(msgspec.Struct, frozen=True):
    external_id: str
    text: str
    html: str | None = None


class Deletion(msgspec.Struct, frozen=True):
    external_id: str


class Reaction(msgspec.Struct, frozen=True):
    external_id: str
    sender: Sender
    emoji: str


class Receipt(msgspec.Struct, frozen=True):
    """What became of a delivery. Receipts arrive in any order; the hub only ever moves a delivery forward."""

    external_id: str
    state: Literal["sent", "delivered", "read", "failed"]
    reason: str | None = None
    ref: str | None = None  # `Outgoing.id`, where the channel can tell it: found even when no answer ever came


class Choice(msgspec.Struct, frozen=True):
    """A button pressed, of the message `to`."""

    external_id: str
    to: str
    value: str
    sender: Sender


class Ignored(msgspec.Struct, frozen=True):
    """Genuine and understood, but nothing for a desk."""

    reason: str


class Unreadable(msgspec.Struct, frozen=True):
    """One bad item of a batch, put aside with its reason; the others go on."""

    reason: str


Item = Message | Edit | Deletion | Reaction | Receipt | Choice | Ignored | Unreadable


# --- what goes out --------------------------------------------------------------------------------------------------


class OutFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that goes out with a part. It lies at `path`, to be read and nothing else; `content_type` is by its
    bytes, and `name` can stand in any header but for its encoding."""

    name: str
    content_type: str
    size: int
    path: Path
    cid: str | None = None
    voice: bool = False
    seconds: int | None = None

    def open(self) -> Iterator[bytes]:
        """Its bytes, piece by piece. Reads a file: not for the event loop."""
        with self.path.open("rb") as file:
            while chunk := file.read(262_144):
                yield chunk


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """One part of one message to one address: one delivery, one job, one external id, one `send`."""

    id: str  # ours, the same at every attempt: give it to providers that take an idempotency key
    to: Point
    text: str
    html: str | None = None
    subject: str | None = None
    in_reply_to: str | None = None
    files: tuple[OutFile, ...] = ()  # all with the first part
    choices: tuple[str, ...] = ()
    template: str | None = None
    ticket: str = ""  # what `Message.tokens` gives back: sign it into whatever an answer will carry
    references: tuple[str, ...] = ()  # external ids of what was said before, oldest first
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    signature: str | None = None  # of the agent who wrote it
    author: str | None = None  # their name
    automatic: bool = False  # a machine wrote it, and no machine should answer
    at: int = 0  # when it was said, the same at every attempt
    details: dict[str, Any] = {}


@dataclasses.dataclass(frozen=True)
class Features:
    """What a channel can do. The hub asks these and never a channel's name."""

    live: bool = False  # not sent to: the other side is a client of `hub.live`
    replies: bool = True  # an agent can answer on this channel itself
    html: bool = False
    subject: bool = False
    files: bool = False  # an answer may carry files
    voice: bool = False  # and voice notes, played as such
    max_file: int | None = None  # bytes of one file that goes out; None: what the desk allows
    choices: bool = False
    receipts: bool = False
    typing: bool = False
    undo: bool = True  # may be held for some seconds before it goes, so that its author can call it back; never if live
    form: bool = False  # has public pages for people without an account
    copies: bool = False  # letters: carbon copies, forwarding, answering all
    max_text: int | None = None  # characters a part; None: as long as a message may be
    reaches: tuple[str, ...] = ()  # kinds of contact points it can send to


def setting(
    label: str,
    help: str = "",
    *,
    default: Any = dataclasses.MISSING,
    secret: bool = False,
    url: bool = False,
    choices: Sequence[str] = (),
    shape: Literal["", "lines", "colour"] = "",
    look: bool = False,
    group: str = "",
    early: bool = False,
) -> Any:
    """A field of a connector's `Settings`: the metadata becomes the settings form. Without `default` it is required.
    `shape`: a text of several lines (of a list: one a line), or a colour. `look`: visitors see it, so it is set beside
    a preview. `group`: the heading that it stands under. `early`: asked for when an inbox is made, needed or not.

    A secret is sealed at rest, write-only in the API and kept out of `repr`. A `url` is one that the hub will call: it
    is judged when it is saved, as it is again at every call.
    """
    if isinstance(default, (list, dict)):
        raise TypeError("defaults of settings are immutable: use a tuple")
    return dataclasses.field(
        default=default,
        repr=not secret,
        metadata={
            "label": label,
            "help": help,
            "secret": secret,
            "url": url,
            "choices": tuple(choices),
            "shape": shape,
            "look": look,
            "group": group,
            "early": early,
        },
    )


ASKABLE = ("name", "email", "phone", "subject")


@dataclasses.dataclass(frozen=True, kw_only=True)
class LiveSettings:
    """What the hub itself reads of a live channel's settings: the `Settings` of such a channel derive from it."""

    ask: tuple[str, ...] = setting(
        "Ask before the chat",
        "At most three of name, email, phone, subject. A star makes an answer necessary: email*.",
        default=(),
        look=True,
    )
    consent: str | None = setting(
        "Consent",
        "A box that has to be ticked, in these words, before the first message.",
        default=None,
        shape="lines",
        look=True,
    )
    offline: Literal["auto", "always", "never"] = setting(
        "Message form instead of a chat",
        "It asks for an e-mail address to answer to. auto: outside business hours and while nobody is online.",
        default="auto",
        choices=("auto", "always", "never"),
        look=True,
    )
    identity_secret: str | None = setting(
        "Identity secret",
        "With it your server signs who a visitor is (JWT, HS256). At least 32 characters.",
        default=None,
        secret=True,
    )
    enforce_identity: bool = setting(
        "Only signed visitors", "Who is not signed in on your site cannot write.", default=False
    )
    files: bool = setting("Take files", "Visitors can send photos, files and voice notes.", default=True)
    unread_minutes: int = setting(
        "E-mail what was not read after (minutes)",
        "By the inbox chosen under Mail by the desk, all in one mail, to an address that is known to be theirs. "
        "0: never.",
        default=0,
    )
    rating: bool = setting("Ask for a rating", "After the end of a chat, from 1 to 5.", default=True)
    low_score: int = setting(
        "Low rating", "A rating up to this one puts the ticket back before a person. 0: none does.", default=2
    )

    def __post_init__(self) -> None:
        asked = [field.removesuffix("*") for field in self.ask]
        if len(asked) > 3 or len(set(asked)) < len(asked) or not set(asked) <= set(ASKABLE):
            raise WrongSetting("ask", "Choose at most three of: name, email, phone, subject. A star: it is necessary.")
        if self.identity_secret is not None and len(self.identity_secret) < 32:
            raise WrongSetting("identity_secret", "Use at least 32 characters, made by chance.")
        if not 0 <= self.unread_minutes <= 1_440:
            raise WrongSetting("unread_minutes", "Between 0 and 1440 minutes, a day, is possible.")
        if not 0 <= self.low_score <= 4:
            raise WrongSetting("low_score", "Between 0 and 4 is possible.")


class Http(Protocol):
    """The guarded client: no redirects, no private addresses, bounded answers."""

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] = {},
        body: bytes | None = None,
        timeout: float = 15.0,
        max_body: int = 65_536,
    ) -> "HttpAnswer":
        """Raises Retry when nothing reached the other side, Unknown when something may have, Rejected for an address
        that is refused."""
        ...


class HttpAnswer(msgspec.Struct, frozen=True):
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        wanted = name.lower()
        return next((v for n, v in self.headers if n.lower() == wanted), None)


class Filed(msgspec.Struct, frozen=True):
    """Where a message is."""

    number: int  # the ticket's public number
    duplicate: bool  # it was there already; the number is the one of the first time
    details: dict[str, Any] = {}  # what its Message carried the first time; only told by `Hub.filed`


class Taken(msgspec.Struct, frozen=True):
    """What became of a Raw: `filed` has a row for each of its messages."""

    state: Literal["done", "ignored", "quarantined"]
    filed: tuple[Filed, ...] = ()


class Hub(Protocol):
    """What the hub does for one connector instance."""

    inbox_token: str
    public_url: str
    http: Http
    language: str | None  # the inbox's, as set
    allowed_origins: tuple[str, ...]  # sites that may use this inbox from a browser

    def now(self) -> int: ...
    def key(self, purpose: str) -> bytes:
        """32 secret bytes of this inbox and this purpose alone, the same in every process of the desk: to sign what a
        stranger carries back to us."""
        ...

    def wrong(self, point: Point) -> str | None:
        """What is wrong with an address that somebody typed, as a sentence; None: it can be stored."""
        ...

    def throttle(self, remote: str, mark: str) -> int:
        """Counts a stranger's post by their network. Seconds to wait before the next one may come, 0: go on. The same
        `mark` again is the same post and counts once."""
        ...

    async def receive(self, raw: Raw) -> Taken:
        """For `run` and for pages: stores and parses exactly as the webhook route does; returns after commit."""
        ...

    async def apart(self, target: str, *arguments: Any) -> bytes:
        """Calls "package.module:function" in a child with limits, for what strangers' bytes may do to it; its answer as
        MessagePack. Raises Rejected with a sentence for what it raised or became of it."""
        ...

    async def filed(self, external_id: str) -> Filed | None:
        """The message of this inbox that has this id, if there is one."""
        ...

    def works(self) -> None:
        """For `run`: the way in stands, though nothing may have come by it yet."""
        ...

    async def recall(self, name: str) -> str | None: ...
    async def remember(self, name: str, value: str) -> None: ...


@dataclasses.dataclass(frozen=True)
class Route:
    """A page of a connector's own, under `/c/<inbox token>/<path>`. The handler speaks the contract's types."""

    method: str
    path: str
    handler: Callable[[Raw], Awaitable[Reply]]
    max_body: int = 262_144  # bytes; more is refused before the handler is called


class Connector:
    """Subclass; override what the channel has."""

    kind: ClassVar[str]
    title: ClassVar[str] = ""
    features: ClassVar[Features] = Features()
    # "package.module:function", bytes to what msgspec encodes, where reading may be costly or fatal: what comes in
    # is stored as it is, `reader` runs on it in a child with limits, and its answer is the `read` that `parse` gets.
    reader: ClassVar[str | None] = None
    Settings: ClassVar[type]
    consent_keeps: ClassVar[str | None] = None  # the secret setting that an administrator's consent fills

    def __init__(self, settings: Any, hub: Hub) -> None:
        self.settings = settings
        self.hub = hub

    async def check(self) -> None:
        """ "Test connection": raises Rejected with a readable reason."""

    async def run(self) -> None:
        """Polls or streams until cancelled; may raise, and is then started again with growing pauses."""

    def verify(self, request: Raw) -> bool:
        """Webhooks: is it genuine? Pure, constant-time, before anything is parsed. Any exception counts as no."""
        return False

    def parse(self, raw: Raw) -> list[Item]:
        """Pure. May raise anything: the raw bytes then go to quarantine with the reason."""
        raise Unparsable("this channel takes no webhooks")

    def answer(self, raw: Raw) -> Reply:
        return Reply()

    async def fetch(self, file: File, raw: Raw | None, sink: Sink) -> None:
        """Writes the bytes of a file that came in to `sink`. `raw`: what its message came in; None once that is not
        kept any longer. Raises Retry when it cannot be had now; Rejected, with a reason for an agent to read, when it
        never can. Called again after anything else that it raises, with a new sink."""
        raise Rejected("This channel has no files.")

    async def send(self, part: Outgoing) -> str | Sent | None:
        """The channel's id for it, or None where it has none. Raises Retry, Rejected or Unknown; anything else that it
        raises counts as Unknown."""
        raise Rejected("this channel cannot send")

    async def find(self, part: Outgoing) -> Found | NotFound | Unknowable:
        return Unknowable()

    def consent_url(self, redirect: str, state: str, challenge: str) -> str | None:
        """Where an administrator allows us in by OAuth 2.0 (RFC 6749, 7636: `challenge` is S256); None: as it is set,
        nobody is asked. Raises Rejected where a setting is missing for it."""
        return None

    async def consented(self, redirect: str, code: str, verifier: str) -> Mapping[str, Any]:
        """The settings to be kept, for the code that the consent gave. Raises Rejected with a readable reason."""
        raise Rejected("this channel asks nobody's leave")

    def routes(self) -> Sequence[Route]:
        return ()

    def front(self) -> Mapping[str, Any]:
        """Live channels: what every visitor's browser is told of the settings. Public."""
        return {}
