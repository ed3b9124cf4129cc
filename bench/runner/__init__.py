"""The runner: plans what still has to run, runs it on an engine, and resumes."""

from bench.results.record import RunFailure
from bench.runner.inprocess import run_here
from bench.runner.run import RunPlan, plan_run, run_tracker
from bench.runner.session import RunSummary
from bench.runner.unit import Engine

__all__ = ["Engine", "RunFailure", "RunPlan", "RunSummary", "plan_run", "run_here", "run_tracker"]
