"""Frames: numbering with gaps and offsets, natural order, videos, pickling, JPEG headers."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.datasets import open_dataset
from bench.datasets.files import natural_key
from bench.datasets.frames import (
    NumberedFrames,
    SortedFrames,
    VideoFrames,
    jpeg_size,
    numbered_frames,
)
from bench.errors import DatasetError
from bench.sequence import Sequence, check_first_box


def test_frames_start_at_the_first_annotated_number(tmp_path: Path, write_images, number_of):
    write_images(tmp_path, range(1, 11))
    frames = NumberedFrames(tmp_path, first=4, count=3)
    assert len(frames) == 3
    assert [number_of(frame) for frame in frames] == [4, 5, 6]
    assert number_of(frames[-1]) == 6
    assert not frames.missing()
    assert [path.name for path in frames.surplus()][:4] == [
        "0001.jpg", "0002.jpg", "0003.jpg", "0007.jpg",
    ]  # fmt: skip


def test_a_gap_shifts_nothing_and_is_named(tmp_path: Path, write_images, number_of):
    write_images(tmp_path, [1, 2, 4, 5])
    frames = NumberedFrames(tmp_path, first=1, count=6)
    assert len(frames) == 5, "up to the last that exists"
    assert number_of(frames[3]) == 4
    assert [path.name for path in frames.missing()] == ["0003.jpg", "0006.jpg"]
    with pytest.raises(DatasetError, match=r"0003\.jpg does not exist"):
        frames[2]


@pytest.mark.parametrize("digits", [1, 4, 5, 8])
def test_digits_are_what_is_on_disk(tmp_path: Path, write_images, number_of, digits: int):
    write_images(tmp_path, range(8, 13), digits=digits)
    frames = NumberedFrames(tmp_path, first=8, count=5)
    assert [number_of(frame) for frame in frames] == [8, 9, 10, 11, 12]


def test_a_complete_folder_counts_from_its_own_first_number(tmp_path, write_images, number_of):
    """BlurCar3: the table has 1-357, common copies of the images are 3-359."""
    write_images(tmp_path, range(3, 8))
    assert [number_of(f) for f in NumberedFrames(tmp_path, first=1, count=5)] == [3, 4, 5, 6, 7]
    assert [number_of(f) for f in NumberedFrames(tmp_path, first=4, count=5)] == [3, 4, 5, 6, 7]
    write_images(tmp_path, [9])
    (tmp_path / "0007.jpg").unlink()
    frames = NumberedFrames(tmp_path, first=4, count=5)  # a gap: which number is first is not told
    assert number_of(frames[0]) == 4


def test_without_a_count_the_images_tell_the_length(tmp_path: Path, write_images, number_of):
    write_images(tmp_path, range(12), digits=1)
    (tmp_path / "Thumbs.db").write_text("x")
    frames = NumberedFrames(tmp_path, first=0)
    assert len(frames) == 12
    assert number_of(frames[11]) == 11, "numeric, not alphabetical order"


def test_empty_and_absent_folders(tmp_path: Path):
    assert len(NumberedFrames(tmp_path, count=3)) == 0
    assert [path.name for path in NumberedFrames(tmp_path, count=2).missing()] == [
        "0001.jpg",
        "0002.jpg",
    ]
    assert numbered_frames(tmp_path / "img") is None
    with pytest.raises(IndexError):
        NumberedFrames(tmp_path)[0]


def test_listing_happens_on_first_use_only(tmp_path: Path, write_images):
    frames = NumberedFrames(tmp_path, first=1, count=2)
    write_images(tmp_path, [1, 2])
    assert len(frames) == 2
    (tmp_path / "0002.jpg").unlink()
    assert len(frames) == 2, "listed once"
    assert len(pickle.loads(pickle.dumps(NumberedFrames(tmp_path, 1, 2)))) == 1


def test_own_images_are_in_natural_order(tmp_path: Path, write_images, number_of):
    write_images(tmp_path, [1, 2, 10, 11], digits=1, suffix="png")
    assert [number_of(frame) for frame in SortedFrames(tmp_path)] == [1, 2, 10, 11]


@given(st.lists(st.integers(0, 10**6), unique=True))
def test_natural_key_orders_numbers(numbers: list[int]):
    names = [f"frame{number}.jpg" for number in numbers]
    assert sorted(names, key=natural_key) == [f"frame{number}.jpg" for number in sorted(numbers)]


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten uniform frames, each 20 brighter than the last."""
    path = tmp_path_factory.mktemp("video") / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25.0, (64, 48))
    for number in range(10):
        writer.write(np.full((48, 64, 3), (number * 20, 0, 0), dtype=np.uint8))
    writer.release()
    return path


def blue(image: np.ndarray) -> int:
    assert image.shape == (48, 64, 3)
    assert image[..., :2].mean() < 6, "RGB: blue is the last channel"
    return round(float(image[..., 2].mean()) / 20)


def test_video_in_order_backwards_and_pickled(video: Path):
    frames = VideoFrames(video)
    assert len(frames) == 10
    assert [blue(frame) for frame in frames] == list(range(10))
    assert [blue(frames[i]) for i in (7, 2, 2, 9, -1, 0)] == [7, 2, 2, 9, 9, 0]
    copy = pickle.loads(pickle.dumps(frames))
    assert blue(copy[3]) == 3
    with pytest.raises(IndexError):
        frames[10]


def test_video_that_is_none(tmp_path: Path):
    with pytest.raises(DatasetError, match="does not exist"):
        len(VideoFrames(tmp_path / "none.mp4"))
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(DatasetError, match="cannot be decoded"):
        len(VideoFrames(tmp_path / "text.mp4"))


