"""Names as people wrote them, drawn into pixels or escaped where no font knows a character."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench.arrays import Image
from bench.reports.palette import Colour, shortened

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont


@lru_cache(maxsize=1)
def font_file() -> Path:
    """DejaVu Sans, which matplotlib brings: Latin, Greek, Cyrillic, Arabic and many signs."""
    import matplotlib

    return Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")


@lru_cache(maxsize=1)
def _known_characters() -> frozenset[int]:
    from matplotlib.ft2font import FT2Font

    return frozenset(FT2Font(str(font_file())).get_charmap())


def legible(name: str) -> str:
    r"""A name as it can be drawn: short enough, and what the font lacks as an escape.

    >>> legible("naïve_$x$")
    'naïve_$x$'
    >>> legible("跟踪\n")
    '\\u8ddf\\u8e2a\\n'
    """
    return shortened(drawable(name))


def drawable(text: str) -> str:
    """The same without shortening."""
    known = _known_characters()
    return "".join(c if c.isprintable() and ord(c) in known else _escape(c) for c in text)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode()


@lru_cache(maxsize=8)
def _font(size: int) -> FreeTypeFont:
    from PIL import ImageFont

    return ImageFont.truetype(str(font_file()), size)


def text_width(text: str, size: int) -> int:
    """Width of a line in pixels at a font size in pixels."""
    return round(_font(size).getlength(text))


@lru_cache(maxsize=512)
def _stencil(text: str, size: int) -> Image:
    """Coverage ``(size * 1.3, width)`` of a line of text, 0 to 255."""
    from PIL import Image as Pictures
    from PIL import ImageDraw

    picture = Pictures.new("L", (text_width(text, size) + 2, round(1.3 * size)))
    ImageDraw.Draw(picture).text((1, 0), text, fill=255, font=_font(size))
    return np.asarray(picture)


def draw_text(canvas: Image, text: str, x: int, y: int, size: int, colour: Colour) -> None:
    """Write a line into ``canvas`` with its top left corner at (x, y); what leaves it is cut."""
    target = canvas[max(y, 0) :, max(x, 0) :]
    stencil = _stencil(text, size)[max(-y, 0) :, max(-x, 0) :]
    share = stencil[: target.shape[0], : target.shape[1], None] / 255
    target = target[: share.shape[0], : share.shape[1]]
    target[:] = np.rint(target * (1 - share) + np.array(colour) * share).astype(np.uint8)
