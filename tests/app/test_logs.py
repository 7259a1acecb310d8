"""Logs: one line each, nothing secret, nothing that people wrote, nothing that plays with a terminal."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from hub import logs
from hub.clock import ManualClock, SystemClock
from hub.errors import StartRefused


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    yield stream
    logs.set_up(SystemClock(), "debug", "text")


def lines(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_line_is_one_object_with_utc_time_first(out: io.StringIO) -> None:
    logs.set_up(ManualClock(1_790_000_000_123), "info", "json", out)
    structlog.get_logger("store").warning("slow unit", ms=70)
    assert out.getvalue() == (
        '{"at":"2026-09-21T14:13:20.123Z","level":"warning","from":"store","what":"slow unit","ms":70}\n'
    )


def test_what_is_below_the_level_is_not_written(out: io.StringIO) -> None:
    logs.set_up(ManualClock(), "warning", "json", out)
    structlog.get_logger("x").info("quiet")
    assert out.getvalue() == ""


@pytest.mark.parametrize("form", ["json", "text"])
def test_control_characters_and_marks_of_direction_are_shown_not_obeyed(out: io.StringIO, form: str) -> None:
    logs.set_up(ManualClock(), "info", form, out)
    structlog.get_logger("x").info("a\r\nfake line", value="\x1b[31m\u202e\u2028\x9b\x00")
    written = out.getvalue()
    assert written.count("\n") == 1
    assert written.endswith("\n")
    assert all(c.isprintable() for c in written[:-1])


def test_a_lone_surrogate_does_not_stop_a_line(out: io.StringIO) -> None:
    logs.set_up(ManualClock(), "info", "json", out)
    structlog.get_logger("x").info("odd", value="\ud800")
    assert lines(out)[0]["value"] == "\\ud800"


@pytest.mark.parametrize("name", sorted(logs.REDACTED))
def test_what_could_be_secret_or_written_by_somebody_is_emptied(out: io.StringIO, name: str) -> None:
    logs.set_up(ManualClock(), "info", "json", out)
    structlog.get_logger("x").info("seen", **{name: "hunter2"})
    assert "hunter2" not in out.getvalue()


def test_an_error_is_told_by_kind_and_place_without_its_words(out: io.StringIO) -> None:
    logs.set_up(ManualClock(), "info", "json", out)
    try:
        raise ValueError("dear support, my card number is 4111")
    except ValueError:
        structlog.get_logger("x").exception("failed")
    line = lines(out)[0]
    assert line["error"] == "ValueError"
    assert "test_logs.py" in line["where"][0]
    assert "4111" not in out.getvalue()


def test_an_error_of_ours_is_told_in_full(out: io.StringIO) -> None:
    logs.set_up(ManualClock(), "info", "json", out)
    try:
        raise StartRefused("The disk is full.")
    except StartRefused:
        structlog.get_logger("x").exception("failed")
    assert lines(out)[0]["error"] == "StartRefused: The disk is full."


def test_bytes_are_counted_and_long_text_is_cut(out: io.StringIO) -> None:
    logs.set_up(ManualClock(), "info", "json", out)
    structlog.get_logger("x").info("seen", raw=b"abc", long="x" * 10_000)
    assert lines(out)[0]["raw"] == "3 bytes"
    assert len(lines(out)[0]["long"]) < 2_100


def test_lines_of_libraries_come_the_same_way(out: io.StringIO) -> None:
    logs.set_up(ManualClock(), "info", "json", out)
    logging.getLogger("aiohttp.server").error("broken %s", "pipe")
    assert lines(out)[0]["what"] == "broken pipe"
    assert lines(out)[0]["from"] == "aiohttp.server"


def test_nobody_reading_the_log_does_not_stop_the_desk(out: io.StringIO) -> None:
    logs.set_up(ManualClock(), "info", "json", out)
    out.close()
    structlog.get_logger("x").info("into the void")
