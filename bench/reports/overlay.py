"""Ground truth and trackers' regions drawn on frames."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from bench.arrays import BoolArray, FloatArray, Image
from bench.errors import BenchError, ConfigError
from bench.geometry import (
    FAILED,
    INITIALISED,
    SKIPPED,
    Regions,
    Runs,
    box_to_polygon,
    has_pixels,
    runs_to_mask,
)
from bench.reports import palette
from bench.reports.palette import DASHES, TRUTH, Look
from bench.sequence import Masks, Sequence
from bench.tracker import absent_rows

Shape: TypeAlias = FloatArray | BoolArray | Runs
"""Corners ``(K, 2)`` in 0-based pixels, or a mask: ``(H, W)`` of bool, or run lengths."""

_FAR = 30_000  # pixels; OpenCV's drawing functions overflow somewhere beyond
_TINT = 0.4  # share of the colour inside a mask
_WIDE = 640  # pixels; smaller frames are enlarged, so that thin lines stay thin


@dataclass(frozen=True, eq=False)
class Layer:
    """One set of regions to draw.

    Attributes:
        name: shown in the legend.
        look: colour and dashes of its lines.
        shapes: the region of each frame, None if there is nothing to draw.
        codes: VOT's codes ``SKIPPED``, ``INITIALISED`` and ``FAILED`` by index of the frame.
        absent: indices of the frames where it says that the target is not visible.
    """

    name: str
    look: Look
    shapes: tuple[Shape | None, ...]
    codes: Mapping[int, int]
    absent: frozenset[int] = frozenset()

    def shape(self, index: int) -> Shape | None:
        """The region of a frame; None beyond the last."""
        return self.shapes[index] if index < len(self.shapes) else None

    def failed(self, index: int) -> bool:
        """Whether it failed in a frame."""
        return self.codes.get(index) == FAILED

    def failures(self, index: int) -> int:
        """Number of failures up to and including a frame."""
        return sum(code == FAILED and at <= index for at, code in self.codes.items())

    def last_shape(self, index: int) -> Shape | None:
        """The last region before a frame."""
        known = (shape for shape in reversed(self.shapes[:index]) if shape is not None)
        return next(known, None)


def layers(
    sequence: Sequence,
    results: Mapping[str, Regions | FloatArray | BoolArray],
    looks: Mapping[str, Look] | None = None,
    masks: Mapping[str, Masks | None] | None = None,
) -> list[Layer]:
    """Ground truth and trackers' regions as layers to draw.

    Lines have gaps only if an earlier layer has the same colour.

    Args:
        sequence: with annotation; the ground truth is the first layer.
        results: by tracker, regions in file coordinates, or an array in 0-based pixels: boxes
            ``(N, 4)``, polygons ``(N, K, 2)`` or masks ``(N, H, W)`` of bool.
        looks: by tracker; by default, those of the trackers in ``results``.
        masks: by tracker; drawn in place of the regions of their frames.

    Raises:
        ConfigError: an array has another shape, or masks are not one per frame.
    """
    truth = _layer("ground truth", Look(TRUTH), sequence.regions, sequence.index_base)
    chosen = {**palette.looks(results), **(looks or {})}
    drawn = [truth]
    for name, regions in results.items():
        look = chosen[name]
        if look.colour not in (layer.look.colour for layer in drawn):
            look = Look(look.colour, "solid", look.marker)
        elif look.dash == "solid":
            look = Look(look.colour, "dash", look.marker)
        layer = _layer(name, look, regions, sequence.index_base)
        drawn.append(_with_masks(layer, (masks or {}).get(name) or ()))
    return drawn


def _layer(
    name: str, look: Look, regions: Regions | FloatArray | BoolArray, index_base: float
) -> Layer:
    if not isinstance(regions, Regions):
        return Layer(name, look, tuple(_shapes(name, np.asarray(regions))), {})
    absent = frozenset(np.flatnonzero(absent_rows(regions, index_base)).tolist())
    rows = enumerate(zip(regions.values, regions.counts.tolist(), strict=True))
    corners = tuple(
        None if at in absent else _corners(values[:count], index_base)
        for at, (values, count) in rows
    )
    known = (INITIALISED, FAILED, SKIPPED)
    codes = {at: code for at, code in enumerate(regions.codes.tolist()) if code in known}
    return Layer(name, look, corners, codes, absent)


def _with_masks(layer: Layer, masks: Masks) -> Layer:
    """A layer with masks, where there are any, in place of the regions."""
    if not masks:
        return layer
    if len(masks) != len(layer.shapes):
        raise ConfigError(
            f"{layer.name}: expected a mask for each of {len(layer.shapes)} frames, found "
            f"{len(masks)}. Run the sequence again, or remove the file of masks."
        )
    pairs = zip(layer.shapes, masks, strict=True)
    shapes = tuple(
        mask if shape is not None and mask is not None and has_pixels(mask) else shape
        for shape, mask in pairs
    )
    return replace(layer, shapes=shapes)


def _shapes(name: str, regions: NDArray[Any]) -> Iterable[Shape | None]:
    """The shapes of an array of boxes, polygons or masks."""
    if regions.ndim == 3 and regions.dtype == np.bool_:
        return list(regions)
    if regions.ndim == 2 and regions.shape[1] == 4:
        regions = box_to_polygon(regions.astype(np.float64))
    if regions.ndim != 3 or regions.shape[2] != 2:
        raise ConfigError(
            f"{name}: expected boxes (N, 4), polygons (N, K, 2) or masks (N, H, W) of bool, found "
            f"an array {regions.shape} of {regions.dtype}"
        )
    return [shape if np.isfinite(shape).all() else None for shape in regions]


def _corners(numbers: FloatArray, index_base: float) -> FloatArray | None:
    """The corners of a region in 0-based pixels; None for a code or an unknown region."""
    if len(numbers) < 4 or not np.isfinite(numbers).all():
        return None
    polygon = box_to_polygon(numbers) if len(numbers) == 4 else numbers.reshape(-1, 2)
    return polygon - index_base


def draw_regions(
    image: Image, drawn: list[Layer], index: int, *, zoom: int | None = None
) -> Image:
    """A copy of a frame with the regions of all layers, without legend.

    A failure is a cross on the tracker's last region, and a border in its colour; the answer that
    the target is not visible is a crossed circle there.

    Args:
        image: RGB ``uint8 (H, W, 3)``.
        drawn: layers, the first on top.
        index: of the frame, from 0.
        zoom: integer factor to enlarge the frame by; by default, to at least 640 pixels.
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
        elif layer.failed(index):
            _draw_failure(canvas, layer, index, zoom, thickness)
        elif index in layer.absent:
            _draw_absence(canvas, layer, index, zoom, thickness)
    return canvas


