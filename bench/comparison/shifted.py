"""Patterns of frames: shifted, dropped, missing, or started elsewhere."""

from __future__ import annotations

from collections.abc import Sequence as List

import numpy as np

from bench.arrays import FloatArray
from bench.comparison.causes import Cause
from bench.comparison.pairs import Pair
from bench.comparison.traces import is_noise

_LAGS = tuple(k for k in range(-6, 7) if k)
_FAR = 12  # rows of the annotation that a later start may be found in
_NEAR = 0.02  # pixels within which a first box is the annotation's
_OTHER = 0.4  # pixels by which another annotation differs at least
_BIASED = 5  # tracked frames that tell of a biased start
_SCALE_STEP = 0.03  # by which a size may differ in them


def _centres(boxes: FloatArray) -> FloatArray:
    centres: FloatArray = boxes[:, :2] + boxes[:, 2:] / 2
    return centres


def _lag_cost(a: FloatArray, b: FloatArray, lag: int) -> FloatArray:
    """``(N,)`` distance of a's centres to b's ``lag`` frames later; NaN where there is none."""
    cost = np.full(len(a), np.nan)
    frames = np.arange(len(a))
    inside = (frames + lag >= 0) & (frames + lag < len(b)) & (frames > 0)
    cost[inside] = np.abs(a[inside] - b[frames[inside] + lag]).max(axis=1)
    return cost


def _moving(pair: Pair) -> bool:
    """True if the reference moves enough for a lag to show."""
    steps = np.abs(np.diff(_centres(pair.b.boxes), axis=0)).max(axis=1)
    steps = steps[np.isfinite(steps)]
    return bool(len(steps) >= 15 and np.median(steps) > max(0.25, 1.5 * pair.tolerance))


def _best_lag(pair: Pair) -> int:
    """The lag at which a's centres are clearly nearer to b's; 0 for none."""
    a, b = _centres(pair.a.boxes), _centres(pair.b.boxes)
    now = _median(_lag_cost(a, b, 0))
    if now <= max(0.3, 1.5 * pair.tolerance):
        return 0
    costs = {lag: _median(_lag_cost(a, b, lag)) for lag in _LAGS}
    best = min(costs, key=lambda lag: costs[lag])
    return best if costs[best] <= 0.4 * now else 0


def _median(values: FloatArray) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) >= 10 else np.inf


def shifted(pairs: List[Pair]) -> Cause | None:
    """One lag for whole sequences."""
    moving = [pair for pair in pairs if _moving(pair)]
    lags = {pair.name: _best_lag(pair) for pair in moving}
    found = [lag for lag in lags.values() if lag]
    if not found:
        return None
    lag = max(set(found), key=found.count)
    shown = tuple(name for name, one in lags.items() if one == lag)
    if len(shown) < 0.7 * len(moving):
        return None
    missing = _begins_later([p for p in pairs if p.name in shown], lag)
    word = "ahead" if lag > 0 else "behind"
    evidence = (
        f"on {len(shown)} of {len(moving)} sequences that move, the centres fit the other run's "
        f"{abs(lag)} frame(s) {word}, at most 0.4 of the distance frame by frame"
    )
    if missing:
        return Cause(
            "first-frame-missing", f"the first {lag} frame(s) are missing",
            f"{evidence}; {missing}", weight=0.96, sequences=shown,
            remedy="Start on the first annotated frame, and write a row for it.",
            remade=lambda pair: _later(pair, lag),
        )  # fmt: skip
    return Cause(
        "frames-shifted", f"frames shifted by {lag:+d}", evidence, weight=0.93, sequences=shown,
        remedy="Compare which image is read for which row of annotation.",
        remade=lambda pair: _later(pair, lag),
    )  # fmt: skip


def _later(pair: Pair, lag: int) -> FloatArray:
    """b's rows, each taken ``lag`` frames later, the ends repeated; the first row stays."""
    places = np.clip(np.arange(len(pair.b)) + lag, 0, len(pair.b) - 1)
    rows = pair.b.boxes[places]
    rows[0] = pair.b.boxes[0]
    return rows


