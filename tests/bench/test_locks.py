"""One writer at a time in a folder."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest

from bench.errors import ResultError
from bench.locks import locked, rebuilt, sweep


def test_a_second_holder_is_refused_until_the_first_lets_go(tmp_path: Path) -> None:
    folder = tmp_path / "otb2015" / "kcf"
    with locked(folder):
        with (
            pytest.raises(ResultError, match=rf"another run \(process {os.getpid()}\)"),
            locked(folder),
        ):
            pass
        with locked(tmp_path / "otb2015" / "other"):
            pass
    with locked(folder):
        pass


def test_an_error_inside_lets_go(tmp_path: Path) -> None:
    with pytest.raises(KeyError), locked(tmp_path):
        raise KeyError
    with locked(tmp_path):
        pass


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    fcntl = pytest.importorskip("fcntl")

    def fail(*arguments: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", fail)
    with pytest.raises(ResultError, match=rf"{os.strerror(code)}.*locks"), locked(tmp_path):
        pass


def test_the_file_names_the_holder_and_survives_a_contender(tmp_path: Path) -> None:
    with locked(tmp_path):
        with pytest.raises(ResultError), locked(tmp_path):
            pass
        assert int((tmp_path / ".lock").read_text()) == os.getpid()


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need a privilege")
def test_a_link_in_place_of_the_lock_leaves_its_target_alone(tmp_path: Path) -> None:
    target = tmp_path / "precious.txt"
    target.write_text("precious")
    folder = tmp_path / "kcf"
    folder.mkdir()
    (folder / ".lock").symlink_to(target)
    with pytest.raises(ResultError, match=r"kcf/\.lock.*symbolic links"), locked(folder):
        pass
    assert target.read_text() == "precious"


@pytest.mark.skipif(sys.platform == "win32", reason="permissions")
def test_a_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ResultError, match="cannot be written to"), locked(tmp_path / "file"):
        pass


def test_sweeping_takes_only_what_a_writer_left(tmp_path: Path) -> None:
    sweep(tmp_path / "nothing here")
    (tmp_path / "times").mkdir()
    rubbish = [".Bolt.txt.x_y1z2w3", "times/.Bolt_time.txt.00000000", ".run.json.abcdefgh"]
    kept = [".lock", ".Bolt.txt", "Bolt.txt", "Bolt.txt.x_y1z2w3", ".Bolt.txt.short", "run.json"]
    for name in rubbish + kept:
        (tmp_path / name).touch()
    sweep(tmp_path)
    left = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()}
    assert left == set(kept)


def test_a_rebuilt_folder_is_old_or_new_and_never_between(tmp_path: Path) -> None:
    folder = tmp_path / "page"
    with rebuilt(folder) as fresh:
        (fresh / "index.html").write_text("1")
        assert not folder.exists()
    with pytest.raises(KeyError), rebuilt(folder):
        raise KeyError
    assert (folder / "index.html").read_text() == "1"
    with rebuilt(folder) as fresh:
        (fresh / "other.html").write_text("3")
        with pytest.raises(ResultError, match="another run"), rebuilt(folder):
            pass
    assert [path.name for path in folder.iterdir()] == ["other.html"]
    assert [path.name for path in tmp_path.iterdir()] == ["page"]


def test_a_full_disk_is_no_matter_of_locks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fcntl = pytest.importorskip("fcntl")

    def fail(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(fcntl, "flock", fail)
    with (
        pytest.raises(ResultError, match=r"cannot be written to .No space left"),
        locked(tmp_path),
    ):
        pass
