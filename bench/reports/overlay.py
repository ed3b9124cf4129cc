"""Frames with ground truth and trackers' regions drawn, as pictures or in a window."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from bench.arrays import BoolArray, FloatArray, Image
from bench.errors import BenchError
from bench.geometry import Regions, box_to_polygon
from bench.reports.palette import PALETTE, TRUTH, Colour, colour_of
from bench.sequence import Sequence

Shape = FloatArray | BoolArray
"""Corners ``(K, 2)`` in 0-based pixels, or a mask ``(H, W)`` of bool."""

STARTED, FAILED, WAITS = "started", "FAILED", "waits"
_MARKS = {1: STARTED, 2: FAILED, 0: WAITS}
_FAR = 30_000  # pixels; the drawing functions overflow somewhere beyond
_TINT = 0.4  # share of the colour inside a mask
_WIDE = 640  # pixels; smaller frames are enlarged, so that thin lines stay thin


@dataclass(frozen=True, eq=False)
class Layer:
    """One set of regions to draw.

    Attributes:
        name: shown in the legend.
        colour: RGB.
        shapes: the region of each frame, None where there is nothing to draw.
        marks: what is said beside the name, by index of the frame: the codes of a run with
            resets.
        dashed: drawn with gaps, as the colour is another layer's too.
    """

    name: str
    colour: Colour
    shapes: tuple[Shape | None, ...]
    marks: Mapping[int, str]
    dashed: bool = False

    def shape(self, index: int) -> Shape | None:
        """The region of a frame; None beyond the last."""
        return self.shapes[index] if index < len(self.shapes) else None

    def failures(self, index: int) -> int:
        """How often it has failed up to a frame, that one included."""
        return sum(mark == FAILED and at <= index for at, mark in self.marks.items())

    def last_shape(self, index: int) -> Shape | None:
        """The last region before a frame."""
        known = (shape for shape in reversed(self.shapes[:index]) if shape is not None)
        return next(known, None)


def layers(sequence: Sequence, results: Mapping[str, Regions]) -> list[Layer]:
    """Ground truth and trackers' regions (file coordinates) as layers to draw."""
    drawn = [_layer("ground truth", TRUTH, sequence.regions, sequence.index_base)]
    for index, (name, regions) in enumerate(results.items()):
        dashed = index // len(PALETTE) % 2 == 1
        drawn.append(_layer(name, colour_of(index), regions, sequence.index_base, dashed=dashed))
    return drawn


def _layer(
    name: str, colour: Colour, regions: Regions, index_base: float, *, dashed: bool = False
) -> Layer:
    rows = zip(regions.values, regions.counts.tolist(), strict=True)
    corners = tuple(_corners(values[:count], index_base) for values, count in rows)
    marks = {i: _MARKS.get(c, "") for i, c in enumerate(regions.codes.tolist()) if c >= 0}
    return Layer(name, colour, corners, marks, dashed)


def _corners(numbers: FloatArray, index_base: float) -> FloatArray | None:
    """The corners of a region in 0-based pixels; None for a code or an unknown region."""
    if len(numbers) < 4 or not np.isfinite(numbers).all():
        return None
    polygon = box_to_polygon(numbers) if len(numbers) == 4 else numbers.reshape(-1, 2)
    return polygon - index_base


