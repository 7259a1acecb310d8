"""A small picture of a picture: decoded and encoded anew, so that nothing of what came is in it but what is seen.

Run by hub.work.files in a child that may be killed; imports little, as a child does.
"""

import io
from typing import Any, Final

from PIL import Image, ImageOps

SIDE: Final = 1_280  # the longest one of what is made
MOST: Final = 25_000_000  # pixels that are decoded
MOST_JPEG: Final = 120_000_000  # a JPEG is decoded at an eighth of its size where that will do
_FORMATS: Final = ("PNG", "JPEG", "GIF", "WEBP")
_ORIENTATION: Final = 0x0112
_TURNED: Final = (5, 6, 7, 8)


class NoPicture(Exception):
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def small(data: bytes) -> dict[str, Any]:
    """`picture` (WebP), and `width` and `height` of the whole one, upright."""
    Image.MAX_IMAGE_PIXELS = None  # judged below, before anything is decoded
    with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
        width, height = image.size
        jpeg = image.format == "JPEG"
        if width * height > (MOST_JPEG if jpeg else MOST) or not width or not height:
            raise NoPicture(f"It has {width} × {height} pixels, more than are decoded.")
        turned = image.getexif().get(_ORIENTATION) in _TURNED
        if jpeg:
            image.draft(None, (SIDE, SIDE))
            if image.size[0] * image.size[1] > MOST:
                raise NoPicture("It has more pixels than are decoded.")
        upright = _plain(ImageOps.exif_transpose(image))
    upright.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    bare = Image.new(upright.mode, upright.size)  # neither place nor camera, comment or profile goes along
    bare.paste(upright)
    out = io.BytesIO()
    bare.save(out, "WEBP", quality=82, method=4)
    if turned:
        width, height = height, width
    return {"picture": out.getvalue(), "width": width, "height": height}


def _plain(image: Image.Image) -> Image.Image:
    """In the colours of a screen. Of an animation this is the first picture."""
    seen_through = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
    return image.convert("RGBA" if seen_through else "RGB")