def _draw_shape(canvas: Image, shape: Shape, layer: Layer, zoom: int, thickness: int) -> None:
    import cv2

    if shape.ndim == 1:
        size = (canvas.shape[1] // zoom, canvas.shape[0] // zoom)
        shape = runs_to_mask(cast(Runs, shape), size)
    if shape.dtype != np.bool_:
        enlarged = (np.asarray(shape, dtype=np.float64) + 0.5) * zoom - 0.5
        _draw_outline(canvas, enlarged, layer, thickness)
        return
    pixels = np.kron(shape, np.ones((zoom, zoom))).astype(np.uint8)[: canvas.shape[0]]
    inside = pixels[:, : canvas.shape[1]] > 0
    mixed = canvas[inside] * (1 - _TINT) + np.array(layer.look.colour) * _TINT
    canvas[inside] = np.rint(mixed).astype(np.uint8)
    for contour in cv2.findContours(pixels, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]:
        _draw_outline(canvas, contour[:, 0].astype(float), layer, thickness)


def _draw_outline(canvas: Image, corners: FloatArray, layer: Layer, thickness: int) -> None:
    """Draw a closed line with a thin dark border, which stays visible on any background."""
    import cv2

    whole = np.rint(corners.clip(-_FAR, _FAR)).astype(np.int32)
    cv2.polylines(canvas, [whole], True, (0, 0, 0), thickness + 2, cv2.LINE_AA)
    dashes = DASHES[layer.look.dash]
    lines = _strokes(whole, np.multiply(dashes, 1.6 * thickness)) if dashes else [whole]
    cv2.polylines(canvas, lines, not dashes, layer.look.colour, thickness, cv2.LINE_AA)


def _strokes(corners: FloatArray, lengths: FloatArray) -> list[FloatArray]:
    """The strokes of a closed line ``(K, 2)`` with alternating strokes and gaps in pixels."""
    pieces = []
    for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        side = float(np.hypot(*(end - start)))
        repeats = min(200, max(1, round(side / lengths.sum())))
        ends = np.cumsum(np.concatenate([[0], np.tile(lengths, repeats)]))
        along = start + (ends / ends[-1])[:, None] * (end - start)
        pieces += [np.rint(along[i : i + 2]).astype(np.int32) for i in range(0, len(ends) - 1, 2)]
    return pieces


def _draw_failure(canvas: Image, layer: Layer, index: int, zoom: int, thickness: int) -> None:
    import cv2

    height, width = canvas.shape[:2]
    border = 3 * thickness
    cv2.rectangle(canvas, (0, 0), (width - 1, height - 1), layer.look.colour, border)
    centre = _last_centre(layer, index, zoom)
    if centre is None:
        return
    for colour, width in (((0, 0, 0), 3 * thickness + 2), (layer.look.colour, 3 * thickness)):
        cv2.drawMarker(canvas, centre, colour, cv2.MARKER_TILTED_CROSS, 14 * thickness, width)


def _draw_absence(canvas: Image, layer: Layer, index: int, zoom: int, thickness: int) -> None:
    import cv2

    centre = _last_centre(layer, index, zoom)
    if centre is None:
        return
    radius = 6 * thickness
    low, high = ((centre[0] - side, centre[1] + side) for side in (radius, -radius))
    for colour, width in (((0, 0, 0), thickness + 2), (layer.look.colour, thickness)):
        cv2.circle(canvas, centre, radius, colour, width, cv2.LINE_AA)
        cv2.line(canvas, low, high, colour, width, cv2.LINE_AA)


def _last_centre(layer: Layer, index: int, zoom: int) -> tuple[int, int] | None:
    """The middle of the last region before a frame, in pixels of the enlarged frame."""
    last = layer.last_shape(index)
    if last is None:
        return None
    if last.ndim == 1:
        middle = last[:2] + last[2:4] / 2
    else:
        points = np.argwhere(last)[:, ::-1] if last.dtype == np.bool_ else last
        middle = points.mean(axis=0)
    x, y = np.clip(middle * zoom, -_FAR, _FAR).round().astype(int).tolist()
    return x, y


def play(frames: Iterable[Image], title: str, fps: float) -> None:
    """Show frames in a window until a key is pressed.

    Raises:
        BenchError: OpenCV cannot open a window.
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
            "instead, with --out clip.mp4"
        ) from error
