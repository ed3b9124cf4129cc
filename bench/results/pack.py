"""Creates and validates archives for the TrackingNet evaluation server.

Submit them as a participant of the challenge "TrackingNet" (All Challenges -> TrackingNet ->
Participate -> Submit). The error "There is no YAML file in zip" comes from the page for
*creating* a challenge (SilvioGiancola/TrackingNet-devkit issues 12, 13 and 26).
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import numpy as np

from bench.benchmarks import TABLES, get_benchmark
from bench.errors import ResultError, SubmissionError
from bench.files import format_exact, parse_rows, write_atomically
from bench.locks import locked_beside
from bench.results.formats.matching import listed
from bench.results.formats.source import read_archive
from bench.results.record import remedy_for_missing
from bench.results.stores import Store, require_results
from bench.sequence import Dataset

WHERE_TO_SUBMIT = (
    'Submit it as a participant of the challenge "TrackingNet" on the evaluation server (All '
    "Challenges -> TrackingNet -> Participate -> Submit), not on the page for creating one."
)
_BENCHMARK = "trackingnet"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest zip timestamp; keeps archives reproducible
_SHOWN = 5


def pack_trackingnet(
    store: Store,
    tracker: str,
    dataset: Dataset,
    archive: Path,
    *,
    partial: bool = False,
) -> None:
    """Write the archive for the evaluation server, with one ``<sequence>.txt`` per sequence.

    Equal results give equal bytes. Nothing is written unless the archive is valid.

    Args:
        store: where the results are stored.
        tracker: name of the results.
        dataset: TrackingNet's TEST set.
        archive: the ``.zip`` to write.
        partial: pack part of the test set, or its miniature, as a rehearsal. The comment of
            the archive says so; the server rejects it.

    Raises:
        SubmissionError: the archive would be invalid; the message lists every problem.
        ConfigError: the tracker has no results.
        ResultError: a stored result is malformed, or another process writes the archive.
    """
    wanted = [sequence.name for sequence in dataset]
    unfit = _unfit(dataset, set(wanted))
    if unfit and not partial:
        raise SubmissionError(
            f"{dataset.root}: expected the complete TEST set, found {unfit}. Complete it, or "
            "pack a rehearsal with --partial."
        )
    available = require_results(store, tracker)
    missing = [name for name in wanted if name not in available]
    if missing:
        raise SubmissionError(
            f"{store.folder(tracker)}: no result for {len(missing)} of {len(wanted)} sequences "
            f"({listed(missing, _SHOWN)}). "
            f"{remedy_for_missing(store.record_path(tracker), _BENCHMARK)}."
        )
    boxes = {name: store.read_run(tracker, name).values[:, :4] for name in sorted(wanted)}
    contents = {f"{name}.txt": format_exact(rows) for name, rows in boxes.items()}
    packed = _zip(contents, f"rehearsal: {unfit}" if unfit else "")
    problems = _problems(io.BytesIO(packed), str(archive), dataset)
    if problems:
        raise SubmissionError(_message(store.folder(tracker), problems))
    try:
        with locked_beside(archive):
            write_atomically(archive, packed)
    except OSError as error:
        raise SubmissionError(f"{archive}: cannot be written ({error})") from error


def validate_trackingnet(archive: Path, dataset: Dataset | None = None) -> list[str]:
    """All problems that make the server reject or misread an archive; empty if it is valid.

    Args:
        archive: the ``.zip``.
        dataset: the expected sequences, with images to check their number of frames; by default
            the names of TrackingNet's TEST set.
    """
    if not archive.is_file():
        return [f"{archive}: no such file"]
    return _problems(archive, str(archive), dataset)


def _unfit(dataset: Dataset, names: set[str]) -> str | None:
    """How these sequences differ from the test set; None if they are equal."""
    if dataset.miniature:
        return "a miniature (generated video)"
    if dataset.benchmark != _BENCHMARK:
        return f"sequences of {dataset.benchmark}"
    test = set(_test_names())
    if names != test:
        return f"{len(names & test)} of the {len(test)} sequences of the test set"
    return None


def _test_names() -> list[str]:
    with (TABLES / "trackingnet_test.csv").open(encoding="utf-8", newline="") as stream:
        return [row["name"] for row in csv.DictReader(stream)]


def _zip(contents: Mapping[str, bytes], comment: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.comment = comment.encode()
        for name, data in contents.items():
            member = zipfile.ZipInfo(name, _EPOCH)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.create_system = 3  # Unix, on any system
            member.external_attr = 0o644 << 16
            archive.writestr(member, data)
    return stream.getvalue()


def _message(folder: Path, problems: list[str]) -> str:
    lines = "\n".join(f"  - {problem}" for problem in problems)
    return f"{folder}: nothing packed, {len(problems)} problems:\n{lines}\nRun them again."


def _problems(stream: Path | BinaryIO, where: str, dataset: Dataset | None) -> list[str]:
    try:
        members = read_archive(stream, where)
    except ResultError as error:
        return [str(error)]
    texts = {path.stem: data for path, data in members.items() if path.suffix == ".txt"}
    names = _test_names() if dataset is None else [sequence.name for sequence in dataset]
    rows, malformed = _count_rows(texts)
    return [
        *_layout_problems(list(members)),
        *_name_problems(texts.keys(), names),
        *malformed,
        *_row_problems(rows, names, dataset),
    ]


def _layout_problems(paths: Sequence[PurePosixPath]) -> list[str]:
    """Nested files and files other than text."""
    problems = []
    nested = [str(path) for path in paths if len(path.parts) > 1]
    if nested:
        problems.append(
            f"expected files at the top level, found {len(nested)} in folders "
            f"({listed(nested, _SHOWN)}). Zip the files, not their folder"
        )
    other = [str(path) for path in paths if path.suffix != ".txt"]
    if other:
        problems.append(
            f"expected .txt files, found {len(other)} others ({listed(other, _SHOWN)})"
        )
    return problems


def _name_problems(found: Collection[str], names: Sequence[str]) -> list[str]:
    missing = [name for name in names if name not in found]
    surplus = sorted(set(found) - set(names))
    return [
        f"{len(wrong)} of {len(names)} sequences {what}: {listed(wrong)}"
        for what, wrong in (("missing", missing), ("unknown", surplus))
        if wrong
    ]


def _count_rows(texts: Mapping[str, bytes]) -> tuple[dict[str, int], list[str]]:
    """Number of rows of every well-formed file, and problems of the others."""
    rows, problems = {}, []
    for name, data in texts.items():
        try:
            boxes = parse_rows(data, f"{name}.txt")
        except ResultError as error:
            problems.append(str(error))
            continue
        rows[name] = len(boxes)
        unusable = np.flatnonzero(~np.isfinite(boxes).all(axis=1))
        if len(unusable):
            problems.append(
                f"{name}.txt:{unusable[0] + 1}: expected finite numbers, found "
                f"{boxes[unusable[0]].tolist()} ({len(unusable)} such rows)"
            )
        if data.count(b",") != 3 * len(boxes):
            problems.append(f"{name}.txt: expected only commas between numbers")
    return rows, problems


def _row_problems(
    rows: Mapping[str, int], names: Sequence[str], dataset: Dataset | None
) -> list[str]:
    """Files whose rows do not match their frames, or a wrong total number of rows."""
    known = [s for s in dataset or () if not s.hidden or s.frames is not None]
    problems = [
        f"{s.name}.txt: expected {len(s)} rows, one per frame, found {rows[s.name]}"
        for s in known
        if s.name in rows and rows[s.name] != len(s)
    ]
    total, expected = sum(rows.values()), get_benchmark(_BENCHMARK).frames
    if not known and set(rows) == set(names) == set(_test_names()) and total != expected:
        problems.append(f"expected {expected} rows in total, found {total}")
    return problems
