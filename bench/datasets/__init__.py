"""Readers of the benchmarks' official folders, one file a layout."""
