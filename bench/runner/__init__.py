"""The runner: what still has to run, worker processes, progress and resume."""

from bench.results.record import RunFailure
from bench.runner.run import run_tracker
from bench.runner.session import RunSummary

__all__ = ["RunFailure", "RunSummary", "run_tracker"]
