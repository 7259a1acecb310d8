"""What we post to another system, and what its answer means. Pure; called by the connector."""

import base64
import datetime
import email.utils
import json
from typing import Any, Final
from urllib.parse import quote

from hub.connector import HttpAnswer, OutFile, Outgoing, Rejected, Retry, Unknown

LONGEST: Final = 3_600.0  # seconds that a Retry-After may ask of us


def body(part: Outgoing, now: int) -> bytes:
    return event(
        "message",
        now,
        {
            "id": part.id,
            "to": {"kind": part.to.kind, "value": part.to.value},
            "text": part.text,
            "subject": part.subject,
            "in_reply_to": part.in_reply_to,
            "files": [_file(file) for file in part.files],
        },
    )


def _file(file: OutFile) -> dict[str, Any]:
    """With what it holds. Reads it."""
    return {
        "name": file.name,
        "content_type": file.content_type,
        "size": file.size,
        "voice": file.voice,
        "seconds": file.seconds,
        "base64": base64.b64encode(b"".join(file.open())).decode(),
    }


def event(type: str, now: int, data: dict[str, Any]) -> bytes:
    """`now`: milliseconds."""
    at = datetime.datetime.fromtimestamp(now / 1000, datetime.UTC).isoformat(timespec="milliseconds")
    return json.dumps({"type": type, "timestamp": at, "data": data}, ensure_ascii=False).encode()


def asking(url: str, part_id: str) -> str:
    """Where to ask what became of one part."""
    return f"{url}{'&' if '?' in url else '?'}id={quote(part_id, safe='')}"


def outcome(answer: HttpAnswer, now: int) -> str | None:
    """The id that the other side gave it, if any; or why there is none."""
    status = answer.status
    if 200 <= status < 300:
        return given_id(answer)
    if status == 429:
        raise Retry(retry_after(answer, now), "The other side asks us to be slower (429).", whole_account=True)
    if status in (401, 403):
        raise Retry(300, f"The other side does not accept our signature ({status}).", whole_account=True)
    if status == 504:
        raise Unknown("A gateway gave up waiting for the other side (504).")
    if status >= 500 or status in (408, 425):
        raise Retry(retry_after(answer, now), f"The other side is in trouble ({status}).")
    if 300 <= status < 400:
        raise Rejected(f"The address answers with a redirect ({status}), which is not followed. Enter where it leads.")
    said = "".join(c for c in answer.body[:300].decode("utf-8", "replace") if c.isprintable()).strip()
    raise Rejected(f"The other side refused it ({status})" + (f": {said}" if said else "."))


def given_id(answer: HttpAnswer) -> str | None:
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    value = found.get("id") if isinstance(found, dict) else None
    return str(value)[:500] if isinstance(value, (str, int)) and not isinstance(value, bool) and value != "" else None


def retry_after(answer: HttpAnswer, now: int) -> float | None:
    """Seconds, or an HTTP date; None for what makes no sense."""
    value = answer.header("retry-after")
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(value).timestamp() - now / 1000
        except (ValueError, TypeError, OverflowError):
            return None
    return min(seconds, LONGEST) if seconds > 0 else None
