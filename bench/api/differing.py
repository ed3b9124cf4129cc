"""Says why two results differ."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.api.checks import require_dataset
from bench.api.running import Runs
from bench.api.scoring import store_of
from bench.benchmarks import get_benchmark
from bench.comparison import Difference, Opened, Side, compare_sides, with_reruns
from bench.comparison.causes import Cause
from bench.comparison.sides import figures_of, labels_of, open_side
from bench.results.memory import MemoryStore
from bench.results.record import read_record
from bench.sequence import Dataset

if TYPE_CHECKING:
    import pandas as pd

    from bench.reports.plots.style import Plot


@dataclass(frozen=True, eq=False)
class Diff:
    """What ``diff`` found; a notebook shows its tables.

    Attributes:
        found: every number, as ``bench diff --json`` writes it (``found.to_json()``).
        opened: both sides.
    """

    found: Difference
    opened: Opened

    @property
    def causes(self) -> tuple[Cause, ...]:
        """The causes, the surest first; empty where nothing but chance is seen."""
        return self.found.causes

    @property
    def verdict(self) -> str:
        """One sentence."""
        return self.found.verdict

    def frame(self) -> pd.DataFrame:
        """A row for each sequence: its shares by measure, and the frames where the runs part."""
        import pandas as pd

        rows = {
            each.name: {
                **each.shares,
                "parts": each.parting.any,
                "by_a_pixel": each.parting.pixel,
                "apart": each.parting.apart,
            }
            for each in self.found.sequences
        }
        return pd.DataFrame.from_dict(rows, orient="index")

    def plot(self) -> Plot:
        """Overlap over time of both runs on the worst sequences, and frames of the parting.

        Raises:
            ConfigError: no sequence parts.
        """
        from bench.reports.plots.difference import difference_plot

        return difference_plot(self.found, self.opened)

    def __repr__(self) -> str:
        from bench.reports.difference import difference_tables
        from bench.reports.terminal import as_text

        tables = [as_text(table) for table in difference_tables(self.found) if table.rows]
        return "\n".join([*tables, self.verdict])

    def _repr_html_(self) -> str:
        from bench.reports.difference import difference_tables
        from bench.reports.render import to_html

        return "".join(to_html(t) for t in difference_tables(self.found) if t.rows or t.notes)


def diff(
    a: Any,
    b: Any,
    data: Dataset,
    *,
    results: str | Path = "results",
    experiment: str | None = None,
    rerun: bool = False,
    tracker: str | None = None,
    weights: str | Path | None = None,
    expected: str | Path | None = None,
) -> Diff:
    """Say why two results differ: is it real, where do they part, what makes the difference.

    Args:
        a: what ``run`` or ``load_results`` gave, boxes (0-based pixels) by sequence, a folder of
            results, or a tracker with results.
        b: the same, or ``"paper"``, ``"paper:NAME"``, a CSV file of figures, or figures by
            measure.
        data: the dataset they are of; frames are used where they are there.
        results: folder of the results that names mean.
        experiment: of the VOT challenge; the benchmark's main one by default.
        rerun: run the first parting sequence again, under one change at a time.
        tracker: what to run again, where no record states it.
        weights: file of its weights.
        expected: further recorded scores, a CSV file as ``published/expected.csv``.

    Raises:
        ConfigError: there is nothing of a name, or the two cannot be compared.
        ResultError: results are malformed, or share no sequence.
    """
    dataset = require_dataset(data)
    chosen = get_benchmark(dataset.benchmark).experiment(experiment)
    memory = MemoryStore(dataset.benchmark, chosen)
    labels = labels_of(*(_name(value, place) for value, place in ((a, "a"), (b, "b"))))
    sides = [
        _side(value, label, other, dataset, memory, Path(results))
        for value, label, other in zip((a, b), labels, labels[::-1], strict=True)
    ]
    opened = Opened(dataset, memory, *sides)
    found = compare_sides(opened, expected=None if expected is None else Path(expected))
    if rerun:
        found = with_reruns(found, opened, None if weights is None else Path(weights), tracker)
    return Diff(found, opened)


def _name(value: Any, place: str) -> str:
    if isinstance(value, Runs):
        return value.tracker
    return str(value) if isinstance(value, str | Path) else place


def _side(
    value: Any, label: str, other: str, dataset: Dataset, memory: MemoryStore, results: Path
) -> Side:
    if isinstance(value, str | Path):
        return open_side(str(value), label, other, dataset, memory, results)
    if isinstance(value, Mapping) and value and all(isinstance(v, Real) for v in value.values()):
        texts = {str(measure): repr(float(figure)) for measure, figure in value.items()}
        return figures_of(label, texts, "given figures")
    store = store_of({label: value}, dataset, memory.experiment)
    memory.copy_from(store, label)
    record = None
    if isinstance(value, Runs) and not isinstance(value.store, MemoryStore):
        record = read_record(value.store.record_path(value.tracker))
    return dataclasses.replace(Side(label), record=record)
