"""What the desk writes about itself: one JSON object a line on stderr, or text for a person. Set up by hub.cli.

Never what people wrote, never a secret: names in REDACTED are emptied whatever they hold, long values are cut, and
nothing can end a line or colour a terminal from outside.
"""

import contextlib
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any, Final, TextIO

import msgspec

from hub.clock import Clock
from hub.errors import ParleyError


@contextlib.contextmanager
def _as_if_missing(module: str) -> Iterator[None]:
    known = sys.modules.get(module)
    sys.modules[module] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[module]
        if known is not None:
            sys.modules[module] = known


# Where rich is installed structlog imports it for tracebacks in colour: 60 ms of every start, for what we never show.
with _as_if_missing("rich"):
    import structlog

REDACTED: Final = frozenset(
    {
        *("password", "token", "secret", "secrets", "authorization", "cookie", "signature", "key", "settings"),
        *("body", "text", "html", "subject", "payload", "headers", "query", "email", "phone", "name"),
    }
)
LONGEST: Final = 2_000
_LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_COLOURS: Final = {"warning": "\033[33m", "error": "\033[31m", "critical": "\033[31m"}
# Errors whose message is about the program, or written by us for a person. Any other may quote what somebody sent.
_PLAIN: Final = (ParleyError, OSError, AssertionError, AttributeError, ImportError, NameError, TypeError)
_encode = msgspec.json.Encoder(enc_hook=repr).encode


def set_up(clock: Clock, level: str, form: str, out: TextIO | None = None) -> None:
    """`form`: json, text or auto. Lines of the libraries under us come the same way, from warning upwards."""
    stream = out or sys.stderr
    as_text = form == "text" or (form == "auto" and stream.isatty())
    processors: list[Any] = [
        structlog.contextvars.merge_contextvars,
        _level,
        _stamped(clock),
        _traceback,
        _redacted,
        _as_text(stream.isatty()) if as_text else _as_json,
    ]
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=lambda *names: _Lines(out, names[0] if names else ""),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(handlers=[_Forward()], level=logging.WARNING, force=True)


class _Lines:
    """One write a line, so that lines of several threads do not mix."""

    def __init__(self, stream: TextIO | None, name: str) -> None:
        self._stream = stream
        self.name = name

    def msg(self, line: str) -> None:
        try:
            stream = self._stream or sys.stderr
            stream.write(line + "\n")
            stream.flush()
        except (OSError, ValueError):
            pass  # nobody reads it any more; the desk goes on

    log = debug = info = warn = warning = error = critical = fatal = exception = msg


class _Forward(logging.Handler):
    """What aiohttp, asyncio and others log, as lines of ours. Their arguments may quote a request: kept short."""

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger(record.name)
        log.log(max(record.levelno, logging.DEBUG), record.getMessage()[:300], exc_info=record.exc_info)


def _level(_logger: Any, method: str, line: dict[str, Any]) -> dict[str, Any]:
    line["level"] = {"warn": "warning", "exception": "error"}.get(method, method)
    return line


def _stamped(clock: Clock) -> Callable[[Any, str, dict[str, Any]], dict[str, Any]]:
    import datetime

    def stamp(logger: Any, _method: str, line: dict[str, Any]) -> dict[str, Any]:
        at = datetime.datetime.fromtimestamp(clock.now() / 1000, tz=datetime.UTC)
        line["at"] = at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"
        line["from"] = getattr(logger, "name", "")
        return line

    return stamp


def _traceback(_logger: Any, _method: str, line: dict[str, Any]) -> dict[str, Any]:
    """Where it happened and the kind of error; its message only where that cannot quote what somebody wrote."""
    info = line.pop("exc_info", None)
    error = sys.exc_info()[1] if info is True else info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        line["error"] = _chain(error)
        line["where"] = _frames(error)
    return line


def _chain(error: BaseException) -> str:
    names: list[str] = []
    seen: BaseException | None = error
    while seen is not None and len(names) < 5:
        text = f": {str(seen)[:500]}" if isinstance(seen, _PLAIN) else ""
        names.append(type(seen).__name__ + text)
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return " from ".join(names)


def _frames(error: BaseException) -> list[str]:
    found = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        found.append(f"{'/'.join(code.co_filename.split('/')[-3:])}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return found[-12:]


def _redacted(_logger: Any, _method: str, line: dict[str, Any]) -> dict[str, Any]:
    return {k: "…" if k.lower() in REDACTED and v else _cut(v) for k, v in line.items()}


def _cut(value: Any) -> Any:
    if isinstance(value, str):
        short = value if len(value) <= LONGEST else value[:LONGEST] + "…"
        return short.encode("utf-8", "backslashreplace").decode()  # a lone surrogate has no place in JSON
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    return value


def _as_json(_logger: Any, _method: str, line: dict[str, Any]) -> str:
    first = {"at": line.pop("at"), "level": line.pop("level"), "from": line.pop("from"), "what": line.pop("event", "")}
    return _visible(_encode({**first, **line}).decode())


def _as_text(colours: bool) -> Callable[[Any, str, dict[str, Any]], str]:
    def render(_logger: Any, _method: str, line: dict[str, Any]) -> str:
        at, level, source = line.pop("at"), line.pop("level"), line.pop("from")
        where = line.pop("where", [])
        text = f"{at[11:19]} {level:<7} {source}: {line.pop('event', '')}"
        text += "".join(f"  {name}={value}" for name, value in line.items())
        text = _visible(text) + "".join(f"\n    {_visible(place)}" for place in where)
        return f"{_COLOURS[level]}{text}\033[0m" if colours and level in _COLOURS else text

    return render


def _visible(text: str) -> str:
    """Control characters (line ends, escapes, C1), marks of direction and lone surrogates as \\u….; tabs too."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == " " else f"\\u{ord(c):04x}" for c in text)
