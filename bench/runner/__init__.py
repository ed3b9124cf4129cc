"""The runner: what still has to run, worker processes, progress and resume."""
