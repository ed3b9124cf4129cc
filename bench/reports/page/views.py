"""Sections and sequences as plain data for the scripts to draw."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bench.arrays import FloatArray
from bench.errors import DatasetError
from bench.evaluation.along import Track
from bench.geometry import EMPTY, has_pixels, outlines
from bench.measures.catalogue import Measure, curve_measures, get_measure
from bench.reports.page.encoding import (
    OVERLAP_STEPS,
    PIXEL_STEPS,
    pack,
    rounded,
    short_runs,
    spans,
)
from bench.reports.palette import DASHES, SYMBOLS, Look
from bench.reports.score_table import columns_of, ranked, ranking_measure, share_of
from bench.reports.section import ReportSection
from bench.scores import BenchmarkScores
from bench.sequence import Sequence

Plain = dict[str, Any]
Values = Mapping[str, Mapping[str, Mapping[str, float]]]  # by tracker, row and measure


def section_data(
    section: ReportSection, scores: BenchmarkScores, looks: Mapping[str, Look], files: list[str]
) -> Plain:
    """Curves, and numbers by sequence and by attribute.

    Args:
        section: the benchmark or experiment.
        scores: its scores.
        looks: of every tracker.
        files: name of the page of each sequence.
    """
    names = ranked(scores)
    return {
        "trackers": [
            {"name": name, "share": share_of(scores, scores.trackers[name]), **_look(looks[name])}
            for name in names
        ],
        "columns": _columns(scores),
        "groups": _groups(scores, names),
        "sequences": _sequences(section, scores, names, files),
        "curves": _curves(scores, names),
        "points": _points(scores, names),
    }


def _look(look: Look) -> Plain:
    return {
        "color": look.hex,
        "dash": look.dash,
        "strokes": DASHES[look.dash],
        "symbol": SYMBOLS[look.marker],
    }


def _columns(scores: BenchmarkScores) -> list[Plain]:
    """The measures to choose from; fractions of 1 of which more is better are shaded."""
    return [
        {
            "key": column.key,
            "label": column.heading,
            "decimals": column.decimals,
            "lower": column.better == "lower",
            "shaded": column.better == "higher" and not get_measure(column.key).unit,
        }
        for column in columns_of(scores)
    ]


def _groups(scores: BenchmarkScores, names: list[str]) -> Plain:
    kind, unit, every = groups_of(scores)
    tables = {name: every[name] for name in names}
    groups = list(dict.fromkeys(group for table in tables.values() for group in table))
    counts = {g: max(int(t[g][unit]) for t in tables.values() if g in t) for g in groups}
    return {
        "kind": kind,
        "unit": unit,
        "rows": [{"name": words(group), "count": counts[group]} for group in groups],
        "values": _values(scores, groups, tables),
    }


def groups_of(scores: BenchmarkScores) -> tuple[str, str, Values]:
    """Measures by attribute, or by tag of frames: which of the two, its unit, the numbers."""
    trackers = scores.trackers.items()
    if any(tracker.per_tag for _, tracker in trackers):
        return "tag", "frames", {name: tracker.per_tag for name, tracker in trackers}
    return "attribute", "sequences", {name: each.per_attribute for name, each in trackers}


def words(group: str) -> str:
    """The name of an attribute or a tag as printed.

    >>> words("camera_motion"), words("OCC")
    ('camera motion', 'OCC')
    """
    return group.replace("_", " ")


def _sequences(
    section: ReportSection, scores: BenchmarkScores, names: list[str], files: list[str]
) -> Plain:
    tables = {name: scores.trackers[name].per_sequence for name in names}
    rows = [
        {"name": sequence.name, "count": len(sequence), "href": f"{section.key}/{file}.html"}
        for sequence, file in zip(section.sequences, files, strict=True)
    ]
    values = _values(scores, [sequence.name for sequence in section.sequences], tables)
    return {"kind": "sequence", "unit": "frames", "rows": rows, "values": values}


def _values(scores: BenchmarkScores, rows: list[str], tables: Values) -> Plain:
    """By measure, for each row a number per tracker."""
    found = {}
    for column in columns_of(scores):
        numbers = [
            [rounded(table.get(row, {}).get(column.key)) for table in tables.values()]
            for row in rows
        ]
        if any(value is not None for row in numbers for value in row):
            found[column.key] = numbers
    return found


def _curves(scores: BenchmarkScores, names: list[str]) -> list[Plain]:
    """The curve behind every measure of the catalogue that has one."""
    found = []
    for measure, axis in curve_measures():
        lines = [scores.trackers[name].curves.get(axis.curve, ()) for name in names]
        if any(lines):
            found.append(
                {
                    "title": axis.title,
                    "x": [rounded(x) for x in scores.thresholds[axis.curve]],
                    "xTitle": axis.x,
                    "lines": [[rounded(y) for y in line] for line in lines],
                    "scores": [_value(scores, name, measure) for name in names],
                    "shaded": scores.interval if measure.name == "eao" else None,
                }
            )
    return found


def _points(scores: BenchmarkScores, names: list[str]) -> list[Plain]:
    """Plots of one measure against another."""
    reliability, accuracy, speed = map(get_measure, ("reliability", "accuracy", "fps"))
    found = []
    for x, y in ((reliability, accuracy), (speed, ranking_measure(scores))):
        places = [[_value(scores, name, x), _value(scores, name, y)] for name in names]
        if any(None not in place for place in places):
            found.append(
                {
                    "title": f"{y.title} against {x.title.lower()}",
                    "xTitle": _axis_title(x),
                    "yTitle": _axis_title(y),
                    "places": places,
                    "log": x is speed,
                }
            )
    return found


def _axis_title(measure: Measure) -> str:
    return f"{measure.title} ({measure.unit})" if measure.unit else measure.title


def _value(scores: BenchmarkScores, name: str, measure: Measure) -> float | None:
    return rounded(scores.trackers[name].measures.get(measure.name))


def sequence_data(
    section: ReportSection, sequence: Sequence, tracks: list[Track], looks: Mapping[str, Look]
) -> Plain:
    """Everything that the page of a sequence draws."""
    return {
        "frames": len(sequence),
        "first": sequence.first_frame,
        "size": stage_size(sequence),
        "overlapSteps": OVERLAP_STEPS,
        "pixelSteps": PIXEL_STEPS,
        "resets": section.resets,
        "truth": _packed(outlines(sequence.regions, sequence.index_base)),
        "absent": [] if sequence.absent is None else spans(sequence.absent),
        "tags": {
            words(name): spans(flags) for name, flags in sequence.tags.items() if flags.any()
        },
        "tracks": [_track(track, looks[track.tracker]) for track in tracks],
    }


def _track(track: Track, look: Look) -> Plain:
    plain = {"name": track.tracker, **_look(look)}
    if track.problem is not None:
        return {**plain, "problem": track.problem}
    known = not np.isnan(track.overlap).all()
    return {
        **plain,
        "overlap": pack(track.overlap[:, None], OVERLAP_STEPS) if known else None,
        "regions": _packed(track.regions),
        "failures": track.failures,
        "starts": track.starts,
        "absent": spans(track.absent),
        "masks": _packed_masks(track),
    }


def _packed_masks(track: Track) -> Plain | None:
    """The masks that replace regions: how many numbers each has, and all numbers in a row."""
    known = np.isfinite(track.regions[:, 0]).tolist()
    shown = [
        short_runs(mask) if here and mask is not None and has_pixels(mask) else EMPTY[:0]
        for here, mask in zip(known, track.masks, strict=False)
    ]
    counts = np.array(list(map(len, shown)), dtype=np.float64)
    if not counts.any():
        return None
    numbers = np.concatenate(shown).astype(np.float64)
    return {"counts": pack(counts[:, None], 1), "numbers": pack(numbers[:, None], 1)}


def _packed(regions: FloatArray) -> Plain:
    return {"width": regions.shape[1], "packed": pack(regions, PIXEL_STEPS)}


def stage_size(sequence: Sequence) -> tuple[int, int]:
    """(width, height) of the frames in pixels, or room for the ground truth and a tenth more.

    Reads the first frame if the annotation does not state the size.
    """
    if sequence.size is not None:
        return sequence.size
    if sequence.frames is not None and len(sequence.frames):
        try:
            height, width = sequence.frames[0].shape[:2]
        except DatasetError:  # `bench check` reports it; the page shows regions alone
            pass
        else:
            return width, height
    truth = outlines(sequence.regions, sequence.index_base)
    corners = truth[:, :2] + truth[:, 2:] if truth.shape[1] == 4 else truth
    known = np.nan_to_num(corners.reshape(-1, 2), nan=0.0, posinf=0.0, neginf=0.0)
    width, height = (round(side * 1.1) for side in known.max(axis=0, initial=1).tolist())
    return max(64, width), max(64, height)