@pytest.mark.parametrize("flags", [[], [cv2.IMWRITE_JPEG_PROGRESSIVE, 1]])
def test_jpeg_size_is_that_of_the_decoded_image(tmp_path: Path, flags: list[int]):
    path = tmp_path / "a.jpg"
    cv2.imwrite(str(path), np.zeros((31, 77, 3), np.uint8), flags)
    assert jpeg_size(path) == (77, 31)


@pytest.mark.parametrize("content", [b"", b"\xff\xd8", b"\x89PNG....", b"\xff\xd8\xff\xe0\x00"])
def test_jpeg_size_of_anything_else_is_unknown(tmp_path: Path, content: bytes):
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    assert jpeg_size(path) is None
    assert jpeg_size(tmp_path / "none.jpg") is None


def damage(source: Path, target: Path, cut: float | None) -> Path:
    """A copy with zeros in its middle, or cut short."""
    data = bytearray(source.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 1500] = bytes(1500)
    target.write_bytes(bytes(data) if cut is None else source.read_bytes()[: int(cut * len(data))])
    return target


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Sixty textured frames as MPEG-4 and as motion JPEG."""
    folder = tmp_path_factory.mktemp("film")
    noise = np.random.default_rng(0).integers(0, 255, (12, 16, 3), dtype=np.uint8)
    texture = cv2.resize(noise, (160, 120), interpolation=cv2.INTER_CUBIC)
    paths = {"mp4": folder / "film.mp4", "avi": folder / "film.avi"}
    for path, codec in zip(paths.values(), ("mp4v", "MJPG"), strict=True):
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), 25.0, (160, 120))
        for number in range(60):
            writer.write(np.roll(texture, 3 * number, axis=1))
        writer.release()
        assert len(VideoFrames(path)) == 60
    return paths


@pytest.mark.parametrize(("kind", "cut"), [("mp4", None), ("avi", 0.6)])
def test_a_video_never_loses_frames_in_silence(film, tmp_path: Path, kind: str, cut: float | None):
    path = damage(film[kind], tmp_path / f"film.{kind}", cut)
    with pytest.raises(DatasetError, match=rf"film\.{kind}: frame \d+ of 60 cannot be decoded"):
        len(VideoFrames(path))


def test_a_pipe_is_no_video(tmp_path: Path):
    os.mkfifo(tmp_path / "a.mp4")
    with pytest.raises(DatasetError, match="no regular file"):
        len(VideoFrames(tmp_path / "a.mp4"))


def test_frames_are_named_by_their_file(video: Path, tmp_path: Path, write_images):
    write_images(tmp_path, [4, 5])
    assert NumberedFrames(tmp_path, 4, 2).where(1).endswith("0005.jpg")
    assert SortedFrames(tmp_path).where(0).endswith("0004.jpg")
    assert VideoFrames(video).where(2).endswith("clip.avi, frame 3")


@pytest.mark.parametrize("name", ["._0001.jpg", ".0002.jpg", ".DS_Store", "Thumbs.db"])
def test_clutter_is_no_frame(tmp_path: Path, write_images, name: str):
    write_images(tmp_path, [1, 2])
    (tmp_path / name).write_bytes(b"\x00\x05\x16\x07")
    assert len(SortedFrames(tmp_path)) == len(NumberedFrames(tmp_path, 1, 2)) == 2
    assert NumberedFrames(tmp_path, 1, 2).surplus() == []


@pytest.mark.parametrize("box", [(5000, 5000, 20, 20), (-30, 4, 20, 5), (16, 2, 5, 5)])
def test_a_first_box_outside_the_frame(tmp_path: Path, write_images, box):
    write_images(tmp_path, [1])
    sequence = Sequence("clip", np.array([box], float), NumberedFrames(tmp_path, 1, 1))
    assert sequence.frames is not None
    with pytest.raises(DatasetError, match="outside the frame of 16x12 pixels") as caught:
        check_first_box(sequence, sequence.frames[0])
    for part in ("clip", "0001.jpg", f"({box[0]}, {box[1]}, {box[2]}, {box[3]})"):
        assert part in str(caught.value)


def test_first_boxes_that_reach_beyond_or_have_no_size():
    image = np.zeros((12, 16, 3), np.uint8)
    for box in ((-5, -5, 6, 6), (15.5, 11.5, 100, 100), (-100, -100, 500, 500)):
        check_first_box(Sequence("a", np.array([box], float)), image)
    check_first_box(Sequence("a", np.array([[16, 12, 5, 5.0]]), index_base=1.0), image)
    with pytest.raises(DatasetError, match=r"within one pixel; .*fractions"):
        check_first_box(Sequence("a", np.array([[0.5, 0.25, 0.1, 1.0]])), image)
    check_first_box(Sequence("a", np.array([[0.0, 1.0, 1.0, 1.0]])), image)
    for box in ((1, 1, 0, 5), (1, 1, -3, 5), (np.nan, 1, 2, 2)):
        with pytest.raises(DatasetError, match="not a box"):
            check_first_box(Sequence("a", np.array([box], float)), image)


def test_first_boxes_of_real_sequences_are_inside(shared: Path):
    for benchmark, root in (("otb2015", "otb2015/sequences"), ("vot2018", "vot2018/sequences")):
        for sequence in open_dataset(benchmark, shared / "data" / root):
            assert sequence.frames is not None
            check_first_box(sequence, sequence.frames[0])


def test_an_unreadable_folder_is_one_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("os.scandir", refuse)
    with pytest.raises(DatasetError, match=rf"{tmp_path}: cannot be read \(Permission denied\)"):
        len(NumberedFrames(tmp_path))
    with pytest.raises(DatasetError, match=rf"{tmp_path}.*: cannot be read \(Permission denied\)"):
        open_dataset("otb2015", tmp_path)
