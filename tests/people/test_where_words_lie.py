"""Every table that can hold text says whether words of people lie there: erasing somebody has to reach all of those."""

import re
from pathlib import Path

from hub.db.store import Store

PAGE = Path(__file__).parents[2] / "docs" / "architecture.md"
WITH_TEXT = """
SELECT DISTINCT t.name FROM pragma_table_list AS t JOIN pragma_table_info(t.name) AS c
WHERE t.schema = 'main' AND t.type = 'table' AND t.name NOT LIKE 'sqlite_%' AND c.type IN ('TEXT', 'BLOB')"""


async def test_every_table_with_text_stands_in_one_of_the_two_lists(sqlite_store: Store) -> None:
    tables = {row[0] for row in await sqlite_store.read(lambda rx: rx.rows(WITH_TEXT))} - {"schema_version"}
    part = PAGE.read_text(encoding="utf-8").split("## Where words of people lie")[1].split("\n## ")[0]
    table, _, rest = part.partition("\nNothing that a customer said")
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    there = {name.split(".")[0] for row in rows for name in re.findall(r"`([a-z_.]+)`", row)}
    none = set(re.findall(r"`([a-z_]+)`", rest))
    assert not there & none
    # A name in brackets is a column.
    assert tables - there - none == set(), "say in docs/architecture.md whether words of people lie there"
    assert none - tables == set()
