"""Scores turned into tables, plots and pages. Knows no tracker."""
