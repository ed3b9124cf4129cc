"""Built-in miniature: generated videos in the layouts of the benchmarks."""

from bench.mini.write import write_miniature

__all__ = ["write_miniature"]
