"""An ablation as a table: what was measured here beside what the paper prints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from bench.errors import BenchError
from trackers.siamattn.training.ablation import FULL, MEASURES, Budget, Finding, Row
from trackers.siamattn.training.config import Recipe

_SHORT = {"accuracy": "A", "robustness": "R", "eao": "EAO"}


def frame(found: Sequence[Finding | tuple[Row, BenchError]]) -> pd.DataFrame:
    """One line a row: means and extremes of the seeds, intervals over sequences, printed.

    Rows are compared with the first of their table on the same sequences, which says more than
    intervals that overlap because some sequences are harder than others; not where the first has
    no scores.
    """
    firsts: dict[str, Finding | None] = {}
    lines = []
    for each in found:
        if isinstance(each, Finding):
            lines.append(_line(each, firsts.setdefault(each.row.table, each)))
        else:
            row, error = each
            firsts.setdefault(row.table, None)
            lines.append({"table": row.table, "row": row.label, "seeds": 0, "note": str(error)})
    return pd.DataFrame(lines)


def told(budget: Budget, chosen: Sequence[Row]) -> str:
    """What the ``chosen`` rows were given, in a sentence."""
    recipe, count = budget.recipe, len(budget.seeds)
    network = recipe.preset + (" in place of the full network" if recipe.preset != FULL else "")
    pairs = recipe.schedule.pairs * recipe.schedule.epochs
    mixtures = sorted(budget.mixtures(chosen))
    share = "the same for all rows" if len(mixtures) == 1 else "as many for every row"
    return (
        f"{network}: {pairs} pairs for each of {count} seeds, {share} (training data: "
        f"{', '.join(mixtures)}); {_beginning(recipe)}; the printed figures are of the full "
        "network on VOT2016 itself and can be compared by their order only"
    )


def _beginning(recipe: Recipe) -> str:
    if not recipe.initial:
        return "all weights were random at first"
    return f"all began with the {recipe.initial}, the other weights were random"


def _line(each: Finding, first: Finding | None) -> dict[str, Any]:
    line: dict[str, Any] = {
        "table": each.row.table,
        "row": each.row.label,
        "seeds": len(each.scores),
    }
    for measure in MEASURES:
        short = _SHORT[measure]
        low, high = each.extremes(measure)
        line[short] = round(each.mean(measure), 3)
        line[f"{short} of seeds"] = f"{low:.3f}..{high:.3f}"
        line[f"{short} 95 %"] = "{:.3f}..{:.3f}".format(*each.interval(measure))
        line[f"{short} printed"] = each.row.printed.get(measure)
    if first is not None and each is not first:
        for measure, short in (("accuracy", "A"), ("failures", "failures")):
            test = each.against(first, measure)
            line[f"{short} minus first's"] = round(test.difference, 3)
            line[f"{short} minus first's 95 %"] = f"{test.low:.3f}..{test.high:.3f}"
    return line


def write(
    found: Sequence[Finding | tuple[Row, BenchError]], folder: Path, notes: list[str]
) -> Path:
    """``ablation.csv`` in ``folder``; the notes stand beneath the table as comments."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "ablation.csv"
    partial = path.with_suffix(".partial")
    with partial.open("w", encoding="utf-8", newline="") as stream:
        frame(found).to_csv(stream, index=False)
        stream.writelines(f"# {note}\n" for note in notes)
    partial.replace(path)
    return path
