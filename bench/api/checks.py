"""Wrong arguments give the project's errors."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from bench.arrays import FloatArray
from bench.errors import ConfigError
from bench.sequence import Dataset, Sequence

Wanted = TypeVar("Wanted")


def require(value: object, kind: type[Wanted], what: str) -> Wanted:
    """``value`` itself if it is of the expected type.

    Raises:
        ConfigError: it is of another type.
    """
    if not isinstance(value, kind):
        raise ConfigError(f"{what}, found {_found(value)}")
    return value


def require_dataset(value: object) -> Dataset:
    """``value`` if it is a dataset; raises ConfigError."""
    return require(value, Dataset, "expected a dataset, as bench.load returns it")


def require_sequence(value: object) -> Sequence:
    """``value`` if it is a sequence; raises ConfigError."""
    return require(value, Sequence, "expected a sequence, e.g. bench.load(...)[0]")


def require_path(value: object, what: str) -> Path:
    """``value`` as a path; raises ConfigError."""
    if not isinstance(value, str | Path):
        raise ConfigError(f"{what}: expected a path (str or Path), found {_found(value)}")
    return Path(value).expanduser()


def as_boxes(result: object, sequence: Sequence) -> FloatArray:
    """``result`` as boxes ``(N, 4)``.

    Raises:
        ConfigError: it is something else.
    """
    try:
        boxes = np.asarray(result, dtype=np.float64)
    except (TypeError, ValueError):
        boxes = np.empty(0)
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ConfigError(
            f"result of {sequence.name}: expected boxes of shape (N, 4) or what bench.run "
            f"returned, found {type(result).__name__} of shape {boxes.shape}"
        )
    return boxes


def _found(value: Any) -> str:
    text = repr(value)
    kind = value.__name__ if isinstance(value, type) else type(value).__name__
    return f"{kind}: {text[:60]}{'...' if len(text) > 60 else ''}"
