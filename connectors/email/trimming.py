"""What somebody wrote, apart from what they quote and from their signature. Called by connectors.email.reading.

    trim("Yes, please.\\n\\nOn 3 May 2026 at 10:12, Desk <desk@example.org> wrote:\\n> Shall we?").new == "Yes, please."

One rule stands above all others here: a line that somebody wrote is never taken for a quotation. So a quotation needs
a sign that programs make and people do not (connectors/email/signs.py), and where the signs contradict one another
everything counts as written. A quotation too many on the screen is a nuisance; an answer too few is a lost customer.
"""

import re
from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from connectors.email import signs

Kind = Literal["new", "quoted", "signature"]
NEW: Final = "new"
QUOTED: Final = "quoted"
SIGNATURE: Final = "signature"
PIECES: Final[tuple[tuple[Kind, ...], ...]] = ((NEW,), (QUOTED,), (SIGNATURE,), (NEW, SIGNATURE))  # as Trimmed has them

MAX_LINES: Final = 20_000
WRAPPED: Final = 5  # lines that a mail program may have broken an attribution into
SIGNATURE_LINES: Final = 14  # that a signature has at most, blank ones apart
SHORT: Final = 70  # characters that a line of a signature has at most
_MARKED: Final = re.compile(r"^[ \t]{0,3}(?:[>|]|&gt;)(?: ?[>|])*")


class Trimmed(msgspec.Struct, frozen=True):
    new: str
    quoted: str
    signature: str
    shown: str  # all but the quotation: what an agent sees before anything is unfolded