def draw_regions(
    image: Image, drawn: list[Layer], index: int, *, zoom: int | None = None
) -> Image:
    """A copy of a frame with the regions of all layers drawn, no legend.

    Where a tracker failed, a cross marks the place of its last region, and a border of its
    colour lies around the frame.

    Args:
        image: RGB ``uint8 (H, W, 3)``.
        drawn: what to draw, the first on top.
        index: of the frame, counted from 0.
        zoom: whole factor to enlarge the frame by; by default to 640 pixels or more.
    """
    import cv2

    zoom = zoom or -(-_WIDE // image.shape[1])
    size = (image.shape[1] * zoom, image.shape[0] * zoom)
    canvas = cv2.resize(image, size, interpolation=cv2.INTER_CUBIC) if zoom > 1 else image.copy()
    canvas = np.asarray(canvas, dtype=np.uint8)
    thickness = max(2, round(min(canvas.shape[:2]) / 260))
    for layer in reversed(drawn):
        shape = layer.shape(index)
        if shape is not None:
            _draw_shape(canvas, shape, layer, zoom, thickness)
        elif layer.marks.get(index) == FAILED:
            _draw_failure(canvas, layer, index, zoom, thickness)
    return canvas


def _draw_shape(canvas: Image, shape: Shape, layer: Layer, zoom: int, thickness: int) -> None:
    import cv2

    if shape.dtype != np.bool_:
        enlarged = (np.asarray(shape, dtype=np.float64) + 0.5) * zoom - 0.5
        _draw_outline(canvas, enlarged, layer, thickness)
        return
    pixels = np.kron(shape, np.ones((zoom, zoom))).astype(np.uint8)[: canvas.shape[0]]
    inside = pixels[:, : canvas.shape[1]] > 0
    mixed = canvas[inside] * (1 - _TINT) + np.array(layer.colour) * _TINT
    canvas[inside] = np.rint(mixed).astype(np.uint8)
    for contour in cv2.findContours(pixels, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]:
        _draw_outline(canvas, contour[:, 0].astype(float), layer, thickness)


def _draw_outline(canvas: Image, corners: FloatArray, layer: Layer, thickness: int) -> None:
    """A closed line on a thin dark one, which keeps it visible on any ground."""
    import cv2

    whole = np.rint(corners.clip(-_FAR, _FAR)).astype(np.int32)
    cv2.polylines(canvas, [whole], True, (0, 0, 0), thickness + 2, cv2.LINE_AA)
    lines = _dashes(whole, 6 * thickness) if layer.dashed else [whole]
    cv2.polylines(canvas, lines, not layer.dashed, layer.colour, thickness, cv2.LINE_AA)


def _dashes(corners: FloatArray, length: int) -> list[FloatArray]:
    """A closed line ``(K, 2)`` cut into pieces with gaps, all about ``length`` pixels."""
    pieces = []
    for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        steps = max(1, min(200, round(float(np.hypot(*(end - start))) / length / 2) * 2))
        along = start + np.linspace(0, 1, steps + 1)[:, None] * (end - start)
        pieces += [np.rint(along[i : i + 2]).astype(np.int32) for i in range(0, steps, 2)]
    return pieces


def _draw_failure(canvas: Image, layer: Layer, index: int, zoom: int, thickness: int) -> None:
    import cv2

    height, width = canvas.shape[:2]
    border = 3 * thickness
    cv2.rectangle(canvas, (0, 0), (width - 1, height - 1), layer.colour, border)
    last = layer.last_shape(index)
    if last is None:
        return
    points = np.argwhere(last)[:, ::-1] if last.dtype == np.bool_ else last
    x, y = np.clip(points.mean(axis=0) * zoom, -_FAR, _FAR).round().astype(int).tolist()
    for colour, width in (((0, 0, 0), 3 * thickness + 2), (layer.colour, 3 * thickness)):
        cv2.drawMarker(canvas, (x, y), colour, cv2.MARKER_TILTED_CROSS, 14 * thickness, width)


def play(frames: Iterator[Image], title: str, fps: float) -> None:
    """Show frames in a window; any key stops.

    Raises:
        BenchError: this OpenCV build or machine has no window.
    """
    import cv2

    try:
        for frame in frames:
            cv2.imshow(title, frame[:, :, ::-1])
            if cv2.waitKey(max(1, int(1000 / fps))) != -1:
                break
        cv2.destroyAllWindows()
    except cv2.error as error:
        raise BenchError(
            "no window can be opened (the headless OpenCV build has none): write a video "
            "instead with --output clip.mp4"
        ) from error
