"""A few hundred damaged files of every kind; ``scripts/mutate.py`` makes them by the thousand."""

from __future__ import annotations

import importlib.util
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "mutate.py"
CASES = 440


@pytest.fixture(scope="module")
def mutate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("mutate", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["mutate"] = module  # its dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module


def test_damaged_files_are_scored_as_before_noted_or_refused(
    mutate: ModuleType, tmp_path: Path
) -> None:
    pytest.importorskip("torch")
    bench = mutate.Bench(tmp_path)
    found = [bench.run(case) for case in range(CASES)]
    wrong = [each for each in found if each.outcome in ("traceback", "slow")]
    assert wrong == []
    by_kind = Counter(each.kind for each in found)
    assert set(by_kind) == {kind.name for kind in mutate.KINDS}
    stored = [each for each in found if each.kind == "stored"]
    assert [each for each in stored if each.outcome == "moved"] == [], (
        "the record knows the hashes"
    )
    refused = [each.text for each in found if each.outcome == "refused"]
    assert refused
    assert all(text.strip() and "Traceback" not in text for text in refused)


def test_a_case_can_be_repeated(mutate: ModuleType, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    bench = mutate.Bench(tmp_path)
    for case in (3, 17):
        assert bench.run(case).outcome == bench.run(case).outcome
