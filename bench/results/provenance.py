"""Where a tracker's results come from, in a few words, as its run record says."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from bench.errors import ResultError
from bench.results.record import RunRecord, read_record


@dataclass(frozen=True)
class Origin:
    """Where results come from.

    Attributes:
        kind: ``"measured"`` (run here), ``"imported"``, or ``"unknown"``.
        date: of the latest session or the import, ISO 8601; empty where not known.
        details: device and the like, for a tooltip.
        failures: sequences that the run could not finish, with the cause.
    """

    kind: str
    date: str = ""
    details: str = ""
    failures: tuple[str, ...] = ()


def origin_of(record_path: Path) -> Origin:
    """The origin that a ``run.json`` states; unknown where there is none or it is broken."""
    try:
        record = read_record(record_path)
    except ResultError as error:
        return Origin("unknown", details=str(error))
    if record is None:
        return Origin("unknown", details="no run.json lies beside these results")
    return _measured(record) if record.kind == "run" else _imported(record_path, record.kind)


def _measured(record: RunRecord) -> Origin:
    latest = record.sessions[-1] if record.sessions else {}
    facts = (
        ("target", record.provenance.get("target")),
        ("device", record.provenance.get("device")),
        ("processor", latest.get("cpu")),
        ("seed", record.provenance.get("seed")),
        ("toolkit", record.provenance.get("bench_version")),
    )
    failures = tuple(f"{each.sequence}: {each.cause}" for each in record.failures)
    return Origin(
        "measured",
        str(latest.get("ended") or latest.get("started") or "")[:10],
        ", ".join(f"{name} {value}" for name, value in facts if value is not None),
        failures,
    )


def _imported(path: Path, kind: str) -> Origin:
    content = json.loads(path.read_bytes())  # read_record has read it, so it is an object
    facts = ((name, content.get(name)) for name in ("format", "source", "tool"))
    details = ", ".join(f"{name} {value}" for name, value in facts if value)
    word = "imported" if kind == "import" else kind
    return Origin(word, str(content.get("date", "")), details)
