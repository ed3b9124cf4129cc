"""Which measures the tables of an experiment show, in which order and with how many decimals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Layout:
    """The tables of one kind of experiment.

    Attributes:
        columns: heading of each measure, in order; trackers are ranked by the first.
        with_interval: measures shown with their interval or spread, and side by side where
            conventions are compared.
        breakdown: measures shown by sequence.
        by_group: measures shown by attribute or tag.
        compared: measures of a sequence in which two trackers are compared.
        decimals: decimals of a measure, 3 where nothing is said.
        meanings: what must be said of a measure, or of ``fps``, where it is shown.
    """

    columns: Mapping[str, str]
    with_interval: tuple[str, ...]
    breakdown: tuple[str, ...]
    by_group: tuple[str, ...]
    compared: tuple[str, ...]
    decimals: Mapping[str, int] = field(default_factory=dict)
    meanings: Mapping[str, str] = field(default_factory=dict)

    def text(self, measure: str, value: float) -> str:
        """A value as tables print it; a dash where there is none."""
        return "-" if math.isnan(value) else f"{value:.{self.decimals.get(measure, 3)}f}"


_FPS = {"fps": "fps: mean over sequences, decoding excluded"}
_ONE_PASS = Layout(
    columns={
        "success": "Success",
        "precision": "Precision",
        "normalized_precision": "Norm. P",
        "success_rate_50": "SR .50",
        "success_rate_75": "SR .75",
    },
    with_interval=("success", "precision", "normalized_precision"),
    breakdown=("success", "precision"),
    by_group=("success", "precision"),
    compared=("success", "precision", "normalized_precision"),
    meanings=_FPS,
)
_RESETS = Layout(
    columns={
        "eao": "EAO",
        "accuracy": "A",
        "robustness": "R",
        "failures": "Failures",
        "reliability": "AR x",
    },
    with_interval=("eao", "accuracy", "robustness"),
    breakdown=("accuracy", "failures"),
    by_group=("accuracy", "robustness", "eao"),
    compared=("accuracy", "failures"),
    decimals={"failures": 1},
    meanings={
        "accuracy": "A: overlap pooled over valid frames, burn-in 10",
        "robustness": "R: failures per 100 frames, lower is better",
        "reliability": "AR x: exp(-30 failures / frames)",
        **_FPS,
    },
)
_UNSUPERVISED = Layout(
    columns={"average_overlap": "AO"},
    with_interval=("average_overlap",),
    breakdown=("average_overlap",),
    by_group=("average_overlap",),
    compared=("average_overlap",),
    meanings={
        "average_overlap": "AO: overlap without resets, averaged over all frames, those without "
        "one as zero",
        **_FPS,
    },
)
_LAYOUTS = {"baseline": _RESETS, "realtime": _RESETS, "unsupervised": _UNSUPERVISED}


def layout_of(experiment: str) -> Layout:
    """The layout of an experiment's tables."""
    return _LAYOUTS.get(experiment, _ONE_PASS)
