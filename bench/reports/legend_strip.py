"""Annotated frames: regions drawn, with a legend and each tracker's status below."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bench.arrays import Image
from bench.errors import ConfigError, DatasetError
from bench.geometry import FAILED, INITIALISED, SKIPPED
from bench.reports.overlay import Layer, draw_regions
from bench.reports.palette import DASHES, RGB
from bench.reports.text_drawing import draw_text, legible, text_width
from bench.sequence import Frames, Sequence

_PAPER: RGB = (24, 24, 24)
_INK: RGB = (230, 230, 230)
_QUIET: RGB = (150, 150, 150)
_ALARM: RGB = (255, 255, 255)
_ALARM_GROUND: RGB = (190, 30, 30)
_STATUS = {SKIPPED: "waits", INITIALISED: "started", FAILED: "FAILED"}
_SHOWN_FOR = 15  # frames for which a restart is mentioned


@dataclass(frozen=True, eq=False)
class AnnotatedFrames:
    """Frames of a sequence with all layers drawn and a legend below.

    Iterate over it for a video; ``at`` gives a single frame.

    Attributes:
        sequence: with frames.
        layers: to draw.
        hold: how often the frame of a failure is repeated.
    """

    sequence: Sequence
    layers: list[Layer]
    hold: int = 0

    def __len__(self) -> int:
        """Number of frames, repeated ones included."""
        return sum(1 + self._repeats(index) for index in range(len(self.sequence)))

    def __iter__(self) -> Iterator[Image]:
        for index in range(len(self.sequence)):
            frame = self.at(index)
            for _ in range(1 + self._repeats(index)):
                yield frame

    def at(self, index: int) -> Image:
        """One frame, RGB ``uint8 (H, W, 3)``.

        Raises:
            ConfigError: the sequence has no frame of that index, counted from 0.
            DatasetError: there are no images, or this one cannot be read.
        """
        first = self.sequence.first_frame
        if not 0 <= index < len(self.sequence):
            raise ConfigError(
                f"{self.sequence.name}: expected a frame from {first} to "
                f"{first + len(self.sequence) - 1}, found {first + index}"
            )
        scene = draw_regions(_images(self.sequence)[index], self.layers, index)
        return _with_legend(scene, self.layers, index, first + index)

    def _repeats(self, index: int) -> int:
        return self.hold * any(layer.failed(index) for layer in self.layers)


def annotated_frames(sequence: Sequence, layers: list[Layer], hold: int = 0) -> AnnotatedFrames:
    """Frames with all layers drawn, small ones enlarged, and a legend below.

    Args:
        sequence: with frames.
        layers: to draw, as ``bench.reports.overlay.layers`` makes them.
        hold: how often the frame of a failure is repeated, so that it can be noticed.

    Raises:
        DatasetError: the sequence has annotation only.
    """
    _images(sequence)
    return AnnotatedFrames(sequence, layers, hold)


def _images(sequence: Sequence) -> Frames:
    if sequence.frames is None:
        raise DatasetError(f"{sequence.name}: no images to draw on, only annotation")
    return sequence.frames


def _with_legend(scene: Image, drawn: list[Layer], index: int, number: int) -> Image:
    """A frame above its legend, which thus hides no target.

    Args:
        scene: RGB ``uint8 (H, W, 3)`` with the regions drawn.
        drawn: its layers, one entry each.
        index: of the frame, from 0.
        number: of the frame, in the benchmark's numbering.
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
    """Room for the longest name with the longest status."""
    names = max((text_width(legible(layer.name), size) for layer in drawn), default=0)
    marked = any(layer.codes or layer.absent for layer in drawn)
    status = f"  {_counted('FAILED', 88)}" if marked else ""
    return round(3.4 * size) + names + text_width(status, size)


def _draw_entry(strip: Image, layer: Layer, index: int, place: tuple[int, int], size: int) -> None:
    """Draw a piece of the layer's line, its name and its status."""
    x, y = place
    middle, half = y + round(0.6 * size), max(1, size // 10)
    _draw_line(strip[middle - half : middle + half + 1, x : x + round(1.4 * size)], layer)
    name, status = legible(layer.name), _status(layer, index)
    failed = layer.failed(index)
    draw_text(strip, name, x + round(1.8 * size), y, size, _ALARM if failed else _INK)
    after = x + round(2.6 * size) + text_width(name, size)
    if failed:
        right = after + text_width(status, size) + 4
        strip[y - 1 : y + round(1.3 * size), after - 4 : right] = _ALARM_GROUND
    draw_text(strip, status, after, y, size, _ALARM if failed else _QUIET)


def _draw_line(ground: Image, layer: Layer) -> None:
    """Fill ``ground`` with the layer's colour, and cut gaps into a dashed line."""
    ground[:] = layer.look.colour
    strokes = np.cumsum([0, *(2 * DASHES[layer.look.dash] or (0,))])
    for start, end in zip(strokes[1::2], strokes[2::2], strict=False):
        share = ground.shape[1] / strokes[-1]
        ground[:, round(start * share) : round(end * share)] = _PAPER


def _status(layer: Layer, index: int) -> str:
    """A tracker's status in a frame, with the number of its failures so far."""
    if index in layer.absent:
        return "absent"
    count = layer.failures(index)
    code = layer.codes.get(index)
    recent = range(index - _SHOWN_FOR, index)
    if code is None and any(layer.codes.get(i) == INITIALISED for i in recent):
        code = INITIALISED
    if code == INITIALISED and count:
        return _counted("restarted", count)
    if code == SKIPPED and not count:
        return ""
    return _counted("" if code is None else _STATUS[code], count)


def _counted(status: str, failures: int) -> str:
    """
    >>> _counted("waits", 2), _counted("started", 0)
    ('waits ×2', 'started')
    """
    return f"{status} ×{failures}".strip() if failures else status
