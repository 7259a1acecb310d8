"""What somebody wrote into a form: judged field by field, and made into the message that the desk stores. Pure."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from connectors.form import tokens
from connectors.form.body import MAX_FILES, Fields
from connectors.form.settings import FormSettings
from hub.connector import Consent, File, Message, Point, Sender, Source

MAX_MESSAGE: Final = 10_000
MAX_NAME: Final = 200
MAX_LINE: Final = 500
MAX_OTHER: Final = 2_000
WINDOW_MS: Final = 15 * 60_000  # the same words again within this are the same message, where a post has no id

TOKEN, TRAP, CLIENT_ID, NEXT, LANGUAGE = "form_token", "website", "client_id", "next", "lang"
TICKED: Final = "yes"  # the one value of a box that means yes
PURPOSES: Final = (("privacy", "consent"), ("marketing", "marketing"))  # purpose, setting with its wording
UTM: Final = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")
OURS: Final = frozenset(
    {
        "name",
        "email",
        "phone",
        "subject",
        "message",
        "place",
        "page",
        "referrer",
        TOKEN,
        TRAP,
        CLIENT_ID,
        NEXT,
        LANGUAGE,
        *UTM,
    }
)
_LIMITS: Final = {"name": MAX_NAME, "email": MAX_LINE, "phone": 50, "subject": MAX_LINE, "message": MAX_MESSAGE}
_INVISIBLE: Final = frozenset("\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e\u2800\u3164\ufeff\uffa0")
_LINK: Final = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)

Wrong = tuple[str, dict[str, object]]  # a key of the table of words, and what to fill in


def box(purpose: str) -> str:
    """The name of the box for a purpose."""
    return f"consent_{purpose}"


def judge(settings: FormSettings, fields: Fields, wrong: Callable[[Point], str | None]) -> dict[str, Wrong]:
    """What is wrong, by field, in the order of the page; empty: it can be stored. "" is the form as a whole."""
    found: dict[str, Wrong] = {}
    if fields.files and not settings.files:
        found[""] = ("files", {})
    elif len(fields.files) > MAX_FILES:
        found["files"] = ("too_many_files", {"most": MAX_FILES})
    if fields.too_many:
        found[""] = ("too_many", {})
    for name in ("name", "email", "phone", "subject"):
        _line(found, fields, name, _needed(settings, name))
    for question in settings.questions():
        value = fields.get(question.name).strip()
        if (value and value not in question.options) or (question.required and not value):
            found[question.name] = ("no_choice", {})
    _line(found, fields, "message", True)
    _addresses(found, settings, fields, wrong)
    for purpose, setting in PURPOSES:
        name = box(purpose)
        if purpose == "privacy" and getattr(settings, setting) and not _yes(fields, name):
            found.setdefault(name, ("consent", {}))
    for name, value in fields.values.items():
        if name not in _LIMITS and _unstorable(value + name):
            found.setdefault(name if name in OURS else "", ("bad_character", {}))
        if name not in _LIMITS and len(value) > MAX_OTHER:
            found.setdefault("", ("too_large", {}))
    for name in sorted(fields.twice | fields.not_text):
        key = "not_text" if name in fields.not_text else "twice"
        found.setdefault(name if name in _LIMITS else "", (key, {}))
    return found


def _needed(settings: FormSettings, name: str) -> bool:
    if name == "name":
        return settings.name_required
    return name in ("email", "phone") and settings.ask in (name, "both")


def _line(found: dict[str, Wrong], fields: Fields, name: str, needed: bool) -> None:
    value = fields.get(name)
    if _unstorable(value):
        found[name] = ("bad_character", {})
    elif len(value) > _LIMITS[name]:
        found[name] = ("too_long", {"count": f"{len(value):,}", "most": f"{_LIMITS[name]:,}"})
    elif needed and is_blank(value):
        found[name] = ("empty", {})


def _addresses(
    found: dict[str, Wrong], settings: FormSettings, fields: Fields, wrong: Callable[[Point], str | None]
) -> None:
    for kind in ("email", "phone"):
        value = fields.get(kind).strip()
        if not value or kind in found:
            continue
        # A line break would become a space elsewhere; a percent sign was once a way to route mail through others.
        why = "…" if "\n" in value or (kind == "email" and "%" in value) else wrong(Point(kind, value))
        if why is not None:
            found[kind] = (f"not_{kind}", {"hub": why})
    if settings.ask == "either" and not fields.get("email").strip() and not fields.get("phone").strip():
        found.setdefault("email", ("one_of_two", {}))


def _unstorable(text: str) -> bool:
    return any((c < " " and c not in "\n\t") or c == "\x7f" or "\ud800" <= c <= "\udfff" for c in text)


def is_blank(text: str) -> bool:
    return all(c in _INVISIBLE or unicodedata.category(c) in ("Zs", "Zl", "Zp", "Cc", "Cf") for c in text)


def _yes(fields: Fields, name: str) -> bool:
    return name in fields.ticked or fields.values.get(name) == TICKED


# --- the message ---------------------------------------------------------------------------------------------------


def digest(fields: Fields) -> str:
    """What was said, as one short text: equal for a repetition, whatever the tokens."""
    said = {k: v for k, v in fields.values.items() if k not in (TOKEN, CLIENT_ID, NEXT)}
    text = json.dumps([sorted(said.items()), sorted(fields.ticked)], ensure_ascii=True)
    found = hashlib.blake2s(text.encode(), digest_size=16)
    for file in fields.files:
        found.update(file.data)
    return found.hexdigest()


def external_id(token: tokens.Token | None, fields: Fields, received_at: int) -> str:
    """One for each thing said: by the rendered form, by the caller's own id, else by the words and the time."""
    if token is not None:
        return f"page:{token.nonce}"
    if fields.get(CLIENT_ID):
        return f"client:{hashlib.blake2s(fields.get(CLIENT_ID).encode(), digest_size=16).hexdigest()}"
    return f"words:{digest(fields)}:{received_at // WINDOW_MS}"


