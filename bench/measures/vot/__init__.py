"""Measures of the VOT challenge, as pure functions of overlaps and codes."""

from bench.measures.vot.conventions import (
    VotConvention,
    convention_names,
    differences,
    get_convention,
)
from bench.measures.vot.interval import estimate_interval
from bench.measures.vot.ranks import Ranks, rank_trackers
from bench.measures.vot.runs import SequenceRuns
from bench.measures.vot.summary import summarize_runs, summarize_unsupervised

__all__ = [
    "Ranks",
    "SequenceRuns",
    "VotConvention",
    "convention_names",
    "differences",
    "estimate_interval",
    "get_convention",
    "rank_trackers",
    "summarize_runs",
    "summarize_unsupervised",
]
