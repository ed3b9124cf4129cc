"""Colour, dashes and marker of every tracker, the same in plot, page and video.

The colours derive from those of Okabe and Ito (https://jfly.uni-koeln.de/color), moved apart so
that readers with and without colour vision deficiency can tell any two apart, on paper and on
video. Black is left to axes, white to ground truth. This module imports no plotting library.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

RGB = tuple[int, int, int]
Dash = Literal["solid", "dash", "dot", "dashdot", "longdash"]

PALETTE: tuple[RGB, ...] = (
    (0, 90, 181), (213, 94, 0), (0, 158, 115), (235, 120, 190), (120, 20, 70), (96, 198, 243),
    (196, 178, 10),
)  # fmt: skip
DASHES: dict[Dash, tuple[float, ...]] = {
    "solid": (),
    "dash": (3.6, 1.4),
    "dot": (1.2, 1.2),
    "dashdot": (6, 1.4, 1.2, 1.4),
    "longdash": (8, 1.6),
}
"""Dash patterns by Plotly's name: lengths of strokes and gaps in line widths."""
MARKERS = "oDs^v<>PXhpd"
"""Markers, as matplotlib names them."""
SYMBOLS = {
    "o": "circle", "D": "diamond", "s": "square", "^": "triangle-up", "v": "triangle-down",
    "<": "triangle-left", ">": "triangle-right", "P": "cross", "X": "x", "h": "hexagon",
    "p": "pentagon", "d": "diamond-tall",
}  # fmt: skip
"""The same markers by Plotly's name."""
TRUTH: RGB = (255, 255, 255)
LONGEST = 32  # characters of a name; longer names lose their middle


@dataclass(frozen=True)
class Look:
    """How one tracker is drawn.

    Attributes:
        colour: RGB, 0 to 255.
        dash: pattern of its lines, a key of ``DASHES``.
        marker: of its points, as matplotlib names it.
    """

    colour: RGB
    dash: Dash = "solid"
    marker: str = "o"

    @property
    def hex(self) -> str:
        """The colour as ``#rrggbb``.

        >>> Look((213, 94, 0)).hex
        '#d55e00'
        """
        return "#{:02x}{:02x}{:02x}".format(*self.colour)


def looks(names: Iterable[str], first: Iterable[str] = (), ours: str = "") -> dict[str, Look]:
    """A look for every tracker; depends on the sets of names only, not on their order.

    Each name prefers one of the seven colours, chosen by its CRC-32. In alphabetical order,
    every name whose preferred colour is free takes it; the others then take the next free
    one. After seven trackers a new round begins, in which each colour comes with another dash
    pattern and marker. So no two of the first 7 trackers share a colour, no two of 35 share
    colour and dashes, and a new tracker changes the looks of few others.

    Args:
        names: of all trackers.
        first: those that must differ in colour if they are up to seven: if two would not, they
            choose before all others.
        ours: the one that has the first colour, with solid lines.

    >>> {name: look.hex for name, look in looks(["static", "kcf"]).items()}
    {'kcf': '#60c6f3', 'static': '#009e73'}
    >>> looks(["static", "siamattn", "kcf"])["kcf"].hex
    '#60c6f3'
    """
    known, wanted = {*names, *first, *filter(None, [ours])}, {*first, *filter(None, [ours])}
    chosen = _shared_out(known, set(), ours)
    colours = {chosen[name].colour for name in wanted}
    if len(colours) < min(len(wanted), len(PALETTE)):
        chosen = _shared_out(known, wanted, ours)
    return dict(sorted(chosen.items()))


def looks_of_figures(
    names: Iterable[str], figures: Sequence[Collection[str]], ours: str = ""
) -> dict[str, Look]:
    """One look for every tracker of several figures: ``looks``, or others if a figure needs them.

    If two trackers of one figure would share a colour, all choose anew, those in most figures
    first, then in alphabetical order: among the colours that no tracker beside it has, one that
    the fewest have, and of these the next to the preferred one.

    Args:
        names: of all trackers.
        figures: the trackers of each that must differ in colour.
        ours: the one that has the first colour.
    """
    chosen = looks(names, {name for figure in figures for name in figure}, ours)
    if all(
        len({chosen[name].colour for name in figure}) == min(len(set(figure)), len(PALETTE))
        for figure in figures
    ):
        return chosen
    slots, used = dict[str, int](), Counter[int]()
    for name in sorted(chosen, key=lambda n: (n != ours, -sum(n in f for f in figures), n)):
        beside = {each for figure in figures if name in figure for each in figure}
        taken = {slots[each] for each in beside if each in slots}
        free = [slot for slot in range(len(PALETTE)) if slot not in taken]
        start = 0 if name == ours else _preferred(name)
        best = min(free or range(len(PALETTE)), key=lambda s: (used[s], _distance(start, s)))
        slots[name], chosen[name] = best, _look(best, used[best])
        used[best] += 1
    return chosen


def _shared_out(names: set[str], before: set[str], ours: str) -> dict[str, Look]:
    """A look for every name, round by round; those of ``before`` choose first."""
    waiting, chosen, turn = sorted(names, key=lambda n: (n not in before, n)), dict[str, Look](), 0
    while waiting:
        for name, slot in _one_round(waiting, before, ours).items():
            chosen[name] = _look(slot, turn)
        waiting = [name for name in waiting if name not in chosen]
        turn += 1
    return chosen


def _one_round(names: list[str], before: set[str], ours: str) -> dict[str, int]:
    """The places in the palette of at most seven names."""
    free, taken = list(range(len(PALETTE))), dict[str, int]()
    preferred = {name: _preferred(name) for name in names}
    if ours in preferred:
        taken[ours] = preferred[ours] = free.pop(0)
    for group in ([n for n in names if n in before], [n for n in names if n not in before]):
        for name in group:
            if preferred[name] in free:
                taken[name] = preferred[name]
                free.remove(preferred[name])
        for name in (name for name in group if name not in taken):
            if free:
                near = partial(_distance, preferred[name])
                taken[name] = min(free, key=near)
                free.remove(taken[name])
    return taken


def _preferred(name: str) -> int:
    return zlib.crc32(name.encode(errors="surrogatepass")) % len(PALETTE)


def _distance(preferred: int, slot: int) -> int:
    return (slot - preferred) % len(PALETTE)


def _look(slot: int, turn: int) -> Look:
    """The colour at a place of the palette, with the dashes and marker of a round."""
    dash = list(DASHES)[(slot + turn) % len(DASHES)]
    return Look(PALETTE[slot], dash, MARKERS[(slot + len(PALETTE) * turn) % len(MARKERS)])


def shortened(name: str) -> str:
    """A name that fits a legend; names that are too long lose their middle.

    >>> shortened("x" * 20 + "y" * 20)
    'xxxxxxxxxxxxxxxx…yyyyyyyyyyyyyyy'
    """
    if len(name) <= LONGEST:
        return name
    half = LONGEST // 2
    return f"{name[:half]}…{name[half - LONGEST + 1 :]}"
