"""Measures: pure functions on arrays. They know neither files nor plots."""
