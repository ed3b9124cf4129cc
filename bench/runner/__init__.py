"""The runner: plans what still has to run, runs it on an engine, and resumes.

Its names are loaded on first use, since the command line reads ``RunOptions`` alone for its help.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.results.record import RunFailure
    from bench.runner.inprocess import run_here
    from bench.runner.options import RunOptions
    from bench.runner.run import RunPlan, plan_run, run_tracker
    from bench.runner.session import RunSummary
    from bench.runner.unit import Engine

__all__ = [
    "Engine", "RunFailure", "RunOptions", "RunPlan", "RunSummary", "plan_run", "run_here",
    "run_tracker",
]  # fmt: skip
_HOMES = {
    "Engine": "unit", "RunOptions": "options", "RunSummary": "session", "run_here": "inprocess",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name == "RunFailure":
        return import_module("bench.results.record").RunFailure
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"bench.runner.{_HOMES.get(name, 'run')}"), name)
