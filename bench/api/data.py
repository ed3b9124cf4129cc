"""Loads datasets, and lists what there is."""

from __future__ import annotations

from pathlib import Path

from bench.api.checks import require, require_path
from bench.sequence import Dataset


def load(benchmark: str, data: str | Path = "data", *, subset: str = "test") -> Dataset:
    """The sequences of a benchmark: annotation is read, frames are decoded on demand.

    Args:
        benchmark: a name of ``list_benchmarks()``, or ``"folder"`` for your own clips.
        data: the dataset's folder, or the folder that holds it as ``<benchmark>/``.
        subset: ``"test"``; ``"train"`` or ``"all"`` (LaSOT); ``"TRAIN_0"`` ... (TrackingNet).

    Raises:
        ConfigError: an unknown benchmark or subset, or an argument of the wrong type.
        DatasetError: no dataset was found, or an annotation file is malformed.
    """
    from bench.datasets import open_dataset

    name = require(benchmark, str, "expected the name of a benchmark")
    return open_dataset(name, require_path(data, "data"), subset=subset)


def list_benchmarks() -> list[str]:
    """Names of the benchmarks that ``load`` knows."""
    from bench.benchmarks import benchmarks

    return list(benchmarks())


def list_conventions(benchmark: str) -> list[str]:
    """Names of the conventions that can score a benchmark.

    Raises:
        ConfigError: an unknown benchmark.
    """
    from bench.measures.conventions import convention_names

    return list(convention_names(require(benchmark, str, "expected the name of a benchmark")))


def list_trackers() -> list[str]:
    """Names of the registered trackers."""
    from bench.registry import registered_trackers

    return list(registered_trackers())


def list_plots(experiment: str = "onepass") -> list[str]:
    """Names of the plots of an experiment.

    Raises:
        ConfigError: an unknown experiment.
    """
    from bench.reports.plots.catalogue import plots_of

    return list(plots_of(experiment))