def _begins_later(pairs: List[Pair], lag: int) -> str:
    """What tells that a was started ``lag`` frames later: its first box, or a row too few."""
    if lag <= 0:
        return ""
    short = sum(p.a.given == p.b.given - lag for p in pairs)
    if short >= 0.7 * len(pairs):
        return f"{short} results are {lag} row(s) short"
    known = [p for p in pairs if len(p.truth) > lag and np.isfinite(p.a.boxes[0]).all()]
    fits = sum(
        bool((np.abs(p.a.boxes[0] - p.truth[lag]) <= _NEAR).all()
             and (np.abs(p.truth[0] - p.truth[lag]) > _NEAR).any())
        for p in known
    )  # fmt: skip
    return (
        f"{fits} first boxes are the annotation's of frame {lag + 1}"
        if (known and fits >= 0.7 * len(known))
        else ""
    )


def dropped(pairs: List[Pair]) -> Cause | None:
    """A lag that begins, or grows, in the middle of a sequence; or rows that are repeated."""
    moving = [pair for pair in pairs if _moving(pair)]
    breaks = {pair.name: _break(pair) for pair in moving}
    shown = {name: at for name, at in breaks.items() if at is not None}
    if moving and len(shown) >= 0.6 * len(moving):
        name, at = next(iter(shown.items()))
        return Cause(
            "frames-dropped", "frames are missing in the middle",
            f"on {len(shown)} of {len(moving)} sequences that move the centres agree frame by "
            f"frame, then fit later frames of the other run (from frame {at + 1} of {name})",
            weight=0.92, sequences=tuple(shown),
            remedy="Compare the lists of frames; `bench check` names those that are missing.",
        )  # fmt: skip
    repeating = {pair.name: _repeats(pair) for pair in moving}
    shown_rows = {name: share for name, share in repeating.items() if share > 0.08}
    if moving and len(shown_rows) >= 0.7 * len(moving):
        share = float(np.median(list(shown_rows.values())))
        return Cause(
            "frames-dropped", "frames that were not tracked repeat the box before",
            f"on {len(shown_rows)} of {len(moving)} sequences that move, about {share:.0%} of the "
            "rows equal the row before, and the other run's do not", weight=0.9,
            sequences=tuple(shown_rows), remedy="Run the tracker on every frame.",
        )  # fmt: skip
    return None


def _break(pair: Pair) -> int | None:
    """The frame from which a fits later (or earlier) frames of b, None if there is none."""
    a, b = _centres(pair.a.boxes), _centres(pair.b.boxes)
    if len(a) < 24:
        return None
    now = _lag_cost(a, b, 0)
    for lag in _LAGS:
        then = _lag_cost(a, b, lag)
        gain = np.where(np.isfinite(now) & np.isfinite(then), now - then, 0.0)
        gain = np.clip(gain, -5, 5)
        after = np.cumsum(gain[::-1])[::-1]
        at = int(np.argmax(after))
        if at < 5 or len(a) - at < 12:
            continue
        before = _median(now[:at]) if at >= 11 else float(np.nanmedian(now[1:at]))
        if (
            before <= max(0.3, 1.5 * pair.tolerance)
            and _median(then[at:]) <= 0.4 * _median(now[at:])
            and _median(now[at:]) > max(0.3, 1.5 * pair.tolerance)
            and np.isfinite(_median(now[at:]))
        ):
            return at
    return None


def _repeats(pair: Pair) -> float:
    """By how much more of a's rows than of b's equal the row before."""
    shares = [
        float((np.abs(np.diff(track.boxes[1:], axis=0)).max(axis=1) == 0).mean())
        for track in (pair.a, pair.b)
    ]
    return shares[0] - shares[1]


