"""Values of other toolkits on the golden trackers, under their conventions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.measures.vot import get_convention, summarize_runs
from bench.scores import TrackerScores
from tests.bench.measures.vot.conftest import TAGS, load

INTERVAL = (40, 150)
LONGEST = 220


@pytest.fixture(scope="module")
def peers(shared: Path) -> dict[str, Any]:
    path = shared / "golden/vot/golden_vot_peers.json"
    return json.loads(path.read_text())  # type: ignore[no-any-return]


def summarize(shared: Path, tracker: str, convention: str) -> TrackerScores:
    rule = get_convention(convention)
    runs = load(shared / "golden/vot/in", tracker, rule.overlap)
    return summarize_runs(runs, rule, INTERVAL, LONGEST)


@pytest.mark.parametrize("tracker", "ABC")
def test_pysot(shared: Path, peers: dict[str, Any], tracker: str) -> None:
    expected = peers[f"pysot/{tracker}"]
    scores = summarize(shared, tracker, "pysot")
    found = scores.measures
    assert found["accuracy"] == pytest.approx(expected["A"], abs=1e-12)
    assert found["robustness"] == pytest.approx(expected["R"], abs=1e-12)
    assert found["failures"] == pytest.approx(expected["lost"], abs=1e-12)
    assert found["eao"] == pytest.approx(expected["EAO"]["all"], abs=1e-8)  # single precision
    for tag in TAGS:
        assert scores.per_tag[tag]["eao"] == pytest.approx(expected["EAO"][tag], abs=1e-8)


@pytest.mark.parametrize("tracker", "ABC")
def test_vot_toolkit(shared: Path, peers: dict[str, Any], tracker: str) -> None:
    expected = peers[f"vot0.9/{tracker}"]
    scores = summarize(shared, tracker, "vot-toolkit")
    assert scores.measures["accuracy"] == pytest.approx(expected["A"], abs=1e-9)
    assert scores.measures["failures"] == pytest.approx(expected["failures"], abs=1e-9)
    assert scores.measures["reliability"] == pytest.approx(expected["AR"][0], abs=1e-9)
    # single-precision curves
    assert scores.measures["eao"] == pytest.approx(peers[f"vot0.9eao/{tracker}"], abs=1e-6)
    curve = peers[f"vot0.9curve/{tracker}"]
    np.testing.assert_allclose(scores.curves["expected_overlap"], curve[1:], rtol=0, atol=1e-6)


@pytest.mark.parametrize("tracker", "ABC")
def test_got10k(shared: Path, peers: dict[str, Any], tracker: str) -> None:
    expected = peers[f"got10k/{tracker}"]
    found = summarize(shared, tracker, "got10k").measures
    assert found["accuracy"] == pytest.approx(expected["accuracy"], abs=1e-12)
    assert found["failures"] == pytest.approx(expected["robustness"], abs=1e-12)
    assert "eao" not in found
