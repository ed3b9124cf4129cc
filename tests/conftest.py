"""Fixtures shared by all tests."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import settings

from bench.benchmarks import known
from bench.cli.main import main
from bench.mini import write_miniature

REPOSITORY = Path(__file__).parent.parent

# A first call may compile, or import PyTorch, on a machine that does something else as well.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # or every command compiles this package again
gc.disable()  # until all is collected: the libraries that are loaded stay to the end


def pytest_collection_finish() -> None:
    """Look for garbage from now on, but not among what was loaded."""
    gc.freeze()
    gc.enable()


@dataclass(frozen=True)
class Miniature:
    """The miniature as ``bench mini`` writes it, each benchmark drawn once for all tests."""

    root: Path

    def into(self, folder: Path, *names: str, frames: int | None = None) -> Path:
        """Copy benchmarks into a folder, and return it.

        With ``frames``, only the first of each sequence stay; for layouts that have the annotation
        beside the folder of images, as OTB, LaSOT and VOT have.
        """
        for name in names:
            shutil.copytree(self.drawn(name), folder / name)
            if frames is not None:
                for images in {path.parent for path in (folder / name).rglob("*.jpg")}:
                    keep_frames(images.parent, images.name, frames)
        return folder

    def drawn(self, name: str) -> Path:
        """The folder of a benchmark, to read from only."""
        data = self.root / "data"
        data.mkdir(parents=True, exist_ok=True)
        with FileLock(self.root / "lock"):
            if not (data / name).exists():
                before = _cpu_seconds()
                write_miniature(data, benchmarks=[name], jobs=2)
                (self.root / name).write_text(str(_cpu_seconds() - before))
        return data / name

    def seconds(self, name: str) -> float:
        """CPU seconds that a benchmark took."""
        self.drawn(name)
        return float((self.root / name).read_text())


def keep_frames(sequence: Path, images: str, frames: int) -> None:
    """Keep the first frames of a sequence: their images, rows and, in lists of a line, flags."""
    for path in sorted((sequence / images).glob("*.jpg"))[frames:]:
        path.unlink()
    for path in (path for path in sequence.iterdir() if path.is_file()):
        text = path.read_text()
        if path.name in ("full_occlusion.txt", "out_of_view.txt"):
            path.write_text(",".join(text.split(",")[:frames]))
        else:
            path.write_text("".join(text.splitlines(keepends=True)[:frames]))


def _cpu_seconds() -> float:
    """CPU time of finished child processes, independent of other load on the machine."""
    times = os.times()
    return times.children_user + times.children_system


def shared_folder(factory: pytest.TempPathFactory, name: str) -> Path:
    """A folder that all processes of this test run share."""
    base = factory.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name


@pytest.fixture(autouse=True)
def known_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """A benchmark that a test declares is known to that test alone."""
    monkeypatch.setattr(known, "_declared", dict(known._declared))


@pytest.fixture(scope="session")
def miniature(tmp_path_factory: pytest.TempPathFactory) -> Miniature:
    """The built-in miniature."""
    return Miniature(shared_folder(tmp_path_factory, "miniature"))


@pytest.fixture
def bench_here(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the command in this process, as the console would, and expect an exit code; a traceback
    is a failure."""

    def run(*arguments: object, cwd: Path, code: int = 0) -> subprocess.CompletedProcess[str]:
        monkeypatch.chdir(cwd)
        monkeypatch.setenv("COLUMNS", "200")
        monkeypatch.setattr(sys, "path", sys.path[:])
        monkeypatch.setattr(sys, "argv", ["bench", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        stdout, stderr = capfd.readouterr()
        assert (ended.value.code or 0) == code, stdout + stderr
        return subprocess.CompletedProcess(arguments, code, stdout, stderr)

    return run


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of third-party annotations, results and golden values, kept outside git."""
    folder = Path(os.environ.get("BENCH_SHARED", REPOSITORY.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"needs third-party data that may not be committed; not found at {folder}")
    return folder
