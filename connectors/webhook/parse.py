"""What another system posts, as items: one JSON object or an array of them. Pure; called by the connector."""

import datetime
import json
from typing import Any, Final

from hub.connector import (
    Deletion,
    Edit,
    File,
    Ignored,
    Item,
    Message,
    Point,
    Raw,
    Receipt,
    Sender,
    Sureness,
    Unparsable,
    Unreadable,
)

KIND: Final = "webhook"
MAX_FILES: Final = 20
_STATES: Final = ("sent", "delivered", "read", "failed")


class _Wrong(Exception):
    """Says which field of one item is wrong."""


def parse(raw: Raw, *, scope: str, sureness: Sureness) -> list[Item]:
    """`scope`: within which the ids of senders mean something. `sureness`: of the addresses they are given with."""
    try:
        found = json.loads(raw.body.removeprefix(b"\xef\xbb\xbf").decode("utf-8"))
    except UnicodeDecodeError:
        raise Unparsable("The body is not UTF-8.") from None
    except ValueError as error:
        raise Unparsable(f"The body is not JSON: {error}.") from None
    if isinstance(found, dict):
        return [_item(found, scope, sureness)]
    if isinstance(found, list):
        return [_item(one, scope, sureness) for one in found]
    raise Unparsable("The body is neither an object nor an array.")


def _item(found: Any, scope: str, sureness: Sureness) -> Item:
    try:
        if not isinstance(found, dict):
            raise _Wrong("This is no object.")
        match found.get("type", "message"):
            case "message":
                return _message(found, scope, sureness)
            case "message.edited":
                return Edit(_id(found), _text(found))
            case "message.deleted":
                return Deletion(_id(found))
            case "receipt":
                if found.get("state") not in _STATES:
                    raise _Wrong("`state` is none of " + ", ".join(_STATES) + ".")
                return Receipt(_id(found), found["state"], _optional(found, "reason"))
            case other:
                return Ignored(f"An event of type {str(other)[:100]!r} is nothing for a desk.")
    except _Wrong as error:
        return Unreadable(str(error))


def _message(found: dict[str, Any], scope: str, sureness: Sureness) -> Message:
    sent_at = found.get("sent_at")
    when = _time(sent_at)
    return Message(
        external_id=_id(found),
        sender=_sender(found.get("from"), scope, sureness),
        text=_text(found),
        subject=_optional(found, "subject"),
        sent_at=when,
        in_reply_to=_optional(found, "in_reply_to"),
        files=_files(found.get("files")),
        # A time that cannot be read is kept as it came: it is no reason to lose a message.
        details={"sent_at": str(sent_at)[:100]} if sent_at is not None and when is None else {},
    )


def _files(found: Any) -> tuple[File, ...]:
    """Each has an address that it can be had from, for as long as a day."""
    if found is None:
        return ()
    if not isinstance(found, list) or len(found) > MAX_FILES:
        raise _Wrong(f"`files` is a list of at most {MAX_FILES} objects with a url.")
    files = []
    for one in found:
        url = one.get("url") if isinstance(one, dict) else None
        if not isinstance(url, str) or not url.startswith(("https://", "http://")):
            raise _Wrong("Each of `files` is an object with a url (https://…).")
        size, seconds = one.get("size"), one.get("seconds")
        files.append(
            File(
                ref=url,
                name=str(one.get("name") or url.partition("?")[0].rpartition("/")[2])[:500],
                content_type=str(one.get("content_type") or "application/octet-stream")[:100],
                size=size if isinstance(size, int) and not isinstance(size, bool) else None,
                voice=one.get("voice") is True,
                seconds=seconds if isinstance(seconds, int) and not isinstance(seconds, bool) else None,
            )
        )
    return tuple(files)


def _sender(found: Any, scope: str, sureness: Sureness) -> Sender:
    if not isinstance(found, dict):
        raise _Wrong("`from` is missing. It is an object with one of email, phone, id.")
    points = [
        Point("email" if name == "email" else "phone" if name == "phone" else KIND, str(found[name]), where)
        for name, where in (("email", ""), ("phone", ""), ("id", scope))
        if isinstance(found.get(name), (str, int)) and str(found[name]).strip()
    ]
    if not points:
        raise _Wrong("`from` has none of email, phone, id.")
    # An id is the other system's own, so it can always vouch for that.
    sure: Sureness = "attested" if points[0].kind == KIND else sureness
    return Sender(points[0], _optional(found, "name") or "", sure, points=tuple(points[1:]))


def _id(found: dict[str, Any]) -> str:
    value = found.get("id")
    if isinstance(value, bool) or not isinstance(value, (str, int)) or not str(value).strip():
        raise _Wrong("`id` is missing: a text or number that this event has for ever.")
    return str(value)


def _text(found: dict[str, Any]) -> str:
    value = found.get("text")
    if value is None:
        raise _Wrong("`text` is missing.")
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _optional(found: dict[str, Any], name: str) -> str | None:
    value = found.get(name)
    return None if value is None or value == "" else value if isinstance(value, str) else json.dumps(value)


def _time(value: Any) -> int | None:
    """ISO 8601 with a zone, or Unix seconds, as milliseconds."""
    try:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return int(value * 1000)
        if isinstance(value, str):
            moment = datetime.datetime.fromisoformat(value)
            return int(moment.timestamp() * 1000) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None
    return None
