"""Scores of checkpoints as recorded, to say whether a score is what is expected."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.errors import ConfigError
from bench.published.papers import FOLDER, expected_of
from bench.results.record import RunRecord

RECORDED = FOLDER / "expected.csv"
_COLUMNS = ("checkpoint", "weights_sha256", "benchmark", "measure", "value", "tolerance", "source")


@dataclass(frozen=True)
class Expected:
    """A recorded score beside a found one.

    Attributes:
        label: of the results.
        checkpoint: what was recorded: a name, or printed, released, re-run.
        measure: of the score.
        value, tolerance: as recorded; a tolerance of None where no spread is known.
        found: the score of the results.
        source: of the record.
    """

    label: str
    checkpoint: str
    measure: str
    value: float
    tolerance: float | None
    found: float
    source: str

    @property
    def verdict(self) -> str:
        """``"inside"`` or ``"outside"`` what is expected, or that no spread is recorded."""
        if self.tolerance is None:
            return "no spread recorded"
        off = abs(self.found - self.value)
        return "inside" if off <= self.tolerance + 1e-12 else "outside"


def expectations(
    label: str,
    record: RunRecord | None,
    benchmark: str,
    experiment: str,
    measures: Mapping[str, float],
    own: Path | None = None,
) -> list[Expected]:
    """Recorded scores of what results are of: printed, of released weights, of re-runs, one's own.

    A row fits results by the hash of their weights, else by the name that theirs begins with;
    ``*`` fits all. A row without a value is the tolerance of other people's figures.

    Args:
        label: of the results.
        record: of the run.
        benchmark: identifier.
        experiment: ``"onepass"``, or an experiment of the VOT challenge.
        measures: found, as fractions of 1.
        own: a file of the same columns as ``published/expected.csv``.

    Raises:
        ConfigError: the file cannot be read.
    """
    weights = record.provenance.get("weights_sha256") if record is not None else None
    rows = [
        row
        for row in (*(_rows(own) if own is not None else ()), *_rows(RECORDED))
        if row["benchmark"] == benchmark and _fits(row, label, weights)
    ]
    spread = {row["measure"]: row for row in reversed(rows) if not row["value"]}
    found = [
        Expected(
            label, row["checkpoint"], row["measure"], float(row["value"]),
            float(row["tolerance"]) if row["tolerance"] else None, measures[row["measure"]],
            row["source"],
        )
        for row in rows if row["value"] and row["measure"] in measures
    ]  # fmt: skip
    for known in expected_of(Path(label).name, benchmark, experiment):
        for measure, text in known.measures.items():
            if measure not in measures:
                continue
            row = spread.get(measure, {})
            tolerance = float(row["tolerance"]) if row else None
            source = f"{known.source}; tolerance: {row['source']}" if row else known.source
            found.append(
                Expected(
                    label, known.kind, measure, float(text), tolerance, measures[measure], source
                )
            )
    return found


def _fits(row: Mapping[str, str], label: str, weights: object) -> bool:
    if row["weights_sha256"] and weights:
        return row["weights_sha256"] == weights
    name = row["checkpoint"].lower()
    return name == "*" or Path(label).name.lower().startswith(name)


def _rows(path: Path) -> Iterator[Mapping[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                missing = [name for name in _COLUMNS if row.get(name) is None]
                if missing:
                    raise ValueError(f"no column {missing[0]!r}")
                if not row["value"] and not row["tolerance"]:
                    raise ValueError("a row with neither value nor tolerance")
                float(row["value"] or 0), float(row["tolerance"] or 0)
                yield row
    except (OSError, UnicodeError, ValueError) as error:
        raise ConfigError(
            f"{path}: expected a CSV file with the columns {', '.join(_COLUMNS)}; found {error}"
        ) from error
