"""Measures of the VOT challenge, as pure functions of overlaps and codes."""

from bench.measures.vot.conventions import (
    VotConvention,
    convention_names,
    differences,
    get_convention,
)
from bench.measures.vot.runs import SequenceRuns
from bench.measures.vot.summary import summarize_runs, summarize_unsupervised

__all__ = [
    "SequenceRuns",
    "VotConvention",
    "convention_names",
    "differences",
    "get_convention",
    "summarize_runs",
    "summarize_unsupervised",
]
