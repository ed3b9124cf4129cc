"""Figures printed in papers and re-runs by others, each with its source."""
