"""One message into parts that a channel takes: before it is queued, so that each part is one delivery."""


def split(text: str, most: int | None) -> list[str]:
    """Parts of at most `most` characters, cut where a reader would pause: paragraph, line, sentence, word; a longer
    word is cut anywhere but inside a character made of several (a base and its marks, a joined emoji)."""
    if most is None or len(text) <= most:
        return [text]
    parts: list[str] = []
    rest = text
    while len(rest) > most:
        cut = _pause(rest, most)
        parts.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    if rest:
        parts.append(rest)
    return [part for part in parts if part]


def _pause(text: str, most: int) -> int:
    for mark in ("\n\n", "\n", ". ", "! ", "? ", "። ", "។ ", "؟ ", " "):
        at = text.rfind(mark, most // 2, most)
        if at > 0:
            return at + len(mark.rstrip(" ")) if mark != " " else at
    at = most
    while at > 1 and _joins(text[at], text[at - 1]):
        at -= 1
    return at if at > 1 else most


def _joins(c: str, before: str) -> bool:
    """True when `c` may not be parted from what stands before it."""
    import unicodedata

    return unicodedata.category(c) in ("Mn", "Mc", "Me", "Cf", "Sk") or before == "\u200d" or "\ufe00" <= c <= "\ufe0f"
