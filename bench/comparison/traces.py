"""Patterns of how two runs part: a single step under another setting, or a drift.

Until the first parting both runs have the same history, so the parting itself shows one step of
whatever differs. Noise differs from the first frame on, in centre and size, and leaves none of
these traces.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as List
from dataclasses import dataclass

import numpy as np

from bench.arrays import FloatArray
from bench.comparison.causes import Cause
from bench.comparison.pairs import Pair, Parting, parting_of

_MOST = 0.7
_FEWEST = 3  # sequences that a trace is asked of
_P_VALUE = 1e-4
_TINY = 0.01  # pixels
_TUNE = "Compare the options, and give those of this benchmark (--set NAME=VALUE)."


@dataclass(frozen=True)
class Step:
    """The first step in which two runs differ.

    Attributes:
        pair, parting: where.
        centre, size: greatest difference of the centre and of the size, in pixels.
    """

    pair: Pair
    parting: Parting
    centre: float
    size: float


def first_steps(pairs: List[Pair]) -> list[Step]:
    """The first differing steps where both runs have a box."""
    found = []
    for pair in pairs:
        parting = parting_of(pair)
        at = parting.any
        if at is None or at == 0 or not np.isfinite(parting.step):
            continue
        a, b = pair.a.boxes[at], pair.b.boxes[at]
        centre = np.abs(a[:2] + a[2:] / 2 - b[:2] - b[2:] / 2).max()
        found.append(Step(pair, parting, float(centre), float(np.abs(a[2:] - b[2:]).max())))
    return found


def hyper_parameters(pairs: List[Pair]) -> Cause | None:
    """Traces of another scale step, size smoothing, model update, window or penalty."""
    for trace in (_scale_steps, _size_only, _same_frame, _jumps, _activity):
        evidence = trace(pairs)
        if evidence:
            return Cause(
                "hyper-parameters", "other hyper-parameters of the tracker", evidence,
                weight=0.8, remedy=_TUNE,
                mutual=True,
            )  # fmt: skip
    return None


def _scale_steps(pairs: List[Pair]) -> str:
    """Sizes that change in steps of different ratios, or only in one of the runs."""
    steps = [(_scale_step(p.a.boxes, p.a.unit), _scale_step(p.b.boxes, p.b.unit)) for p in pairs]
    known = [(a, b) for a, b in steps if a is not None and b is not None and (a or b)]
    if len(known) < 2:
        return ""
    differ = [(a, b) for a, b in known if abs(a - b) > 0.05 * max(a, b)]
    if len(differ) < _MOST * len(known):
        return ""
    a, b = np.median(np.array(differ), axis=0)
    if a and b:
        return f"sizes change in steps of {np.exp(a):.4g} and {np.exp(b):.4g}"
    return f"sizes never change in one run, and in steps of {np.exp(max(a, b)):.4g} in the other"


def _scale_step(boxes: FloatArray, unit: float) -> float | None:
    """The one ratio by which the size changes, as a logarithm; 0 for none, None for many."""
    with np.errstate(all="ignore"):
        ratios = np.abs(np.diff(np.log(boxes[:, 2:].prod(axis=1)) / 2))
        fine = unit / np.nanmin(boxes[:, 2:]) if np.isfinite(boxes[:, 2:]).any() else np.inf
    ratios = ratios[np.isfinite(ratios)]
    if len(ratios) < 10 or fine > 1e-3:
        return None
    moved = ratios[ratios > max(2e-4, 3 * fine)]
    if not len(moved):
        return 0.0
    middle = float(np.median(moved))
    return middle if len(moved) >= 3 and (np.abs(moved / middle - 1) < 0.1).mean() > 0.7 else None


def _size_only(pairs: List[Pair]) -> str:
    """The first differing boxes share their centre: only the size was updated otherwise."""
    steps = first_steps(pairs)
    shown = [
        s for s in steps
        if s.centre <= max(s.pair.tolerance, 0.02 * s.size) and s.size > 2 * s.pair.tolerance
    ]  # fmt: skip
    if len(steps) < 2 or len(shown) < _MOST * len(steps):
        return ""
    return (
        f"on {len(shown)} of {len(steps)} sequences the first differing boxes have the same "
        "centre and another size: its smoothing differs (lr, penalty_k)"
    )


def _same_frame(pairs: List[Pair]) -> str:
    """All sequences part at the same tracked frame, after frames that are the same."""
    steps = first_steps(pairs)
    places = [step.parting.any or 0 for step in steps]
    if len(places) < _FEWEST or len(places) < _MOST * len(pairs):
        return ""
    common = max(set(places), key=places.count)
    if common < 2 or places.count(common) < 0.8 * len(places):
        return ""
    return (
        f"on {places.count(common)} of {len(places)} sequences the runs are the same up to frame "
        f"{common} and part at frame {common + 1}: the model is updated otherwise (learning rate, "
        "update interval)"
    )


def _jumps(pairs: List[Pair]) -> str:
    """The same to the last digit, then another place at once: another proposal was chosen."""
    steps = first_steps(pairs)
    shown = [s for s in steps if (s.parting.any or 0) >= 2 and s.centre > 0.02 * _side(s)]
    early = [s for s in steps if (s.parting.any or 0) <= 0.5 * s.parting.frames]
    if len(steps) < _FEWEST or len(shown) < _MOST * len(steps) or len(early) < 0.5 * len(steps):
        return ""
    if len(steps) < 0.6 * len(pairs):
        return ""
    return (
        f"on {len(shown)} of {len(steps)} sequences the runs are the same to the last digit, then "
        "at another place within one frame: another proposal was chosen (window influence, "
        "penalty_k)"
    )


def _side(step: Step) -> float:
    return float(np.sqrt(np.abs(step.pair.b.boxes[step.parting.any or 0, 2:].prod())))


def _activity(pairs: List[Pair]) -> str:
    """Sizes or centres that move more in one run than in the other, on almost all sequences."""
    from scipy.stats import wilcoxon

    if is_noise(pairs):
        return ""
    for word, measure in (("sizes change", _size_activity), ("centres move", _motion)):
        logs = [ratio for pair in pairs if (ratio := _log_ratio(pair, measure)) is not None]
        values = np.array(logs)
        if len(values) < 10 or abs(np.median(values)) < 0.2 or not values.any():
            continue
        if wilcoxon(values).pvalue < _P_VALUE and (
            (np.sign(values) == np.sign(np.median(values))).mean() >= 0.85
        ):
            factor = float(np.exp(np.median(values)))
            same = _part_together(pairs)
            if same:
                return (
                    f"{word} {factor:.2f} times as much in one run while both still follow the "
                    f"same target, over {len(values)} sequences (lr, window influence, penalty_k)"
                )
    return ""


def _part_together(pairs: List[Pair]) -> bool:
    """True if the first differing centres are within a fiftieth of the target, as of one tracker.

    Two trackers are further apart from the first tracked frame on.
    """
    begins = [step.centre / _side(step) for step in first_steps(pairs) if _side(step) > 0]
    fine = all(max(pair.a.unit, pair.b.unit) <= 0.1 for pair in pairs)
    return fine and bool(begins) and float(np.median(begins)) < 0.02


def _log_ratio(pair: Pair, measure: Callable[[FloatArray], float]) -> float | None:
    """Logarithm of a's activity over b's while they are together; None if there is too little."""
    parting = parting_of(pair)
    rows = min(pair.rows, 60) if parting.apart is None else min(parting.apart, 60)
    if rows < 10:
        return None
    active = [measure(track.boxes[:rows]) for track in (pair.a, pair.b)]
    if not all(np.isfinite(active)) or min(active) <= 1e-9:
        return None
    return float(np.log(active[0] / active[1]))


def _size_activity(boxes: FloatArray) -> float:
    with np.errstate(all="ignore"):
        return float(np.nanmean(np.abs(np.diff(np.log(boxes[:, 2:].prod(axis=1))))))


def _motion(boxes: FloatArray) -> float:
    steps = np.abs(np.diff(boxes[:, :2] + boxes[:, 2:] / 2, axis=0))
    return float(np.nanmean(steps)) if np.isfinite(steps).any() else float("nan")


def is_noise(pairs: List[Pair]) -> bool:
    """True if the differences of one frame tell nothing of those of the next, as in noise.

    A tracker goes on from where it is, so its differences last.
    """
    found = []
    for pair in pairs:
        rows = slice(1, pair.rows)
        off = pair.a.boxes[rows, :2] - pair.b.boxes[rows, :2]
        off = off[np.isfinite(off).all(axis=1)]
        if len(off) < 15 or not off.any():
            continue
        off = off - off.mean(axis=0)
        below = float((off**2).sum())
        if below:
            found.append(float((off[1:] * off[:-1]).sum()) / below)
    return bool(found) and float(np.median(found)) < 0.3


def _last_digits(pairs: List[Pair]) -> Cause | None:
    """Rows that differ by a unit of the last digit here and there, and nothing else."""
    shown = []
    for pair in pairs:
        off = pair.distance()
        if pair.a.unit != pair.b.unit or pair.a.unit > 0.01:
            return None
        if 0 < (off > 1e-9).mean() < 0.9 and (off <= pair.tolerance).all():
            shown.append(pair.name)
    if len(shown) < _MOST * len(pairs):
        return None
    return Cause(
        "precision",
        "another precision: device, threads, or library",
        f"on {len(shown)} of {len(pairs)} sequences some rows differ, and only in the last digit",
        weight=0.75,
        sequences=tuple(shown),
        remedy="Nothing: no score depends on it.",
        mutual=True,
    )


def drift(pairs: List[Pair]) -> Cause | None:
    """Differences that begin far below a pixel and grow, or flip a few late frames only."""
    found = _last_digits(pairs)
    if found is not None:
        return found
    if is_noise(pairs) and not _flips(pairs):
        return None
    steps = first_steps(pairs)
    growing = [s for s in steps if s.parting.step <= _TINY and _grows(s.pair)]
    if steps and len(growing) >= _MOST * len(steps):
        return Cause(
            "precision", "another precision: device, threads, or library",
            f"on {len(growing)} of {len(steps)} differing sequences the first difference is below "
            f"{_TINY} pixel and grows; {_far(pairs)} of {len(pairs)} part by more than a pixel",
            weight=0.75, sequences=tuple(s.pair.name for s in growing),
            remedy="Run both on the same device, with the same libraries and threads.",
        mutual=True,
        )  # fmt: skip
    return _late_flips(pairs)


def _grows(pair: Pair) -> bool:
    """True if the differences of the last third are far above those of the first, or late."""
    distance = pair.distance()
    first = int(np.argmax(distance > pair.tolerance))
    rest = distance[first:]
    rest = rest[np.isfinite(rest)]
    third = len(rest) // 3
    if third < 3:
        return False
    begin, end = float(np.median(rest[:third])), float(np.median(rest[-third:]))
    return end >= 4 * begin or begin <= 5 * _TINY


def _flips(pairs: List[Pair]) -> bool:
    """True if some differences are far above the usual one, as where another proposal wins."""
    ratios = []
    for pair in pairs:
        off = pair.distance()
        off = off[np.isfinite(off) & (off > pair.tolerance)]
        if len(off) >= 5:
            ratios.append(float(off.max() / np.median(off)))
    return bool(ratios) and float(np.median(ratios)) >= 8


def _far(pairs: List[Pair]) -> int:
    return sum(parting_of(pair).pixel is not None for pair in pairs)


def _late_flips(pairs: List[Pair]) -> Cause | None:
    """The same rows but for the late frames of a few sequences."""
    partings = [parting_of(pair) for pair in pairs]
    differ = [p for p in partings if p.any is not None]
    few = len(partings) < _FEWEST  # then the parting alone must tell
    if not differ or (len(differ) > 0.4 * len(partings) and not few):
        return None
    late = [p for p in differ if (p.any or 0) >= (0.6 if few else 0.4) * p.frames]
    if len(late) < _MOST * len(differ):
        return None
    names = ", ".join(f"{p.sequence} from frame {(p.any or 0) + 1}" for p in late[:5])
    return Cause(
        "precision", "another precision: device, threads, or library",
        f"{len(partings) - len(differ)} of {len(partings)} sequences are the same to the last "
        f"digit; the others part late ({names})", weight=0.7,
        sequences=tuple(p.sequence for p in late),
        remedy="Run both on the same device, with the same libraries and threads.",
        mutual=True,
    )  # fmt: skip


def colour_order(pairs: List[Pair]) -> Cause | None:
    """Sequences of grey frames are the same, those of colour part at once; needs the frames."""
    grey: list[Pair] = []
    coloured: list[Pair] = []
    for pair in pairs:
        is_grey = _is_grey(pair)
        if is_grey is not None:
            (grey if is_grey else coloured).append(pair)
    if not grey or len(coloured) < 2:
        return None
    parted = [p for p in coloured if (at := parting_of(p).any) is not None and at <= 3]
    same = [p for p in grey if parting_of(p).any is None]
    if len(same) < len(grey) or len(parted) < 0.8 * len(coloured):
        return None
    return Cause(
        "colour-order", "another order of colours: BGR for RGB, or grey",
        f"{len(same)} sequences of grey frames are the same to the last digit, and "
        f"{len(parted)} of {len(coloured)} in colour part within the first frames",
        weight=0.9, sequences=tuple(p.name for p in parted),
        remedy="Give the tracker the order it was trained on (--images rgb or bgr).",
        mutual=True,
    )  # fmt: skip


def _is_grey(pair: Pair) -> bool | None:
    """Whether the first frame has three equal channels; None without frames."""
    from bench.errors import DatasetError

    frames = pair.sequence.frames
    try:
        if frames is None or not len(frames):
            return None
        image = frames[0]
    except DatasetError:
        return None
    return bool((image[..., 0] == image[..., 2]).all() and (image[..., 0] == image[..., 1]).all())


DETECTORS = (colour_order, drift, hyper_parameters)
