"""Named places where the process can be made to die, for the fault tests and `parley bench kill`.

`PARLEY_CRASH_POINT=store.after_commit` dies the first time that place is passed, `…:17` the seventeenth. Unset, which
it always is in real life, a crash point costs one comparison.
"""

import os

_wanted, _, _nth = os.environ.get("PARLEY_CRASH_POINT", "").partition(":")
_left = int(_nth or 1)


def crash_point(name: str) -> None:
    """Dies like a killed process (status 137, nothing flushed) when this place is the wanted one."""
    global _left
    if name == _wanted:
        _left -= 1
        if _left <= 0:
            os._exit(137)
