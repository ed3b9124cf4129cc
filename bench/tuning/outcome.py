"""The outcome of a search: the best options, the command that uses them, and JSON."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from optuna.trial import FrozenTrial

from bench.evaluation.selection import label_of
from bench.tuning.plan import Plan
from bench.tuning.search import best_first, is_stored


def use_command(plan: Plan, best: FrozenTrial, data: Path, subset: str) -> str:
    """The command that runs the tracker with the best options, marked as tuned.

    Args:
        plan: of the search.
        best: the trial to repeat.
        data: the folder given as DATA.
        subset: of the benchmark, as the search used it.
    """
    settings = {**plan.settings, **best.params}
    lockstep = plan.running.lockstep
    differing = {  # options of ``bench run`` that differ from their defaults
        "--weights": plan.weights,
        "--device": plan.device,
        "--experiment": plan.experiment if plan.experiment != "onepass" else None,
        "--repetitions": plan.running.repetitions,
        "--lockstep": lockstep if lockstep != 1 else None,
        "--seed": plan.running.seed or None,
        "--subset": subset if subset != "test" else None,
    }
    pairs = [
        ("--data", data),
        ("--tracker", plan.target),
        *(("--set", f"{name}={value}") for name, value in settings.items()),
        *((name, value) for name, value in differing.items() if value is not None),
        ("--name", f"{plan.name}-tuned"),
        ("--tuned-on", label_of(plan.dataset)),
    ]
    words = (str(word) for pair in pairs for word in pair)
    return shlex.join(["bench", "run", plan.dataset.benchmark, *words])


def notes(plan: Plan, trials: list[FrozenTrial]) -> list[str]:
    """Notes to print with the scores of a search."""
    failed = sum(each.value is None for each in trials)
    return [
        *map(str, plan.dataset.caveats),
        f"the best of {len(trials)} trials; its score is on the data it was chosen on",
        *([f"{failed} trials failed"] if failed else []),
    ]


def to_json(plan: Plan, trials: list[FrozenTrial], command: str) -> dict[str, Any]:
    """The search and its trials, the best first and failed ones last."""
    ranked = best_first(plan, trials)
    rows = [*ranked, *(each for each in trials if each.value is None)]
    return {
        "tuned_on": label_of(plan.dataset),
        "measure": plan.measure,
        "direction": plan.direction,
        "best": _row(plan, ranked[0]),
        "command": command,
        "notes": notes(plan, trials),
        "facts": plan.facts(),
        "trials": [_row(plan, each) for each in rows],
    }


def _row(plan: Plan, trial: FrozenTrial) -> dict[str, Any]:
    return {
        "number": trial.number,
        "label": plan.label(trial),
        "value": trial.value,
        "options": trial.params,
        "stored": is_stored(trial),
        "cause": trial.user_attrs.get("cause"),
    }
