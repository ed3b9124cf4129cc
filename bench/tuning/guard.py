"""Which data options may be chosen on: everything but what a benchmark tests with."""

from __future__ import annotations

from collections.abc import Collection

from bench.benchmarks import get_benchmark
from bench.datasets.tables import read_table
from bench.errors import ConfigError
from bench.evaluation.selection import first_few, label_of
from bench.sequence import Dataset


def refuse_test_set(dataset: Dataset) -> None:
    """Check that no sequence belongs to the test set of one of the six benchmarks.

    The miniature is known by its mark, one's own clips are no benchmark, and LaSOT and
    TrackingNet have lists of test sequences; whatever else is read as a benchmark is its test.

    Raises:
        ConfigError: a sequence does.
    """
    tests = off_limits(dataset)
    if tests:
        title = get_benchmark(dataset.benchmark).title
        raise ConfigError(
            f"{label_of(dataset)}: {len(tests)} of {len(dataset)} sequences are of the test set "
            f"({first_few(tests)}), and options chosen on what {title} tests with make its score "
            "say nothing of other video. Search on the miniature (`bench mini`), your own clips "
            "(BENCHMARK folder) or a training split; or give --on-test-set, and every result is "
            "marked as tuned."
        )


def off_limits(dataset: Dataset) -> list[str]:
    """Names of the sequences that a benchmark tests with."""
    if dataset.miniature or get_benchmark(dataset.benchmark).sequences is None:
        return []
    names = [sequence.name for sequence in dataset]
    listed = _listed(dataset.benchmark)
    return names if listed is None else [name for name in names if name in listed]


def _listed(benchmark: str) -> Collection[str] | None:
    """The test list of a benchmark that has a training split too, None for one without."""
    if benchmark not in ("lasot", "trackingnet"):
        return None
    rows = read_table("lasot_sequences.csv" if benchmark == "lasot" else "trackingnet_test.csv")
    return {row["name"] for row in rows if row.get("subset", "test") == "test"}
