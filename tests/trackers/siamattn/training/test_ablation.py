"""Ablations: rows, what each changes, and the whole command on a tiny budget."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from bench.errors import ConfigError, ResultError
from trackers.siamattn.config import preset
from trackers.siamattn.training import ablation
from trackers.siamattn.training.ablation import (
    Budget,
    Row,
    RowScores,
    describe,
    frame,
    layout_for,
    rows,
    write,
)
from trackers.siamattn.training.cli import app
from trackers.siamattn.training.config import Recipe, recipe
from trackers.siamattn.training.run import WEIGHTS, claim
from trackers.siamattn.training.trainer import Machine

BASE = recipe("ablation").override({"data.mixture": "generated"})
VOT = layout_for("vot2016")


def test_rows_match_the_paper() -> None:
    found = rows(["5", "6", "7"])
    assert [row.table for row in found] == ["5"] * 6 + ["6"] * 4 + ["7"] * 2
    assert [row.printed["eao"] for row in found[:6]] == [0.464, 0.477, 0.486, 0.511, 0.513, 0.537]
    with pytest.raises(ConfigError, match="unknown ablation table '8'"):
        rows(["8"])


@pytest.mark.parametrize("row", rows(["5", "6"]), ids=lambda row: f"{row.table} {row.label}")
def test_a_row_changes_only_its_components(row: Row) -> None:
    found = row.recipe(BASE, seed=3)
    assert found.seed == 3
    assert found.schedule == BASE.schedule
    assert found.data == BASE.data
    small, full = preset(found.preset), preset(row.preset)
    assert (small.attention, small.rpn) == (full.attention, full.rpn)
    assert (small.refine.box, small.refine.mask) == (full.refine.box, full.refine.mask)
    assert small.backbone == preset("siamattn-lite").backbone
    assert small.tracking == preset("siamattn-lite").tracking


def test_the_same_network_in_two_tables_is_trained_once() -> None:
    names = [row.name(0) for row in rows(["5", "6"])]
    assert len(names) == 10
    assert len(set(names)) == 9


def test_table_7_changes_the_training_sets() -> None:
    mixtures = [row.recipe(BASE, 0).data.mixture for row in rows(["7"])]
    assert mixtures == ["table7-a", "paper"]


def test_the_note_describes_the_budget() -> None:
    plain = describe(Budget(BASE, [0, 1, 2], Machine()), rows(["5"]))
    for fact in ("siamattn-lite in place of the full network", "4800 pairs", "3 seeds"):
        assert fact in plain
    assert "the same for all rows (training data: generated)" in plain
    assert "at random" in plain
    begun = replace(BASE, initial="backbone of a.pth (SHA-256 0)")
    assert "the backbone of a.pth (SHA-256 0)" in describe(
        Budget(begun, [0], Machine()), rows(["5"])
    )
    full = describe(Budget(recipe("paper"), [0], Machine()), rows(["7"]))
    for fact in ("siamattn: 12000000 pairs", "1 seeds", "equally many for every row"):
        assert fact in full
    assert "(training data: paper, table7-a)" in full


def test_rows_use_the_given_backbone_and_data(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Table 7 reads training sets; every row starts from the same backbone."""
    seen = {}

    def note(recipe: Recipe, samples: object, folder: Path, _: Machine, network: object) -> None:
        seen[folder.name] = samples, network

    def opened(recipe: Recipe, root: Path | None, folder: Path, option: str) -> object:
        assert option == "--training-data"
        return recipe.data.mixture, root

    monkeypatch.setattr(ablation, "train", note)
    monkeypatch.setattr(ablation, "open_samples", opened)
    monkeypatch.setattr(
        ablation, "new_network", lambda recipe, backbone: (recipe.preset, backbone)
    )
    budget = Budget(BASE, [4], Machine(), Path("sets"), Path("resnet50.pth"))
    for row in rows(["7"]):
        budget.train(row, 4, tmp_path / row.name(4))
    network = "siamattn-lite", Path("resnet50.pth")
    assert seen == {
        "siamattn-table7-a-seed-4": (("table7-a", Path("sets")), network),
        "siamattn-paper-seed-4": (("paper", Path("sets")), network),
    }


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--seeds", "0;1"], "--seeds 0;1: expected whole numbers, such as 0,1"),
        (["--backbone", "gone.pth"], "gone.pth: cannot be read"),
        (["--seeds", "0,0"], "--seeds 0,0: expected each seed once"),
        (["--seeds", "0,-1"], "seed -1: expected a number from 0 to 4294967295"),
        (
            ["--training-data", "sets", "--set", "data.mixture=generated"],
            "--training-data sets: ",
        ),
    ],
)
def test_invalid_options_are_refused(words: list[str], message: str) -> None:
    found = CliRunner().invoke(app, ["ablation", "--backbone", "none", *words])
    assert isinstance(found.exception, ConfigError)
    assert message in str(found.exception)


