"""Readers of the benchmarks, one module per layout on disk; `open_dataset` selects one."""

from bench.datasets.scan import open_dataset

__all__ = ["open_dataset"]
