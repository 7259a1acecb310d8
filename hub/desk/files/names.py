"""What a file is called: a name that somebody gave is shown and offered for saving, and decides nothing else. Pure."""

import re
import unicodedata
from typing import Final
from urllib.parse import quote

MAX_BYTES: Final = 200  # in UTF-8: a file system takes 255, and whoever saves it may add to it
_RESERVED: Final = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)", re.IGNORECASE)
_PLAIN: Final = re.compile(r"[^\w.\-() ]", re.ASCII)
_FALLBACK: Final = "file"
# Turned round, drawn over or not seen at all: with these a name looks like another one.
_UNSEEN: Final = frozenset(
    "\u00ad\u034f\u061c\u180e\u200b\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2062\u2063"
    "\u2064\u2066\u2067\u2068\u2069\u206a\u206b\u206c\u206d\u206e\u206f\ufeff\ufff9\ufffa\ufffb"
)
# What a file may end in for its name to say what it is.
_ENDINGS: Final = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "audio/webm": ".webm",
    "audio/ogg": ".ogg",
    "audio/mp4": ".m4a",
    "audio/mpeg": ".mp3",
    "audio/wav": ".wav",
    "video/mp4": ".mp4",
    "video/webm": ".webm",
    "application/pdf": ".pdf",
    "text/plain": ".txt",
}


def clean(name: str | None, content_type: str = "") -> str:
    """A name without a path, without what cannot be seen, and not too long; never empty."""
    last = re.split(r"[/\\]", name or "")[-1]
    kept = "".join(c for c in last if c not in _UNSEEN and unicodedata.category(c) not in ("Cc", "Cs", "Co", "Cn"))
    kept = kept.strip(" .\u3000\u00a0")
    if not kept:
        return _FALLBACK + _ENDINGS.get(content_type, "")
    if _RESERVED.match(kept):
        kept = f"_{kept}"
    return _short(kept)


def ending(name: str) -> str:
    """What it ends in, as a machine would read it: ".exe" of "Ｐhoto.ＥＸＥ "."""
    plain = unicodedata.normalize("NFKC", clean(name)).casefold().rstrip(" .")
    dot = plain.rfind(".")
    return plain[dot:] if dot >= 0 else ""


def disposition(kind: str, name: str) -> str:
    """The value of Content-Disposition (RFC 6266): in ASCII for the oldest, and whole for everybody else."""
    plain = _PLAIN.sub("_", unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()).strip(" .")
    return f"{kind}; filename=\"{plain or _FALLBACK}\"; filename*=UTF-8''{quote(name, safe='')}"


def _short(name: str) -> str:
    """The beginning and the ending of a long one, cut between characters."""
    if len(name.encode()) <= MAX_BYTES:
        return name
    dot = name.rfind(".")
    end = name[dot:] if dot > 0 and len(name[dot:].encode()) <= 20 else ""
    stem = name[: len(name) - len(end)].encode()[: MAX_BYTES - len(end.encode())].decode(errors="ignore")
    while stem and (unicodedata.category(stem[-1]) in ("Mn", "Mc", "Me") or stem[-1] == "\u200d"):
        stem = stem[:-1]
    return stem.rstrip(" .") + end
