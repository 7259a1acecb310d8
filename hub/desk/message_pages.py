"""The HTML of a message, the pictures in it and the bytes that it came in, for whoever may see its ticket. Called by
hub.web.message_page, which shows it in a frame of its own; nothing else may show it."""

import re
from html import unescape
from typing import Final

import msgspec

from hub.db.tx import Rx
from hub.desk import ticket as tickets
from hub.desk.files import rows as files
from hub.errors import Refusal, not_found
from hub.staff import agents
from hub.staff.access import Caller, may

_HTML = "SELECT ticket_id, html, subject FROM message WHERE id = :id AND deleted_at IS NULL"
_CAME_IN = "SELECT ticket_id, inbound_id FROM message WHERE id = :id AND deleted_at IS NULL"
_RAW = "SELECT body FROM inbound WHERE id = :id"
# As the sanitiser of a connector writes a picture: every attribute in double quotes.
PICTURE: Final = re.compile(r"<img((?:\s+[a-z-]+=\"[^\"]*\")*)\s*/?>")
_SOURCE: Final = re.compile(r"\ssrc=\"([^\"]*)\"")


class Shown(msgspec.Struct, frozen=True):
    html: str
    subject: str | None
    pictures: dict[str, str]  # Content-ID → token of a file that is here
    language: str | None  # the reader's


def shown(rx: Rx, caller: Caller, message_id: int) -> Shown:
    row = _seen(rx, caller, message_id)
    found = {file.cid: file.id for file in files.of_messages(rx, [message_id]).get(message_id, ()) if _is_here(file)}
    return Shown(
        html=row[0],
        subject=row[1],
        pictures={cid: token for cid, token in found.items() if cid},
        language=agents.get(rx, caller.grants.agent_id).language if caller.actor.kind == "agent" else None,
    )


def remote_picture(rx: Rx, caller: Caller, message_id: int, number: int) -> str:
    """The address of one picture that lies elsewhere, counted as `remote` counts them."""
    html, _ = _seen(rx, caller, message_id)
    addresses = [source for found in PICTURE.finditer(html) if (source := remote(found[1])) is not None]
    if not 0 <= number < len(addresses):
        raise not_found("picture")
    return addresses[number]


def original(rx: Rx, caller: Caller, message_id: int) -> bytes:
    """As it came, before anybody looked into it."""
    row = rx.row(_CAME_IN, id=message_id)
    if row is None or row[1] is None or not may(caller.grants, tickets.must(rx, row[0]).scope):
        raise not_found("original")
    body = rx.value(_RAW, id=row[1])
    if body is None:
        raise Refusal("gone", "What this message came in is not kept any longer.")
    return bytes(body)


def source(attributes: str) -> str:
    """Where a picture comes from, by its attributes as they are written."""
    found = _SOURCE.search(attributes)
    return unescape(found[1]).strip() if found is not None else ""


def remote(attributes: str) -> str | None:
    """Its address, where it lies elsewhere in the web."""
    address = source(attributes)
    return address if address[:8].lower().startswith(("http://", "https://")) else None


def without_source(attributes: str) -> str:
    return _SOURCE.sub("", attributes)


def _seen(rx: Rx, caller: Caller, message_id: int) -> tuple[str, str | None]:
    row = rx.row(_HTML, id=message_id)
    if row is None or row[1] is None or not may(caller.grants, tickets.must(rx, row[0]).scope):
        raise not_found("page of a message")
    return row[1], row[2]


def _is_here(file: files.FileShown) -> bool:
    return file.state == "there" and file.cid is not None and file.kind == "image"
