"""The run record, ``run.json``: how the results beside it were made.

* *Provenance* can change a box: protocol, benchmark (real or miniature), tracker, options,
  weights, code, library versions, decoder, seed; and whether masks are kept, so that a
  result has them for all sequences or for none. Results of one name share one provenance; a run
  with another is refused.
* *Sessions* should not: time, machine and number of processes, commit, completeness of the
  dataset; and the host, device and driver of each result, which move its last digits at most.
  Every session adds an entry.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from bench.errors import ResultError
from bench.files import read_json, write_atomically
from bench.results.stores import Store


@dataclass(frozen=True)
class RunFailure:
    """A sequence that could not be finished.

    Attributes:
        sequence: its name.
        frame: frame number, from 1; None if it failed before the first.
        cause: what went wrong.
    """

    sequence: str
    frame: int | None
    cause: str


@dataclass(frozen=True)
class RunRecord:
    """The record of one results folder.

    Attributes:
        provenance: JSON facts that can change a box, by name; compared between runs. For other
            kinds, the full content.
        sessions: JSON facts of each session, the latest last.
        failures: sequences that the latest attempt could not finish.
        kind: ``"run"``, or ``"import"`` for imported results.
        tuned_on: label of the dataset on whose scores the options were tuned, or None. Not
            compared, since it changes no box; kept once stated.
    """

    provenance: Mapping[str, Any]
    sessions: tuple[Mapping[str, Any], ...] = ()
    failures: tuple[RunFailure, ...] = ()
    kind: str = "run"
    tuned_on: str | None = None

    def made(self, name: str, place: Mapping[str, Any]) -> RunRecord:
        """A copy in which the latest session says where a run was made: host, device, driver."""
        *earlier, latest = self.sessions
        places = [
            {**each, "runs": [run for run in each["runs"] if run != name]}
            for each in latest.get("places", [])
        ]
        here = next((each for each in places if {**each, "runs": []} == {**place, "runs": []}), {})
        kept = [each for each in places if each is not here and each["runs"]]
        kept.append({**place, "runs": [*here.get("runs", []), name]})
        return dataclasses.replace(self, sessions=(*earlier, {**latest, "places": kept}))

    def devices(self) -> tuple[str, ...]:
        """Names of the devices that the results were made on, as far as they are known."""
        places = [place for each in self.sessions for place in each.get("places", ())]
        former = self.provenance.get("device")  # of a record that knew a single one
        names = [*([former] if former else []), *(place.get("device") for place in places)]
        return tuple(dict.fromkeys(str(name) for name in names if name))

    def failed(self, failure: RunFailure) -> RunRecord:
        """A copy in which ``failure`` replaces an earlier one of its sequence."""
        kept = self.finished(failure.sequence).failures
        return dataclasses.replace(self, failures=(*kept, failure))

    def finished(self, sequence: str) -> RunRecord:
        """A copy without the failure of ``sequence``, if any."""
        kept = tuple(each for each in self.failures if each.sequence != sequence)
        return dataclasses.replace(self, failures=kept)

    def ended(self) -> RunRecord:
        """A copy with the end time of the latest session."""
        *earlier, latest = self.sessions
        return dataclasses.replace(self, sessions=(*earlier, {**latest, "ended": now()}))


def remedy_for_missing(path: Path, benchmark: str = "") -> str:
    """What to do about sequences without a result, by how the others were made."""
    try:
        record = read_record(path)
    except ResultError:
        record = None
    if record is not None and record.kind != "run":
        return "Import the missing files"
    return f"Finish the run with `{' '.join(filter(None, ('bench run', benchmark)))}`"


def now() -> str:
    """The current time in ISO 8601, UTC, in seconds."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def read_record(path: Path) -> RunRecord | None:
    """Read a record; None if the file does not exist.

    Raises:
        ResultError: the file is malformed.
    """
    if not os.path.lexists(path):
        return None
    try:
        content = read_json(path, infinite=True)
        kind = str(content.pop("kind"))
        if kind != "run":
            return RunRecord(content, kind=kind)
        failures = tuple(RunFailure(**failure) for failure in content["failures"])
        return RunRecord(
            current_facts(content["provenance"]),
            tuple(content["sessions"]),
            failures,
            tuned_on=content.get("tuned_on"),
        )
    except (ResultError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ResultError(
            f"{path}: expected the record of a run, found malformed content "
            f"({type(error).__name__}: {str(error)[:200]}). {_remedy(path)}"
        ) from error


def current_facts(provenance: Mapping[str, Any]) -> dict[str, Any]:
    """Update facts of older records, which spelled the one-pass protocol ``one-pass``."""
    former = provenance.get("protocol") == "one-pass"
    return {**provenance, "protocol": "onepass"} if former else dict(provenance)


def write_record(path: Path, record: RunRecord) -> None:
    """Write a record atomically.

    Raises:
        ResultError: the file cannot be written.
    """
    content = dataclasses.asdict(record)
    text = json.dumps({"kind": content.pop("kind"), **content}, indent=1, ensure_ascii=False)
    try:
        write_atomically(path, f"{text}\n".encode())
    except OSError as error:
        raise ResultError(f"{path}: cannot be written ({error.strerror})") from error


def continue_record(store: Store, tracker: str, current: RunRecord) -> RunRecord:
    """Merge ``current`` into the record of a tracker's stored results.

    A record without results is replaced.

    Raises:
        ResultError: the stored results have another provenance; lists the differing facts.
    """
    path = store.record_path(tracker)
    earlier = read_record(path)
    objection = _objection(earlier, current)
    if objection and store.sequences(tracker):
        raise ResultError(f"{path}: {objection}. {_remedy(path)}")
    if objection or earlier is None:
        return current
    return dataclasses.replace(
        current,
        provenance=_merged(earlier.provenance, current.provenance),
        sessions=(*earlier.sessions, *current.sessions),
        failures=earlier.failures,
        tuned_on=current.tuned_on or earlier.tuned_on,
    )


def _merged(earlier: Mapping[str, Any], current: Mapping[str, Any]) -> dict[str, Any]:
    """Facts of both; a tracker's files become known bit by bit."""
    files = {**earlier.get("tracker_files", {}), **current.get("tracker_files", {})}
    return {**earlier, **current, **({"tracker_files": files} if files else {})}


def require_same(path: Path, earlier: RunRecord, current: RunRecord) -> None:
    """Check that two records state the same provenance.

    Raises:
        ResultError: they differ; lists every differing fact with both values.
    """
    objection = _objection(earlier, current)
    if objection:
        raise ResultError(f"{path}: {objection}. {_remedy(path)}")


def _objection(earlier: RunRecord | None, current: RunRecord) -> str | None:
    """Why results of ``current`` cannot be added to those of ``earlier``, or None."""
    if earlier is None:
        return "expected a record of the results beside it, found none"
    if earlier.kind != "run":
        return f"expected results of a run beside it, found kind {earlier.kind!r}"
    differing = list(differences(earlier.provenance, current.provenance))
    if differing:
        return f"the results beside it have another provenance: {'; '.join(differing)}"
    return None


def differences(there: Mapping[str, Any], here: Mapping[str, Any]) -> Iterator[str]:
    """Every differing fact; of the tracker's files, if both are known; not the device."""
    flat_there, flat_here = flatten(there), flatten(here)
    for name in sorted(flat_there | flat_here):
        before, after = flat_there.get(name), flat_here.get(name)
        late = name.startswith("tracker_files.") and None in (before, after)
        if before != after and not late and name != "device":
            yield f"{name}: expected {after!r}, found {before!r}"


def flatten(facts: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested facts by dotted name."""
    flat: dict[str, Any] = {}
    for name, value in facts.items():
        nested = isinstance(value, Mapping)
        flat |= flatten(value, f"{prefix}{name}.") if nested else {f"{prefix}{name}": value}
    return flat


def _remedy(path: Path) -> str:
    return f"Choose another --name, or delete {path.parent} to start over."
