"""Scores as figures for a paper: matplotlib's object interface, no global state, no LaTeX."""
