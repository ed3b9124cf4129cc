"""Folders and archives of raw results, read without extraction."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench import archives
from bench.errors import ResultError
from bench.results.formats import get_format, open_source

BOXES = [[1.0, 2.0, 3.0, 4.0], [5.5, 6.0, 7.0, 8.0]]
TEXT = "1,2,3,4\n5.5,6,7,8\n"


def zipped(path: Path, files: Mapping[str, str], **options: Any) -> Path:
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("prefix", ["", "results/"])
def test_an_archive_reads_like_a_folder(tmp_path: Path, prefix: str) -> None:
    members = {"Bolt.txt": TEXT, "times/Bolt_time.txt": "1\n2\n", "deep/a.txt": TEXT}
    files = {f"{prefix}{name}": content for name, content in members.items()}
    archive = zipped(tmp_path / "a.zip", files | {"__MACOSX/._Bolt.txt": "x"})
    opened = open_source(archive)
    assert [str(file.path) for file in opened.files] == ["Bolt.txt", "times/Bolt_time.txt"]
    assert opened.ignored == ("deep",)
    reader = get_format("got10k")
    (found,) = reader.find(opened, lambda _: None)
    result = reader.read(found)
    np.testing.assert_array_equal(result.boxes, BOXES)
    np.testing.assert_array_equal(result.times, [1, 2])


@pytest.mark.parametrize("name", ["../evil.txt", "/etc/evil.txt", "a/../../evil.txt", "..\\e.txt"])
def test_member_paths_cannot_leave_the_archive(tmp_path: Path, name: str) -> None:
    archive = zipped(tmp_path / "a.zip", {"Bolt.txt": TEXT, name: TEXT})
    with pytest.raises(ResultError, match="leaves the archive"):
        open_source(archive)
    assert list(tmp_path.iterdir()) == [archive]


def test_archives_that_unpack_to_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = zipped(tmp_path / "a.zip", {"a.txt": "0" * 2000, "b.txt": "0" * 2000}, compression=8)
    monkeypatch.setattr(archives, "MAX_MEMBER_BYTES", 1999)
    with pytest.raises(ResultError, match=r"'a\.txt' unpacks to 0 MiB; expected at most"):
        open_source(archive)
    monkeypatch.setattr(archives, "MAX_MEMBER_BYTES", 2000)
    monkeypatch.setattr(archives, "_NO_BOMB", 3999)
    monkeypatch.setattr(archives, "MAX_RATIO", 9)
    with pytest.raises(ResultError, match=r"unpack to 0 MiB, over 9 times as much"):
        open_source(archive)


def test_broken_archives(tmp_path: Path) -> None:
    whole = zipped(tmp_path / "a.zip", {"Bolt.txt": TEXT * 50}, compression=8).read_bytes()
    path = tmp_path / "broken.zip"
    path.write_bytes(whole[:45] + b"\x00\x00\x00\x00" + whole[49:])
    with pytest.raises(ResultError, match="is damaged; expected an intact archive"):
        open_source(path)
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ResultError, match=r"cannot be read as a zip archive"):
        open_source(path)
    path.write_bytes(b"no archive")
    with pytest.raises(ResultError, match=r"expected a folder or a \.zip"):
        open_source(path)


def test_a_member_without_a_name(tmp_path: Path) -> None:
    with pytest.raises(ResultError, match="a member has no name"):
        open_source(zipped(tmp_path / "b.zip", {".": TEXT}))


def test_a_missing_source(tmp_path: Path) -> None:
    with pytest.raises(ResultError, match=r"none: expected a folder or a \.zip .* found nothing"):
        open_source(tmp_path / "none")