def trim(text: str, sender: str = "") -> Trimmed:
    """`sender`: their name or address, by which a signature is known that nothing sets apart."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    kinds = classify(lines, sender)
    return Trimmed(*(of(lines, kinds, *wanted) for wanted in PIECES))


def classify(lines: Sequence[str], sender: str = "", *, of_html: bool = False) -> list[Kind]:
    """What each line is. Lines that HTML sets apart as quoted come with the mark that they have in a plain text; but
    people indent what they like that way, so more is needed there to call it a quotation."""
    if len(lines) > MAX_LINES:
        return [NEW] * len(lines)
    plain = [signs.plain(line) for line in lines]
    kinds: list[Kind] = [NEW] * len(lines)
    _mark_blocks(plain, kinds, of_html)
    _mark_what_follows(plain, kinds)
    if _nothing_new(plain, kinds) or _answered_within(plain, kinds):
        kinds = [NEW] * len(lines)
    _mark_signature(plain, kinds, sender)
    return kinds


# --- quoted lines that are marked: "> …" ----------------------------------------------------------------------------


def _mark_blocks(lines: Sequence[str], kinds: list[Kind], of_html: bool) -> None:
    blocks = list(_blocks(lines))
    above = [_attribution_above(lines, start) for start, _ in blocks]
    if not any(a is not None or _tells_within(lines, *block) for a, block in zip(above, blocks, strict=True)):
        # Nothing says that these are quotations: people mark other things so too (a log, a command, a poem).
        if not of_html and len(blocks) == 1 and _stands_at_the_end(lines, *blocks[0]):
            _set(kinds, *blocks[0], QUOTED)
        return
    for begin, (start, end) in zip(above, blocks, strict=True):
        _set(kinds, start if begin is None else begin, end, QUOTED)


def _blocks(lines: Sequence[str]) -> list[tuple[int, int]]:
    """Runs of marked lines, blank ones between them included."""
    found: list[tuple[int, int]] = []
    for number, line in enumerate(lines):
        if not _MARKED.match(line):
            continue
        if found and not any(lines[between] for between in range(found[-1][1], number)):
            found[-1] = (found[-1][0], number + 1)
        else:
            found.append((number, number + 1))
    return found


def _tells_within(lines: Sequence[str], start: int, end: int) -> bool:
    """The program put who wrote it inside of the marks."""
    inner = [_MARKED.sub("", line).strip() for line in lines[start : min(end, start + 12)]]
    first = next((n for n, line in enumerate(inner) if line), 0)
    return any(signs.attribution(" ".join(inner[first : first + n])) for n in (1, 2, 3)) or (
        signs.header_block(inner[first:]) > 0
    )


def _stands_at_the_end(lines: Sequence[str], start: int, end: int) -> bool:
    """Under what they wrote, with nothing after it; and they do not themselves announce it ("I get this:")."""
    before = next((line for line in reversed(lines[:start]) if line), "")
    return bool(before) and before[-1] not in signs.COLONS and not any(lines[end:])


def _attribution_above(lines: Sequence[str], start: int) -> int | None:
    """Where the line begins that says whose words follow ("On … wrote:"), be it broken into several."""
    last = start - 1
    while last >= 0 and start - last <= 3 and not lines[last]:
        last -= 1
    found = None
    for begin in range(last, max(-1, last - WRAPPED), -1):
        if not lines[begin] or _MARKED.match(lines[begin]) or (begin < last and lines[begin][-1] in ".!?。"):
            break
        text = " ".join(lines[begin : last + 1])
        if signs.attribution(text, marked=True):
            if signs.begins_and_dates(text):
                return begin
            found = begin if found is None else found  # its end alone, unless its beginning stands above
    return found


# --- all that follows a sign ---------------------------------------------------------------------------------------


def _mark_what_follows(lines: Sequence[str], kinds: list[Kind]) -> None:
    for number, line in enumerate(lines):
        if kinds[number] != NEW or not line:
            continue
        if signs.forwarded(line):
            return  # what they pass on is what they want to say
        if not _begins_quotation(lines, number):
            continue
        if all(kind == QUOTED or not text for kind, text in zip(kinds[:number], lines[:number], strict=True)):
            return  # nothing stands above it: whatever is below may be theirs
        while number and (not lines[number - 1] or signs.ruler(lines[number - 1])) and kinds[number - 1] == NEW:
            number -= 1
        _set(kinds, number, len(lines), QUOTED)
        return


def _begins_quotation(lines: Sequence[str], number: int) -> bool:
    if signs.divider(lines[number]) or signs.header_block(lines[number : number + 24]):
        return True
    following = lines[number : number + WRAPPED - 1]
    if not any(line and signs.ends_like_one(line) for line in following) or not signs.may_begin(lines[number]):
        return False
    for length in range(1, len(following) + 1):
        piece = following[:length]
        if not piece[-1]:
            return False
        if signs.attribution(" ".join(piece)):
            after = next((line for line in lines[number + length : number + length + 4] if line), "")
            return bool(after) and not _MARKED.match(after)
    return False


# --- when in doubt -------------------------------------------------------------------------------------------------


def _nothing_new(lines: Sequence[str], kinds: Sequence[Kind]) -> bool:
    return not any(line for line, kind in zip(lines, kinds, strict=True) if kind == NEW)


def _answered_within(lines: Sequence[str], kinds: Sequence[Kind]) -> bool:
    """They say that their answers stand in what they quote."""
    return QUOTED in kinds and any(
        signs.ANSWERS_WITHIN.search(line) for line, kind in zip(lines, kinds, strict=True) if kind == NEW
    )


# --- the signature -------------------------------------------------------------------------------------------------


def _mark_signature(lines: Sequence[str], kinds: list[Kind], sender: str) -> None:
    """The last lines of what they wrote; they are shown all the same."""
    ours = [number for number, kind in enumerate(kinds) if kind == NEW and lines[number]]
    if not ours:
        return
    begin = _signature_begins(lines, ours, sender)
    if begin is not None and begin > ours[0]:
        for number in range(begin, ours[-1] + 1):
            if kinds[number] == NEW:
                kinds[number] = SIGNATURE


def _signature_begins(lines: Sequence[str], ours: Sequence[int], sender: str) -> int | None:
    last = ours[-SIGNATURE_LINES:]
    for number in last:
        if signs.SIGNATURE_MARK.match(lines[number]):
            return number
    for number in last[-4:]:
        if signs.SENT_FROM.search(lines[number]) and len(lines[number]) <= 150:
            return number
    for position, number in enumerate(last):
        if signs.ruler(lines[number]) and all(len(lines[n]) <= SHORT for n in last[position:]) and last[position + 1 :]:
            if any(signs.CONTACT.search(lines[n]) for n in last[position:]):
                return number
    return _by_name(lines, last, sender)


def _by_name(lines: Sequence[str], last: Sequence[int], sender: str) -> int | None:
    names = [word for word in re.split(r"[\W\d_]+", sender.partition("@")[0].casefold()) if len(word) > 2]
    if not names:
        return None
    for number in last:
        if not all(len(lines[n]) <= SHORT for n in last if n >= number):
            continue
        words = set(re.split(r"[\W\d_]+", lines[number].casefold())) - {""}
        if words & set(names) and len(words) <= 8 and not lines[number].rstrip().endswith(("?", "!")):
            while number - 1 in last and signs.FAREWELL.match(lines[number - 1]):
                number -= 1
            if number and not lines[number - 1]:  # it stands apart from what they wrote
                return number
    return None


def _set(kinds: list[Kind], start: int, end: int, kind: Kind) -> None:
    kinds[start:end] = [kind] * (end - start)


def of(lines: Sequence[str], kinds: Sequence[Kind], *wanted: Kind) -> str:
    found = (line for line, kind in zip(lines, kinds, strict=True) if kind in wanted)
    return "\n".join(line.rstrip() for line in found).strip("\n")
