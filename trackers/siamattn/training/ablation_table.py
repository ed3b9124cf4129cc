"""An ablation as a table of measured scores beside the paper's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from bench.errors import BenchError
from bench.files import write_atomically
from trackers.siamattn.training.ablation import FULL, MEASURES, Budget, Row, RowScores
from trackers.siamattn.training.config import Recipe

_SHORT = {"accuracy": "A", "robustness": "R", "eao": "EAO"}


def frame(found: Sequence[RowScores | tuple[Row, BenchError]]) -> pd.DataFrame:
    """One line per row: mean and range over seeds, intervals over sequences, printed value.

    Each row is compared with the first of its table on the same sequences. That is more sensitive
    than comparing intervals, which are wide because sequences differ in difficulty. Without
    scores of the first row there is no comparison.
    """
    firsts: dict[str, RowScores | None] = {}
    lines = []
    for each in found:
        if isinstance(each, RowScores):
            lines.append(_line(each, firsts.setdefault(each.row.table, each)))
        else:
            row, error = each
            firsts.setdefault(row.table, None)
            lines.append({"table": row.table, "row": row.label, "seeds": 0, "note": str(error)})
    return pd.DataFrame(lines)


def describe(budget: Budget, chosen: Sequence[Row]) -> str:
    """The budget of the ``chosen`` rows, in a sentence."""
    recipe, count = budget.recipe, len(budget.seeds)
    network = recipe.preset + (" in place of the full network" if recipe.preset != FULL else "")
    pairs = recipe.schedule.pairs * recipe.schedule.epochs
    mixtures = sorted(budget.mixtures(chosen))
    same = "the same for all rows" if len(mixtures) == 1 else "equally many for every row"
    return (
        f"{network}: {pairs} pairs per seed, {count} seeds, {same} (training data: "
        f"{', '.join(mixtures)}); {_describe_initial(recipe)}; the printed values are the full "
        "network's on VOT2016 itself, so only their order is comparable"
    )


def _describe_initial(recipe: Recipe) -> str:
    if not recipe.initial:
        return "all weights initialised at random"
    return f"initial weights: the {recipe.initial}, others random"


def _line(each: RowScores, first: RowScores | None) -> dict[str, Any]:
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
    found: Sequence[RowScores | tuple[Row, BenchError]], folder: Path, notes: list[str]
) -> Path:
    """Write ``ablation.csv`` to ``folder``, with the notes as comments below the table."""
    path = folder / "ablation.csv"
    text = frame(found).to_csv(index=False) + "".join(f"# {note}\n" for note in notes)
    write_atomically(path, text.encode())
    return path
