"""Who made the results in a folder: what an import leaves behind, and refuses to write over."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Protocol

from bench.errors import ResultError
from bench.files import write_atomically


class Store(Protocol):
    """What either store of results tells of a tracker."""

    def folder(self, tracker: str) -> Path: ...

    def record_path(self, tracker: str) -> Path: ...

    def sequences(self, tracker: str) -> frozenset[str]: ...


@dataclass(frozen=True)
class ImportReport:
    """What an import did.

    Attributes:
        imported: the dataset's names of the sequences brought in.
        format: the format that was read.
        notes: what should be said wherever these results are used.
    """

    imported: tuple[str, ...]
    format: str
    notes: tuple[str, ...]


def claim_folder(store: Store, name: str, record: Mapping[str, Any]) -> None:
    """Write the record of an import, unless ``name`` holds results of something else.

    Raises:
        ResultError: it does.
    """
    path, folder = store.record_path(name), store.folder(name)
    fix = f"Import under another --name, or delete {folder} first."
    if not path.is_file():
        if store.sequences(name):
            raise ResultError(f"{folder}: holds results without a record (run.json). {fix}")
        content = {**record, "date": date.today().isoformat()}
        write_atomically(path, (json.dumps(content, indent=2) + "\n").encode())
        return
    try:
        present = json.loads(path.read_bytes())
    except ValueError:
        raise ResultError(f"{path}: not readable as JSON. {fix}") from None
    kept = present if isinstance(present, dict) else {}
    pairs = [
        f"{key} is {repr(kept.get(key))[:40]} there, {repr(value)[:40]} here"
        for key, value in record.items()
        if kept.get(key) != value
    ]
    if pairs:
        raise ResultError(f"{folder}: holds results of something else: {'; '.join(pairs)}. {fix}")


def fingerprint(contents: Iterable[tuple[str, bytes]]) -> str:
    """One hash of names and contents, in the order given."""
    digest = hashlib.sha256()
    for name, content in contents:
        digest.update(f"{name} {hashlib.sha256(content).hexdigest()}\n".encode())
    return digest.hexdigest()
