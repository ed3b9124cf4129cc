"""Videos for browsers: read back with PyAV, written whole or not at all."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from bench.arrays import Image
from bench.errors import ConfigError, DatasetError
from bench.reports.video import write_video


def ramp(count: int, height: int = 48, width: int = 64) -> Iterator[Image]:
    """Grey frames, each 20 brighter than the one before."""
    for index in range(count):
        yield np.full((height, width, 3), 20 + 20 * index, dtype=np.uint8)


def read(path: Path) -> tuple[av.VideoStream, list[Image]]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return stream, [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]


@pytest.mark.parametrize(
    ("ending", "codec", "pixels"),
    [
        (".mp4", "h264", "yuv420p"),
        (".webm", "vp9", "yuv420p"),
        (".avi", "mjpeg", "yuvj420p"),
    ],
)
def test_frames_survive_the_round_trip(
    tmp_path: Path, ending: str, codec: str, pixels: str
) -> None:
    path = tmp_path / f"clip{ending}"
    assert write_video(ramp(10), path, 12.5) == 10
    stream, frames = read(path)
    assert (stream.codec_context.name, stream.codec_context.pix_fmt) == (codec, pixels)
    assert stream.average_rate == 12.5
    assert [int(frame.mean().round()) for frame in frames] == pytest.approx(
        [20 + 20 * i for i in range(10)], abs=3
    )
    assert list(tmp_path.iterdir()) == [path]


def test_an_mp4_plays_before_it_is_loaded(tmp_path: Path) -> None:
    write_video(ramp(5), tmp_path / "clip.mp4", 25)
    data = (tmp_path / "clip.mp4").read_bytes()
    assert 0 < data.find(b"moov") < data.find(b"mdat")


def test_odd_sides_are_made_even_and_other_sizes_fitted(tmp_path: Path) -> None:
    def mixed() -> Iterator[Image]:
        yield np.full((51, 63, 3), 200, dtype=np.uint8)
        yield np.full((20, 200, 3), 200, dtype=np.uint8)

    path = tmp_path / "clip.mp4"
    write_video(mixed(), path, 25)
    _, (first, second) = read(path)
    assert first.shape == second.shape == (52, 64, 3)
    assert first[51, 63] == pytest.approx([200] * 3, abs=6)
    assert second[5, 63] == pytest.approx([200] * 3, abs=8)
    assert second[40, 20] == pytest.approx([0] * 3, abs=8)


def test_a_video_is_complete_or_absent(tmp_path: Path) -> None:
    def failing() -> Iterator[Image]:
        yield from ramp(2)
        raise DatasetError("frame 3 is missing")

    path = tmp_path / "clip.mp4"
    with pytest.raises(DatasetError, match="frame 3"):
        write_video(failing(), path, 25)
    assert list(tmp_path.iterdir()) == []
    write_video(ramp(3), path, 25)
    before = path.read_bytes()
    with pytest.raises(DatasetError):
        write_video(failing(), path, 25)
    assert path.read_bytes() == before


@pytest.mark.parametrize("fps", [0, -1, float("nan"), 1e6])
def test_impossible_speeds_are_errors(tmp_path: Path, fps: float) -> None:
    with pytest.raises(ConfigError, match="frames per second"):
        write_video(ramp(1), tmp_path / "clip.mp4", fps)


def test_bad_paths_are_errors(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"\.mp4, \.webm, \.avi"):
        write_video(ramp(1), tmp_path / "clip.mov", 25)
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(ConfigError, match="a folder"):
        write_video(ramp(1), tmp_path / "folder.mp4", 25)
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot be written"):
        write_video(ramp(1), tmp_path / "file" / "clip.mp4", 25)
    with pytest.raises(ConfigError, match="at least one frame"):
        write_video(iter([]), tmp_path / "clip.mp4", 25)


def test_without_pyav_the_message_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ConfigError, match=r"\[video\]"):
        write_video(ramp(1), tmp_path / "clip.mp4", 25)
