"""Stand-in repositories, a short benchmark, and a process that forgets what it imported."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import REPOSITORY, Miniature
from tests.trackers.repositories import stand_ins
from trackers.repositories import checkout

TRUTH = "groundtruth_rect.txt"
PACKAGES = ("lib", "ltr", "pytracking", "pysot", "visdom")


@pytest.fixture(scope="session")
def otb(miniature: Miniature, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six frames of each of two sequences of the miniature's OTB-2015."""
    root = tmp_path_factory.mktemp("short")
    source, target = miniature.drawn("otb2015"), root / "otb2015"
    target.mkdir()
    for path in source.iterdir():
        if path.is_file():
            shutil.copy(path, target)
    shutil.copytree(source / "att", target / "att")
    for name in ("Crossing", "Board"):
        (target / name / "img").mkdir(parents=True)
        for image in sorted((source / name / "img").glob("*.jpg"))[:6]:
            shutil.copy(image, target / name / "img")
        rows = (source / name / TRUTH).read_text().splitlines(keepends=True)[:6]
        (target / name / TRUTH).write_text("".join(rows))
    return target


@pytest.fixture
def repo(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A repository of the lib/test family, or of the family that the test asks for."""
    family = getattr(request, "param", "libtest")
    return getattr(stand_ins, f"write_{family}")(tmp_path / "OSTrack")


@pytest.fixture
def bench(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The real command line, in a folder of its own."""

    def call(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), **variables}
        return subprocess.run(
            [sys.executable, "-m", "bench", *words], cwd=tmp_path, env=environment,
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    return call


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Afterwards, this process knows nothing of the repositories that it used."""
    import torch

    own_names = set(vars(np))
    monkeypatch.setattr(checkout, "_claimed", {})
    monkeypatch.setattr(sys, "path", sys.path[:])
    for kind in (torch.Tensor, torch.nn.Module):
        monkeypatch.setattr(kind, "cuda", kind.cuda)
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] in PACKAGES]:
        del sys.modules[name]
    for name in {"bool", "int", "float", "complex", "object", "str"} - own_names:
        vars(np).pop(name, None)
    sys.modules.pop("torch._six", None)
