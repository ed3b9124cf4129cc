"""Archives: wanted files in memory, limits before work, and one message for whatever is wrong."""

from __future__ import annotations

import contextlib
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest

from bench import archives
from bench.archives import read_members
from bench.errors import DatasetError


def texts(member: PurePosixPath) -> bool:
    return member.suffix == ".txt"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "GT.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner/a.txt", "1,2,3,4\n" * 100)
        archive.writestr("inner/b.bin", bytes(1000))
    return path


def test_only_what_is_wanted_is_read(path: Path) -> None:
    ((name, member),) = read_members(path, texts, DatasetError).items()
    assert str(name) == "inner/a.txt"
    assert member.read_bytes() == b"1,2,3,4\n" * 100
    assert str(member) == f"{path}/inner/a.txt"


@pytest.mark.parametrize("fraction", [0.0, 0.3, 0.7, 0.95])
def test_an_archive_that_was_cut_short(path: Path, fraction: float) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * fraction)])
    with pytest.raises(DatasetError, match=r"GT\.zip: cannot be read as a zip"):
        read_members(path, texts, DatasetError)


def flag_as_utf8(data: bytes) -> bytes:
    """Name members in UTF-8, and break the first name."""
    changed = bytearray(data)
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.index(mark)
        struct.pack_into("<H", changed, at + offset, 0x800)
    return bytes(changed).replace(b"inner/a.txt", b"inner/\xff.txt")


@pytest.mark.parametrize(
    "change",
    [
        flag_as_utf8,
        lambda data: data.replace(b"inner/a.txt", b"           "),
        lambda data: data.replace(b"PK\x05\x06", b"PK\x05\x07"),
        lambda data: data[:40] + bytes(20) + data[60:],
    ],
)
def test_a_damaged_archive_is_one_error_or_read(
    path: Path, change: Callable[[bytes], bytes]
) -> None:
    path.write_bytes(change(path.read_bytes()))
    with contextlib.suppress(DatasetError):
        read_members(path, texts, DatasetError)


def test_sizes_are_checked_before_anything_is_unpacked(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> bytes:
        raise AssertionError("unpacked")

    monkeypatch.setattr(archives, "_unpack", never)
    with pytest.raises(DatasetError, match="expected at most"):
        read_members(path, texts, DatasetError, 1)
    for limit in ("MAX_MEMBER_BYTES", "MAX_MEMBERS"):
        with monkeypatch.context() as patch:
            patch.setattr(archives, limit, 1)
            with pytest.raises(DatasetError, match="expected at most"):
                read_members(path, texts, DatasetError)


def test_a_bomb_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "GT.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(20):
            archive.writestr(f"{number}.txt", bytes(60 << 20))
    assert path.stat().st_size < 2 << 20
    with pytest.raises(DatasetError, match="20 files unpack to 1200 MiB"):
        read_members(path, texts, DatasetError)


def test_a_member_that_understates_its_size(path: Path) -> None:
    data = path.read_bytes()
    at = data.index(b"PK\x01\x02")
    changed = bytearray(data)
    struct.pack_into("<I", changed, at + 24, 5)
    path.write_bytes(bytes(changed))
    with pytest.raises(DatasetError, match="is damaged"):
        read_members(path, texts, DatasetError)
