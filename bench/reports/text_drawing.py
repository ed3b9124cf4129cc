"""Text: measured, wrapped, drawn into pixels, escaped where the font has no glyph."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench.arrays import Image
from bench.errors import ConfigError
from bench.reports.palette import RGB, shortened

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

_FINE = 64  # pixels: the size at which text is measured for wrapping


@dataclass(frozen=True)
class Font:
    """A family of fonts.

    Attributes:
        family: its name, as matplotlib knows it.
        regular, bold: its files; the same where the family has no bold face.
    """

    family: str
    regular: Path
    bold: Path


@lru_cache(maxsize=1)
def sans() -> Font:
    """DejaVu Sans, which matplotlib includes: Latin, Greek, Cyrillic, Arabic and symbols."""
    return _included("DejaVu Sans", "DejaVuSans.ttf", "DejaVuSans-Bold.ttf")


@lru_cache(maxsize=1)
def serif() -> Font:
    """STIX, which matplotlib includes: drawn like Times, as papers are set in."""
    return _included("STIXGeneral", "STIXGeneral.ttf", "STIXGeneralBol.ttf")


def _included(family: str, regular: str, bold: str) -> Font:
    import matplotlib

    folder = Path(matplotlib.get_data_path(), "fonts", "ttf")
    return Font(family, folder / regular, folder / bold)


@lru_cache(maxsize=8)
def font_of_file(path: Path) -> Font:
    """The font in a file, and its bold face if that is installed; matplotlib knows it then.

    Raises:
        ConfigError: it cannot be read as a font.
    """
    from matplotlib.font_manager import FontProperties, fontManager

    try:
        fontManager.addfont(path)
    except (OSError, RuntimeError, ValueError) as error:
        raise ConfigError(
            f"{path}: expected a TrueType or OpenType font (.ttf, .otf), found none ({error})"
        ) from error
    fontManager.ttflist.insert(0, fontManager.ttflist.pop())  # before another file of its name
    family = fontManager.ttflist[0].name
    bold = fontManager.findfont(FontProperties(family=family, weight="bold"))
    return Font(family, path, Path(bold))


@lru_cache(maxsize=8)
def _known_characters(font: Font) -> frozenset[int]:
    from matplotlib.ft2font import FT2Font

    return frozenset(FT2Font(str(font.regular)).get_charmap())


def legible(name: str, font: Font | None = None) -> str:
    r"""A name that can be drawn: shortened, with escapes for missing glyphs.

    >>> legible("naïve_$x$")
    'naïve_$x$'
    >>> legible("跟踪\n")
    '\\u8ddf\\u8e2a\\n'
    """
    return shortened(drawable(name, font))


def drawable(text: str, font: Font | None = None) -> str:
    """Text with escapes for missing glyphs, not shortened; DejaVu Sans unless a font is given."""
    known = _known_characters(font or sans())
    return "".join(c if c.isprintable() and ord(c) in known else _escape(c) for c in text)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode()


@lru_cache(maxsize=16)
def _face(size: int, path: Path) -> FreeTypeFont:
    from PIL import ImageFont

    return ImageFont.truetype(str(path), size)


def text_width(text: str, size: int) -> int:
    """Width of a line in pixels at a font size in pixels."""
    return round(_face(size, sans().regular).getlength(text))


def width_in_points(
    text: str, size: float, font: Font | None = None, *, bold: bool = False
) -> float:
    """Width of a line in points at a font size in points."""
    chosen = font or sans()
    face = _face(_FINE, chosen.bold if bold else chosen.regular)
    return float(face.getlength(text)) * size / _FINE


def wrapped(
    text: str, size: float, room: float, font: Font | None = None, *, bold: bool = False
) -> list[str]:
    """Lines no wider than ``room``, indented from the second on; sizes in points.

    Lines break at spaces, or within a word that is wider than a line.

    >>> wrapped("convention otb, 100 sequences", 7, 80)
    ['convention otb, 100', '  sequences']
    """

    def fits(line: str) -> bool:
        return width_in_points(line, size, font, bold=bold) <= room

    lines, line = list[str](), ""
    for word in text.split():
        longer = f"{line} {word}" if line.strip() else line + word
        if line.strip() and not fits(longer):
            lines, longer = [*lines, line], f"  {word}"
        while len(longer) > 4 and not fits(longer):
            cut = next((n for n in range(len(longer) - 1, 3, -1) if fits(longer[:n])), 3)
            lines, longer = [*lines, longer[:cut]], f"  {longer[cut:]}"
        line = longer
    return [*lines, line]


@lru_cache(maxsize=512)
def _stencil(text: str, size: int) -> Image:
    """Coverage ``(size * 1.3, width)`` of a line of text, 0 to 255."""
    from PIL import Image as Pictures
    from PIL import ImageDraw

    picture = Pictures.new("L", (text_width(text, size) + 2, round(1.3 * size)))
    ImageDraw.Draw(picture).text((1, 0), text, fill=255, font=_face(size, sans().regular))
    return np.asarray(picture)


def draw_text(canvas: Image, text: str, x: int, y: int, size: int, colour: RGB) -> None:
    """Write a line with its top left corner at (x, y); parts outside the canvas are cut."""
    target = canvas[max(y, 0) :, max(x, 0) :]
    stencil = _stencil(text, size)[max(-y, 0) :, max(-x, 0) :]
    share = stencil[: target.shape[0], : target.shape[1], None] / 255
    target = target[: share.shape[0], : share.shape[1]]
    target[:] = np.rint(target * (1 - share) + np.array(colour) * share).astype(np.uint8)
