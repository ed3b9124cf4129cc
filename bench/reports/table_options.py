"""What a person may choose about tables: one record for command line and Python."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from bench.errors import ConfigError, unknown_name
from bench.reports.plots.options import (
    labels_option,
    option,
    read_labels,
    read_name,
    read_names,
    read_width,
)


@dataclass(frozen=True)
class TableOptions:
    """Which rows and columns a table has, and how they are named and sorted.

    Attributes:
        ours: the row, or group of columns, in bold and last.
        labels: names as printed, by tracker.
        sort: the column to sort rows by, by heading or key; as they are if empty.
        notes: whether notes are printed beneath.
        width: of LaTeX, ``"column"``, ``"text"`` or centimetres; the narrowest that fits if empty.
        trackers: the only rows to show; all if empty.
        kind: whether a column says where a row is from; without it, all rows compete for the best.
        differences: whether scored minus printed has columns.
    """

    ours: str = option("", "This tracker: in bold, and last.", metavar="NAME")
    labels: Mapping[str, str] = labels_option()
    sort: str = option("", "Sort rows by this measure, the best first.", metavar="MEASURE")
    notes: bool = option(True, "Print notes under the tables.")
    width: str = option(
        "", "Of LaTeX: column (3.25 in), text (6.85 in) or centimetres.", metavar="WIDTH"
    )
    trackers: tuple[str, ...] = option(
        (), "Rows to show; repeatable or with commas.", flags="--tracker --trackers -t"
    )
    kind: bool = option(True, "Say in a column where each row is from.")
    differences: bool = option(True, "Show scored minus printed.")

    @property
    def label_of_ours(self) -> str:
        """Our tracker's name as printed."""
        return self.labels.get(self.ours, self.ours)


def read_table_options(values: Mapping[str, Any], where: str = "") -> TableOptions:
    """Options from the words of a command line or a call.

    Args:
        values: by name of the option.
        where: put before the option's name in errors.

    Raises:
        ConfigError: an option or a value is not known.
    """
    names = [each.name for each in fields(TableOptions)]
    read: dict[str, Any] = {}
    for name, value in values.items():
        if name not in names:
            raise unknown_name("option of tables", name, names)
        read[name] = _READERS[name](f"{where}{name}", value)
    return TableOptions(**read)


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise ConfigError(f"{name}: expected True or False, found {value!r}")
    return value


_READERS: Mapping[str, Any] = {
    "ours": read_name,
    "labels": read_labels,
    "sort": read_name,
    "notes": _flag,
    "width": read_width,
    "trackers": read_names,
    "kind": _flag,
    "differences": _flag,
}
