"""Exports stored results in another toolkit's format, names and delimiters."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bench.benchmarks import get_benchmark
from bench.errors import ResultError
from bench.files import write_atomically
from bench.locks import locked_beside
from bench.results.formats import EXPERIMENTS, Exported, get_format
from bench.results.importing import check_index_base, moved
from bench.results.names import safe_file_name, toolkit_name
from bench.results.pack import submission_files
from bench.results.stores import Store, require_results
from bench.results.vot.exchange import render_experiments
from bench.sequence import Dataset, Sequence


def export_results(
    store: Store,
    tracker: str,
    dataset: Dataset,
    format: str,
    destination: Path,
    *,
    index_base: float | None = None,
) -> int:
    """Write the results of one tracker for another toolkit.

    Boxes are written to the last bit, so ``import_results`` reads equal numbers back unless
    ``index_base`` shifts them. ``bench.results.formats`` documents which formats keep times.

    Args:
        store: where the results are stored.
        tracker: name of the results.
        dataset: the sequences to write; frames are not needed.
        format: one of ``bench.results.formats.FORMATS``, or ``vot`` for every experiment.
        destination: the toolkit's results folder. The layout below it depends on the format:
            ``<tracker>/<sequence>.txt`` for most, ``<benchmark>/<tracker>/`` for got10k,
            ``<tracker>_tracking_result/`` for lasot, ``<sequence>_<tracker>.mat`` for otb-mat,
            ``<tracker>/<experiment>/<sequence>/`` for vot. GOT-10k in its own format has folders
            of sequences, as its server takes them. Several runs of a tracker get folders
            of their own, ``<tracker>_000``, ``<tracker>_001`` and so on, as in pytracking.
        index_base: coordinate of the first pixel in the toolkit, 0 or 1; by default that of the
            benchmark.

    Returns:
        The number of sequences written: all that ``tracker`` has results of.

    Raises:
        ConfigError: unknown format or tracker, or a name that cannot be a file name.
        ResultError: a stored result is malformed, or a file exists with other content.
    """
    check_index_base(index_base)
    if format == EXPERIMENTS:
        whole, count = render_experiments(
            store.root, tracker, dataset, index_base=index_base, store=store
        )
        _write_all(whole, destination)
        return count
    safe_file_name(tracker, "tracker name")
    available = require_results(store, tracker)
    row = get_benchmark(dataset.benchmark)
    written = [sequence for sequence in dataset if sequence.name in available]
    if format == row.result_format and row.server is not None and "/" in row.server.files:
        names = [sequence.name for sequence in written]
        members = submission_files(store, tracker, row.server, names)
        _write_all({f"{row.title}/{tracker}/{p}": data for p, data in members}, destination)
        return len(written)
    _write_all(_rendered(store, tracker, written, format, index_base), destination)
    return len(written)


def _rendered(
    store: Store, tracker: str, sequences: list[Sequence], format: str, index_base: float | None
) -> dict[str, bytes]:
    """The files of a format by name."""
    files: dict[str, bytes] = {}
    writer = get_format(format)
    several = any(len(store.repetitions(tracker, each.name)) > 1 for each in sequences)
    for sequence in sequences:
        spelling = toolkit_name(sequence.name, store.benchmark, format)
        for number, run in _runs(store, tracker, sequence, spelling, index_base):
            rendered = writer.render(run)
            files |= _of_run(rendered, tracker, number) if several else rendered
    return files


def _runs(
    store: Store, tracker: str, sequence: Sequence, spelling: str, index_base: float | None
) -> Iterator[tuple[int, Exported]]:
    """The stored runs of a sequence by number, as a format takes them."""
    benchmark = get_benchmark(store.benchmark).title.replace("-", "")
    safe_file_name(spelling, "sequence name")
    for number in store.repetitions(tracker, sequence.name):
        boxes = store.read_run(tracker, sequence.name, number).values[:, :4]
        boxes = moved(boxes, sequence.index_base, index_base)
        times = store.read_times(tracker, sequence.name, number)
        scores = store.read_scores(tracker, sequence.name, number)
        yield number, Exported(tracker, sequence, spelling, benchmark, boxes, times, scores)


def _of_run(files: dict[str, bytes], tracker: str, number: int) -> dict[str, bytes]:
    """Files of one of several runs, in a folder of their own, ``<tracker>_000`` for the first."""
    folder = f"{tracker}_{number - 1:03d}"
    moved_files = {}
    for path, content in files.items():
        *above, name = path.split("/")
        own = (tracker, f"{tracker}_tracking_result")
        places = [folder if part in own else part for part in above]
        moved_files["/".join([*(places or [folder]), name])] = content
    return moved_files


def _write_all(files: dict[str, bytes], destination: Path) -> None:
    """Write files below a folder, unless one would replace a file with other content.

    Raises:
        ResultError: a file exists with other content, another process exports there, or the
            folder is not writable.
    """
    try:
        with locked_beside(destination):
            new = {
                path: content
                for name, content in files.items()
                if not (path := destination / name).is_file() or not _holds(path, content)
            }
            for path, content in new.items():
                write_atomically(path, content)
    except OSError as error:
        raise ResultError(f"{destination}: cannot be written ({error})") from error


def _holds(path: Path, content: bytes) -> bool:
    """True if ``path`` has this content; any other content is an error."""
    if path.read_bytes() != content:
        raise ResultError(
            f"{path}: holds other results. Choose another folder, or remove the file first."
        )
    return True
