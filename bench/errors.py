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
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_HERE = str(Path(__file__).resolve().parent)
_SHORT = 300  # characters of a foreign message that are shown


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
    """Error for an unknown name, with the known names and the nearest, or that it is part of.

    Args:
        kind: kind of thing named, e.g. ``"tracker"``.
        name: the unknown name.
        known: all accepted names.
    """
    names = sorted(known)
    lowered = {candidate.lower(): candidate for candidate in names}
    nearest = difflib.get_close_matches(name.lower(), lowered, n=1)
    hint = f" Did you mean {lowered[nearest[0]]!r}?" if nearest else ""
    if whole := next((each for each in names if name in map(str.strip, each.split(","))), None):
        hint = f" Did you mean {whole!r}? Quote a name that has commas: '\"{whole}\"'."
    return ConfigError(f"unknown {kind} {name!r}.{hint} Known: {', '.join(names) or 'none'}.")


def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of a JSON text as a dict, for ``object_pairs_hook``: no key may stand twice.

    Raises:
        ValueError: one does; JSON's reader would keep the last value without a word.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice[:80]!r} stands twice in one object")
    return found


def install_extra(name: str) -> str:
    """The command that installs one of the extras of ``setup.cfg``, from wherever this is.

    >>> install_extra("video")
    "pip install 'siamattn-bench[video]'"
    """
    return f"pip install 'siamattn-bench[{name}]'"


def printable(text: str, lines: bool = False) -> str:
    """Text that any terminal and any file takes.

    Control characters and lone surrogates are spelled as escapes, so that what a tracker or a
    file says cannot steer a terminal or break the encoding of a file.

    Args:
        text: any text.
        lines: keep line breaks and tabs.

    >>> printable("red\\x1b[31m")
    'red\\\\x1b[31m'
    """
    kept = "\n\t" if lines else ""
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() or c in kept else c.encode("unicode_escape").decode() for c in text
    )


def message_of(error: BaseException) -> str:
    """The message of an exception in one line, also where its ``str`` raises."""
    try:
        return printable(" ".join(str(error).split()))
    except Exception as problem:  # the class of a plug-in may do anything
        return f"(its message cannot be read: {type(problem).__name__})"


def describe(error: BaseException) -> str:
    """An exception in one line: type, message, and the line of the plug-in that raised it."""
    message = message_of(error)
    short = message if len(message) <= _SHORT else f"{message[:_SHORT]}..."
    raised = printable(f"{type(error).__name__}: {short}".removesuffix(": "))
    own = [call for call in traceback.extract_tb(error.__traceback__) if _is_own(call.filename)]
    if not own:
        return raised
    return f"{raised} ({printable(own[-1].filename)}:{own[-1].lineno})"


def _is_own(file: str) -> bool:
    """Whether a line is of a plug-in: neither installed, nor of this package or Python itself."""
    if file.startswith("<frozen") or file.startswith(_HERE):
        return False
    return "site-packages" not in Path(file).parts


def traceback_of(error: BaseException) -> str:
    """The traceback of an exception with those of its causes, also where its ``str`` raises."""
    try:
        return printable("".join(traceback.format_exception(error)), lines=True)
    except Exception:
        return f"{describe(error)}\n"
