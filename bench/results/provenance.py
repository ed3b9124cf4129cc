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
from bench.locks import locked, replaced, sweep
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
        flags: how its options were chosen, where that makes a comparison unfair.
    """

    kind: str
    date: str = ""
    details: str = ""
    failures: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()


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
        "device": " and ".join(record.devices()) or None,
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
    """Write an import: all of it or nothing.

    What is new is built aside. Of what the same source gave before, files that are missing or
    damaged are written again.

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
            if _is_there(store, name, facts):
                _write(folder, _missing(files))
                return
            record = {"kind": "import", **facts, "date": date.today().isoformat()}
            content = (json.dumps(record, indent=2) + "\n").encode()
            with replaced(folder) as fresh:
                _write(fresh, {fresh / p.relative_to(folder): c for p, c in files.items()})
                write_atomically(fresh / store.record_path(name).name, content)
    except OSError as error:
        raise ResultError(f"{folder}: cannot be written ({error})") from error


def _missing(files: Mapping[Path, bytes]) -> dict[Path, bytes]:
    return {p: c for p, c in files.items() if not p.is_file() or p.read_bytes() != c}


def _write(folder: Path, files: Mapping[Path, bytes]) -> None:
    record_hashes(folder, files)
    for path, content in files.items():
        write_atomically(path, content)


def _is_there(store: Store, name: str, facts: Mapping[str, Any]) -> bool:
    """Whether this import was written before; the wording of notes may differ.

    Raises:
        ResultError: ``name`` holds something else.
    """
    path, folder = store.record_path(name), store.folder(name)
    remedy = f"Choose another --name, or delete {folder} first."
    if not path.is_file():
        if others := [entry.name for entry in folder.iterdir() if not entry.name.startswith(".")]:
            raise ResultError(
                f"{folder}: expected a run.json beside {', '.join(others[:3])}. {remedy}"
            )
        return False
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
    return True


def fingerprint(contents: Iterable[tuple[str, bytes]]) -> str:
    """One hash over names and contents, in the given order."""
    digest = hashlib.sha256()
    for name, content in contents:
        digest.update(f"{name} {hashlib.sha256(content).hexdigest()}\n".encode())
    return digest.hexdigest()
