"""Cells of a spreadsheet: nothing is calculated, nothing breaks out of its cell, what comes back is what went in."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.desk import sheet
from hub.desk.sheet import SEPARATORS, Separator, cell, lines, moment

TRIGGERS = "=+-@\t\r\n\0|%＝＋－＠﹢﹣﹦﹫−"


@pytest.mark.parametrize("value", ["Ann", "", "0911", "a=b", "3.5", "ሰላም", "«quoted»", "#1001", "(x)", "'tis"])
def test_what_is_no_formula_stays_as_it_is(value: str) -> None:
    assert cell(value) == value


def test_numbers_truth_and_nothing() -> None:
    assert [cell(value) for value in (None, True, False, 12, 1.5, -3)] == ["", "true", "false", "12", "1.5", "'-3"]
    assert (moment(None), moment(1_790_000_000_999)) == (None, "2026-09-21T14:13:20Z")


@given(st.text(alphabet=st.one_of(st.sampled_from(TRIGGERS + " \u200b\ufeff\"',;"), st.characters()), max_size=30))
def test_no_cell_begins_with_what_a_spreadsheet_calculates(value: str) -> None:
    found = cell(value)
    seen = found.lstrip(" \u00a0\u200b\u200c\u200d\u200e\u200f\ufeff\u2060")
    assert not seen or seen[0] not in TRIGGERS
    assert found in (value, "'" + value)


CELLS = st.text(alphabet=st.characters(exclude_characters="\r\0", exclude_categories=["Cs"]), max_size=40)


@pytest.mark.parametrize("separator", SEPARATORS)
@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=5))
def test_what_is_read_back_is_what_was_written(separator: Separator, rows: list[list[str]]) -> None:
    made = lines(rows, separator).decode()
    read = list(csv.reader(io.StringIO(made, newline=""), delimiter=SEPARATORS[separator], strict=True))
    assert read == [[cell(value) for value in row] for row in rows]


def test_a_cell_is_as_long_as_a_spreadsheet_takes() -> None:
    assert len(cell("x" * 40_000)) == sheet.LONGEST
    assert len(cell("=" * 40_000)) == sheet.LONGEST
