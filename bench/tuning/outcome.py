"""What a search found: the best options, the command that uses them, and all of it as JSON."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.evaluation.selection import label_of
from bench.tuning.plan import Plan
from bench.tuning.search import best_first
from bench.tuning.study import TrialResult


def use_command(plan: Plan, best: TrialResult, data: Path, subset: str) -> str:
    """The command that runs the tracker with the best options, marked as tuned.

    Args:
        plan: what was searched.
        best: the trial to repeat.
        data: the folder given as DATA.
        subset: the part of the benchmark that was searched on.
    """
    settings = {**plan.settings, **{name: str(value) for name, value in best.options.items()}}
    words = ["bench", "run", plan.dataset.benchmark, "--data", str(data), "--tracker", plan.target]
    words += [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    words += [word for pair in _given(plan, subset) for word in pair]
    return shlex.join(
        [*words, "--name", f"{plan.name}-tuned", "--tuned-on", label_of(plan.dataset)]
    )


def _given(plan: Plan, subset: str) -> Iterator[tuple[str, str]]:
    """Options of ``bench run`` that are not at their defaults."""
    lockstep, repetitions = plan.running.get("lockstep", 1), plan.running.get("repetitions")
    options = {
        "--weights": plan.weights,
        "--device": plan.device,
        "--experiment": plan.experiment,
        "--repetitions": repetitions,
        "--lockstep": lockstep if lockstep != 1 else None,
        "--seed": plan.seed or None,
        "--subset": subset if subset != "test" else None,
    }
    return ((name, str(value)) for name, value in options.items() if value is not None)


def notes(plan: Plan, trials: list[TrialResult]) -> list[str]:
    """What must be said beside the numbers of a search."""
    failed = sum(each.value is None for each in trials)
    return [
        *plan.dataset.caveats,
        f"the best of {len(trials)} trials, so its score is of the data it was chosen on",
        *([f"{failed} trials failed"] if failed else []),
    ]


def to_json(plan: Plan, trials: list[TrialResult], command: str) -> dict[str, Any]:
    """The search and its trials, the best first, failed ones last."""
    ranked = best_first(plan, trials)
    rows = [*ranked, *(each for each in trials if each.value is None)]
    return {
        "tuned_on": label_of(plan.dataset),
        "measure": plan.measure,
        "direction": plan.direction,
        "best": _row(ranked[0]),
        "command": command,
        "notes": notes(plan, trials),
        "facts": plan.facts(),
        "trials": [_row(each) for each in rows],
    }


def _row(trial: TrialResult) -> dict[str, Any]:
    return {
        "number": trial.number,
        "label": trial.label,
        "value": trial.value,
        "options": dict(trial.options),
        "stored": trial.stored,
        "cause": trial.cause,
    }
