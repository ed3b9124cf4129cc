"""Answers of foreign trackers as predictions: boxes, polygons, masks, dicts, and nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from bench.errors import TrackerError
from bench.tracker import Prediction, Region

SCORE_KEYS = ("best_score", "max_score", "conf_score", "score", "confidence",
    "object_presence_score")  # fmt: skip
"""Keys under which trackers that return a dict report their confidence, in order of preference."""
REGION_KEYS = ("polygon", "target_bbox", "bbox", "box", "segmentation", "mask")
"""Keys of the region in a dict from a tracker of no toolkit, in order of preference."""

_NUMBERS = "biuf"  # kinds of NumPy types that a region may have: no complex numbers, text or dates
_BOX, _POLYGON = 4, 6  # numbers of a box; least numbers of a polygon


def absent(score: float | None = None) -> Prediction:
    """The answer "the target is not visible"."""
    return Prediction(cast(Region, None), score)


def as_prediction(answer: Any, shape: tuple[int, ...] | None = None) -> Prediction:
    """A Prediction from a bare region; None and an empty mask mean that nothing is visible.

    Args:
        answer: an array, list or tuple: box, polygon or mask; a dict with one; OpenCV's pair of a
            truth and a box; or a pair of a region and a score. A Prediction is returned as it is.
        shape: height and width of the image, which tell a mask of numbers.

    Raises:
        TrackerError: the answer is not a region.
    """
    if isinstance(answer, Prediction):
        return answer
    if isinstance(answer, Mapping):
        return from_answer(answer, REGION_KEYS, shape)
    if isinstance(answer, tuple) and len(answer) == 2:
        first, second = answer
        if isinstance(first, bool | np.bool_):
            return as_prediction(second, shape) if first else absent()
        if np.size(_plain(first)) >= _BOX and np.size(_plain(second)) == 1:
            return from_answer({"box": first, "score": second}, ("box",), shape)
    region = as_region(answer, shape)
    return absent() if region is None else Prediction(region)


def from_answer(
    answer: Any, region_keys: tuple[str, ...], shape: tuple[int, ...] | None = None
) -> Prediction:
    """A Prediction from a dict, with the region under the first of ``region_keys`` it contains.

    None in place of the dict, or under the keys that it contains, means that nothing is visible.

    Raises:
        TrackerError: the answer is not a dict, or has none of the keys.
    """
    if answer is None:
        return absent()
    if not isinstance(answer, Mapping):
        raise TrackerError(f"expected a dict from track(), found {type(answer).__name__}")
    if not any(key in answer for key in region_keys):
        raise TrackerError(
            f"expected {' or '.join(map(repr, region_keys))} in the tracker's answer, "
            f"found {', '.join(map(repr, answer)) or 'an empty dict'}"
        )
    score = _score(answer)
    for key in region_keys:
        region = as_region(answer.get(key), shape)
        if region is not None:
            return Prediction(region, score)
    return absent(score)


def _score(answer: Mapping[str, Any]) -> float | None:
    """The confidence in a dict.

    Raises:
        TrackerError: it is not a number.
    """
    for key in SCORE_KEYS:
        if answer.get(key) is not None:
            values = _plain(answer[key])
            if values.size and values.dtype.kind in _NUMBERS:
                return float(values.ravel()[0])
            raise TrackerError(f"expected a number as {key!r}, found {_shown(answer[key])}")
    return None


def as_region(value: Any, shape: tuple[int, ...] | None = None) -> Region | None:
    """Box ``(4,)``, polygon ``(K, 2)`` or mask ``(H, W)`` from a foreign tracker's result.

    None, an empty array and a mask without a pixel are None.

    Raises:
        TrackerError: it is something else, or a mask of another size than the image.
    """
    if value is None:
        return None
    found = _plain(value)
    if found.dtype.kind not in _NUMBERS or (found.ndim == 0 and found.size):
        raise TrackerError(f"expected a box of four numbers, found {_shown(value)}")
    if not found.size:
        return None
    flat = found.squeeze()
    if flat.ndim == 2 and (flat.dtype == bool or flat.shape == shape):
        mask = _as_mask(flat, shape)
        return mask if mask.any() else None
    if flat.dtype == bool:
        raise TrackerError(f"expected a box or a mask (H, W), found truths {found.shape}")
    if flat.ndim == 1 and flat.size >= _POLYGON and flat.size % 2 == 0:
        return flat.astype(np.float64).reshape(-1, 2)  # x1, y1, x2, y2, .. as PySOT returns them
    if flat.ndim == 1 and flat.size == _BOX:
        return flat.astype(np.float64)
    return found.astype(np.float64)  # a polygon; anything else is refused like our own trackers'


def _plain(value: Any) -> NDArray[Any]:
    """A NumPy array; of type object, and no number, where ``value`` cannot be read as one."""
    nothing = np.array(None, dtype=object)
    try:
        if hasattr(value, "detach"):  # a PyTorch tensor, which may need a gradient or be on a GPU
            value = value.detach().cpu()
            if "bfloat16" in str(value.dtype):  # NumPy has none
                value = value.float()
        found = np.asarray(value)
        if found.dtype.kind == "O" and not any(isinstance(v, str) for v in found.ravel()):
            found = found.astype(np.float64)
    except Exception:  # foreign objects may raise anything when read as arrays
        return nothing
    return found


def _as_mask(found: NDArray[Any], shape: tuple[int, ...] | None) -> NDArray[np.bool_]:
    """A mask of truths, of 0 and positive whole numbers, or of probabilities."""
    if shape is not None and found.shape != shape:
        raise TrackerError(
            f"expected a mask as large as the image, {shape}, found one of {found.shape}"
        )
    if found.dtype.kind != "f":
        inside = found > 0
        values = found[inside]
        if values.size and values.min() != values.max():
            raise TrackerError(
                f"expected a mask of one object, found values from {values.min()} to "
                f"{values.max()}. Compare it with the target's, as in mask == 1."
            )
        return np.asarray(inside)
    if not (np.isfinite(found).all() and found.min() >= 0 and found.max() <= 1):
        raise TrackerError(
            "expected a mask of truths, of whole numbers, or of probabilities from 0 to 1, found "
            f"numbers from {found.min():g} to {found.max():g}"
        )
    return np.asarray(found > 0.5)


def _shown(value: Any) -> str:
    """The start of a value's text, also where the value cannot print itself."""
    try:
        return f"{value!r:.80}"
    except Exception:
        return f"a {type(value).__name__}"