def test_a_still_backbone_is_not_random_by_accident() -> None:
    found = CliRunner().invoke(app, ["ablation", "--set", "imagenet="])
    assert isinstance(found.exception, ConfigError)
    assert "give --backbone FILE" in str(found.exception)


def test_several_processes_train_before_one_of_them_scores(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    trained: list[str] = []

    def note(recipe: Recipe, samples: object, folder: Path, *_: object) -> None:
        trained.append(folder.name)
        if "rigid-pooling" in folder.name:
            raise ConfigError("no pairs")

    monkeypatch.setattr(ablation, "train", note)
    monkeypatch.setattr(ablation, "new_network", lambda *_, **__: None)
    monkeypatch.setattr(ablation, "make_spec", lambda *_, **__: None)
    monkeypatch.setattr(ablation, "run_tracker", lambda *_: trained.append("scored"))
    monkeypatch.setattr(ablation, "_scores", lambda *_: (Scores(0.3),))
    dataset = SimpleNamespace(benchmark="vot2016")
    chosen, budget = rows(["6"]), Budget(BASE, [0], Machine(devices=2))
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert not list(ablation.ablate(chosen, budget, (tmp_path, tmp_path), dataset))  # type: ignore[arg-type]
    assert trained == [row.name(0) for row in chosen]
    monkeypatch.setenv("LOCAL_RANK", "0")
    trained.clear()
    found = list(ablation.ablate(chosen, budget, (tmp_path, tmp_path), dataset))  # type: ignore[arg-type]
    assert [isinstance(each, RowScores) for each in found] == [True, True, False, True]
    assert trained[:4] == [row.name(0) for row in chosen]


def test_finished_rows_of_another_recipe_are_refused(tmp_path: Path) -> None:
    """Existing weights are not reused for a larger budget."""
    row = rows(["5"])[0]
    claim(tmp_path, row.recipe(BASE, 0))
    weights = tmp_path / WEIGHTS
    weights.touch()
    assert Budget(BASE, [0], Machine()).train(row, 0, tmp_path) == weights
    longer = BASE.override({"schedule.epochs": 40})
    with pytest.raises(ConfigError, match="found another"):
        Budget(longer, [0], Machine()).train(row, 0, tmp_path)


class Scores:
    """A stand-in for ``bench.scores.TrackerScores`` of one seed."""

    def __init__(self, eao: float) -> None:
        self.measures = {"accuracy": 0.5, "robustness": 1.0, "eao": eao}
        self.intervals = {name: (v - 0.1, v + 0.1) for name, v in self.measures.items()}
        rows = {"a": (eao, 1.0), "b": (eao + 0.1, 3.0), "c": (eao if eao > 0.3 else np.nan, 2.0)}
        self.per_sequence = {
            name: {"accuracy": accuracy, "failures": failures}
            for name, (accuracy, failures) in rows.items()
        }


def test_the_table_has_seeds_intervals_and_failures(tmp_path) -> None:  # type: ignore[no-untyped-def]
    good, bad = rows(["5"])[:2]
    finding = RowScores(good, (Scores(0.2), Scores(0.4)))  # type: ignore[arg-type]
    table = frame([finding, (bad, ConfigError("no data"))], VOT)
    assert table["EAO"].tolist()[0] == 0.3
    assert table["EAO of seeds"][0] == "0.200..0.400"
    assert table["EAO 95 %"][0] == "0.200..0.400"
    assert table["EAO printed"][0] == 0.464
    assert table["seeds"].tolist() == [2, 0]
    assert table["note"][1] == "no data"
    path = write(
        frame([finding], VOT), tmp_path, ["miniature: generated video, not the benchmark"]
    )
    assert pd.read_csv(path, comment="#")["EAO"].tolist() == [0.3]
    assert "# miniature" in path.read_text()


def test_rows_are_compared_with_the_first_on_the_same_sequences() -> None:
    first, second = rows(["6"])[:2]
    low = RowScores(first, (Scores(0.2), Scores(0.4)))  # type: ignore[arg-type]
    high = RowScores(second, (Scores(0.5), Scores(0.7)))  # type: ignore[arg-type]
    test = high.against(low, "accuracy")
    assert test.sequences == 2  # of c, one seed of the first row has no accuracy
    assert test.difference == pytest.approx(0.3)
    assert (test.low, test.high) == (pytest.approx(0.3), pytest.approx(0.3))
    assert high.against(low, "failures").sequences == 3
    table = frame([low, high], VOT)
    assert table["A minus first's"].tolist()[1] == 0.3
    assert np.isnan(table["A minus first's"][0])
    assert table["Failures minus first's 95 %"][1] == "0.000..0.000"
    third = RowScores(rows(["6"])[2], high.scores)
    alone = frame([(first, ConfigError("no pairs")), high, third], VOT)
    assert "A minus first's" not in alone, "the first has no scores"


def test_a_row_that_cannot_be_trained_does_not_affect_others(monkeypatch, tmp_path) -> None:  # type: ignore[no-untyped-def]
    def refuse(*_: object) -> None:
        raise ConfigError("no pairs")

    monkeypatch.setattr(ablation, "train", refuse)
    budget = Budget(BASE, [0], Machine())
    dataset = type("D", (), {"benchmark": "vot2016"})()
    found = list(
        ablation.ablate(rows(["6"]), budget, (tmp_path, tmp_path), dataset)  # type: ignore[arg-type]
    )
    assert [str(each[1]) for each in found] == ["no pairs"] * 4  # type: ignore[index]


def test_a_row_that_cannot_be_scored_does_not_affect_others(monkeypatch, tmp_path) -> None:  # type: ignore[no-untyped-def]
    """A sequence failed for one seed: the row reports it, and the next row continues."""
    bad = "siamattn-rigid-seed-1"

    def scored(_: object, __: object, names: list[str]) -> list[SimpleNamespace]:
        good = {name: Scores(0.3) for name in names if name != bad}
        return [
            SimpleNamespace(trackers=good, refused={bad: "a is missing"} if bad in names else {})
        ]

    monkeypatch.setattr(Budget, "train", lambda *_: tmp_path / WEIGHTS)
    monkeypatch.setattr(ablation, "make_spec", lambda *_, **__: None)
    monkeypatch.setattr(ablation, "run_tracker", lambda *_: None)
    monkeypatch.setattr(ablation, "evaluate", scored)
    dataset = SimpleNamespace(benchmark="vot2016")
    budget = Budget(BASE, [0, 1], Machine())
    found = list(ablation.ablate(rows(["6"]), budget, (tmp_path, tmp_path), dataset))  # type: ignore[arg-type]
    assert [isinstance(each, RowScores) for each in found] == [False, True, True, True]
    assert str(found[0][1]) == f"{bad}: a is missing"  # type: ignore[index]


def test_a_finished_table_is_kept_if_no_row_can_be_scored(monkeypatch, tmp_path) -> None:  # type: ignore[no-untyped-def]
    error = ResultError("made by something else")
    monkeypatch.setattr(ablation, "ablate", lambda chosen, *_: [(row, error) for row in chosen])
    monkeypatch.setattr("bench.datasets.open_dataset", lambda *_: SimpleNamespace(caveats=()))
    (tmp_path / "ablation.csv").write_text("what was found\n")
    found = CliRunner().invoke(app, ["ablation", "--backbone", "none", "--out", str(tmp_path)])
    assert "made by something else" in found.output
    assert isinstance(found.exception, ResultError)
    assert (tmp_path / "ablation.csv").read_text() == "what was found\n"
