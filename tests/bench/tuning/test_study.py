"""Study files: locked, continued, and those of earlier versions."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from optuna.trial import Trial

from bench.errors import ConfigError, ResultError
from bench.locks import locked
from bench.runner import RunOptions
from bench.sequence import Dataset, Sequence
from bench.tuning.plan import Plan
from bench.tuning.search import draw, is_stored, open_study, outcome, search
from bench.tuning.space import parse_space

DATA = Dataset("otb2015", Path("/data"), (Sequence("Car4", np.ones((2, 4))),))
OLDER = Path(__file__).with_name("older.journal")  # written before experiments were renamed


def test_two_searches_of_one_study_do_not_mix(tmp_path: Path) -> None:
    space = parse_space(["shift=0:1"], "toys:Shifted", {})
    plan = Plan(DATA, "toys:Shifted", space, "success", tmp_path / "s.journal")
    with (
        locked(plan.folder),
        pytest.raises(ResultError, match="another search holds this study"),
        open_study(plan),
    ):
        pytest.fail("the study was opened twice")
    with open_study(plan) as study:
        assert study.trials == []


def older_plan(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    """The plan of the older study, as if code and libraries were those it was written with."""
    lines = OLDER.read_text().splitlines()
    facts = json.loads(lines[1])["user_attr"]["facts"]
    space = parse_space(["shift=0:8", "way=right,down"], "toys:Shifted", {})
    study = folder / "s.journal"
    study.write_bytes(OLDER.read_bytes())
    clips = tuple(Sequence(name, np.ones((4, 4))) for name in ("run", "walk"))
    data = Dataset("folder", Path("/data"), clips)
    plan = Plan(data, "toys:Shifted", space, "success", study, settings={"limit": "5.5"},
                running=RunOptions(seed=3))  # fmt: skip
    here = plan.facts()
    made = {name for name in here if name not in ("libraries", "decoder", "python")}
    assert {n for n in made if here[n] != facts.get(n)} <= {
        "protocol", "bench_code_sha256", "tracker_code_sha256",
        "tracker_files",  # which earlier versions did not record
    }  # fmt: skip
    monkeypatch.setattr(Plan, "facts", lambda self: {**facts, "protocol": "onepass"})
    return plan


def test_a_study_of_an_earlier_version_opens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = older_plan(tmp_path, monkeypatch)
    with open_study(plan) as study:
        trials = study.trials
        assert [plan.label(trial) for trial in trials] == [
            "Shifted-0000", "Shifted-0001", "Shifted-0002", "near",
        ]  # fmt: skip
        assert [is_stored(trial) for trial in trials] == [False, False, False, True]
        assert "at most 5.5" in trials[0].user_attrs["cause"]
        found = outcome(plan, trials)
        assert [trial["number"] for trial in found["trials"]] == [2, 3, 1, 0]
        assert found["best"]["number"] == 2
        assert trials[3].params == {"shift": 1.0, "way": "right"}
        assert draw(plan, study).number == 4


def test_a_killed_search_leaves_a_trial_and_half_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = older_plan(tmp_path, monkeypatch)
    lines = OLDER.read_bytes().splitlines(keepends=True)
    kept = b"".join(lines[:14])  # up to the options of the third trial
    plan.study.write_bytes(kept + b'{"op_co')
    left = [tmp_path / f"s.journal.lock{end}" for end in ("", "a0e14c20-3930-4e7e.rename")]
    for path in left:
        path.touch()
    continued = []

    def run(_: Plan, trial: Trial) -> float:
        continued.append((trial.number, trial.params["way"]))
        return 0.5

    monkeypatch.setattr(Plan, "run", run)
    found = search(plan, [].append, 3, None, on_test_set=True)
    assert continued == [(2, "right")]
    assert [each.value for each in found][1:] == [0.8452380952380952, 0.5]
    assert plan.study.read_bytes().startswith(kept)
    assert sorted(tmp_path.glob("*.lock*")) == left  # of an earlier version, and no others


@pytest.mark.parametrize(
    "content", [b"my notes\n", b"my notes", b'{"a": 1}\n', b"[1]\n", b"\xff\xfe\n", b"\n"]
)
def test_another_file_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    space = parse_space(["shift=0:1"], "toys:Shifted", {})
    plan = Plan(DATA, "toys:Shifted", space, "success", tmp_path / "notes.md")
    plan.study.write_bytes(content)
    with pytest.raises(ConfigError, match=r"notes\.md.*Name another file"), open_study(plan):
        pass
    assert plan.study.read_bytes() == content
