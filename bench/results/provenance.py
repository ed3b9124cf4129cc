"""Where stored results come from: what imports record, and what ``run.json`` states."""

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
from bench.results.record import RunRecord, read_record
from bench.results.stores import Store


@dataclass(frozen=True)
class ImportReport:
    """What an import did.

    Attributes:
        imported: the dataset's names of the sequences imported.
        format: the format that was read.
        notes: remarks to keep beside these results.
    """

    imported: tuple[str, ...]
    format: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Provenance:
    """Where results come from.

    Attributes:
        kind: ``"measured"`` (run here), ``"imported"``, or ``"unknown"``.
        date: of the latest session or the import, ISO 8601; empty if unknown.
        details: device and the like, for a tooltip.
        failures: sequences that the run could not finish, with the cause.
    """

    kind: str
    date: str = ""
    details: str = ""
    failures: tuple[str, ...] = ()


def provenance_of(record_path: Path) -> Provenance:
    """The provenance that a ``run.json`` states; unknown if it is missing or malformed."""
    try:
        record = read_record(record_path)
    except ResultError as error:
        return Provenance("unknown", details=str(error))
    if record is None:
        return Provenance("unknown", details="there is no run.json beside these results")
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


def claim_folder(store: Store, name: str, facts: Mapping[str, Any]) -> None:
    """Record an import, unless ``name`` holds results of another one.

    Args:
        store: where the results go.
        name: of the results.
        facts: the content of ``run.json`` but for its kind and date.

    Raises:
        ResultError: the folder holds other results.
    """
    path, folder = store.record_path(name), store.folder(name)
    remedy = f"Import under another --name, or delete {folder} first."
    if not path.is_file():
        if store.sequences(name):
            raise ResultError(f"{folder}: holds results without a record (run.json). {remedy}")
        content = {"kind": "import", **facts, "date": date.today().isoformat()}
        write_atomically(path, (json.dumps(content, indent=2) + "\n").encode())
        return
    try:
        present = read_record(path) or RunRecord({})
    except ResultError as error:
        raise ResultError(f"{path}: cannot be read as a record. {remedy}") from error
    kept = {"kind": present.kind, **present.provenance}
    differing = [
        f"{key} is {repr(kept.get(key))[:40]} there, {repr(value)[:40]} here"
        for key, value in {"kind": "import", **facts}.items()
        if kept.get(key) != value
    ]
    if differing:
        raise ResultError(f"{folder}: holds other results: {'; '.join(differing)}. {remedy}")


def fingerprint(contents: Iterable[tuple[str, bytes]]) -> str:
    """One hash of names and contents, in the order given."""
    digest = hashlib.sha256()
    for name, content in contents:
        digest.update(f"{name} {hashlib.sha256(content).hexdigest()}\n".encode())
    return digest.hexdigest()
