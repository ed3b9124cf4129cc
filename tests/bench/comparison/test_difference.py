"""Two results, from files to the answer."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bench.comparison import Difference, compare_sides, open_sides, with_reruns
from bench.comparison.facts import differing_facts, only_seeds, stated_causes
from bench.comparison.sides import labels_of
from bench.errors import ConfigError
from bench.files import format_rows
from bench.results.record import RunRecord, write_record
from tests.bench.comparison.conftest import path

NAMES = ("street", "harbour", "square", "bridge")


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """Four clips of annotation only."""
    for seed, name in enumerate(NAMES):
        (tmp_path / "clips" / name).mkdir(parents=True)
        truth = path(seed)
        (tmp_path / "clips" / name / "groundtruth.txt").write_bytes(format_rows(truth))
    return tmp_path / "clips"


def results(root: Path, name: str, by: float = 0.0, spread: float = 0.4) -> Path:
    """Boxes near the truth, shifted."""
    folder = root / "results" / "folder" / name
    folder.mkdir(parents=True)
    for seed, clip in enumerate(NAMES):
        rows = path(seed) + np.random.default_rng(seed).normal(0, spread, (80, 4))
        rows[0] = path(seed)[0]
        rows[:, :2] += by
        (folder / f"{clip}.txt").write_bytes(format_rows(rows))
    return folder


def compared(a: object, b: object, clips: Path, **more: object) -> Difference:
    opened = open_sides(str(a), str(b), data=clips, results=clips.parent / "results")
    return compare_sides(opened, **more)  # type: ignore[arg-type]


def test_a_shift_is_named_with_what_it_explains(tmp_path: Path, clips: Path) -> None:
    a, b = results(tmp_path, "mine", 1.0), results(tmp_path, "theirs")
    found = compared(a, b, clips)
    first = found.causes[0]
    assert (first.name, first.side) == ("one-based", "a")
    assert first.explains["success"] == pytest.approx(1, abs=0.01)
    for row in found.measures:
        total = sum(each.shares[row.measure] for each in found.sequences)
        assert total == pytest.approx(row.a - row.b, abs=1e-12)
    assert all(each.parting.any == 0 for each in found.sequences)
    undone = next(test for test in found.retests if "one less" in test.change)
    assert undone.left["success"] == pytest.approx(0, abs=1e-3)
    json.dumps(found.to_json(), allow_nan=False)


def test_the_same_results_have_no_difference(tmp_path: Path, clips: Path) -> None:
    found = compared(results(tmp_path, "mine"), results(tmp_path, "theirs"), clips)
    assert found.causes == ()
    assert {row.verdict for row in found.measures} == {"none"}
    assert "the same on every sequence" in found.verdict


def test_figures_of_a_file(tmp_path: Path, clips: Path) -> None:
    a, figures = results(tmp_path, "mine"), tmp_path / "figures.csv"
    figures.write_text("measure,value\nsuccess,0.1\n")
    found = compared(a, figures, clips)
    (row,) = found.measures
    assert row.b == 0.1
    assert "outside" in row.verdict
    assert any("cannot be said" in note for note in found.notes)


def test_figures_that_another_convention_gives(tmp_path: Path, clips: Path) -> None:
    """Printed with three decimals under a convention that is not the official one."""
    a = results(tmp_path, "mine", spread=9)
    own = compared(a, results(tmp_path, "theirs", 1.0), clips)
    other = next(test for test in own.retests if test.change == "convention got10k")
    figures = tmp_path / "figures.csv"
    value = other.a["normalized_precision"]
    figures.write_text(f"measure,value\nnormalized_precision,{value:.3f}\n")
    found = compared(a, figures, clips)
    assert found.causes[0].name == "convention"
    assert "got10k" in found.causes[0].title


def test_a_recorded_score_is_inside_or_outside(tmp_path: Path, clips: Path) -> None:
    a, b = results(tmp_path, "mine"), results(tmp_path, "theirs")
    score = compared(a, b, clips).measures[0].a
    expected = tmp_path / "expected.csv"
    head = "checkpoint,weights_sha256,benchmark,measure,value,tolerance,source\n"
    for off, tolerance, verdict in ((0.01, "0.02", "inside"), (0.03, "0.02", "outside"),
                                    (0.03, "", "no spread recorded")):  # fmt: skip
        row = f"mine,,folder,success,{score + off},{tolerance},five runs\n"
        expected.write_text(head + row)
        (found,) = compared(a, b, clips, expected=expected).expected
        assert found.verdict == verdict
    expected.write_text("checkpoint,measure\nmine,success\n")
    with pytest.raises(ConfigError, match="no column 'weights_sha256'"):
        compared(a, b, clips, expected=expected)


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ("nothing", "theirs", "Known: mine, theirs"),
        ("mine", "paper", "no figures of 'mine' on folder"),
        ("paper:SiamAttn", "mine", "no figures"),
        ("mine", "bad.csv", "columns measure and value"),
    ],
)
def test_what_cannot_be_opened(
    tmp_path: Path, clips: Path, a: str, b: str, message: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    for name in ("mine", "theirs"):
        results(tmp_path, name)
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=message):
        compare_sides(
            open_sides(a, b, data=clips, results=tmp_path / "results", benchmark="folder")
        )


def test_the_benchmark_has_to_be_known(tmp_path: Path, clips: Path) -> None:
    with pytest.raises(ConfigError, match="--benchmark"):
        open_sides("x", "y", data=clips, results=tmp_path)


def record(**facts: object) -> RunRecord:
    base = {"target": "kcf", "options": {}, "seed": 0, "decoder": "opencv imread 4.9"}
    return RunRecord({**base, **facts}, ({"threads": 1},))


def test_facts_are_ranked_by_what_they_can_do() -> None:
    a = record(decoder="opencv imread 4.5", options={"lr": 0.3}, weights_sha256="1" * 64)
    facts = differing_facts(a, record(options={}, weights_sha256="2" * 64))
    assert [fact.name for fact in facts] == ["weights_sha256", "options.lr", "decoder"]
    assert [c.name for c in stated_causes(facts)] == ["weights", "hyper-parameters", "decoder"]


def test_a_seed_alone_is_chance(tmp_path: Path, clips: Path) -> None:
    assert only_seeds(differing_facts(record(seed=1), record(seed=2)))
    a, b = results(tmp_path, "mine", 1.0), results(tmp_path, "theirs")
    for folder, seed in ((a, 1), (b, 2)):
        write_record(folder / "run.json", record(seed=seed))
    assert compared(a, b, clips).causes == ()


def test_nothing_can_be_run_again_without_a_record(tmp_path: Path, clips: Path) -> None:
    a, b = results(tmp_path, "mine", 1.0), results(tmp_path, "theirs")
    opened = open_sides(str(a), str(b), data=clips, results=tmp_path)
    with pytest.raises(ConfigError, match=r"expected a run\.json of a run"):
        with_reruns(compare_sides(opened), opened)


def test_a_result_without_its_first_row_is_compared_all_the_same(
    tmp_path: Path, clips: Path
) -> None:
    a, b = results(tmp_path, "mine"), results(tmp_path, "theirs")
    for file in a.glob("*.txt"):
        file.write_text("".join(file.read_text().splitlines(keepends=True)[1:]))
    found = compared(a, b, clips)
    assert found.measures == ()  # the rule refuses such results
    assert any("requires one row per frame" in note for note in found.notes)
    assert found.causes[0].name == "first-frame-missing"


def test_labels_show_no_path_and_never_begin_with_a_dot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("here/kcf", "kcf"):
        (tmp_path / folder).mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")
    assert labels_of("../kcf", "../kcf") == ("kcf (A)", "kcf (B)")
    assert labels_of("../kcf", "kcf") == (f"{tmp_path.name}/kcf", "here/kcf")
    assert labels_of("kcf", "static") == ("kcf", "static")
