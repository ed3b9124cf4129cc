"""A leaderboard: every figure recomputed from raw results, beside what contributors claim."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from bench.errors import BenchError, ResultError
from bench.evaluation.contributions import (
    Claim,
    Contribution,
    claims_of,
    contribution_path,
    places,
    read_contribution,
    tuned_flags,
)
from bench.evaluation.selection import first_few, label_of
from bench.reports.eval_tables import convention_table
from bench.reports.page import Extra, ReportSection
from bench.reports.score_table import score_table
from bench.reports.table import Cell, Column, Row, Table
from bench.results.record import RunRecord, read_record

_SETTINGS = "bench.toml"  # of a machine or project, no contribution


@dataclass(frozen=True, eq=False)
class Board:
    """Results by benchmark and experiment, and what their contributors say.

    Attributes:
        sections: scored by the conventions to show or to check.
        contributions: by tracker.
        faults: why there is no contribution of a tracker with results, by tracker.
        chosen: the benchmarks that were looked at; all if empty.
    """

    sections: tuple[ReportSection, ...]
    contributions: Mapping[str, Contribution]
    faults: Mapping[str, str]
    chosen: tuple[str, ...] = ()


def open_board(
    sections: list[ReportSection],
    results: Path,
    chosen: Iterable[str] = (),
    trackers: Collection[str] | None = None,
) -> Board:
    """A leaderboard of scored results, with the contributions beside them.

    Args:
        sections: scored.
        results: the folder of results, with a file for each contribution.
        chosen: the benchmarks that are looked at; all by default.
        trackers: names that are looked at; all by default.
    """
    contributions: dict[str, Contribution] = {}
    faults: dict[str, str] = {}
    files = [path.stem for path in sorted(results.glob("*.toml")) if path.name != _SETTINGS]
    names = [*(name for each in sections for name in each.provenance), *files]
    for tracker in dict.fromkeys(n for n in names if trackers is None or n in trackers):
        path = contribution_path(results, tracker)
        try:
            if not path.is_file():
                raise ResultError(
                    f"{path.name}: expected beside the results, found none. Write it as "
                    "docs/board.md shows: name, reference, licence, claimed figures."
                )
            contributions[tracker] = read_contribution(path)
        except BenchError as error:
            faults[tracker] = str(error)
    flagged = (_flagged(section, contributions) for section in sections)
    return Board(tuple(flagged), contributions, faults, tuple(chosen))


def _flagged(section: ReportSection, contributions: Mapping[str, Contribution]) -> ReportSection:
    """The section, with what contributors and records say of tuning beside each origin."""
    label = label_of(section.dataset) if section.dataset else section.benchmark.name
    provenance = {}
    for name, origin in section.provenance.items():
        record = _record(section, name)
        flags = tuned_flags(contributions.get(name), record, section.benchmark.name, label)
        provenance[name] = replace(origin, flags=flags)
    return replace(section, provenance=provenance)


def _record(section: ReportSection, tracker: str) -> RunRecord | None:
    try:
        return read_record(section.store.record_path(tracker)) if section.store else None
    except ResultError:  # named in the notes of the scores
        return None


def extras_of(board: Board) -> dict[str, Extra]:
    """What the page of each benchmark and experiment shows besides its scores."""
    return {each.key: _extra(board, each) for each in board.sections if each.provenance}


def _extra(board: Board, section: ReportSection) -> Extra:
    claims = _claims(board, section)
    tables = [_origins(board, section, claims)]
    if any(claims.values()):
        tables.append(_claim_table(section, claims))
    pages = {}
    if len(section.scored) > 1:
        every = (convention_table(list(section.scored)), *map(score_table, section.scored))
        pages["conventions"] = ("Every convention, with intervals", every)
    return Extra(tuple(tables), pages)


def _claims(board: Board, section: ReportSection) -> dict[str, list[Claim]]:
    """The claims on a section, by tracker, best tracker first."""
    return {
        name: list(claims_of(board.contributions[name], section.key, section.scored, name))
        for name in section.trackers
        if name in board.contributions
    }


def _text(key: str, heading: str) -> Column:
    return Column(key, heading, better=None, text=True)


def _origins(board: Board, section: ReportSection, claims: Mapping[str, list[Claim]]) -> Table:
    """Whose results these are, how whole they are, and whether they give what is claimed."""
    columns = tuple(
        _text(*each) for each in (
            ("claims", "Claimed figures"), ("sequences", "Sequences"), ("tuned", "Options"),
            ("origin", "Results"), ("licence", "Licence"), ("reference", "Reference"),
        )
    )  # fmt: skip
    rows = []
    for name in section.trackers:
        said, origin = board.contributions.get(name), section.provenance[name]
        source = said.sources.get(section.key, said.source) if said else ""
        cells = {
            "claims": _verdict(claims.get(name, [])),
            "sequences": _extent(section, name),
            "tuned": ", ".join(origin.flags) or "–",
            "origin": " · ".join(filter(None, (f"{origin.kind} {origin.date}".strip(), source))),
            "licence": said.licence if said else "–",
            "reference": said.reference if said else "–",
        }
        shown = {key: Cell(text=text) for key, text in cells.items()}
        rows.append(Row(name, "", shown, note=board.faults.get(name, ""), ranked=False))
    title = f"{section.title}: whose results these are"
    return Table(f"{section.key}-origins", title, columns, tuple(rows))


def _verdict(claims: list[Claim]) -> str:
    holding = sum(claim.holds for claim in claims)
    return f"{holding} of {len(claims)} hold" if claims else "none"


def _extent(section: ReportSection, tracker: str) -> str:
    """How many of the benchmark's sequences were scored."""
    scores = section.scores.trackers.get(tracker) if section.scores else None
    if scores is None or section.scores is None:
        return "not scored"
    there = section.scores.sequences - len(scores.missing)
    return f"{there} of {section.benchmark.expected_sequences or section.scores.sequences}"


