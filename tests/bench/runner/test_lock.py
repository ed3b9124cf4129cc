"""One run at a time in a folder."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from bench.errors import ResultError
from bench.runner import lock
from bench.runner.lock import locked, sweep


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


def test_a_file_system_without_locks_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(stream: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(lock, "_lock", fail)
    with pytest.raises(ResultError, match=r"No locks available.*supports locks"), locked(tmp_path):
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
