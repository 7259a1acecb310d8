"""The HTML of a mail, made harmless and readable. Called by connectors.email.reading, in a child.

    page = read("<p>Yes.</p><div class=gmail_quote>…</div>")
    page.html       what may be shown, in a frame of its own; what it quotes lies in <details>
    page.trimmed    the same as text, apart from its quotation and signature

nh3 parses it as a browser does and lets through what is on a list. Only its output is looked at here: tags that are
well-formed and nested, so that a pattern can tell them apart. What is added to it are fixed tags and escaped text.
"""

import re
from collections.abc import Iterator, Sequence
from html import escape, unescape
from typing import Final, NamedTuple
from urllib.parse import unquote

import msgspec

from connectors.email import charsets, hosts, trimming
from connectors.email.trimming import QUOTED, Trimmed


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


MAX_HTML: Final = 2_000_000  # characters that are looked at
MAX_SHOWN: Final = 1_000_000  # characters that may come of it
MAX_TOKENS: Final = 200_000
MAX_TEXT: Final = 262_144
MAX_WIDTH: Final = 2_000

_TAGS: Final = _words(
    "a abbr address article aside b bdi bdo big blockquote br caption center cite code col colgroup dd del"
    " dfn div dl dt em"
    " figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark nav ol p pre q rp"
    " rt ruby s samp"
    " section small span strike strong sub sup table tbody td tfoot th thead time tr tt u ul var wbr"
)
_GONE: Final = _words(
    "script style title template svg math iframe object embed applet noembed noframes frameset audio video"
    " canvas map xml"
    " head select datalist"
)
_BLOCKS: Final = _words(
    "address article aside blockquote caption center dd div dl dt figcaption figure footer h1 h2 h3 h4 h5 h6"
    " header li main"
    " nav ol p pre section table tbody tfoot thead tr ul"
)
_APART: Final = _words("p h1 h2 h3 h4 h5 h6 ul ol dl table")  # with a blank line around
_VOID: Final = frozenset({"br", "hr", "img", "wbr", "col"})
_ATTRIBUTES: Final = {
    "*": {"dir", "lang", "title", "align", "style", "class", "id"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height", "border"},
    "table": {"width", "border", "cellpadding", "cellspacing", "bgcolor"},
    "td": {"colspan", "rowspan", "width", "height", "valign", "bgcolor", "nowrap"},
    "th": {"colspan", "rowspan", "width", "height", "valign", "bgcolor", "nowrap"},
    "tr": {"valign", "bgcolor"},
    "col": {"span", "width"},
    "colgroup": {"span", "width"},
    "font": {"color", "size", "face"},
    "ol": {"start", "type"},
    "li": {"value"},
    "hr": {"width", "size", "color"},
    "blockquote": {"type"},
}
# Nothing that hides, that lifts out of the page, or that can name an address.
_STYLES: Final = _words(
    "background-color border border-bottom border-bottom-color border-bottom-style border-bottom-width"
    " border-collapse border-color"
    " border-left border-left-color border-left-style border-left-width border-radius border-right"
    " border-right-color"
    " border-right-style border-right-width border-spacing border-style border-top border-top-color"
    " border-top-style"
    " border-top-width border-width color direction font font-family font-size font-style font-weight"
    " letter-spacing"
    " line-height list-style-type margin margin-bottom margin-left margin-right margin-top max-width padding"
    " padding-bottom"
    " padding-left padding-right padding-top text-align text-decoration text-indent text-transform"
    " vertical-align white-space"
    " width word-break word-wrap"
)
_SCHEMES: Final = frozenset({"http", "https", "mailto", "tel", "cid", "data"})
_PICTURE: Final = re.compile(r"^data:image/(?:png|gif|jpe?g|webp);base64,[A-Za-z0-9+/=\s]{1,400000}$", re.IGNORECASE)
_MEASURE: Final = re.compile(r"^\s*(\d{1,4})(?:\.\d+)?(px|%)?\s*$")
_WORDY: Final = re.compile(r"^[\w .,#%()+/'\":;-]{1,300}$")
# What mail programs call the part that they quote. All of it is kept out of what is shown.
_QUOTE_MARKS: Final = re.compile(
    r"gmail_quote|gmail_extra|gmail_attr|moz-cite-prefix|yahoo_quoted|protonmail_quote|zmail_extra|tutanota_quote"
    r"|divRplyFwdMsg"
    r"|appendonsend|OLK_SRC_BODY_SECTION|reply-intro|stopSpelling|zwchr|mail_quote|isForwardContent|x_gmail_quote",
    re.IGNORECASE,
)
_UNSAFE_STYLE: Final = re.compile(r"[\\<>@]|url|expression|image|var\s*\(|attr\s*\(|env\s*\(|/\*", re.IGNORECASE)
_HIDING: Final = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|opacity\s*:\s*0(?:[;\s\"']|$|\.0)|font-size\s*:\s*0"
    r"|\shidden[\s>=]|mso-hide\s*:\s*all"
    r"|position\s*:\s*(?:fixed|absolute)",
    re.IGNORECASE,
)
_TOKEN: Final = re.compile(r"<(/?)([a-z][a-z0-9]*)((?:\s+[a-z-]+=\"[^\"]*\")*)\s*/?>|([^<]+)|<")
_ATTRIBUTE: Final = re.compile(r"\s+([a-z-]+)=\"([^\"]*)\"")
_SPACE: Final = re.compile(r"[ \t\r\n\f]+")
_INDENT: Final = re.compile(r"margin:\s*0(?:px)? 0(?:px)? 0(?:px)? 40px", re.IGNORECASE)


class Page(msgspec.Struct, frozen=True):
    html: str | None
    text: str
    trimmed: Trimmed
    flags: tuple[str, ...]


class Token(NamedTuple):
    kind: str  # "open", "close", "void" or "text"
    tag: str
    attributes: dict[str, str]  # values still escaped
    text: str  # of a "text", still escaped


def read(html: str, sender: str = "") -> Page:
    flags = {"hidden"} if _HIDING.search(html[:MAX_HTML]) else set()
    tokens = list(_tokens(sanitised(html)))
    if len(tokens) > MAX_TOKENS or len(html) > MAX_HTML:
        flags.add("cut")
        tokens = tokens[:MAX_TOKENS]
    lines, at = _lines(tokens)
    kinds = trimming.classify(lines, sender, of_html=True)
    shown = _written(tokens, at, kinds, flags)
    if len(shown) > MAX_SHOWN:
        flags.add("cut")
    text = charsets.clean("\n".join(lines))[:MAX_TEXT].strip("\n")
    return Page(
        html=shown if shown.strip() and len(shown) <= MAX_SHOWN else None,
        text=text,
        trimmed=Trimmed(*(trimming.of(lines, kinds, *wanted) for wanted in trimming.PIECES)),
        flags=tuple(sorted(flags)),
    )


def sanitised(html: str) -> str:
    """What may be shown, still with the names by which mail programs mark what they quote."""
    import nh3

    return nh3.clean(
        html[:MAX_HTML],
        tags=set(_TAGS),
        clean_content_tags=set(_GONE),
        attributes=_ATTRIBUTES,
        attribute_filter=_attribute,
        url_schemes=set(_SCHEMES),
        filter_style_properties=set(_STYLES),
        strip_comments=True,
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
        url_relative="deny",
    )


def _attribute(tag: str, name: str, value: str) -> str | None:
    if name in ("class", "id"):
        return " ".join(_QUOTE_MARKS.findall(value)) or None
    if name == "src":
        value = value.strip()
        if value[:4].lower() == "cid:":
            return "cid:" + unquote(value[4:])[:250]
        return value if value[:8].lower().startswith(("http://", "https://")) or _PICTURE.match(value) else None
    if name == "href":
        return value if hosts.may_be_linked(value) else None
    if name in ("width", "height", "size", "border", "cellpadding", "cellspacing"):
        found = _MEASURE.match(value)
        return value.strip() if found and int(found[1]) <= MAX_WIDTH else None
    if name == "style":
        return None if _UNSAFE_STYLE.search(value) else value[:2_000]
    if name in ("title", "alt"):
        return value[:500]
    return value if _WORDY.match(value) else None


# --- tokens into lines ---------------------------------------------------------------------------------------------


def _tokens(html: str) -> Iterator[Token]:
    for found in _TOKEN.finditer(html):
        closing, tag, attributes, text = found.groups()
        if text is not None or tag is None:
            yield Token("text", "", {}, text or "&lt;")
        elif closing:
            yield Token("close", tag, {}, "")
        else:
            kind = "void" if tag in _VOID else "open"
            yield Token(kind, tag, dict(_ATTRIBUTE.findall(attributes)) if attributes else {}, "")


class _Typist:
    """Types the text out as lines, and remembers in which line each token stands."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.at: list[int] = []
        self._line: list[str] = []
        self._depth = 0
        self._blank = True  # the line before is a blank one, or there is none
        self._pre = 0

    def put(self, token: Token) -> None:
        tag = token.tag
        if token.kind == "text":
            self._type(unescape(token.text))
        elif tag == "br":
            self.at.append(len(self.lines))
            self._end(even_blank=True)
            return
        elif tag == "hr":
            self._end()
            self._line.append("-" * 20)
            self.at.append(len(self.lines))
            self._end()
            return
        elif tag == "img":
            alt = _SPACE.sub(" ", unescape(token.attributes.get("alt", ""))).strip()
            if alt:
                self._type(f"[{alt}]")
        elif tag in _BLOCKS:
            self._block(token)
        elif tag in ("td", "th") and token.kind == "open" and any(piece.strip() for piece in self._line):
            self._line.append("  ")
        self.at.append(len(self.lines))

    def _block(self, token: Token) -> None:
        tag, opens = token.tag, token.kind == "open"
        self._end()
        if tag in _APART and not self._blank:
            self._end(even_blank=True)
        if tag == "pre":
            self._pre += 1 if opens else -1
        if tag == "blockquote" and not _INDENT.search(token.attributes.get("style", "")):
            self._depth = max(0, self._depth + (1 if opens else -1))
        if tag == "li" and opens:
            self._line.append("- ")

    def _type(self, text: str) -> None:
        if self._pre > 0:
            first, *more = text.replace("\r", "").split("\n")
            self._line.append(first)
            for line in more:
                self._end(even_blank=True)
                self._line.append(line)
            return
        text = _SPACE.sub(" ", text)
        if not self._line or self._line[-1].endswith(" "):
            text = text.lstrip(" ")
        if text:
            self._line.append(text)

    def _end(self, *, even_blank: bool = False) -> None:
        text = "".join(self._line).replace("\u00a0", " ").rstrip()
        had_any = bool(self._line) and bool(text)
        if not had_any and not even_blank:
            self._line = []
            return
        self.lines.append((">" * self._depth + " " + text).rstrip() if self._depth else text)
        self._blank = not text
        self._line = []

    def done(self) -> list[str]:
        self._end()
        return self.lines


def _lines(tokens: Sequence[Token]) -> tuple[list[str], list[int]]:
    """(the text in lines, in which of them each token stands)."""
    typist = _Typist()
    for token in tokens:
        typist.put(token)
    return typist.done(), typist.at


# --- tokens into what is shown -------------------------------------------------------------------------------------


class _Writer:
    """Writes the tokens out again. Where a quotation begins or ends, what is open is closed before and opened"
    " after."""

    def __init__(self, flags: set[str]) -> None:
        self.found: list[str] = []
        self._open: list[tuple[str, str]] = []  # tag, as it was written
        self._link: tuple[int, str] | None = None  # where its text begins, where it goes
        self._flags = flags

    def put(self, token: Token) -> None:
        if token.kind == "text":
            self.found.append(token.text)
        elif token.kind == "void":
            self.found.append(_tag(token))
        elif token.kind == "open":
            written = _tag(token)
            self._open.append((token.tag, written))
            self.found.append(written)
            if token.tag == "a":
                self._link = (len(self.found), unescape(token.attributes.get("href", "")))
        elif self._open and self._open[-1][0] == token.tag:
            self._open.pop()
            self.found.append(f"</{token.tag}>")
            if token.tag == "a":
                self._tell_where_it_goes()

    def _tell_where_it_goes(self) -> None:
        if self._link is None:
            return
        start, target = self._link
        self._link = None
        said = unescape(re.sub(r"<[^>]*>", "", "".join(self.found[start:-1])))
        host = hosts.another_than_said(said, target)
        if host:
            self._flags.add("links")
            self.found.append(f' <span class="goes">[{escape(host)}]</span>')

    def fold(self) -> None:
        self._across('<details class="quoted"><summary></summary>')

    def unfold(self) -> None:
        self._across("</details>")

    def _across(self, what: str) -> None:
        self._link = None
        self.found += [f"</{tag}>" for tag, _ in reversed(self._open)]
        self.found.append(what)
        self.found += [written for _, written in self._open]

    def done(self, folded: bool) -> str:
        self.found += [f"</{tag}>" for tag, _ in reversed(self._open)]
        if folded:
            self.found.append("</details>")
        return "".join(self.found)


def _written(tokens: Sequence[Token], at: Sequence[int], kinds: Sequence[str], flags: set[str]) -> str:
    folds = _folds(tokens, at, kinds)
    writer, folded = _Writer(flags), False
    for number, token in enumerate(tokens):
        if number in folds:
            (writer.unfold if folded else writer.fold)()
            folded = not folded
        writer.put(token)
    return writer.done(folded)


def _folds(tokens: Sequence[Token], at: Sequence[int], kinds: Sequence[str]) -> set[int]:
    """Before which tokens a quotation begins or ends: at the first thing to be seen of its first line, and of the first
    line after it."""
    found: set[int] = set()
    folded = False
    for number, token in enumerate(tokens):
        visible = (token.kind == "text" and not token.text.isspace()) or token.tag in ("img", "hr")
        if not visible or at[number] >= len(kinds):
            continue
        quoted = kinds[at[number]] == QUOTED
        if quoted != folded:
            found.add(_with_what_opens(tokens, number))
            folded = quoted
    return found


def _with_what_opens(tokens: Sequence[Token], number: int) -> int:
    """What is opened just before belongs to it: no empty frame stays behind."""
    while number and (tokens[number - 1].kind == "open" or tokens[number - 1].text.isspace()):
        number -= 1
    return number


def _tag(token: Token) -> str:
    """As nh3 wrote it, without the names of mail programs."""
    kept = "".join(f' {name}="{value}"' for name, value in token.attributes.items() if name not in ("class", "id"))
    return f"<{token.tag}{kept}>"
