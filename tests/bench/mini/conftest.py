"""The whole miniature, written once for all tests in this folder."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from bench.mini import write_miniature


def cpu_seconds() -> float:
    """CPU time of finished child processes, independent of other load on the machine."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


@pytest.fixture(scope="session")
def miniature(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """Folder of the miniature with seed 0, and the CPU seconds it took."""
    root = tmp_path_factory.mktemp("miniature")
    before = cpu_seconds()
    write_miniature(root, seed=0, jobs=2)
    return root, cpu_seconds() - before


@pytest.fixture(scope="session")
def root(miniature: tuple[Path, float]) -> Path:
    return miniature[0]
