"""Many rows by their ids at one go, in a few statements however many they are."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from hub.db.backend import Row
from hub.db.tx import Rx

MOST: Final = 256


def some(ids: Iterable[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """`(:i0, :i1, …)` and its values, in as few different lengths as there are powers of two: a database remembers a
    statement by its text."""
    wanted = sorted(set(ids))
    for start in range(0, len(wanted), MOST):
        part = wanted[start : start + MOST]
        size = 1 << (len(part) - 1).bit_length()
        part += part[-1:] * (size - len(part))
        names = [f"i{n}" for n in range(size)]
        yield f"({', '.join(f':{name}' for name in names)})", dict(zip(names, part, strict=True))


def rows_of(
    rx: Rx,
    sql: str,
    column: str,
    ids: Iterable[Any],
    order: str = "",
    *,
    where: str = "",
    **params: Any,
) -> Iterator[Row]:
    """The rows of `sql`, a constant up to its FROM and joins, with one of the ids in `column` for which `where` holds,
    whose values are `params`; all three are constants."""
    also = f" AND {where}" if where else ""
    for names, values in some(ids):
        yield from rx.rows(f"{sql} WHERE {column} IN {names}{also}{order}", **values, **params)
