"""Frames of a video: regions drawn, beneath them a strip with what befell each tracker."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bench.arrays import Image
from bench.errors import DatasetError
from bench.reports.overlay import FAILED, STARTED, WAITS, Layer, draw_regions
from bench.reports.palette import Colour
from bench.reports.text_drawing import draw_text, legible, text_width
from bench.sequence import Sequence

_PAPER: Colour = (24, 24, 24)
_INK: Colour = (230, 230, 230)
_QUIET: Colour = (150, 150, 150)
_ALARM: Colour = (255, 255, 255)
_SHOWN_FOR = 15  # frames for which a restart stays written


def captioned_frames(sequence: Sequence, drawn: list[Layer], *, hold: int = 0) -> Iterator[Image]:
    """Every frame with all layers drawn, enlarged if it is small, a legend beneath.

    Args:
        sequence: with frames.
        drawn: what to draw.
        hold: how often the frame of a failure is shown again, for the eye to catch it.

    Raises:
        DatasetError: only annotation is at hand, or a frame cannot be read.
    """
    if sequence.frames is None:
        raise DatasetError(
            f"{sequence.name}: only annotation is at hand, there are no frames to draw"
        )
    for index in range(len(sequence)):
        scene = draw_regions(sequence.frames[index], drawn, index)
        failed = any(layer.marks.get(index) == FAILED for layer in drawn)
        frame = captioned(scene, drawn, index, sequence.first_frame + index)
        for _ in range(1 + hold * failed):
            yield frame


def captioned(scene: Image, drawn: list[Layer], index: int, number: int) -> Image:
    """A frame on top of its caption: the legend stays clear of the target.

    Args:
        scene: RGB ``uint8 (H, W, 3)`` with the regions drawn.
        drawn: its layers, one entry each.
        index: of the frame, counted from 0.
        number: of the frame, as the benchmark counts.
    """
    width = scene.shape[1]
    size = max(13, round(width / 50))
    cell = _cell_width(drawn, size)
    columns = max(1, (width - size) // cell)
    rows = -(-(1 + len(drawn)) // columns)
    strip = np.full((round((rows + 0.4) * 1.6 * size), width, 3), _PAPER, dtype=np.uint8)
    places = [
        (size // 2 + place % columns * cell, round((place // columns + 0.4) * 1.6 * size))
        for place in range(1 + len(drawn))
    ]
    draw_text(strip, f"frame {number}", *places[0], size, _INK)
    for place, layer in zip(places[1:], drawn, strict=True):
        _draw_entry(strip, layer, index, place, size)
    return np.concatenate([scene, strip])


def _cell_width(drawn: list[Layer], size: int) -> int:
    """Room for the longest name with the longest thing to be said beside it."""
    names = max((text_width(legible(layer.name), size) for layer in drawn), default=0)
    beside = f"  {_said(FAILED, 88)}" if any(layer.marks for layer in drawn) else ""
    return round(3.4 * size) + names + text_width(beside, size)


def _draw_entry(strip: Image, layer: Layer, index: int, place: tuple[int, int], size: int) -> None:
    """A piece of the layer's line, its name, and what is to be said of this frame."""
    x, y = place
    middle, half = y + round(0.6 * size), max(1, size // 10)
    start, end = x, x + round(1.4 * size)
    strip[middle - half : middle + half + 1, start:end] = layer.colour
    if layer.dashed:
        third = (end - start) // 3
        strip[middle - half : middle + half + 1, start + third : end - third] = _PAPER
    name, said = legible(layer.name), _status(layer, index)
    failed = layer.marks.get(index) == FAILED
    draw_text(strip, name, x + round(1.8 * size), y, size, _ALARM if failed else _INK)
    after = x + round(2.6 * size) + text_width(name, size)
    if failed:
        right = after + text_width(said, size) + 4
        strip[y - 1 : y + round(1.3 * size), after - 4 : right] = (190, 30, 30)
    draw_text(strip, said, after, y, size, _ALARM if failed else _QUIET)


def _status(layer: Layer, index: int) -> str:
    """What befell a tracker up to this frame."""
    count = layer.failures(index)
    now = layer.marks.get(index, "")
    if not now and any(layer.marks.get(i) == STARTED for i in range(index - _SHOWN_FOR, index)):
        now = STARTED
    if now == STARTED and count:
        now = f"re{STARTED}"
    return _said(now, count)


def _said(mark: str, failures: int) -> str:
    """
    >>> _said("waits", 2)
    'waits ×2'
    """
    return f"{mark} ×{failures}".strip() if failures else mark if mark != WAITS else ""
