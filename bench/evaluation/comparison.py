"""Paired tests of two trackers on the sequences both have."""

from __future__ import annotations

import numpy as np

from bench.errors import ConfigError, unknown_name
from bench.measures.catalogue import layout_of
from bench.measures.statistics import PairedTest, paired_test
from bench.scores import BenchmarkScores


def compare(scores: BenchmarkScores, a: str, b: str) -> dict[str, PairedTest]:
    """Test tracker ``a`` against ``b``, by measure.

    Raises:
        ConfigError: one is not scored, both are the same, or they share no sequence.
    """
    for name in (a, b):
        if name not in scores.trackers:
            raise unknown_name("scored tracker", name, scores.trackers)
    first, second = scores.trackers[a].per_sequence, scores.trackers[b].per_sequence
    common = [sequence for sequence in first if sequence in second]
    if a == b or not common:
        found = "one and the same" if a == b else "without a sequence in common"
        raise ConfigError(f"cannot compare {a!r} with {b!r}: they are {found}")
    return {
        measure.name: paired_test(
            np.array([first[sequence][measure.name] for sequence in common]),
            np.array([second[sequence][measure.name] for sequence in common]),
        )
        for measure in layout_of(scores.experiment, scores.benchmark).compared
        if measure.name in first[common[0]]
    }
