"""User-facing errors. Every message says what, where, expected, found and how to fix it.

* BenchError
  - DatasetError      a dataset is missing, partial or malformed
  - ResultError       a raw result is missing or malformed, or its provenance differs
  - ConfigError       an option, name or value is unknown
  - TrackerError      a tracker could not be built, raised, hung or returned a bad prediction
  - SubmissionError   an archive for an evaluation server is invalid
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class BenchError(Exception):
    """Base class of errors whose message is meant for the user."""


class DatasetError(BenchError):
    """A dataset is missing, partial or malformed."""


class ResultError(BenchError):
    """A raw result is missing or malformed, or its provenance differs."""


class ConfigError(BenchError):
    """An option, name or value is unknown."""


class TrackerError(BenchError):
    """A tracker could not be built, raised, hung or returned a bad prediction."""


class SubmissionError(BenchError):
    """An archive for an evaluation server is invalid."""


def unknown_name(kind: str, name: str, known: Iterable[str]) -> ConfigError:
    """Error for an unknown name, with the known names and the nearest one.

    Args:
        kind: kind of thing named, e.g. ``"tracker"``.
        name: the unknown name.
        known: all accepted names.
    """
    names = sorted(known)
    lowered = {candidate.lower(): candidate for candidate in names}
    nearest = difflib.get_close_matches(name.lower(), lowered, n=1)
    hint = f" Did you mean {lowered[nearest[0]]!r}?" if nearest else ""
    return ConfigError(f"unknown {kind} {name!r}.{hint} Known: {', '.join(names) or 'none'}.")
