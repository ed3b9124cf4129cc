"""The run record, ``run.json``: what made the results that lie beside it.

Two kinds of facts stand in it.

* *Provenance* can move a box: protocol, benchmark (real or miniature), tracker, options, weights,
  code, library versions, decoder, device, seed. Results of one name have one provenance; a run
  with another is refused.
* *Circumstances* should not move one: when, where and on how many processes each session ran,
  which commit was checked out, how complete the dataset was. Each session adds its own.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from bench.errors import ResultError
from bench.files import write_atomically
from bench.results.stores import Store


@dataclass(frozen=True)
class RunFailure:
    """A sequence that could not be finished.

    Attributes:
        sequence: its name.
        frame: number of the frame in the sequence, from 1; None where it failed before the first.
        cause: what went wrong.
    """

    sequence: str
    frame: int | None
    cause: str


@dataclass(frozen=True)
class RunRecord:
    """What made the results of one folder.

    Attributes:
        provenance: facts that can move a box, by name; compared between runs. JSON values.
            What another verb wrote (``"import"``) is kept whole.
        sessions: circumstances of each session, the latest last. JSON values.
        failures: sequences that the latest attempt at them could not finish.
        kind: ``"run"`` for our own runs, else what another verb wrote (``"import"``).
        tuned_on: label of the dataset whose scores chose the tracker's options, None where
            none did. It moves no box, so it is not compared; once stated, it stays.
    """

    provenance: Mapping[str, Any]
    sessions: tuple[Mapping[str, Any], ...] = ()
    failures: tuple[RunFailure, ...] = ()
    kind: str = "run"
    tuned_on: str | None = None

    def on_device(self, device: str) -> RunRecord:
        """The same, with the device that the tracker turned out to run on."""
        return dataclasses.replace(self, provenance={**self.provenance, "device": device})

    def failed(self, failure: RunFailure) -> RunRecord:
        """The same, with ``failure`` in place of an earlier one of its sequence."""
        kept = self.finished(failure.sequence).failures
        return dataclasses.replace(self, failures=(*kept, failure))

    def finished(self, sequence: str) -> RunRecord:
        """The same without the failure of ``sequence``, if there was one."""
        kept = tuple(each for each in self.failures if each.sequence != sequence)
        return dataclasses.replace(self, failures=kept)

    def ended(self) -> RunRecord:
        """The same, with the time at which the latest session ended."""
        *earlier, latest = self.sessions
        return dataclasses.replace(self, sessions=(*earlier, {**latest, "ended": now()}))


def now() -> str:
    """The time as records state it: ISO 8601, UTC, in seconds."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def read_record(path: Path) -> RunRecord | None:
    """The record in ``path``, None where there is no such file.

    Raises:
        ResultError: the file is no record.
    """
    try:
        content = json.loads(path.read_bytes())
        kind = str(content.pop("kind"))
        if kind != "run":
            return RunRecord(content, kind=kind)
        failures = tuple(RunFailure(**failure) for failure in content["failures"])
        return RunRecord(
            _current(content["provenance"]),
            tuple(content["sessions"]),
            failures,
            tuned_on=content.get("tuned_on"),
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ResultError(
            f"{path}: expected the record of a run, found something else "
            f"({type(error).__name__}: {error}). {_way_out(path)}"
        ) from error


def _current(provenance: Mapping[str, Any]) -> dict[str, Any]:
    """Facts as records state them now; older ones called one-pass evaluation ``one-pass``."""
    former = provenance.get("protocol") == "one-pass"
    return {**provenance, "protocol": "onepass"} if former else dict(provenance)


def write_record(path: Path, record: RunRecord) -> None:
    """Write a record; the file appears whole or not at all.

    Raises:
        ResultError: it cannot be written.
    """
    content = dataclasses.asdict(record)
    text = json.dumps({"kind": content.pop("kind"), **content}, indent=1, ensure_ascii=False)
    try:
        write_atomically(path, f"{text}\n".encode())
    except OSError as error:
        raise ResultError(f"{path}: cannot be written ({error.strerror})") from error


def continue_record(store: Store, tracker: str, current: RunRecord) -> RunRecord:
    """``current`` as the continuation of what lies in the folder of ``tracker``.

    A folder without a single result is free for anything.

    Raises:
        ResultError: there are results that something else made; names the facts that differ.
    """
    path = store.record_path(tracker)
    earlier = read_record(path)
    objection = _objection(earlier, current)
    if objection and store.sequences(tracker):
        raise ResultError(f"{path}: {objection}. {_way_out(path)}")
    if objection or earlier is None:
        return current
    return dataclasses.replace(
        current,
        provenance={**earlier.provenance, **current.provenance},
        sessions=(*earlier.sessions, *current.sessions),
        failures=earlier.failures,
        tuned_on=current.tuned_on or earlier.tuned_on,
    )


def require_same(path: Path, earlier: RunRecord, current: RunRecord) -> None:
    """Check that two records state the same provenance.

    Raises:
        ResultError: they do not; names every fact that differs, with both values.
    """
    objection = _objection(earlier, current)
    if objection:
        raise ResultError(f"{path}: {objection}. {_way_out(path)}")


def _objection(earlier: RunRecord | None, current: RunRecord) -> str | None:
    """Why the results of ``current`` may not lie beside those of ``earlier``."""
    if earlier is None:
        return "the results beside it have no such record, so what made them is not known"
    if earlier.kind != "run":
        return f"the results beside it come from elsewhere (kind {earlier.kind!r})"
    differing = list(_differences(earlier.provenance, current.provenance))
    if differing:
        return f"the results beside it were made by something else: {'; '.join(differing)}"
    return None


def _differences(there: Mapping[str, Any], here: Mapping[str, Any]) -> Iterator[str]:
    """Each fact that differs; a device is compared only once both runs have finished something."""
    flat_there, flat_here = _flatten(there), _flatten(here)
    for name in sorted(flat_there | flat_here):
        before, after = flat_there.get(name), flat_here.get(name)
        if before != after and not (name == "device" and None in (before, after)):
            yield f"{name} is {before!r} there, {after!r} here"


def _flatten(facts: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested facts by dotted name; the value None is the same as no fact at all."""
    flat: dict[str, Any] = {}
    for name, value in facts.items():
        nested = isinstance(value, Mapping)
        flat |= _flatten(value, f"{prefix}{name}.") if nested else {f"{prefix}{name}": value}
    return flat


def _way_out(path: Path) -> str:
    return f"Give this run another --name, or delete {path.parent} to start over."
