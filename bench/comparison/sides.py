"""Opening the two things to compare: results, a record, or figures."""

from __future__ import annotations

import csv
import dataclasses
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench.benchmarks import benchmarks, get_benchmark
from bench.datasets import open_dataset
from bench.errors import BenchError, ConfigError, ResultError, unknown_name
from bench.measures.catalogue import get_measure
from bench.published.papers import printed_figures
from bench.results import open_store
from bench.results.memory import MemoryStore
from bench.results.onepass import OnePassStore
from bench.results.readings import AS_THEY_ARE
from bench.results.record import RunRecord, read_record
from bench.results.stores import Store
from bench.results.vot.store import VotStore
from bench.sequence import Dataset

PAPER = "paper"


@dataclass(frozen=True)
class Side:
    """One of the two.

    Attributes:
        label: what it is called.
        record: of the run, if there is one.
        figures: measures as fractions of 1, where there are no boxes.
        decimals: printed digits of each figure.
        source: of the figures.
    """

    label: str
    record: RunRecord | None = None
    figures: Mapping[str, float] = field(default_factory=dict)
    decimals: Mapping[str, int] = field(default_factory=dict)
    source: str = ""


@dataclass(frozen=True, eq=False)
class Opened:
    """Both sides, with the dataset and their boxes in one store.

    Attributes:
        dataset: the sequences.
        store: boxes by label, of the sides that have any.
        a, b: the sides.
    """

    dataset: Dataset
    store: MemoryStore
    a: Side
    b: Side


def open_sides(
    a: str,
    b: str,
    *,
    data: Path,
    results: Path,
    benchmark: str | None = None,
    experiment: str | None = None,
    subset: str = "test",
) -> Opened:
    """Open what two texts name.

    Each is a folder of results, the ``run.json`` in one, the name of a tracker with results,
    ``paper`` or ``paper:NAME`` for printed figures, or a CSV file of them (``measure,value``).

    Raises:
        ConfigError: the benchmark is not known, or there is nothing of that name.
        ResultError: results are malformed.
        DatasetError: the dataset is not found.
    """
    name = get_benchmark(benchmark or benchmark_of(a, b)).name
    dataset = open_dataset(name, data, subset=subset)
    chosen = get_benchmark(name).experiment(experiment)
    memory = MemoryStore(name, chosen)
    labels = labels_of(a, b)
    sides = [
        open_side(text, label, other, dataset, memory, results)
        for text, label, other in zip((a, b), labels, labels[::-1], strict=True)
    ]
    return Opened(dataset, memory, *sides)


def benchmark_of(*texts: str) -> str:
    """The benchmark that paths name, or the records in them.

    Raises:
        ConfigError: none does, or they name several.
    """
    told = {text: name for text in texts if (name := _told(text))}
    names = dict.fromkeys(told.values())
    closed = [name for name in names if not get_benchmark(name).open]
    if len(closed) > 1:  # a folder may be called as own clips are by chance
        each = ", ".join(
            f"{text} is of {get_benchmark(name).title}" for text, name in told.items()
        )
        raise ConfigError(
            f"{each}. Compare results of the same benchmark, or name one with --benchmark if the "
            "sequences that both have are the same."
        )
    if not names:
        raise ConfigError(
            f"of which benchmark are {' and '.join(map(repr, texts))}? Name it with --benchmark."
        )
    return next(iter(closed or names))


def _told(text: str) -> str:
    """The benchmark that a record names, or else the path of the results; empty if none."""
    for path in (Path(text), *Path(text).glob("run.json"), *Path(text).glob("*/run.json")):
        record = read_record(path) if path.suffix == ".json" and path.is_file() else None
        if record is not None and record.provenance.get("benchmark") in benchmarks():
            return str(record.provenance["benchmark"])
    parts = Path(text).resolve().parts if Path(text).exists() else ()
    return next((name for part in reversed(parts) if (name := part.lower()) in benchmarks()), "")


def labels_of(a: str, b: str) -> tuple[str, str]:
    """Short names for both: the last folders, more of the path where these are equal.

    Of equal ones, only the last: whole paths are nobody else's business.
    """
    parts = [_parts(text) for text in (a, b)]
    for count in range(1, max(map(len, parts)) + 1):
        labels = ["/".join(each[-count:]) for each in parts]
        if labels[0] != labels[1]:
            return labels[0], labels[1]
    return f"{parts[0][-1]} (A)", f"{parts[1][-1]} (B)"


def _parts(text: str) -> list[str]:
    path = Path(text)
    known = path.parent if path.name == "run.json" else path
    known = known.resolve() if known.exists() else known  # no label begins with a dot
    return [part for part in known.parts if part != "/"] or [text]


