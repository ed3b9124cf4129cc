"""Benchmarks and experiments as data, from inside the package or from a user's declaration."""

from bench.benchmarks.declaration import SUFFIXES, read_declaration
from bench.benchmarks.known import (
    ENTRY_POINTS,
    adopt,
    benchmarks,
    declare,
    declare_stored,
    declared_here,
    get_benchmark,
)
from bench.benchmarks.record import (
    TABLES,
    Benchmark,
    Experiment,
    Form,
    Layout,
    Listed,
    Server,
    Spelling,
    experiments,
    get_experiment,
    subset_title,
)

__all__ = [
    "ENTRY_POINTS",
    "SUFFIXES",
    "TABLES",
    "Benchmark",
    "Experiment",
    "Form",
    "Layout",
    "Listed",
    "Server",
    "Spelling",
    "adopt",
    "benchmarks",
    "declare",
    "declare_stored",
    "declared_here",
    "experiments",
    "get_benchmark",
    "get_experiment",
    "read_declaration",
    "subset_title",
]
