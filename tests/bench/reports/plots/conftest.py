"""Made-up scores for plots: known numbers, and hostile names of trackers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from bench.scores import BenchmarkScores, TrackerScores

HOSTILE = (
    "a_b_c", "$x^2$ \\frac{1}", "<script>alert(1)</script>", "_hidden", "Ωμέγα",
    "%d {0} & #1", "x" * 60, "two\nlines", "跟踪器",
)  # fmt: skip
ATTRIBUTES = ("OCC", "SV", "camera_motion", "DEF", "FM", "IV", "OV")
Maker = Callable[..., BenchmarkScores]


def one_pass_tracker(place: int, sequences: int) -> TrackerScores:
    """The tracker of a rank: success 0.7, 0.68, 0.66 ..., precision in reverse order."""
    level, thresholds = 0.7 - 0.02 * place, np.linspace(0, 1, 21)
    measures = {
        "success": level, "precision": 0.3 + 0.01 * place, "normalized_precision": 0.5,
        "success_rate_50": level, "success_rate_75": level / 2, "presence_auroc": level,
    }  # fmt: skip
    return TrackerScores(
        measures=measures if place == 1 else {**measures, "fps": 10.0 + 40 * place},
        intervals={m: (v - 0.03, v + 0.04) for m, v in measures.items()},
        per_sequence={f"seq_{i}": {"success": level * i / sequences} for i in range(sequences)},
        per_attribute={
            key: {"success": level - 0.05 * i, "sequences": 3} for i, key in enumerate(ATTRIBUTES)
        },
        curves={
            m: tuple(np.clip(level + 0.3 - thresholds, 0, 1).tolist())
            for m in ("success", "precision", "normalized_precision", "presence")
        },
    )


def one_pass(names: tuple[str, ...], sequences: int = 12, **more: object) -> BenchmarkScores:
    """Scores on OTB-2015, the first name ranked best."""
    thresholds = tuple(np.linspace(0, 1, 21).tolist())
    made = BenchmarkScores(
        benchmark="otb2015",
        convention="otb",
        sequences=sequences,
        partial=False,
        trackers={name: one_pass_tracker(i, sequences) for i, name in enumerate(names)},
        thresholds={
            "success": thresholds,
            "precision": tuple(50 * t for t in thresholds),
            "normalized_precision": tuple(t / 2 for t in thresholds),
            "presence": thresholds,
        },
    )
    return BenchmarkScores(**{**vars(made), **more})


def vot_tracker(place: int) -> TrackerScores:
    eao, robustness = 0.4 - 0.01 * place, 0.2 + 0.05 * place
    return TrackerScores(
        measures={
            "eao": eao, "accuracy": 0.6 - 0.01 * place, "robustness": robustness,
            "failures": 40.0, "reliability": float(np.exp(-0.3 * robustness)), "fps": 20.0,
        },
        intervals={
            "eao": (eao - 0.05, eao + 0.05),
            "accuracy": (0.5, 0.65),
            "robustness": (robustness - 0.1, robustness + 0.1),
        },
        per_sequence={f"seq{i}": {"accuracy": 0.1 * i, "failures": 1.0} for i in range(1, 6)},
        per_attribute={},
        per_tag={key: {"eao": eao, "accuracy": 0.5, "frames": 90} for key in ATTRIBUTES},
        curves={"expected_overlap": tuple((eao + 1 / np.arange(2, 702)).tolist())},
    )  # fmt: skip


def vot(names: tuple[str, ...], **more: object) -> BenchmarkScores:
    """Scores on VOT2018's baseline, the first name ranked best."""
    made = BenchmarkScores(
        benchmark="vot2018",
        convention="vot",
        sequences=5,
        partial=False,
        trackers={name: vot_tracker(i) for i, name in enumerate(names)},
        thresholds={"expected_overlap": tuple(range(1, 701))},
        experiment="baseline",
        interval=(100, 356),
    )
    return BenchmarkScores(**{**vars(made), **more})


@pytest.fixture
def make_one_pass() -> Maker:
    return one_pass


@pytest.fixture
def make_vot() -> Maker:
    return vot


@pytest.fixture
def hostile() -> tuple[str, ...]:
    return HOSTILE