def open_side(
    text: str, label: str, other: str, dataset: Dataset, memory: MemoryStore, results: Path
) -> Side:
    """Open what one text names, see ``open_sides``; its boxes are added to ``memory``.

    Args:
        text: names it.
        label: to call it.
        other: label of the other side, whose figures ``paper`` means.
        dataset: the sequences.
        memory: takes the boxes.
        results: folder of results.
    """
    path = Path(text)
    if text == PAPER or text.startswith(f"{PAPER}:"):
        return _printed(text.partition(":")[2] or other, dataset, memory.experiment, label)
    if path.suffix == ".csv" and path.is_file():
        return _from_csv(path, label)
    if path.name == "run.json":
        path = path.parent
    if path.is_dir():
        record = _copy_folder(path, label, dataset, memory)
        return Side(label, record)
    store = open_store(results, dataset.benchmark, memory.experiment)
    if text not in store.trackers():
        raise unknown_name(f"folder, or tracker with results in {results}", text, store.trackers())
    memory.copy_from(store, text, label)
    return Side(label, _record(store.record_path(text)))


def _record(path: Path) -> RunRecord | None:
    """The record, None where there is none that can be read."""
    try:
        return read_record(path)
    except ResultError:
        return None


def _copy_folder(
    path: Path, label: str, dataset: Dataset, memory: MemoryStore
) -> RunRecord | None:
    """Copy a folder's results into memory: ours as they stand, other people's by import."""
    folder = path.resolve()
    store: Store
    if memory.experiment == "onepass":
        store = OnePassStore(folder.parent.parent, folder.parent.name)
    else:
        folder = folder.parent if folder.name == memory.experiment else folder
        store = VotStore(folder.parent.parent, folder.parent.name, memory.experiment)
    names = {sequence.name for sequence in dataset}
    stored = store.sequences(folder.name)
    found = sorted(stored & names)
    # Names of no sequence, in a folder without a record: other people's spellings.
    if found and (stored <= names or store.record_path(folder.name).is_file()):
        try:
            memory.copy_from(store, folder.name, label, found)
        except BenchError:
            memory.stored.pop(label, None)
        else:
            return _record(store.record_path(folder.name))
    _import(folder, label, dataset, memory)
    return None


def _import(folder: Path, label: str, dataset: Dataset, memory: MemoryStore) -> None:
    """Other people's files, as ``bench import`` reads them, boxes as they stand."""
    from bench.results.importing import import_results

    with tempfile.TemporaryDirectory(prefix="bench-") as inner:
        store = open_store(inner, dataset.benchmark, memory.experiment)
        boxes = AS_THEY_ARE if memory.experiment == "onepass" else None
        import_results(folder, store, folder.name, dataset, partial=True, boxes=boxes)
        memory.copy_from(store, folder.name, label)


def _printed(name: str, dataset: Dataset, experiment: str, label: str) -> Side:
    """Figures that papers print of a tracker."""
    main = next(iter(get_benchmark(dataset.benchmark).experiments), "onepass")
    known = printed_figures(name, dataset.benchmark) if experiment == main else []
    if not known:
        raise ConfigError(
            f"no figures of {name!r} on {dataset.benchmark} are recorded. Name the tracker as "
            "paper:NAME, or give a CSV file with the columns measure and value."
        )
    return figures_of(label, known[0].measures, known[0].source)


def _from_csv(path: Path, label: str) -> Side:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = {row["measure"]: row["value"] for row in csv.DictReader(stream)}
        return figures_of(label, rows, path.name)
    except (OSError, UnicodeError, KeyError, ValueError, TypeError) as error:
        raise ConfigError(
            f"{path}: expected a CSV file with the columns measure and value (fractions of 1), "
            f"as in eao,0.470; found {type(error).__name__}: {error}"
        ) from error


def figures_of(label: str, texts: Mapping[str, str], source: str) -> Side:
    """A side of figures by measure.

    Raises:
        ConfigError: a measure is unknown, or given in percent.
        ValueError: one is not a number.
    """
    figures = {measure: float(text) for measure, text in texts.items()}
    for measure, figure in figures.items():
        kind = get_measure(measure)
        if figure > 1 and not kind.unit and not kind.lower_is_better:
            raise ConfigError(
                f"{source}: {measure}: expected a fraction of 1, found {texts[measure]}. Divide "
                "percentages by 100."
            )
    decimals = {measure: len(text.partition(".")[2]) for measure, text in texts.items()}
    return Side(label, None, figures, decimals, source)


def common(dataset: Dataset, store: Store, labels: tuple[str, ...]) -> Dataset:
    """The dataset without the sequences that a side has no result of.

    Raises:
        ResultError: nothing is left.
    """
    having = [store.sequences(label) for label in labels]
    kept = tuple(s for s in dataset if all(s.name in names for names in having))
    if not kept:
        raise ResultError(
            f"{' and '.join(labels)}: no sequence of {dataset.root} has a result of each. Compare "
            "results of the same benchmark, and name the dataset with --data."
        )
    return dataclasses.replace(dataset, sequences=kept)
