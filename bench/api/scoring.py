"""Scores results, and offers scores as frames and tables."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.api.checks import (
    as_boxes,
    require,
    require_dataset,
    require_path,
    require_sequence,
)
from bench.api.running import Runs
from bench.benchmarks import get_benchmark
from bench.errors import ConfigError, ResultError, unknown_name
from bench.geometry import Regions
from bench.measures.catalogue import get_measure, layout_of
from bench.results.memory import MemoryStore, StoredRun
from bench.results.stores import Store
from bench.scores import BenchmarkScores
from bench.sequence import Dataset, RegionTrajectory, Sequence, Trajectory, to_file

if TYPE_CHECKING:
    import pandas as pd

    from bench.reports.render import Document


class Scores(BenchmarkScores):
    """Scores of several trackers on one benchmark, as frames, tables and comparisons."""

    def frame(self) -> pd.DataFrame:
        """A row for each tracker, the best first, and a column for each measure."""
        import pandas as pd

        rows = {name: dict(one.measures) for name, one in self.trackers.items()}
        frame = pd.DataFrame.from_dict(rows, orient="index")
        first = layout_of(self.experiment, self.benchmark).columns[0].name
        return frame.sort_values(first, ascending=False) if first in frame else frame

    def intervals(self) -> pd.DataFrame:
        """The 95 % bootstrap intervals: a row for each tracker, low and high by measure."""
        import pandas as pd

        rows = {
            name: {(m, end): value for m, pair in one.intervals.items()
                   for end, value in zip(("low", "high"), pair, strict=True)}
            for name, one in self.trackers.items()
        }  # fmt: skip
        return pd.DataFrame.from_dict(rows, orient="index")

    def per_sequence(self, measure: str) -> pd.DataFrame:
        """A measure by sequence (rows) and tracker (columns).

        Raises:
            ConfigError: an unknown measure, or one that single sequences do not have.
        """
        return self._by_group(measure, "per_sequence")

    def per_attribute(self, measure: str) -> pd.DataFrame:
        """A measure by attribute, or by frame tag on VOT (rows), and tracker (columns).

        Raises:
            ConfigError: an unknown measure, or one that attributes do not have.
        """
        tagged = any(one.per_tag for one in self.trackers.values())
        return self._by_group(measure, "per_tag" if tagged else "per_attribute")

    def _by_group(self, measure: str, groups: str) -> pd.DataFrame:
        import pandas as pd

        get_measure(measure)
        parts = {name: getattr(one, groups) for name, one in self.trackers.items()}
        known = dict.fromkeys(m for part in parts.values() for row in part.values() for m in row)
        if measure not in known:
            raise unknown_name(f"measure {groups.replace('_', ' ')}", measure, known)
        return pd.DataFrame(
            {name: {key: row.get(measure, np.nan) for key, row in part.items()}
             for name, part in parts.items()}
        )  # fmt: skip

    def table(self, by: str | None = None, **options: Any) -> Document:
        """The table of these scores: ``to_latex``, ``to_markdown``, ``to_csv``, ``to_html``.

        Args:
            by: ``"attribute"``, ``"tag"`` (VOT) or ``"sequence"``; of the whole benchmark if not
                given.
            options: those of ``bench eval --latex``: ``ours``, ``labels``, ``sort`` and ``notes``
                (see ``TableOptions``).

        Raises:
            ConfigError: an unknown breakdown, option, tracker or measure.
        """
        from bench.reports.arranging import arranged, renamed
        from bench.reports.eval_tables import breakdown_table
        from bench.reports.options import read_table_options
        from bench.reports.render import Document
        from bench.reports.score_table import score_table

        known = ("attribute", "tag", "sequence")
        if by not in (None, *known):
            raise unknown_name("breakdown", str(by), known)
        wanted = read_table_options(options)
        scores = renamed(self, wanted.labels)
        table = breakdown_table(scores, by) if by else score_table(scores)
        return Document.of(arranged([table], wanted)[0])

    def compare(self, a: str, b: str) -> pd.DataFrame:
        """Paired test of tracker ``a`` against ``b``, a row for each measure.

        Raises:
            ConfigError: one has no scores, or they have no sequence in common.
        """
        import pandas as pd

        from bench.evaluation import compare

        return pd.DataFrame.from_dict(
            {m: dataclasses.asdict(test) for m, test in compare(self, a, b).items()},
            orient="index",
        )

    def __repr__(self) -> str:
        from bench.reports.terminal import as_text

        return as_text(self.table())

    def _repr_html_(self) -> str:
        return self.table().to_html(intervals=True)


def score(
    boxes: Any,
    sequence: Sequence,
    *,
    convention: str | None = None,
    experiment: str | None = None,
) -> dict[str, float]:
    """The measures of one result on one sequence, by the benchmark's official rule.

    What would be noted beside a table of scores is a warning, e.g. that the boxes are corners.

    Args:
        boxes: what ``run`` returned, or ``(N, 4)`` x, y, w, h in 0-based pixels.
        sequence: with ground truth.
        convention: by default the benchmark's official one (of OTB outside a benchmark).
        experiment: of the VOT challenge; the benchmark's main one by default.

    Raises:
        ConfigError: an unknown convention, or a wrong argument.
        ResultError: the result does not fit the sequence.
        DatasetError: the ground truth is hidden.
    """
    clip = require_sequence(sequence)
    benchmark = get_benchmark(clip.benchmark or "folder")
    dataset = Dataset(benchmark.name, Path("(memory)"), (clip,))
    store = MemoryStore(benchmark.name, benchmark.experiment(experiment))
    _add(store, "result", clip, boxes)
    (found,) = _evaluate(dataset, store, None, convention).trackers.values()
    for note in found.notes:
        warnings.warn(note, stacklevel=2)
    return dict(found.per_sequence[clip.name])


def evaluate(
    results: Any,
    data: Dataset,
    *,
    trackers: Iterable[str] | None = None,
    convention: str | None = None,
    experiment: str | None = None,
    partial: bool = False,
    ranks: bool = False,
    cache: bool = True,
) -> Scores:
    """Score results by the benchmark's official rule, or another toolkit's.

    A tracker whose results are broken or unfinished is named in ``Scores.refused``.

    Args:
        results: a folder of stored results, or results by tracker: each what ``run`` returned,
            or boxes (0-based pixels) by sequence.
        data: the dataset they are of; frames are not needed.
        trackers: names to score, all by default.
        convention: see ``list_conventions``; official by default.
        experiment: of the VOT challenge; the benchmark's main one by default.
        partial: score trackers on the sequences they finished instead of refusing them.
        ranks: also rank trackers by significance tests (VOT).
        cache: keep the scores of a folder of results in it, and use those of which nothing has
            changed; results in memory are always scored.

    Raises:
        ConfigError: an unknown tracker, convention or experiment, or a wrong argument.
        ResultError: no tracker can be scored; the message says why.
        DatasetError: the ground truth is hidden on an evaluation server.
    """
    dataset = require_dataset(data)
    store = store_of(results, dataset, experiment)
    return _evaluate(
        dataset, store, trackers, convention, partial=partial, ranks=ranks, cache=cache
    )


def _evaluate(
    dataset: Dataset,
    store: Store,
    trackers: Iterable[str] | None,
    convention: str | None,
    **options: bool,
) -> Scores:
    from bench.evaluation import evaluate as score_all

    rules = None if convention is None else [require(convention, str, "expected a convention")]
    (found,) = score_all(dataset, store, trackers, rules, **options)
    if not found.trackers:
        reasons = "\n".join(f"{name}: {why}" for name, why in found.refused.items())
        raise ResultError(f"no tracker can be scored:\n{reasons}")
    return Scores(**{f.name: getattr(found, f.name) for f in dataclasses.fields(found)})


def store_of(results: Any, dataset: Dataset, experiment: str | None) -> Store:
    """The store of a folder, or one in memory of results by tracker."""
    from bench.results import open_store

    if not isinstance(results, Mapping) or isinstance(results, Runs):
        folder = require_path(results, "results (a folder, or results by tracker)")
        return open_store(folder, dataset.benchmark, experiment)
    memory = MemoryStore(dataset.benchmark, _experiment(results, dataset, experiment))
    for name, found in results.items():
        require(name, str, "expected results by the names of trackers")
        if isinstance(found, Runs):
            memory.copy_from(found.store, found.tracker, name)
        elif isinstance(found, Mapping):
            for sequence, boxes in found.items():
                _add(memory, name, dataset[sequence], boxes)
        elif len(dataset) == 1:
            _add(memory, name, dataset[0], found)
        else:
            raise ConfigError(
                f"results of {name!r}: expected what bench.run returned, or boxes by sequence, "
                f"found {type(found).__name__}"
            )
    return memory


def _experiment(results: Mapping[str, Any], dataset: Dataset, wanted: str | None) -> str:
    """The experiment of results in memory, which must all be of one."""
    given = {runs.store.experiment for runs in results.values() if isinstance(runs, Runs)}
    found = wanted or next(iter(given), None)
    if len(given | {found or ""}) > 1 and given:
        raise ConfigError(
            f"expected results of one experiment, found {', '.join(sorted(given))}"
            + (f", asked for {wanted}" if wanted else "")
        )
    return get_benchmark(dataset.benchmark).experiment(found)


def _add(store: MemoryStore, name: str, sequence: Sequence, result: Any) -> None:
    """Add one result to a store: a trajectory, several repetitions, or plain boxes."""
    if isinstance(result, Trajectory | RegionTrajectory):
        store.write(name, sequence, result)
    elif isinstance(result, list) and result and isinstance(result[0], RegionTrajectory):
        for number, repetition in enumerate(result, start=1):
            store.write(name, sequence, repetition, number)
    else:
        boxes = to_file(as_boxes(result, sequence), sequence.index_base)
        store.add(name, sequence.name, StoredRun(Regions.from_boxes(boxes)))
