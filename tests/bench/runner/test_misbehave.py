"""A small form of ``scripts/misbehave.py``: a tracker's faults cost its own sequence only."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[3] / "scripts" / "misbehave.py"
CHOSEN = (
    "raises KeyError",
    "raises with an exit of 0",
    "raises with a text that is none",
    "answers a number",
    "predicts NaN",
    "scores NaN",
    "ends with 0",
    "sends itself KILL",
    "sleeps",
    "prints a flood",
    "closes all streams",
    "seeds NumPy",
    "raises with a lone surrogate",
    "forks, and both go on",
    "writes a short message into every file",
    "predicts a mask of another shape",
)


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("misbehave", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["misbehave"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return load()


@pytest.fixture(scope="module")
def place(script: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> object:
    return script.make_place(tmp_path_factory.mktemp("misbehave"))


def test_there_are_many_ways_to_misbehave(script: ModuleType) -> None:
    assert len(script.TRICKS) > 250


@pytest.mark.parametrize("what", CHOSEN)
def test_it_costs_its_own_sequence_only(script: ModuleType, place: object, what: str) -> None:
    assert script.run(place, what, "update") is None
