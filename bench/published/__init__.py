"""Figures that papers print, and what others measured, each with its source."""
