"""Colours that colour-blind readers tell apart, and the names beside them. Knows no library.

The palette is Okabe and Ito's (https://jfly.uni-koeln.de/color) without black, which is left to
axes and ground truth. Its yellow is darkened: on white paper the original one disappears.
"""

from __future__ import annotations

Colour = tuple[int, int, int]

PALETTE: tuple[Colour, ...] = (
    (0, 114, 178), (213, 94, 0), (0, 158, 115), (204, 121, 167), (230, 159, 0), (86, 180, 233),
    (184, 168, 0),
)  # fmt: skip
TRUTH: Colour = (255, 255, 255)
LONGEST = 32  # characters of a name; more is cut out of its middle


def colour_of(index: int) -> Colour:
    """RGB of the tracker at a place in a list; colours come again after seven."""
    return PALETTE[index % len(PALETTE)]


def hex_of(colour: Colour) -> str:
    """
    >>> hex_of((213, 94, 0))
    '#d55e00'
    """
    return "#{:02x}{:02x}{:02x}".format(*colour)


def shortened(name: str) -> str:
    """A name that fits a legend, with its middle left out where it is too long.

    >>> shortened("x" * 20 + "y" * 20)
    'xxxxxxxxxxxxxxxx…yyyyyyyyyyyyyyy'
    """
    if len(name) <= LONGEST:
        return name
    half = LONGEST // 2
    return f"{name[:half]}…{name[half - LONGEST + 1 :]}"
