"""Makes the trackers of ``fake_trackers`` importable, here and in worker processes."""

from __future__ import annotations

import importlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from bench.results.onepass import OnePassStore

HERE = Path(__file__).parent


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(HERE))
    return importlib.import_module("fake_trackers")


@pytest.fixture
def store(tmp_path: Path) -> OnePassStore:
    """An empty store of OTB-2015 in ``tmp_path/results``."""
    return OnePassStore(tmp_path / "results", "otb2015")


@pytest.fixture
def all_gone() -> Callable[..., bool]:
    """Whether every process of these numbers ends within a few seconds."""

    def wait_for_end(*pids: int, seconds: float = 10.0) -> bool:
        deadline = time.monotonic() + seconds
        while any(map(_alive, pids)):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    return wait_for_end


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    # A process that ended stays a zombie where nobody waits for it.
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"
