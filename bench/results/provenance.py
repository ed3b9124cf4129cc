"""Provenance of stored results: what ``run.json`` states, and the record of an import."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from bench.errors import ResultError
from bench.files import write_atomically
from bench.locks import locked, sweep
from bench.results.checksums import record_hashes
from bench.results.declared import keep_declaration
from bench.results.record import RunRecord, read_record
from bench.results.stores import Store


@dataclass(frozen=True)
class ImportReport:
    """Summary of an import.

    Attributes:
        imported: names of the imported sequences.
        format: name of the format.
        notes: remarks on the results.
        repetitions: number of runs of every sequence.
    """

    imported: tuple[str, ...]
    format: str
    notes: tuple[str, ...]
    repetitions: int = 1


@dataclass(frozen=True)
class Provenance:
    """Origin of results.

    Attributes:
        kind: ``"measured"`` (run here), ``"imported"``, or ``"unknown"``.
        date: of the latest session or the import, ISO 8601; empty if unknown.
        details: device and other facts, for a tooltip.
        failures: unfinished sequences with their cause.
    """

    kind: str
    date: str = ""
    details: str = ""
    failures: tuple[str, ...] = ()


def provenance_of(record_path: Path) -> Provenance:
    """The provenance stated in a ``run.json``; unknown if it is missing or malformed."""
    try:
        record = read_record(record_path)
    except ResultError as error:
        return Provenance("unknown", details=str(error))
    if record is None:
        return Provenance("unknown", details="no run.json beside these results")
    return _measured(record) if record.kind == "run" else _imported(record)


def _measured(record: RunRecord) -> Provenance:
    latest = record.sessions[-1] if record.sessions else {}
    facts = {
        "target": record.provenance.get("target"),
        "device": record.provenance.get("device"),
        "processor": latest.get("cpu"),
        "seed": record.provenance.get("seed"),
        "toolkit": record.provenance.get("bench_version"),
    }
    return Provenance(
        "measured",
        str(latest.get("ended") or latest.get("started") or "")[:10],
        _listed(facts),
        tuple(f"{each.sequence}: {each.cause}" for each in record.failures),
    )


def _imported(record: RunRecord) -> Provenance:
    facts = {name: record.provenance.get(name) for name in ("format", "source", "tool")}
    kind = "imported" if record.kind == "import" else record.kind
    return Provenance(kind, str(record.provenance.get("date", "")), _listed(facts))


def _listed(facts: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in facts.items() if value is not None)


def write_import(
    store: Store, name: str, facts: Mapping[str, Any], files: Mapping[Path, bytes]
) -> None:
    """Write an import: its record first, then its files in order.

    Args:
        store: destination on disk.
        name: of the results.
        facts: the content of ``run.json`` except its kind and date.
        files: content by path.

    Raises:
        ResultError: ``name`` holds other results, another process writes there, or the folder is
            not writable.
    """
    folder = store.folder(name)
    try:
        with locked(folder):
            sweep(folder)
            keep_declaration(store)
            _claim(store, name, facts)
            record_hashes(folder, files)
            for path, content in files.items():
                write_atomically(path, content)
    except OSError as error:
        raise ResultError(f"{store.folder(name)}: cannot be written ({error})") from error


def _claim(store: Store, name: str, facts: Mapping[str, Any]) -> None:
    """Record an import unless ``name`` holds other results; wording of notes may differ."""
    path, folder = store.record_path(name), store.folder(name)
    remedy = f"Choose another --name, or delete {folder} first."
    if not path.is_file():
        if store.sequences(name):
            raise ResultError(f"{folder}: expected a run.json beside the results. {remedy}")
        content = {"kind": "import", **facts, "date": date.today().isoformat()}
        write_atomically(path, (json.dumps(content, indent=2) + "\n").encode())
        return
    try:
        present = read_record(path) or RunRecord({})
    except ResultError as error:
        raise ResultError(f"{path}: not a readable record. {remedy}") from error
    kept = {"kind": present.kind, **present.provenance}
    differing = [
        f"{key}: expected {repr(value)[:40]}, found {repr(kept.get(key))[:40]}"
        for key, value in {"kind": "import", **facts}.items()
        if kept.get(key) != value and key != "notes"
    ]
    if differing:
        raise ResultError(f"{folder}: holds other results ({'; '.join(differing)}). {remedy}")


def fingerprint(contents: Iterable[tuple[str, bytes]]) -> str:
    """One hash over names and contents, in the given order."""
    digest = hashlib.sha256()
    for name, content in contents:
        digest.update(f"{name} {hashlib.sha256(content).hexdigest()}\n".encode())
    return digest.hexdigest()
