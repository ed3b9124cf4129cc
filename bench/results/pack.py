"""Creates and validates archives for evaluation servers, as a benchmark declares them.

For TrackingNet, the error "There is no YAML file in zip" comes from the page for *creating* a
challenge (SilvioGiancola/TrackingNet-devkit issues 12, 13 and 26).
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import numpy as np

from bench.benchmarks import Benchmark, Server, benchmarks, get_benchmark
from bench.errors import ConfigError, ResultError, SubmissionError
from bench.files import format_exact, format_rows, parse_rows, write_atomically
from bench.locks import locked_beside
from bench.results.formats.matching import listed
from bench.results.formats.source import read_archive
from bench.results.record import remedy_for_missing
from bench.results.stores import Store, require_results
from bench.sequence import Dataset

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest zip timestamp; keeps archives reproducible
_SHOWN = 5


def server_of(benchmark: Benchmark) -> Server:
    """What the evaluation server of a benchmark takes.

    Raises:
        ConfigError: it has none.
    """
    if benchmark.server is None:
        having = ", ".join(row.name for row in benchmarks().values() if row.server)
        raise ConfigError(
            f"no evaluation server takes archives of {benchmark.name!r}; servers of {having} do"
        )
    return benchmark.server


def pack_submission(
    store: Store,
    tracker: str,
    dataset: Dataset,
    archive: Path,
    *,
    partial: bool = False,
) -> None:
    """Write the archive for the evaluation server.

    Equal results give equal bytes. Nothing is written unless the archive is valid.

    Args:
        store: where the results are stored.
        tracker: name of the results.
        dataset: the benchmark's test set.
        archive: the ``.zip`` to write.
        partial: pack part of the test set, or its miniature, as a rehearsal. The comment of
            the archive says so; the server rejects it.

    Raises:
        SubmissionError: the archive would be invalid; the message lists every problem.
        ConfigError: the tracker has no results, or the benchmark no server.
        ResultError: a stored result is malformed, or another process writes the archive.
    """
    benchmark = get_benchmark(store.benchmark)
    server = server_of(benchmark)
    wanted = [sequence.name for sequence in dataset]
    unfit = _unfit(dataset, benchmark, set(wanted))
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
            f"{remedy_for_missing(store.record_path(tracker), benchmark.name)}."
        )
    contents = dict(submission_files(store, tracker, server, sorted(wanted)))
    packed = _zip(contents, f"rehearsal: {unfit}" if unfit else "")
    problems = _problems(io.BytesIO(packed), str(archive), benchmark, dataset)
    if problems:
        raise SubmissionError(_message(store.folder(tracker), problems))
    try:
        with locked_beside(archive):
            write_atomically(archive, packed)
    except OSError as error:
        raise SubmissionError(f"{archive}: cannot be written ({error})") from error


def submission_files(
    store: Store, tracker: str, server: Server, names: list[str]
) -> Iterator[tuple[str, bytes]]:
    """Path and content of every file that a server takes, in the order of names."""
    for name in names:
        runs = list(store.repetitions(tracker, name))[: server.runs]
        for number, run in enumerate(runs, start=1):
            boxes = store.read_run(tracker, name, run).values[:, :4]
            text = (
                format_exact(boxes)
                if server.decimals is None
                else format_rows(boxes, decimals=server.decimals)
            )
            yield server.files.format(sequence=name, run=number), text
        times = [store.read_times(tracker, name, run) for run in runs] if server.times else []
        known = [each for each in times if each is not None]
        if known and len(known) == len(runs) and len({len(each) for each in known}) == 1:
            columns = np.stack(known, axis=1)
            yield server.times.format(sequence=name), format_rows(columns, decimals=8)


def validate_submission(
    benchmark: Benchmark, archive: Path, dataset: Dataset | None = None
) -> list[str]:
    """All problems that make the server reject or misread an archive; empty if it is valid.

    Args:
        benchmark: whose server it is for.
        archive: the ``.zip``.
        dataset: the expected sequences, with images to check their number of frames; by default
            the names of the test set.

    Raises:
        ConfigError: the benchmark has no server.
    """
    server_of(benchmark)
    if not archive.is_file():
        return [f"{archive}: no such file"]
    return _problems(archive, str(archive), benchmark, dataset)


def _unfit(dataset: Dataset, benchmark: Benchmark, names: set[str]) -> str | None:
    """How these sequences differ from the test set; None if they are equal."""
    if dataset.miniature:
        return "a miniature (generated video)"
    if dataset.benchmark != benchmark.name:
        return f"sequences of {dataset.benchmark}"
    test = set(_test_names(benchmark))
    if names != test:
        return f"{len(names & test)} of the {len(test)} sequences of the test set"
    return None


def _test_names(benchmark: Benchmark) -> list[str]:
    return list(benchmark.listed(benchmark.subsets[0]))


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


def _problems(
    stream: Path | BinaryIO, where: str, benchmark: Benchmark, dataset: Dataset | None
) -> list[str]:
    try:
        members = read_archive(stream, where)
    except ResultError as error:
        return [str(error)]
    server = server_of(benchmark)
    texts = {path: data for path, data in members.items() if path.suffix == ".txt"}
    nested = "/" in server.files  # else a folder around the files is a problem of its own
    runs = _matching(server.files, texts) if nested else {path: path.stem for path in texts}
    timed = _matching(server.times, texts) if server.times else {}
    names = _test_names(benchmark) if dataset is None else [each.name for each in dataset]
    rows, malformed = _count_rows({path: texts[path] for path in runs})
    return [
        *_layout_problems(list(members), server, {*runs, *timed}),
        *_name_problems(runs.values(), names),
        *malformed,
        *_row_problems(rows, runs, names, benchmark, dataset),
    ]


def _matching(template: str, paths: Collection[PurePosixPath]) -> dict[PurePosixPath, str]:
    """The sequence of each path that a template of the server fits."""
    parts = {"sequence": r"(?P<sequence>[^/]+)", "run:03d": r"\d{3}"}
    seen: set[str] = set()

    def group(found: re.Match[str]) -> str:
        again = found[1] in seen
        seen.add(found[1])
        return "(?P=sequence)" if again and found[1] == "sequence" else parts[found[1]]

    pattern = re.compile(re.sub(r"\\\{(sequence|run:03d)\\\}", group, re.escape(template)))
    matches = ((path, pattern.fullmatch(str(path))) for path in paths)
    return {path: found["sequence"] for path, found in matches if found}


def _layout_problems(
    paths: Sequence[PurePosixPath], server: Server, placed: Collection[PurePosixPath]
) -> list[str]:
    """Files that are not where the server looks for them, and files other than text."""
    other = [str(path) for path in paths if path.suffix != ".txt"]
    problems = []
    if "/" in server.files:
        astray = [str(p) for p in paths if p.suffix == ".txt" and p not in placed]
        if astray:
            problems.append(
                f"expected {server.files}, found {len(astray)} others ({listed(astray, _SHOWN)})"
            )
    elif nested := [str(path) for path in paths if len(path.parts) > 1]:
        problems.append(
            f"expected files at the top level, found {len(nested)} in folders "
            f"({listed(nested, _SHOWN)}). Zip the files, not their folder"
        )
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


def _count_rows(
    texts: Mapping[PurePosixPath, bytes],
) -> tuple[dict[PurePosixPath, int], list[str]]:
    """Number of rows of every well-formed file, and problems of the others."""
    rows, problems = {}, []
    for path, data in texts.items():
        name = path.name
        try:
            boxes = parse_rows(data, name)
        except ResultError as error:
            problems.append(str(error))
            continue
        rows[path] = len(boxes)
        unusable = np.flatnonzero(~np.isfinite(boxes).all(axis=1))
        if len(unusable):
            problems.append(
                f"{name}:{unusable[0] + 1}: expected finite numbers, found "
                f"{boxes[unusable[0]].tolist()} ({len(unusable)} such rows)"
            )
        if data.count(b",") != 3 * len(boxes):
            problems.append(f"{name}: expected only commas between numbers")
    return rows, problems


def _row_problems(
    rows: Mapping[PurePosixPath, int],
    sequences: Mapping[PurePosixPath, str],
    names: Sequence[str],
    benchmark: Benchmark,
    dataset: Dataset | None,
) -> list[str]:
    """Files whose rows do not match their frames, or a wrong total number of rows."""
    known = {s.name: len(s) for s in dataset or () if not s.hidden or s.frames is not None}
    if dataset is None:
        known = {name: row.frames for name, row in benchmark.rows.items() if row.frames}
    problems = [
        f"{path.name}: expected {known[sequences[path]]} rows, one per frame, found {found}"
        for path, found in rows.items()
        if known.get(sequences[path], found) != found
    ]
    total, expected = sum(rows.values()), benchmark.expected_frames
    complete = {sequences[path] for path in rows} == set(names) == set(_test_names(benchmark))
    if not known and complete and expected is not None and total != expected:
        problems.append(f"expected {expected} rows in total, found {total}")
    return problems
