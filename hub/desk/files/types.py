"""What a file is, told by its bytes and never by its name; what of that a page may show, and what may be dangerous.

Pure, but for the table of puremagic, which is read when something is met that we do not know ourselves.
"""

import re
from typing import Final, Literal

from hub.desk.files import names

UNKNOWN: Final = "application/octet-stream"
# Small pictures of these are made: decoded and encoded anew.
PICTURES: Final = frozenset(("image/png", "image/jpeg", "image/gif", "image/webp"))
# A browser shows or plays these and does nothing else with them.
SAFE: Final = PICTURES | {
    "audio/mpeg",
    "audio/ogg",
    "audio/wav",
    "audio/webm",
    "audio/mp4",
    "audio/aac",
    "audio/flac",
    "video/mp4",
    "video/webm",
    "video/ogg",
    "video/quicktime",
}
_ACTIVE: Final = re.compile(r"html|xml|svg|script|mhtml|rfc822|flash|java")
Kind = Literal["image", "audio", "video", "file"]

_MAGIC: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"fLaC", "audio/flac"),
    (b"ID3", "audio/mpeg"),
    (b"%PDF-", "application/pdf"),
    (b"\x1f\x8b", "application/gzip"),
    (b"7z\xbc\xaf'\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"MZ", "application/vnd.microsoft.portable-executable"),
    (b"\x7fELF", "application/x-elf"),
    (b"\xcf\xfa\xed\xfe", "application/x-mach-binary"),
    (b"\xce\xfa\xed\xfe", "application/x-mach-binary"),
    (b"\xca\xfe\xba\xbe", "application/x-mach-binary"),
    (b"L\x00\x00\x00\x01\x14\x02\x00", "application/x-ms-shortcut"),
    (b"\x00asm", "application/wasm"),
    (b"wOF2", "font/woff2"),
    (b"wOFF", "font/woff"),
    (b"OTTO", "font/otf"),
    (b"\x00\x01\x00\x00\x00", "font/ttf"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"\xff\x0a", "image/jxl"),
    (b"\x00\x00\x00\x0cJXL ", "image/jxl"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (b"#!", "text/x-script"),
)
_BRANDS: Final = {
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"mif1": "image/heif",
    b"msf1": "image/heif",
    b"qt  ": "video/quicktime",
    b"M4A ": "audio/mp4",
    b"M4B ": "audio/mp4",
}
_MPEG_AUDIO: Final = (0xFB, 0xFA, 0xF3, 0xF2, 0xE3, 0xE2)
_OFFICE: Final = (
    (b"word/", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    (b"xl/", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    (b"ppt/", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
)
_MARKUP: Final = re.compile(
    rb"\A\s*(?:<\?xml[^>]*>\s*|<!--.*?-->\s*|<!doctype[^>]*>\s*)*<\s*(?P<tag>!doctype\s+)?(?P<name>[a-z][\w:-]*)",
    re.IGNORECASE | re.DOTALL,
)
_HTML: Final = re.compile(
    rb"<(?:!doctype\s+html|html|head|body|script|iframe|img|a\s|style|meta|title|form|table|div|p\b|b\b|br\b|h1)",
    re.IGNORECASE,
)

# What runs when somebody opens it, by its bytes.
_PROGRAMS: Final = frozenset(
    (
        "application/vnd.microsoft.portable-executable",
        "application/x-elf",
        "application/x-mach-binary",
        "application/x-ms-shortcut",
        "application/x-iso9660-image",
        "text/x-script",
        "application/vnd.ms-office.macro",
        "application/hta",
    )
)
# And by what its name ends in: there a machine does go by the name.
_NAMED: Final = """
    .exe .dll .com .scr .pif .cpl .msi .msp .msix .appx .gadget .sys .drv .bat .cmd .ps1 .psm1 .vbs .vbe .js .jse .mjs
    .ws .wsf .wsh .wsc .sct .hta .lnk .url .scf .inf .reg .msc .chm .hlp .jar .jnlp .application .iso .img .vhd .vhdx
    .docm .dotm .xlsm .xltm .xlam .xll .pptm .potm .ppsm .ppam .sldm .app .command .sh .bash .run .elf .apk .deb
    .rpm .dmg .pkg .desktop .py .pyc .pl .rb .php .phtml .phar .asp .aspx .jsp .settingcontent-ms .library-ms .search-ms
    .diagcab .theme .htaccess .user.ini
"""
_RUNS: Final = frozenset(_NAMED.split())


def told(head: bytes, tail: bytes = b"") -> str:
    """The type of a content by its first and last 64 KB."""
    if not head:
        return "text/plain"
    found = _container(head, tail) or next((kind for magic, kind in _MAGIC if head.startswith(magic)), None)
    if found is not None:
        return found
    if head[0] == 0xFF and len(head) > 3 and head[1] in _MPEG_AUDIO:
        return "audio/mpeg"
    if head[:2] in (b"\xff\xf1", b"\xff\xf9"):
        return "audio/aac"
    if len(head) > 0x8006 and head[0x8001:0x8006] == b"CD001":
        return "application/x-iso9660-image"
    return _text(head) or _by_table(head, tail)


def kind(content_type: str) -> Kind:
    """How it is shown; a file of which a page shows nothing is a "file"."""
    if content_type in PICTURES:
        return "image"
    if content_type in SAFE:
        return "audio" if content_type.startswith("audio/") else "video"
    return "file"


def served(content_type: str) -> str:
    """What a download is called: nothing that a browser would run."""
    return UNKNOWN if _ACTIVE.search(content_type) else content_type


def runs(name: str, content_type: str) -> bool:
    """May opening it run a program?"""
    return content_type in _PROGRAMS or names.ending(name) in _RUNS


# --- inside ----------------------------------------------------------------------------------------------------------


def _container(head: bytes, tail: bytes) -> str | None:
    """Formats that carry others: what is in them is looked for in the parts we have."""
    if head[:4] == b"RIFF" and len(head) >= 12:
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}.get(head[8:12])
    if head[:4] == b"OggS":
        first = head[:400]
        if b"\x80theora" in first:
            return "video/ogg"
        return "audio/ogg"
    if head[:4] == b"\x1aE\xdf\xa3":
        start = head[:4_096]
        if b"webm" not in start[:64]:
            return "video/x-matroska"
        # A recording of a voice has one track, and its codec is called A_…; that of a picture is called V_….
        return "audio/webm" if b"A_" in head and b"V_" not in head else "video/webm"
    if head[4:8] == b"ftyp":
        brand = _BRANDS.get(head[8:12])
        if brand is not None:
            return brand
        both = head + tail
        return "audio/mp4" if b"soun" in both and b"vide" not in both else "video/mp4"
    if head[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        both = head + tail
        if b"vbaProject.bin" in both:
            return "application/vnd.ms-office.macro"
        if b"META-INF/MANIFEST.MF" in both or b".class" in both:
            return "application/java-archive"
        office = b"[Content_Types].xml" in both
        return next((kind for name, kind in _OFFICE if office and name in both), "application/zip")
    return None


def _text(head: bytes) -> str | None:
    """Text is what reads as such; markup of any kind is called so, for it may be more than text."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            head = head[: len(head) // 2 * 2].decode("utf-16").encode()
        except UnicodeError:
            return None
    head = head.removeprefix(b"\xef\xbb\xbf")
    if b"\0" in head:
        return None
    try:
        head.decode()
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:  # a character that the 64 KB end in is whole in the file
            return None
    start = head[:4_096]
    if start.lstrip()[:15].upper() == b"BEGIN:VCALENDAR":
        return "text/calendar"
    if start.lstrip()[:11].upper() == b"BEGIN:VCARD":
        return "text/vcard"
    if re.match(rb"(?:MIME-Version|From|Received|Return-Path|Subject):", start, re.IGNORECASE):
        return "message/rfc822"
    if b"<hta:application" in start.lower():
        return "application/hta"
    markup = _MARKUP.match(start)
    if markup is not None or start.lstrip()[:2] in (b"<?", b"<!"):
        lowered = start.lower()
        if b"<svg" in lowered:
            return "image/svg+xml"
        return "text/html" if _HTML.search(lowered) else "application/xml"
    return "text/html" if re.search(rb"<(?:script|iframe|svg)\b", start, re.IGNORECASE) else "text/plain"


def _by_table(head: bytes, tail: bytes) -> str:
    import puremagic

    try:
        found = puremagic.magic_string(head[:4_096])
    except (puremagic.PureError, ValueError, IndexError, UnicodeError):
        return UNKNOWN
    best = next((one.mime_type for one in found if one.mime_type), "")
    # Only what looks like a type, and none of those that we would have told ourselves: then it only begins alike.
    known = best in SAFE or _ACTIVE.search(best) or not re.fullmatch(r"[a-z]+/[\w.+-]{1,80}", best)
    return UNKNOWN if known else best
