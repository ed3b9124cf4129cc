"""Reading the benchmarks from disk, one module per layout: `open_dataset` is the way in."""

from bench.datasets.opening import open_dataset

__all__ = ["open_dataset"]
