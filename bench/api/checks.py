"""Wrong arguments give the project's errors."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from bench.arrays import FloatArray
from bench.errors import ConfigError
from bench.sequence import Dataset, Sequence

Wanted = TypeVar("Wanted")
_BOX = ("x", "y", "w", "h")


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
    """``result`` as boxes ``(N, 4)``: an array, a list, a tensor, or a data frame.

    Of a data frame the columns x, y, w and h count, or all four if they have no names. Masked
    values are NaN.

    Raises:
        ConfigError: it is something else.
    """
    columns = getattr(result, "columns", None)
    names = [] if columns is None else list(columns)
    if not all(isinstance(name, int) for name in names):
        if not set(_BOX) <= set(names):
            raise ConfigError(
                f"result of {sequence.name}: expected the columns {', '.join(_BOX)}, found "
                f"{', '.join(map(str, names))}"
            )
        result = cast(Any, result)[list(_BOX)]
    try:
        boxes = _numbers(result)
    except (TypeError, ValueError, RuntimeError):
        boxes = np.empty(0)
    if boxes.ndim != 2 or boxes.shape[1] != 4 or boxes.dtype.kind not in "biuf":
        raise ConfigError(
            f"result of {sequence.name}: expected boxes of shape (N, 4) or what bench.run "
            f"returned, found {type(result).__name__} of shape {boxes.shape}, {boxes.dtype}"
        )
    return boxes.astype(np.float64)


def _numbers(value: Any) -> NDArray[Any]:
    """An array of numbers, where ``value`` can be read as one."""
    if hasattr(value, "detach"):  # a PyTorch tensor: with a gradient, on a GPU, or of bfloat16
        value = value.detach().cpu().double()
    if np.ma.isMaskedArray(value):
        value = np.ma.filled(value.astype(np.float64), np.nan)
    found = np.asarray(value)
    return found.astype(np.float64) if found.dtype.kind == "O" else found


def _found(value: Any) -> str:
    text = repr(value)
    kind = value.__name__ if isinstance(value, type) else type(value).__name__
    return f"{kind}: {text[:60]}{'...' if len(text) > 60 else ''}"
