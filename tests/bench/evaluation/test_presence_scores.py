"""Presence in the scores of a benchmark: what is pooled, left out, noted and refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bench.evaluation import evaluate
from bench.measures.catalogue import layout_of
from bench.measures.presence import presence
from bench.reports.score_table import presence_table, score_table, scores_csv
from bench.results.memory import MemoryStore
from bench.results.onepass import OnePassStore
from bench.scores import BenchmarkScores
from bench.sequence import Dataset, Sequence, Trajectory
from bench.tracker import ABSENT

FRAMES = 12


def sequence(name: str, gone: slice | None) -> Sequence:
    truth = np.tile([20.0, 30.0, 40.0, 10.0], (FRAMES, 1))
    absent = np.zeros(FRAMES, dtype=bool)
    if gone is not None:
        absent[gone] = True
    return Sequence(name, truth, index_base=1.0, absent=absent)


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return Dataset(
        "lasot", tmp_path, (sequence("a-1", slice(4, 7)), sequence("b-1", slice(9, 12)))
    )


@pytest.fixture
def store(tmp_path: Path) -> OnePassStore:
    return OnePassStore(tmp_path / "results", "lasot")


def write(store: OnePassStore | MemoryStore, tracker: str, one: Sequence, scores: np.ndarray,
          says_absent: slice | None = None, repetition: int = 1) -> None:  # fmt: skip
    boxes = one.ground_truth - [1, 1, 0, 0]
    if says_absent is not None:
        boxes[says_absent] = ABSENT
    store.write(tracker, one, Trajectory(boxes, np.full(FRAMES, 0.1), scores), repetition)


def random_scores(seed: int) -> np.ndarray:
    return np.round(np.random.default_rng(seed).random(FRAMES), 1)


def test_frames_of_all_sequences_and_runs_are_pooled(
    dataset: Dataset, store: OnePassStore
) -> None:
    pooled, shown = [], []
    for place, one in enumerate(dataset):
        for run in (1, 2):
            scores = random_scores(10 * place + run)
            write(store, "t", one, scores, repetition=run)
            pooled.append(scores[1:])  # the first frame is given
            assert one.absent is not None
            shown.append(~one.absent[1:])
    expected = presence(np.concatenate(pooled), np.concatenate(shown))
    (scores,) = evaluate(dataset, store)
    found = scores.trackers["t"]
    assert expected is not None
    assert found.measures["presence_auroc"] == pytest.approx(expected.auroc, abs=1e-12)
    assert found.measures["presence_f"] == pytest.approx(expected.best_f, abs=1e-12)
    assert found.measures["presence_threshold"] == expected.threshold
    assert found.measures["presence_frames"] == 2 * 2 * (FRAMES - 1)
    assert found.measures["presence_absent"] == 2 * 6
    assert len(found.curves["presence"]) == len(scores.thresholds["presence"])
    assert found.notes == ()


def test_results_in_memory_are_measured_alike(dataset: Dataset, store: OnePassStore) -> None:
    for place, one in enumerate(dataset):
        write(store, "t", one, random_scores(place), slice(5, 8))
    memory = MemoryStore("lasot")
    memory.copy_from(store, "t")
    (disk,), (copied,) = evaluate(dataset, store), evaluate(dataset, memory)
    assert disk.trackers == copied.trackers


def test_every_convention_has_it(dataset: Dataset, store: OnePassStore) -> None:
    for one in dataset:
        write(store, "t", one, random_scores(3))
    all_scores = evaluate(dataset, store, conventions=["lasot", "got10k", "pysot"])
    values = {each.trackers["t"].measures["presence_auroc"] for each in all_scores}
    assert len(values) == 1


@pytest.fixture
def mixed(dataset: Dataset, store: OnePassStore) -> BenchmarkScores:
    """Trackers with scores, without, with some, that say "absent", and with a broken file."""
    nothing = np.full(FRAMES, np.nan)
    for one in dataset:
        write(store, "scored", one, random_scores(1))
        write(store, "silent", one, nothing)
        write(store, "speaks", one, nothing, slice(4, 6))
        some = random_scores(2)
        some[[3, 8]] = np.nan
        write(store, "some", one, some)
        write(store, "broken", one, random_scores(1))
        write(store, "short", one, random_scores(1))
    store.confidence_path("broken", "a-1").write_text("0.5\nhigh\n")
    path = store.confidence_path("short", "a-1")
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    return evaluate(dataset, store)[0]


def test_what_is_missing_is_noted(mixed: BenchmarkScores) -> None:
    notes = {name: each.notes for name, each in mixed.trackers.items()}
    assert notes["scored"] == ()
    assert notes["silent"] == ("presence: no confidence scores are stored",)
    assert "presence_auroc" not in mixed.trackers["silent"].measures
    assert notes["some"] == ("presence: 4 frames without a finite score are left out",)
    assert mixed.trackers["some"].measures["presence_frames"] == 2 * (FRAMES - 1) - 4
    assert any(
        "a-1: scores ignored:" in note and "_score.txt:2" in note for note in notes["broken"]
    )
    assert "a-1: scores ignored, they do not match the boxes" in notes["short"]
    for name in ("broken", "short"):  # the other sequence still counts
        assert mixed.trackers[name].measures["presence_frames"] == FRAMES - 1
    assert not mixed.refused


def test_own_answers_have_precision_and_recall(mixed: BenchmarkScores) -> None:
    speaks = mixed.trackers["speaks"]
    # It says so in frames 4 and 5 of both; the target is gone in 4 to 6 and in 9 to 11.
    assert speaks.measures["absence_precision"] == 2 / 4
    assert speaks.measures["absence_recall"] == 2 / 6
    assert speaks.notes == (
        "presence: no confidence scores are stored",
        "says itself that the target is not visible in 4 frames; 6 are without it",
    )
    assert "absence_recall" not in mixed.trackers["scored"].measures


def test_it_has_a_table_of_its_own_and_stands_in_json_and_csv(mixed: BenchmarkScores) -> None:
    table = presence_table(mixed)
    assert table is not None
    shown = {measure.name for measure in layout_of("onepass").presence}
    assert {column.key for column in table.columns} == shown
    assert not {column.key for column in score_table(mixed).columns} & shown
    assert {row.label for row in table.rows} == set(mixed.trackers)
    plain = json.loads(json.dumps(mixed.to_json(), allow_nan=False))
    assert plain["trackers"]["scored"]["measures"]["presence_frames"] == 2 * (FRAMES - 1)
    lines = scores_csv([mixed]).splitlines()
    assert any(",speaks,absence_precision,0.5," in line for line in lines)
    assert not any("np." in line for line in lines)


def test_without_scores_or_flags_nothing_changes(dataset: Dataset, store: OnePassStore) -> None:
    for one in dataset:
        write(store, "silent", one, np.full(FRAMES, np.nan))
    (quiet,) = evaluate(dataset, store)
    assert presence_table(quiet) is None
    assert quiet.trackers["silent"].notes == ()
    assert "presence" not in quiet.thresholds
    for one in dataset:
        write(store, "scored", one, random_scores(1))
    plain = tuple(Sequence(s.name, s.ground_truth, index_base=1.0) for s in dataset)
    visible = tuple(sequence(s.name, None) for s in dataset)
    for sequences in (plain, visible):
        (scores,) = evaluate(Dataset("lasot", store.root, sequences), store)
        assert presence_table(scores) is None


def test_one_kind_of_scored_frames_is_said(dataset: Dataset, store: OnePassStore) -> None:
    for one in dataset:
        assert one.absent is not None
        write(store, "sure", one, np.where(one.absent, np.nan, 0.9))
        write(store, "unsure", one, np.where(one.absent, 0.1, np.nan))
    (scores,) = evaluate(dataset, store)
    sure, unsure = scores.trackers["sure"], scores.trackers["unsure"]
    assert "presence_auroc" not in sure.measures
    assert "presence: not defined, all 16 frames with a score show the target" in sure.notes
    assert "presence: not defined, all 6 frames with a score lack the target" in unsure.notes
