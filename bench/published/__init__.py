"""Figures printed in papers, released with weights or measured by others, each with its source."""
