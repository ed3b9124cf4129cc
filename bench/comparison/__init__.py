"""Why two results differ: is it real, where do they part, and what makes the difference."""

from bench.comparison.difference import Difference, compare_sides
from bench.comparison.rerun import with_reruns
from bench.comparison.sides import Opened, Side, benchmark_of, open_sides

__all__ = [
    "Difference",
    "Opened",
    "Side",
    "benchmark_of",
    "compare_sides",
    "open_sides",
    "with_reruns",
]
