"""Writing stored results in another toolkit's format, with its names and delimiters."""

from __future__ import annotations

from pathlib import Path

from bench.benchmarks import get_benchmark
from bench.errors import ResultError, unknown_name
from bench.files import write_atomically
from bench.results.formats import EXPERIMENTS, Exported, get_format
from bench.results.importing import check_index_base, moved
from bench.results.names import safe_file_name, toolkit_name
from bench.results.onepass import OnePassStore
from bench.results.vot.exchange import render_experiments
from bench.sequence import Dataset


def export_results(
    store: OnePassStore,
    tracker: str,
    dataset: Dataset,
    format: str,
    destination: Path,
    *,
    index_base: float | None = None,
) -> int:
    """Write the results of one tracker for use in another toolkit.

    Boxes are written to the last bit, so ``import_results`` brings back equal numbers unless
    ``index_base`` shifts them; see ``bench.results.formats`` for what becomes of the times.

    Args:
        store: where from.
        tracker: name of the results.
        dataset: the sequences to write; frames are not needed.
        format: one of ``bench.results.formats.FORMATS``, or ``vot``.
        destination: the toolkit's folder of results; what it has inside is the format's affair:
            ``<tracker>/<sequence>.txt`` for most, ``<benchmark>/<tracker>/`` for got10k,
            ``<tracker>_tracking_result/`` for lasot, ``<sequence>_<tracker>.mat`` for otb-mat,
            ``<tracker>/<experiment>/<sequence>/`` for vot.
        index_base: what the toolkit calls the first pixel, 0 or 1; the benchmark's own by default.

    Returns:
        The number of sequences written: all that ``tracker`` has results of.

    Raises:
        ConfigError: an unknown format or tracker, or a name that cannot be a file name.
        ResultError: a stored result is malformed, or a file is there with other content.
    """
    check_index_base(index_base)
    if format == EXPERIMENTS:
        files, count = render_experiments(store.root, tracker, dataset, index_base=index_base)
        _write_all(files, destination)
        return count
    writer = get_format(format)
    safe_file_name(tracker, "tracker name")
    available = store.sequences(tracker)
    if not available:
        folder = store.root / store.benchmark
        raise unknown_name(f"tracker with results in {folder}", tracker, store.trackers())
    benchmark = get_benchmark(dataset.benchmark).title.replace("-", "")
    files = {}
    names = [sequence.name for sequence in dataset if sequence.name in available]
    for name in names:
        sequence = dataset[name]
        spelling = safe_file_name(toolkit_name(name, dataset.benchmark, format), "sequence name")
        boxes = moved(store.read_boxes(tracker, name), sequence.index_base, index_base)
        times = store.read_times(tracker, name)
        files |= writer.render(Exported(tracker, sequence, spelling, benchmark, boxes, times))
    _write_all(files, destination)
    return len(names)


def _write_all(files: dict[str, bytes], destination: Path) -> None:
    """Write files below a folder, once it is sure that none replaces something else.

    Raises:
        ResultError: a file is there with other content, or the folder cannot be written to.
    """
    try:
        new = {
            path: content
            for name, content in files.items()
            if not (path := destination / name).is_file() or not _holds(path, content)
        }
        for path, content in new.items():
            write_atomically(path, content)
    except OSError as error:
        raise ResultError(f"{destination}: cannot be written to ({error})") from error


def _holds(path: Path, content: bytes) -> bool:
    """True if ``path`` has this content; an error if it has another."""
    if path.read_bytes() != content:
        raise ResultError(
            f"{path}: holds other results. Give another folder, or take the file away first."
        )
    return True