def started_elsewhere(pairs: List[Pair]) -> Cause | None:
    """First boxes that are not the annotation's, where the other run's are."""
    told = [p for p in pairs if _first_known(p)]
    off = [p for p in told if _off(p)]
    if not off:
        return None
    shifts = np.array([p.a.boxes[0] - p.truth[0] for p in off])
    for name, by, words in (("one-based", 1.0, "a pixel"), ("half-pixel", 0.5, "half a pixel")):
        fits = [
            p for p, s in zip(off, shifts, strict=True)
            if np.allclose(np.abs(s[:2]), by, atol=_NEAR) and s[0] * s[1] > 0
            and np.allclose(s[2:], 0, atol=_NEAR)
        ]  # fmt: skip
        if len(fits) >= 0.8 * len(told):
            return Cause(
                name, f"the first box is {words} off in x and y",
                f"{len(fits)} of {len(told)} first boxes are the annotation's but for {words}",
                weight=0.94, sequences=tuple(p.name for p in fits),
                remedy="Start the tracker on the box as it is annotated, in 0-based pixels.",
            )  # fmt: skip
    later = {p.name: k for p in off if (k := _row_of(p)) is not None}
    if later and len(later) >= 0.6 * len(told) and len(set(later.values())) == 1:
        k = next(iter(later.values()))
        return Cause(
            "first-frame-missing", f"the first {k} frame(s) are missing",
            f"{len(later)} of {len(told)} first boxes are the annotation's of frame {k + 1}",
            weight=0.94, sequences=tuple(later),
            remedy="Start on the first annotated frame, and write a row for it.",
        )  # fmt: skip
    off = [p for p, shift in zip(off, shifts, strict=True) if np.abs(shift).max() >= _OTHER]
    if not off or is_noise(pairs):
        return None
    side = np.median([np.sqrt(p.truth[0, 2:].prod()) for p in off])
    near = np.median(np.abs(shifts).max(axis=1)) < max(2, side / 20)
    if len(off) > 0.5 * len(told) and near:
        return None  # a first box with noise is not an annotation
    names = ", ".join(p.name for p in off[:5])
    return Cause(
        "ground-truth", "started on another annotation",
        f"the first boxes of {len(off)} of {len(told)} sequences ({names}) are not the "
        "annotation's, and the other run's are", weight=0.85 if len(off) < len(told) else 0.8,
        sequences=tuple(p.name for p in off),
        remedy="Compare the annotation with `bench check --fingerprint`.",
    )  # fmt: skip


def _first_known(pair: Pair) -> bool:
    """True where b starts on the annotation's first box, and a has a box there."""
    first_a, first_b = pair.a.boxes[0], pair.b.boxes[0]
    if not (np.isfinite(first_a).all() and np.isfinite(first_b).all()):
        return False
    return bool((np.abs(first_b - pair.truth[0]) <= max(_NEAR, pair.b.unit * 0.51)).all())


def _off(pair: Pair) -> bool:
    whole = np.allclose(pair.a.boxes[0], np.rint(pair.a.boxes[0]))  # may be rounded
    limit = 0.51 if whole and not np.allclose(pair.truth[0], np.rint(pair.truth[0])) else _NEAR
    return bool((np.abs(pair.a.boxes[0] - pair.truth[0]) > max(limit, pair.a.unit * 0.51)).any())


def _row_of(pair: Pair) -> int | None:
    """The row of the annotation, after the first, that a starts on."""
    rows = pair.truth[1 : _FAR + 1]
    fits = np.flatnonzero((np.abs(rows - pair.a.boxes[0]) <= _NEAR).all(axis=1))
    return int(fits[0]) + 1 if len(fits) else None


def biased_start(pairs: List[Pair]) -> Cause | None:
    """Centres that are off by the same half or whole pixel in the first tracked frames."""
    offsets = {pair.name: early for pair in pairs if (early := _early_offsets(pair)) is not None}
    if not offsets:
        return None
    for name, by, within in (("half-pixel", 0.5, 0.2), ("one-based", 1.0, 0.25)):
        for sign in (1, -1):
            shown = [one for one, early in offsets.items() if _is_off(early, sign * by, within)]
            steady = [one for one in shown if _steady(offsets[one], sign * by, within)]
            if len(shown) < 0.7 * len(offsets) or (len(shown) < 3 and len(steady) < len(offsets)):
                continue
            return Cause(
                name,
                f"started {by:g} pixel apart in x and y",
                f"in the first tracked frames of {len(shown)} of {len(offsets)} sequences A's "
                f"centres are {sign * by:+g} pixel beside B's in x and y, and sizes agree",
                weight=0.88,
                sequences=tuple(shown),
                remedy="Start the tracker on the box as it is annotated, in 0-based pixels.",
                mutual=True,
            )
    return None


