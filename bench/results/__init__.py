"""Raw results: stores, run records, import and export; ``open_store`` is the way in."""

from __future__ import annotations

from pathlib import Path

from bench.benchmarks import benchmarks, get_benchmark
from bench.results.stores import Store


def open_store(results: str | Path, benchmark: str, experiment: str | None = None) -> Store:
    """The store of one experiment of a benchmark.

    Args:
        results: folder that contains ``<benchmark>/<tracker>/``.
        benchmark: a name of ``bench.benchmarks``.
        experiment: name of the experiment; the benchmark's main one by default.

    Raises:
        ConfigError: unknown benchmark or experiment.
    """
    row = get_benchmark(benchmark)
    name = row.experiment(experiment)
    if row.kind == "onepass":
        from bench.results.onepass import OnePassStore

        return OnePassStore(Path(results), row.name)
    from bench.results.vot.store import VotStore

    return VotStore(Path(results), row.name, name)


def known_trackers(results: str | Path) -> list[str]:
    """Every tracker with results of any benchmark or experiment, sorted case-insensitively.

    Raises:
        ResultError: a name is not UTF-8.
    """
    from bench.results.declared import declare_beside

    declare_beside(Path(results))
    stores = (
        open_store(results, name, experiment)
        for name, row in benchmarks().items()
        for experiment in row.experiments
        if Path(results, name).is_dir()
    )
    return sorted({name for store in stores for name in store.trackers()}, key=str.lower)