def message(
    settings: FormSettings,
    fields: Fields,
    token: tokens.Token | None,
    received_at: int,
    referer: str | None,
    language: str,
) -> Message:
    """Of fields that `judge` has nothing against."""
    email, phone = fields.get("email").strip(), fields.get("phone").strip()
    points = tuple(Point(kind, value) for kind, value in (("email", email), ("phone", phone)) if value)
    return Message(
        external_id=external_id(token, fields, received_at),
        sender=Sender(
            point=points[0],
            name=_one_line(fields.get("name")),
            sureness="typed",
            language=language,
            points=points[1:],
            consents=_consents(settings, fields, token is not None),
        ),
        text=fields.get("message"),
        subject=_one_line(fields.get("subject")) or None,
        new_ticket=True,
        suspicion=_suspicion(fields, token, received_at),
        source=_source(settings, fields, referer),
        files=tuple(
            File(f"file:{n}", one.name, one.content_type or "application/octet-stream", len(one.data))
            for n, one in enumerate(fields.files)
        ),
        details=_details(settings, fields, received_at),
    )


def _consents(settings: FormSettings, fields: Fields, ours: bool) -> tuple[Consent, ...]:
    """A box left empty on our page is a no; on a firm's own page nobody knows whether it stood there."""
    found = []
    for purpose, setting in PURPOSES:
        wording: str | None = getattr(settings, setting)
        given = _yes(fields, box(purpose))
        if wording and (given or ours):
            found.append(Consent(purpose, given, wording))
    return tuple(found)


def _suspicion(fields: Fields, token: tokens.Token | None, received_at: int) -> str | None:
    """Why it goes to the spam bin. It is stored and answered all the same: a machine learns nothing, a person loses
    nothing."""
    if fields.get(TRAP):
        return "It filled in a field that people do not see."
    if token is not None and received_at - token.issued_at < tokens.FASTEST_MS:
        return f"It was sent {max(0, received_at - token.issued_at) / 1000:.1f} s after the form was shown."
    words = _LINK.sub(" ", fields.get("message"))
    if words != fields.get("message") and not any(c.isalnum() for c in words):
        return "It consists of links only."
    return None


def _source(settings: FormSettings, fields: Fields, referer: str | None) -> Source:
    page = fields.get("page") or ("" if TOKEN in fields.values else referer or "")
    return Source(
        place=_one_line(fields.get("place"))[:MAX_NAME] or settings.place,
        page=web_address(page),
        referrer=web_address(fields.get("referrer")),
        utm={name.removeprefix("utm_"): _one_line(v)[:MAX_NAME] for name in UTM if (v := fields.get(name).strip())},
    )


def web_address(text: str) -> str | None:
    """An address of the web without query, fragment and credentials; None for anything else (javascript:, data:)."""
    try:
        parts = urlsplit(text.strip()[:MAX_OTHER])
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return None
    if parts.scheme.lower() not in ("http", "https") or not host or any(c in text.strip() for c in ' \n\t"<>\\'):
        return None
    return f"{parts.scheme.lower()}://{f'[{host}]' if ':' in host else host}{port}{parts.path}"[:MAX_LINE]


def _details(settings: FormSettings, fields: Fields, received_at: int) -> dict[str, object]:
    answers = {q.label: v for q in settings.questions() if (v := fields.get(q.name).strip())}
    asked = {q.name for q in settings.questions()} | {box(purpose) for purpose, _ in PURPOSES}
    other = {n: v for n, v in fields.values.items() if n not in OURS and n not in asked and v}
    details: dict[str, object] = {"digest": digest(fields), "received_at": received_at}
    if answers:
        details["answers"] = answers
    if other:
        details["fields"] = other
    return details


def _one_line(text: str) -> str:
    return " ".join(text.split())
