"""Images: RGB as OpenCV decodes it, cut files named, 16 bits refused, headers without decoding."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from bench import images
from bench.arrays import Image
from bench.errors import DatasetError
from bench.images import check_image, image_size, read_image

NOISE = np.random.default_rng(0).integers(0, 255, (30, 40, 3), dtype=np.uint8)
ENCODINGS = {
    "jpg": [],
    "progressive.jpg": [cv2.IMWRITE_JPEG_PROGRESSIVE, 1],
    "restart.jpg": [cv2.IMWRITE_JPEG_RST_INTERVAL, 2],
    "png": [],
    "bmp": [],
    "tif": [],
    "webp": [cv2.IMWRITE_WEBP_QUALITY, 101],
}


def encoded(name: str, image: Image = NOISE) -> bytes:
    done, data = cv2.imencode(f".{name.rpartition('.')[2]}", image, ENCODINGS[name])
    assert done
    return data.tobytes()


@pytest.fixture(params=ENCODINGS)
def written(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / f"a.{request.param}"
    path.write_bytes(encoded(request.param))
    return path


def test_the_bytes_are_those_of_a_reversed_copy(written: Path) -> None:
    expected = cv2.imread(str(written), cv2.IMREAD_COLOR)
    assert expected is not None
    found = read_image(written)
    np.testing.assert_array_equal(found, expected[:, :, ::-1])
    assert found.dtype == np.uint8
    assert found.flags.c_contiguous


def test_without_the_rgb_flag_the_bytes_are_the_same(written: Path, monkeypatch) -> None:
    expected = read_image(written)
    flags = (cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH, False)
    monkeypatch.setattr(images, "_flags", lambda: flags)
    np.testing.assert_array_equal(read_image(written), expected)


def test_real_frames_are_the_same(shared: Path) -> None:
    for path in sorted((shared / "data/otb2015/sequences").glob("*/img/*0.jpg"))[:30]:
        expected = cv2.imread(str(path), cv2.IMREAD_COLOR)
        assert expected is not None
        np.testing.assert_array_equal(read_image(path), expected[:, :, ::-1])
        assert check_image(path) == expected.shape[1::-1]


@pytest.mark.skipif(sys.platform != "linux", reason="others have no such names")
def test_a_name_that_is_no_text(written: Path, tmp_path: Path) -> None:
    named = tmp_path / f"caf\udce9{written.suffix}"
    named.write_bytes(written.read_bytes())
    np.testing.assert_array_equal(read_image(named), read_image(written))


@pytest.mark.parametrize("fraction", [0.05, 0.34, 0.9, 0.99])
def test_a_file_that_was_cut_short_is_named(written: Path, fraction: float) -> None:
    data = written.read_bytes()
    written.write_bytes(data[: int(len(data) * fraction)])
    for read in (read_image, check_image):
        with pytest.raises(DatasetError, match=f"{written.name}.*(cut short|cannot be decoded)"):
            read(written)


def test_a_preview_before_the_pixels_is_not_the_end(tmp_path: Path) -> None:
    """EXIF holds a whole small JPEG, with an end marker of its own."""
    data, path = encoded("jpg"), tmp_path / "a.jpg"
    preview = b"Exif\x00\x00" + encoded("jpg", NOISE[:8, :8])
    segment = b"\xff\xe1" + (len(preview) + 2).to_bytes(2, "big") + preview
    whole = data[:2] + segment + data[2:]
    path.write_bytes(whole)
    np.testing.assert_array_equal(read_image(path), read_image_of(tmp_path, data))
    assert check_image(path) == (40, 30)
    path.write_bytes(whole[: len(whole) - 100])
    for read in (read_image, check_image):
        with pytest.raises(DatasetError, match="cut short"):
            read(path)


def read_image_of(folder: Path, data: bytes) -> Image:
    path = folder / "plain.jpg"
    path.write_bytes(data)
    return read_image(path)


def test_what_follows_the_end_is_no_matter(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(encoded("jpg") + bytes(10_000))
    assert read_image(path).shape == (30, 40, 3)
    assert check_image(path) == (40, 30)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bits_are_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    cv2.imwrite(str(path), np.full((30, 40), 8000, np.uint16))
    for read in (read_image, check_image):
        with pytest.raises(DatasetError, match="expected 8 bits a channel, found 16"):
            read(path)


def test_grey_and_transparency(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "grey.png"), NOISE[..., 0])
    np.testing.assert_array_equal(read_image(tmp_path / "grey.png"), NOISE[..., :1].repeat(3, 2))
    cv2.imwrite(str(tmp_path / "alpha.png"), np.dstack([NOISE, NOISE[..., 0]]))
    np.testing.assert_array_equal(read_image(tmp_path / "alpha.png"), NOISE[..., ::-1])


@pytest.mark.parametrize("kind", ["missing", "folder", "pipe", "empty", "text"])
def test_what_is_no_image(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "0001.jpg"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind != "missing":
        path.write_text("" if kind == "empty" else "version https://git-lfs.github.com/spec/v1")
    for read in (read_image, check_image):
        with pytest.raises(DatasetError, match=r"0001\.jpg"):
            read(path)
    assert image_size(path) is None


def test_a_damaged_png_is_named(tmp_path: Path) -> None:
    data = bytearray(encoded("png"))
    data[len(data) // 2] ^= 0xFF
    (tmp_path / "a.png").write_bytes(bytes(data))
    with pytest.raises(DatasetError, match=r"a\.png cannot be decoded"):
        read_image(tmp_path / "a.png")


def test_sizes_without_decoding(written: Path) -> None:
    known = written.suffix in (".jpg", ".png")
    assert image_size(written) == ((40, 30) if known else None)
    assert check_image(written) == check_image(written, deep=True) == (40, 30)


def test_a_header_that_states_more_than_memory_holds(tmp_path: Path) -> None:
    data = bytearray(encoded("png"))
    data[16:24] = (30_000).to_bytes(4, "big") * 2
    (tmp_path / "a.png").write_bytes(bytes(data))
    with pytest.raises(DatasetError, match="at most 256 million pixels, found 30000x30000"):
        read_image(tmp_path / "a.png")


def test_damage_inside_the_pixels_shows_when_all_are_decoded(tmp_path: Path) -> None:
    """libjpeg goes on after it, and warns on standard error alone."""
    path, data = tmp_path / "a.jpg", encoded("jpg")
    assert check_image(path_with(path, data), deep=True) == (40, 30)
    middle = len(data) * 3 // 4
    path_with(path, data[:middle] + data[middle + 40 :])
    assert check_image(path) == (40, 30)
    with pytest.raises(DatasetError, match=r"a\.jpg: decoded in part only \(.*Corrupt JPEG"):
        check_image(path, deep=True)


def path_with(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path
