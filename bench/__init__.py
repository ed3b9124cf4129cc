"""Evaluation toolkit for single-object visual tracking: run, score and report.

``import bench`` offers the Python face (``docs/python.md``); every name is loaded on first use::

    data = bench.load("otb2015", "/data")
    runs = bench.run("kcf", data, jobs=2)
    scores = bench.evaluate({"kcf": runs}, data)
    bench.plot(scores, "success").savefig("success.pdf")

Data flows one way through the rooms of this package: ``datasets -> protocols -> runner ->
results -> evaluation -> scores -> reports``. Trackers are plug-ins found by name; this package
never imports one.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from bench.version import __version__ as __version__

if TYPE_CHECKING:
    from bench.api.data import (
        list_benchmarks,
        list_conventions,
        list_plots,
        list_trackers,
        load,
    )
    from bench.api.differing import Diff, diff
    from bench.api.running import Runs, export_results, import_results, load_results, run
    from bench.api.scoring import Scores, evaluate, score
    from bench.api.showing import Picture, plot, show
    from bench.errors import (
        BenchError,
        ConfigError,
        DatasetError,
        ResultError,
        SubmissionError,
        TrackerError,
    )
    from bench.runner.options import RunOptions
    from bench.sequence import Dataset, RegionTrajectory, Sequence, Trajectory
    from bench.tracker import Prediction


_HOMES = {
    "bench.api.data": (
        "list_benchmarks", "list_conventions", "list_plots", "list_trackers", "load",
    ),
    "bench.api.differing": ("Diff", "diff"),
    "bench.api.running": ("Runs", "export_results", "import_results", "load_results", "run"),
    "bench.api.scoring": ("Scores", "evaluate", "score"),
    "bench.api.showing": ("Picture", "plot", "show"),
    "bench.errors": (
        "BenchError", "ConfigError", "DatasetError", "ResultError", "SubmissionError",
        "TrackerError",
    ),
    "bench.runner.options": ("RunOptions",),
    "bench.sequence": ("Dataset", "RegionTrajectory", "Sequence", "Trajectory"),
    "bench.tracker": ("Prediction",),
}  # fmt: skip

__all__ = [  # noqa: RUF022  in the order of a session
    "load",
    "run",
    "score",
    "evaluate",
    "diff",
    "plot",
    "show",
    "load_results",
    "import_results",
    "export_results",
    "list_benchmarks",
    "list_conventions",
    "list_plots",
    "list_trackers",
    "RunOptions",
    "Dataset",
    "Sequence",
    "Trajectory",
    "RegionTrajectory",
    "Runs",
    "Scores",
    "Diff",
    "Picture",
    "Prediction",
    "BenchError",
    "DatasetError",
    "ResultError",
    "ConfigError",
    "TrackerError",
    "SubmissionError",
]


def __getattr__(name: str) -> Any:
    """Load a name of the Python face on first use."""
    for module, names in _HOMES.items():
        if name in names:
            value = getattr(importlib.import_module(module), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
