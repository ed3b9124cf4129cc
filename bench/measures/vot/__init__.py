"""Measures of the VOT challenge, as pure functions of overlaps and codes."""

from bench.measures.conventions import VotConvention, differences
from bench.measures.conventions import get_vot_convention as get_convention
from bench.measures.vot.runs import SequenceRuns
from bench.measures.vot.summary import summarize_runs, summarize_unsupervised

__all__ = [
    "SequenceRuns",
    "VotConvention",
    "differences",
    "get_convention",
    "summarize_runs",
    "summarize_unsupervised",
]
