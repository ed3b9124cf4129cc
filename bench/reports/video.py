"""Frames as a video file for browsers: H.264, or VP9 if there is no H.264 encoder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from bench.arrays import Image
from bench.errors import ConfigError, install_extra
from bench.files import is_litter, temporary_name

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.video.stream import VideoStream

# By file ending: the first encoder that this build of PyAV has is used.
_ENCODERS = {
    ".mp4": ("libx264", "libopenh264", "libvpx-vp9"),
    ".webm": ("libvpx-vp9",),
    ".avi": ("mjpeg",),
}
_OPTIONS = {
    "libx264": {"crf": "20", "preset": "veryfast"},
    "libvpx-vp9": {"crf": "30", "b": "0", "deadline": "realtime", "cpu-used": "6"},
}


def write_video(frames: Iterable[Image], path: Path, fps: float) -> int:
    """Write frames to ``path`` (.mp4, .webm or .avi) and return their number.

    The file appears whole or not at all. 4:2:0 colour needs even sides: the last column or row
    is repeated. A frame that differs in size from the first is cropped, or padded with black, at
    its right and bottom, so that coordinates do not move.

    Args:
        frames: RGB ``uint8 (H, W, 3)``.
        path: file to write; its folder is created.
        fps: frames per second, rounded to a fraction with a denominator of at most 1001.

    Raises:
        ConfigError: PyAV or an encoder is missing, the ending is unknown, there are no frames,
            or the file cannot be written.
    """
    encoder = _encoder(path)
    rate = _rate(fps)
    rest = iter(frames)
    first = next(rest, None)
    if first is None:
        raise ConfigError(f"{path}: expected at least one frame, found none")
    try:
        with _aside(path) as partial:
            return _encode(chain([first], rest), partial, path.suffix.lower(), encoder, rate)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written ({error.strerror or error})") from error


@contextmanager
def _aside(path: Path) -> Iterator[Path]:
    """A new file beside ``path`` that replaces it on success and is gone otherwise.

    What a killed writer left in the folder is removed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    for left_over in path.parent.glob(".*"):
        if is_litter(left_over.name) and left_over.is_file():
            left_over.unlink(missing_ok=True)
    partial = path.with_name(temporary_name(path.name))
    try:
        yield partial
        partial.replace(path)
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def _encoder(path: Path) -> str:
    """Name of the encoder for a file's ending."""
    if path.suffix.lower() not in _ENCODERS:
        raise ConfigError(f"{path}: expected a file name that ends in {', '.join(_ENCODERS)}")
    if path.is_dir():
        raise ConfigError(f"{path}: expected a file to write, found a folder")
    try:
        import av
    except ImportError:
        raise ConfigError(
            f"writing a video needs PyAV, which is not installed: {install_extra('video')}"
        ) from None
    wanted = _ENCODERS[path.suffix.lower()]
    for name in wanted:
        if name in av.codecs_available:
            return name
    raise ConfigError(
        f"{path}: this build of PyAV has no {' or '.join(wanted)}; try another ending "
        f"({', '.join(_ENCODERS)})"
    )


def _rate(fps: float) -> Fraction:
    if not 0.01 <= fps <= 1000:
        raise ConfigError(f"expected 0.01 to 1000 frames per second, found {fps:g}")
    return Fraction(fps).limit_denominator(1001)


def _encode(frames: Iterable[Image], path: Path, ending: str, encoder: str, rate: Fraction) -> int:
    import av

    options = {"movflags": "+faststart"} if ending == ".mp4" else {}
    count, stream = 0, None
    with av.open(str(path), "w", format=ending[1:], options=options) as container:
        for image in frames:
            stream = stream or _open_stream(container, encoder, rate, image)
            picture = av.VideoFrame.from_ndarray(_fitted(image, stream.height, stream.width))
            picture.pts, picture.time_base = count, 1 / rate
            container.mux(stream.encode(picture))
            count += 1
        if stream is not None:
            container.mux(stream.encode())
    return count


def _open_stream(
    container: OutputContainer, encoder: str, rate: Fraction, image: Image
) -> VideoStream:
    options = _OPTIONS.get(encoder, {})
    stream = cast("VideoStream", container.add_stream(encoder, rate, options=options))
    height, width = image.shape[:2]
    stream.height, stream.width = height + height % 2, width + width % 2
    stream.pix_fmt = "yuvj420p" if encoder == "mjpeg" else "yuv420p"
    stream.gop_size = max(1, round(rate))  # one second: seeking stays fast
    return stream


def _fitted(image: Image, height: int, width: int) -> Image:
    """The image on a canvas of even size."""
    rows, columns = min(image.shape[0], height), min(image.shape[1], width)
    missing = height - rows, width - columns
    mode = "edge" if max(missing) <= 1 else "constant"
    padding = ((0, missing[0]), (0, missing[1]), (0, 0))
    return np.ascontiguousarray(np.pad(image[:rows, :columns], padding, mode=mode))  # type: ignore[call-overload]
