"""Studies and sequences as plain data, for the scripts to draw."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bench.arrays import FloatArray
from bench.reports.page.encoding import OVERLAP_STEPS, PIXEL_STEPS, pack, rounded, spans
from bench.reports.page.rows import Style, columns_of
from bench.reports.page.timeline import Track, frame_count, outlines
from bench.reports.study import Study
from bench.scores import TrackerScores
from bench.sequence import Sequence

Plain = dict[str, Any]
_CURVES = {
    "success": ("Success", "Overlap threshold", "success"),
    "precision": ("Precision", "Distance of centres (pixels)", "precision"),
    "normalized_precision": (
        "Normalised precision", "Distance of centres (sizes of the target)",
        "normalized_precision",
    ),
    "expected_overlap": ("Expected overlap", "Length of sequence (frames)", "eao"),
}  # fmt: skip


def study_data(study: Study, styles: Mapping[str, Style], files: list[str]) -> Plain:
    """What the page of a study draws: curves, and numbers by sequence and by attribute.

    Args:
        study: with scores.
        styles: of every tracker.
        files: name of the page of each sequence.
    """
    scored = [name for name in study.trackers if study.tracker_scores(name)]
    trackers = [
        {"name": name, "color": styles[name].colour, "dash": styles[name].dash,
         "partial": study.is_partial(name)}
        for name in scored
    ]  # fmt: skip
    return {
        "trackers": trackers,
        "columns": [vars(column) for column in columns_of(study)],
        "groups": _groups(study, scored),
        "sequences": _sequence_table(study, scored, files),
        "curves": _curves(study, scored),
        "points": _points(study, scored),
    }


def _groups(study: Study, scored: list[str]) -> Plain:
    """Measures by attribute, or by tag of frames."""
    parts = {name: _scores(study, name) for name in scored}
    tagged = any(part.per_tag for part in parts.values())
    tables = {name: p.per_tag if tagged else p.per_attribute for name, p in parts.items()}
    unit = "frames" if tagged else "sequences"
    names = list(dict.fromkeys(group for table in tables.values() for group in table))
    counts = {g: max(int(t[g][unit]) for t in tables.values() if g in t) for g in names}
    return {
        "kind": "tag" if tagged else "attribute",
        "unit": unit,
        "rows": [{"name": name, "count": counts[name]} for name in names],
        "values": _values(study, names, tables, scored),
    }


def _sequence_table(study: Study, scored: list[str], files: list[str]) -> Plain:
    tables = {name: _scores(study, name).per_sequence for name in scored}
    names = [sequence.name for sequence in study.sequences]
    rows = [
        {"name": sequence.name, "count": frame_count(sequence), "href": f"{study.key}/{file}.html"}
        for sequence, file in zip(study.sequences, files, strict=True)
    ]
    values = _values(study, names, tables, scored)
    return {"kind": "sequence", "unit": "frames", "rows": rows, "values": values}


def _values(
    study: Study,
    names: list[str],
    tables: Mapping[str, Mapping[str, Mapping[str, float]]],
    scored: list[str],
) -> Plain:
    """By measure, a row for each name with a number for each tracker."""
    found = {}
    for column in columns_of(study):
        rows = [
            [rounded(tables[t].get(name, {}).get(column.key)) for t in scored] for name in names
        ]
        if any(value is not None for row in rows for value in row):
            found[column.key] = rows
    return found


def _scores(study: Study, name: str) -> TrackerScores:
    scores = study.tracker_scores(name)
    if scores is None:
        raise ValueError(f"{name} has no scores")
    return scores


def _curves(study: Study, scored: list[str]) -> list[Plain]:
    if study.scores is None:
        return []
    found = []
    for key, (title, label, measure) in _CURVES.items():
        lines = {name: _scores(study, name).curves.get(key, ()) for name in scored}
        if not any(lines.values()):
            continue
        found.append(
            {
                "key": key,
                "title": title,
                "x": [rounded(x) for x in study.scores.thresholds[key]],
                "xTitle": label,
                "lines": [[rounded(y) for y in lines[name]] for name in scored],
                "scores": [rounded(study.value(name, measure)) for name in scored],
                "shaded": study.scores.interval if key == "expected_overlap" else None,
            }
        )
    return found


def _points(study: Study, scored: list[str]) -> list[Plain]:
    """Plots of one measure against another."""
    wanted = [
        ("Accuracy and robustness", "reliability", "Robustness: exp(-30 failures / frames)",
         "accuracy", "Accuracy"),
        ("Speed", "fps", "Frames per second", study.first_measure,
         study.layout.columns[study.first_measure]),
    ]  # fmt: skip
    found = []
    for title, x, x_title, y, y_title in wanted:
        places = [[rounded(study.value(name, m)) for m in (x, y)] for name in scored]
        if any(None not in place for place in places):
            found.append(
                {"title": title, "xTitle": x_title, "yTitle": y_title, "places": places,
                 "log": x == "fps"}
            )  # fmt: skip
    return found


def sequence_data(
    study: Study,
    sequence: Sequence,
    tracks: list[Track],
    styles: Mapping[str, Style],
    size: tuple[int, int],
) -> Plain:
    """What the page of a sequence draws."""
    return {
        "frames": frame_count(sequence),
        "first": sequence.first_frame,
        "size": size,
        "overlapSteps": OVERLAP_STEPS,
        "pixelSteps": PIXEL_STEPS,
        "resets": study.experiment not in (None, "unsupervised"),
        "truth": _packed(outlines(sequence.regions, sequence.index_base)),
        "absent": [] if sequence.absent is None else spans(sequence.absent),
        "tags": {name: spans(flags) for name, flags in sequence.tags.items() if flags.any()},
        "tracks": [_track_data(track, styles[track.tracker]) for track in tracks],
    }


def _track_data(track: Track, style: Style) -> Plain:
    plain: Plain = {"name": track.tracker, "color": style.colour, "dash": style.dash}
    if track.problem is not None:
        return {**plain, "problem": track.problem}
    known = not np.isnan(track.overlap).all()
    return {
        **plain,
        "overlap": pack(track.overlap[:, None], OVERLAP_STEPS) if known else None,
        "regions": _packed(track.regions),
        "failures": track.failures,
        "starts": track.starts,
    }


def _packed(regions: FloatArray) -> Plain:
    return {"width": regions.shape[1], "packed": pack(regions, PIXEL_STEPS)}
