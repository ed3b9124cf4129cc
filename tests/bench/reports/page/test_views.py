"""The data that the pages draw."""

from __future__ import annotations

import dataclasses
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from bench.datasets import open_dataset
from bench.measures import catalogue
from bench.measures.catalogue import Axis, Measure, measures
from bench.reports.page.views import section_data, stage_size
from bench.reports.palette import looks
from bench.reports.section import ReportSection, open_section
from bench.results.onepass import OnePassStore
from bench.scores import BenchmarkScores
from bench.sequence import Sequence
from tests.bench.reports.page.conftest import HOSTILE, UNICODE, Made


@pytest.fixture(scope="module")
def section(made: Made) -> ReportSection:
    data = partial(open_dataset, "otb2015", made.data / "otb2015")
    return open_section(data, OnePassStore(made.results, "otb2015"))


def test_best_first_then_partial_then_broken(section: ReportSection) -> None:
    assert section.trackers == ("steady", HOSTILE, UNICODE, "half", "broken")
    assert section.status == "miniature"
    assert list(section.refused) == ["broken"]


def data_of(section: ReportSection, scores: BenchmarkScores) -> dict[str, object]:
    files = [sequence.name for sequence in section.sequences]
    return section_data(section, scores, looks(section.trackers), files)


def test_a_new_curve_measure_appears_by_itself(
    section: ReportSection, monkeypatch: pytest.MonkeyPatch
) -> None:
    axis = Axis("recall", "Recall", "Recall threshold", "Share of frames")
    known = {**measures(), "recall": Measure("recall", "Recall", "Rec.", axis=axis)}
    monkeypatch.setattr(catalogue, "measures", lambda: known)
    monkeypatch.setattr("bench.reports.score_table.measures", lambda: known)
    assert section.scores is not None
    trackers = {
        name: dataclasses.replace(
            each,
            measures={**each.measures, "recall": 0.5},
            curves={**each.curves, "recall": (1.0, 0.5, 0.0)},
        )
        for name, each in section.scores.trackers.items()
    }
    thresholds = {**section.scores.thresholds, "recall": (0.0, 0.5, 1.0)}
    scores = dataclasses.replace(section.scores, trackers=trackers, thresholds=thresholds)
    data = data_of(section, scores)
    (curve,) = [c for c in data["curves"] if c["title"] == "Recall"]  # type: ignore[attr-defined]
    assert curve["xTitle"] == "Recall threshold"
    assert curve["lines"][0] == [1.0, 0.5, 0.0]
    (column,) = [c for c in data["columns"] if c["key"] == "recall"]  # type: ignore[attr-defined]
    assert column["label"] == "Rec."


def test_the_stage_is_as_large_as_the_frames(section: ReportSection) -> None:
    sequence = section.sequences[0]
    assert sequence.frames is not None
    height, width = sequence.frames[0].shape[:2]
    assert stage_size(sequence) == (width, height)


def test_without_frames_the_stage_holds_the_ground_truth(tmp_path: Path) -> None:
    boxes = np.array([[10.0, 10, 90, 40], [300, 100, 100, 50], [np.nan] * 4])
    assert stage_size(Sequence("s", boxes)) == (440, 165)
    corners = np.array([[[0.0, 0], [200, 0], [200, 100], [0, 100]]])
    assert stage_size(Sequence("s", boxes[:1], polygons=corners)) == (220, 110)
