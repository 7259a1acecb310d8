"""A text as a QR code, drawn as one path: nothing of it is markup, so a template may put it in as it is."""

import asyncio
from typing import Final, NamedTuple

BORDER: Final = 4  # modules of white around it, as ISO/IEC 18004 wants


class Picture(NamedTuple):
    size: int  # of the side, in units of the path
    path: str


async def picture(text: str) -> Picture:
    """Drawn in a thread: it takes some 10 ms."""
    return await asyncio.to_thread(draw, text)


def draw(text: str) -> Picture:
    import segno  # not before somebody needs one

    rows = segno.make(text, error="m", micro=False).matrix
    parts = []
    for y, row in enumerate(rows):
        start = None
        for x, dark in enumerate([*row, 0]):
            if dark and start is None:
                start = x
            elif not dark and start is not None:
                parts.append(f"M{start + BORDER} {y + BORDER}h{x - start}v1h-{x - start}z")
                start = None
    return Picture(len(rows) + 2 * BORDER, "".join(parts))