def _early_offsets(pair: Pair) -> FloatArray | None:
    """``(K, 3)`` of the first tracked frames: offset of the centre, and change of the size.

    The last is relative to the size; a step of the tracker's scale is allowed for.
    """
    rows = slice(1, min(pair.rows, _BIASED + 1))
    difference = pair.a.boxes[rows] - pair.b.boxes[rows]
    with np.errstate(all="ignore"):
        size = np.abs(difference[:, 2:] / pair.b.boxes[rows, 2:]).max(axis=1, keepdims=True)
    found = np.concatenate([difference[:, :2] + difference[:, 2:] / 2, size], axis=1)
    found = found[np.isfinite(found).all(axis=1)]
    return found if len(found) >= 3 else None


def _is_off(early: FloatArray, by: float, within: float) -> bool:
    """True if the centre is off by so much in the median, and the size is not."""
    x, y, size = np.median(early[:3], axis=0)
    return bool(max(abs(x - by), abs(y - by)) <= within and size <= _SCALE_STEP)


def _steady(early: FloatArray, by: float, within: float) -> bool:
    """True if almost every frame shows it."""
    return bool((np.abs(early[:, :2] - by).max(axis=1) <= within).mean() >= 0.8)


def other_rows(pairs: List[Pair]) -> Cause | None:
    """Results of another number of rows: another range of frames, or one row missing."""
    off = [pair for pair in pairs if pair.a.given != len(pair.truth) == pair.b.given]
    if not off:
        return None
    short = [p for p in off if 0 < len(p.truth) - p.a.given <= _FAR and _tail_fits(p)]
    if len(short) >= 0.7 * len(pairs):
        k = len(short[0].truth) - short[0].a.given
        return Cause(
            "first-frame-missing", f"the first {k} frame(s) are missing",
            f"{len(short)} of {len(pairs)} results are short, and their rows are the other run's "
            f"from frame {k + 1} on", weight=0.97, sequences=tuple(p.name for p in short),
            remedy="Write a row for every annotated frame, the first included.",
        )  # fmt: skip
    counts = ", ".join(f"{p.name} {p.a.given} for {len(p.truth)}" for p in off[:5])
    few = len(off) <= 0.5 * len(pairs) and not all(map(_begins_alike, off))
    return Cause(
        "ground-truth" if few else "frames-dropped",
        "another range of frames" if few else "rows are missing",
        f"{len(off)} of {len(pairs)} results have another number of rows than the annotation "
        f"({counts})", weight=0.9, sequences=tuple(p.name for p in off),
        remedy="Compare the annotation with `bench check --fingerprint`.",
    )  # fmt: skip


def _begins_alike(pair: Pair) -> bool:
    """True if the first rows of both are the same box, near enough."""
    off = np.abs(pair.a.boxes[:5] - pair.b.boxes[:5])
    return bool(np.isfinite(off).all() and np.median(off) <= 1)


def _tail_fits(pair: Pair) -> bool:
    """True if a's rows fit b's last rows better than b's first ones, from the beginning on."""
    k = len(pair.b) - pair.a.given
    a, b = _centres(pair.a.boxes[-pair.a.given :]), _centres(pair.b.boxes)
    last = float(np.nanmedian(np.abs(a - b[k:]).max(axis=1)))
    first = float(np.nanmedian(np.abs(a - b[: len(a)]).max(axis=1)))
    begins_alike = bool(np.abs(a[0] - b[0]).max() <= _NEAR < np.abs(b[k] - b[0]).max())
    return last < first and not begins_alike


DETECTORS = (other_rows, started_elsewhere, shifted, dropped, biased_start)
