"""The errors a user meets. Every message says what, where, expected, found and how to mend it.

* BenchError
  - DatasetError      a dataset is missing, partial or malformed
  - ResultError       a raw result file is missing or malformed, or provenance differs
  - ConfigError       an option, name or value is not known
  - TrackerError      a tracker could not be built, raised, hung or answered wrongly
  - SubmissionError   an archive for an evaluation server is not valid
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class BenchError(Exception):
    """Base of every error whose message is meant for the user."""


class DatasetError(BenchError):
    """A dataset is missing, partial or malformed."""


class ResultError(BenchError):
    """A raw result is missing or malformed, or was made by something else."""


class ConfigError(BenchError):
    """An option, name or value is not known."""


class TrackerError(BenchError):
    """A tracker could not be built, raised, hung or answered wrongly."""


class SubmissionError(BenchError):
    """An archive for an evaluation server is not valid."""


def unknown_name(kind: str, name: str, known: Iterable[str]) -> ConfigError:
    """The error for a name that is not known: lists the known ones and the nearest.

    Args:
        kind: what the name should have named, e.g. ``"tracker"``.
        name: the name as given.
        known: every name that would have been accepted.
    """
    names = sorted(known)
    lowered = {candidate.lower(): candidate for candidate in names}
    nearest = difflib.get_close_matches(name.lower(), lowered, n=1)
    hint = f" Did you mean {lowered[nearest[0]]!r}?" if nearest else ""
    return ConfigError(f"unknown {kind} {name!r}.{hint} Known: {', '.join(names) or 'none'}.")
