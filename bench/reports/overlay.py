"""Frames with ground truth and trackers' boxes drawn, as a video file or in a window."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench.errors import BenchError, ConfigError, DatasetError
from bench.geometry import Regions, box_to_polygon
from bench.sequence import FloatArray, Image, Sequence

if TYPE_CHECKING:
    from cv2 import VideoWriter

# Colours of the Okabe-Ito palette, told apart by colour-blind readers too; RGB.
_PALETTE = (
    (230, 159, 0), (86, 180, 233), (240, 228, 66), (0, 114, 178), (213, 94, 0), (204, 121, 167),
)  # fmt: skip
_TRUTH = (0, 200, 80)
_FAR = 30_000  # pixels; the drawing functions overflow somewhere beyond


_MARKS = {1: "started", 2: "FAILED", 0: "waits"}


@dataclass(frozen=True, eq=False)
class Layer:
    """One set of regions to draw.

    Attributes:
        name: shown in the legend.
        colour: RGB.
        corners: ``(K, 2)`` 0-based pixels of each frame, None where there is nothing to draw.
        marks: what the legend says beside the name, by index of the frame.
    """

    name: str
    colour: tuple[int, int, int]
    corners: tuple[FloatArray | None, ...]
    marks: Mapping[int, str]


def layers(sequence: Sequence, results: Mapping[str, Regions]) -> list[Layer]:
    """Ground truth and trackers' regions (file coordinates) as layers to draw."""
    drawn = [_layer("ground truth", _TRUTH, sequence.regions, sequence.origin)]
    for index, (name, regions) in enumerate(results.items()):
        colour = _PALETTE[index % len(_PALETTE)]
        drawn.append(_layer(name, colour, regions, sequence.origin))
    return drawn


def _layer(name: str, colour: tuple[int, int, int], regions: Regions, origin: float) -> Layer:
    rows = zip(regions.values, regions.counts.tolist(), strict=True)
    corners = tuple(_corners(values[:count], origin) for values, count in rows)
    marks = {i: _MARKS.get(c, "") for i, c in enumerate(regions.codes.tolist()) if c >= 0}
    return Layer(name, colour, corners, marks)


def _corners(numbers: FloatArray, origin: float) -> FloatArray | None:
    """The corners of a region in 0-based pixels; None for a code or an unknown region."""
    if len(numbers) < 4 or not np.isfinite(numbers).all():
        return None
    polygon = box_to_polygon(numbers) if len(numbers) == 4 else numbers.reshape(-1, 2)
    return polygon - origin


def overlay(sequence: Sequence, drawn: list[Layer]) -> Iterator[Image]:
    """Every frame with all layers drawn, a legend and the frame number.

    Raises:
        DatasetError: only annotation is at hand, or a frame cannot be read.
    """
    if sequence.frames is None:
        raise DatasetError(
            f"{sequence.name}: only annotation is at hand, there are no frames to draw"
        )
    for index in range(len(sequence)):
        yield draw(sequence.frames[index], drawn, index, sequence.first_frame + index)


def draw(image: Image, drawn: list[Layer], index: int, number: int) -> Image:
    """A copy of ``image`` with the regions of frame ``index`` drawn."""
    import cv2

    canvas = image.copy()
    thickness = max(1, round(min(image.shape[:2]) / 240))
    for layer in drawn:
        corners = layer.corners[index] if index < len(layer.corners) else None
        if corners is not None:
            whole = np.rint(corners.clip(-_FAR, _FAR)).astype(np.int32)
            cv2.polylines(canvas, [whole], True, layer.colour, thickness, cv2.LINE_AA)
    _write(canvas, f"#{number}", 0, (255, 255, 255))
    for line, layer in enumerate(drawn, start=1):
        text = f"{layer.name} {layer.marks.get(index, '')}"
        _write(canvas, text, line, layer.colour)
    return canvas


def _write(canvas: Image, text: str, line: int, colour: tuple[int, int, int]) -> None:
    import cv2

    scale = max(0.4, min(canvas.shape[:2]) / 720)
    place = (int(8 * scale) + 2, int((line + 1) * 28 * scale) + 2)
    ascii_text = text.encode("ascii", "replace").decode()  # OpenCV's font knows no more
    for ink, width in (((0, 0, 0), 3), (colour, 1)):
        cv2.putText(
            canvas, ascii_text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, ink, width, cv2.LINE_AA
        )


def write_video(frames: Iterator[Image], path: Path, fps: float) -> int:
    """Write frames to ``path`` (.mp4 or .avi) and return their number.

    Raises:
        ConfigError: the ending is none of these, or no encoder is at hand.
    """
    import cv2

    codecs = {".mp4": "mp4v", ".avi": "MJPG"}
    if path.suffix.lower() not in codecs:
        raise ConfigError(f"{path}: expected a file name that ends in .mp4 or .avi")
    if path.is_dir() or path.parent.is_file():
        raise ConfigError(f"{path}: expected a file to write, found a folder there")
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.stem}.partial{path.suffix}")
    code = cv2.VideoWriter.fourcc(*codecs[path.suffix.lower()])
    writer, count = None, 0
    try:
        for frame in frames:
            writer = writer or _open_writer(partial, code, fps, frame)
            writer.write(frame[:, :, ::-1])
            count += 1
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    finally:
        if writer is not None:
            writer.release()
    if count:
        partial.replace(path)
    return count


def _open_writer(path: Path, code: int, fps: float, frame: Image) -> VideoWriter:
    import cv2

    writer = cv2.VideoWriter(str(path), code, fps, (frame.shape[1], frame.shape[0]))
    if not writer.isOpened():
        raise ConfigError(
            f"{path.suffix} at {fps} frames per second: OpenCV has no encoder for it here; try "
            ".avi or another --fps"
        )
    return writer


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
