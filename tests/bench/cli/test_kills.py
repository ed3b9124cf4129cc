"""A little of ``scripts/kills.py``: commands that are killed lose nothing and leave nothing."""

from __future__ import annotations

import importlib.util
import random
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[3] / "scripts/kills.py"
VERBS = ["run", "merge", "eval"]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")


@pytest.fixture(scope="module")
def kills() -> ModuleType:
    spec = importlib.util.spec_from_file_location("kills_script", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["kills_script"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_is_killed_goes_on(kills: ModuleType, tmp_path: Path) -> None:
    trials = kills.Trials(tmp_path, VERBS)
    assert all(trials.calls[name] > 3 for name in VERBS)  # the counting works
    generator = random.Random(7)
    for name, how in [
        ("run", "call"), ("run", "SIGKILL"), ("run", "SIGSTOP"), ("merge", "call"),
        ("eval", "call"),
    ]:  # fmt: skip
        assert kills.trial(trials, name, how, generator) == [], (name, how)