def _claim_table(section: ReportSection, claims: Mapping[str, list[Claim]]) -> Table:
    """Every claimed figure beside the one that the raw results give, at the printed digits."""
    headings = {
        "convention": "Convention", "measure": "Measure", "claimed": "Claimed",
        "found": "Recomputed", "verdict": "",
    }  # fmt: skip
    rows = []
    for name, own in claims.items():
        for claim in own:
            cells = {
                "convention": claim.convention, "measure": claim.measure,
                "claimed": claim.claimed,
                "found": "no score" if claim.found is None else f"{claim.found:.6f}",
                "verdict": "as claimed" if claim.holds else "differs",
            }  # fmt: skip
            shown = {key: Cell(text=text) for key, text in cells.items()}
            rows.append(Row(name, "", shown, ranked=False))
    columns = tuple(_text(key, heading) for key, heading in headings.items())
    note = "Claims are compared at the digits that they are printed with."
    title = f"{section.title}: claimed figures"
    return Table(f"{section.key}-claims", title, columns, tuple(rows), (note,))


def complaints(board: Board) -> Iterator[str]:
    """Everything that a maintainer would send a contribution back for, one sentence each."""
    for tracker, fault in board.faults.items():
        yield f"{tracker}: {fault}"
    keys = {section.key: section for section in board.sections}
    for tracker, said in board.contributions.items():
        if not (board.chosen or any(tracker in each.provenance for each in board.sections)):
            yield f"{tracker}: has no results here"
        for key in said.claims:
            if board.chosen and places()[key][0] not in board.chosen:
                continue
            if key not in keys or tracker not in keys[key].provenance:
                yield f"{tracker}: claims figures of {key}, but has no results there"
    for section in board.sections:
        for tracker, said in board.contributions.items():
            if tracker in section.provenance:
                for complaint in _complaints(section, tracker, said):
                    yield f"{tracker} on {section.key}: {complaint}"


def _complaints(section: ReportSection, tracker: str, said: Contribution) -> Iterator[str]:
    """What is wrong with one tracker's results of one section."""
    own = section.scores.trackers.get(tracker) if section.scores else None
    if own is None:
        yield f"cannot be scored: {section.refused.get(tracker) or section.problem}"
        return
    if own.missing:
        yield f"{len(own.missing)} sequences are missing: {first_few(own.missing)}"
    if section.store is not None and (changed := section.store.changed_files(tracker)):
        yield f"{len(changed)} files changed since they were written: {first_few(changed)}"
    unsaid = set(section.provenance[tracker].flags) - set(
        tuned_flags(said, None, section.benchmark.name, "")
    )
    for flag in sorted(unsaid):
        yield f"run.json says {flag!r}, the contribution does not; state it there"
    claims = list(claims_of(said, section.key, section.scored, tracker))
    if not claims:
        yield f"no figure is claimed; add [claims.{section.key}.{section.benchmark.rule}]"
    for claim in claims:
        if not claim.holds:
            found = "no such score" if claim.found is None else f"{claim.found:.6f}"
            yield (
                f"{claim.measure}, convention {claim.convention}: claimed {claim.claimed}, "
                f"recomputed {found}"
            )
