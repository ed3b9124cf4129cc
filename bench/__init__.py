"""Evaluation toolkit for single-object visual tracking: run, score and report.

Data flows one way: ``datasets -> protocols -> runner -> results -> measures -> scores ->
reports``. Trackers are plug-ins found by name; nothing in this package imports one.
"""

__version__ = "0.1.0"
