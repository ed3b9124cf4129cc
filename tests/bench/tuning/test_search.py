"""Searches through the console command: killed, failing, refused, marked and over stored runs."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.results.record import read_record

Bench = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., subprocess.Popen[str]]
TOY = ("--tracker", "toys:Shifted")
CLIPS = ("tune", "folder", "--data", "clips", *TOY, "--study", "t/s.journal")
OTB = ("--data", "data", *TOY)


def outcome(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "t" / "s-best.json").read_text())
    return content


def drawn(folder: Path) -> list[tuple[int, Any, float | None]]:
    """Number, options and value of every trial, in the order they began."""
    rows = sorted(outcome(folder)["trials"], key=lambda row: row["number"])
    return [(row["number"], row["options"], row["value"]) for row in rows]


def copy_run(source: Path, name: str, **provenance: Any) -> None:
    """The same results under another name, by a record that states other facts."""
    path = shutil.copytree(source, source.with_name(name)) / "run.json"
    record = json.loads(path.read_text())
    record["provenance"] |= provenance
    path.write_text(json.dumps(record))


def test_the_best_option_is_found_and_used(clips: Path, bench: Bench) -> None:
    search = ("--search", "shift=0.5,2,8", "--set", "grow=1", "--trials", 5)
    done = bench(*CLIPS, *search, cwd=clips)
    found = outcome(clips)
    assert [number for number, _, _ in drawn(clips)] == [0, 1, 2, 3, 4]
    values = {row["options"]["shift"]: row["value"] for row in found["trials"]}
    assert found["best"]["options"]["shift"] == min(values, key=float)
    assert sorted(values, key=float) == sorted(values, key=lambda each: -values[each])
    assert found["best"]["value"] == max(values.values())
    assert "the best of 5 trials" in done.stdout
    again = bench(*CLIPS, *search, cwd=clips)
    assert not [line for line in again.stdout.splitlines() if line.startswith("Shifted-")]
    command = found["command"].split()
    assert command[:2] == ["bench", "run"]
    assert found["command"] in done.stdout
    bench(*command[1:], cwd=clips)
    table = bench("eval", "folder", "--data", "clips", "--json", "s.json", cwd=clips).stdout
    assert "Shifted-tuned: hyper-parameters tuned on this benchmark" in table
    scored = json.loads((clips / "s.json").read_text())["trackers"]["Shifted-tuned"]
    assert scored["measures"]["success"] == found["best"]["value"]


def test_a_killed_search_ends_like_one_that_was_not(
    clips: Path, bench: Bench, start: Start
) -> None:
    search = ("--search", "shift=0:8", "--trials", 3, "--seed", 7, "--set", "pause=0.1")
    bench(*CLIPS, *search, "--set", "log=whole.txt", cwd=clips)
    whole = drawn(clips)
    (clips / "t").rename(clips / "whole")
    running = start(*CLIPS, *search, "--set", "log=killed.txt", cwd=clips)
    second = clips / "t" / "s-trials" / "folder" / "Shifted-0001"
    deadline = time.monotonic() + 120
    while not list(second.glob("*.txt")) and time.monotonic() < deadline:
        time.sleep(0.01)
    running.kill()
    running.wait()
    kept = {path.name: path.stat().st_mtime_ns for path in second.glob("*.txt")}
    assert kept
    journal = clips / "t" / "s.journal"
    with journal.open("a") as stream:
        stream.write('{"op_code":6,"worker')
    bench(*CLIPS, *search, "--set", "log=killed.txt", cwd=clips)
    assert drawn(clips) == whole
    assert len(whole) == 3
    assert kept.items() <= {p.name: p.stat().st_mtime_ns for p in second.glob("*.txt")}.items()
    begun = [line.split()[1:] for line in (clips / "killed.txt").read_text().splitlines()]
    once = [line.split()[1:] for line in (clips / "whole.txt").read_text().splitlines()]
    assert {tuple(line) for line in begun} == {tuple(line) for line in once}
    assert len(begun) <= len(once) + 1  # at most the clip that was running has run twice


def test_a_failing_trial_is_kept_as_failed_and_the_search_goes_on(
    clips: Path, bench: Bench
) -> None:
    search = ("--search", "shift=1,4,9", "--set", "limit=5", "--set", "lose=3", "--trials", 6)
    done = bench(*CLIPS, *search, cwd=clips)
    rows = outcome(clips)["trials"]
    assert len(rows) == 6
    assert {row["options"]["shift"] for row in rows} == {"1", "4", "9"}
    for row in rows:
        words = {"1": None, "4": "lost my mind", "9": "expected at most 5.0"}
        cause = words[row["options"]["shift"]]
        assert (row["value"] is None) == (cause is not None)
        assert cause is None or cause in row["cause"]
    assert "trials failed" in done.stdout
    assert outcome(clips)["best"]["options"] == {"shift": "1"}


def test_a_search_of_failures_alone_is_an_error(clips: Path, bench: Bench) -> None:
    search = ("--search", "shift=4:5", "--set", "limit=3", "--trials", 2)
    done = bench(*CLIPS, *search, cwd=clips, code=1)
    assert "none of 2 trials could be scored" in done.stderr
    assert "expected at most 3.0" in done.stderr
    assert not (clips / "t" / "s-best.json").exists()


def test_a_test_set_is_refused_then_marked(otb: Path, bench: Bench) -> None:
    tune = ("tune", "otb2015", *OTB, "--study", "t/s.journal", "--search", "shift=0:8")
    done = bench(*tune, "--trials", 1, cwd=otb, code=1)
    assert "--on-test-set" in done.stderr
    assert not (otb / "t").exists()
    bench(*tune, "--stored", cwd=otb, code=1)
    bench(*tune, "--trials", 1, "--on-test-set", cwd=otb)
    record = otb / "t" / "s-trials" / "otb2015" / "Shifted-0000" / "run.json"
    assert json.loads(record.read_text())["tuned_on"] == "otb2015"
    scored = bench("eval", "otb2015", "--data", "data", "--results", "t/s-trials", cwd=otb).stdout
    assert "Shifted-0000: hyper-parameters tuned on this benchmark" in scored
    assert "--tuned-on otb2015" in outcome(otb)["command"]


def test_the_miniature_is_searched_and_named(otb: Path, bench: Bench) -> None:
    (otb / "data" / "miniature.json").write_text("{}")
    tune = ("tune", "otb2015", *OTB, "--study", "t/s.journal", "--search", "shift=0:8")
    done = bench(*tune, "--trials", 1, cwd=otb)
    assert "miniature: generated video" in done.stdout
    assert outcome(otb)["tuned_on"] == "otb2015 (miniature)"


def test_stored_runs_are_compared_by_their_records(otb: Path, bench: Bench) -> None:
    run = ("run", "otb2015", *OTB)
    bench(*run, "--name", "plain", cwd=otb)
    bench(*run, "--name", "near", "--set", "shift=1", cwd=otb)
    results = otb / "results" / "otb2015"
    copy_run(results / "near", "beyond", options={"shift": 20.0})
    copy_run(results / "near", "other", options={"shift": 0.0, "grow": 3})
    copy_run(results / "near", "static", target="static")
    copy_run(results / "near", "bare")
    (results / "bare" / "run.json").unlink()
    copy_run(results / "near", "unfinished")
    (results / "unfinished" / "Crossing.txt").rename(results / "unfinished" / "Car4.txt")
    tune = ("tune", "otb2015", *OTB, "--study", "t/s.journal", "--search", "shift=0:8", "--stored")
    done = bench(*tune, "--on-test-set", cwd=otb)
    rows = {row["label"]: row for row in outcome(otb)["trials"]}
    assert {label: row["options"]["shift"] for label, row in rows.items()} == {
        "plain": 5.0, "near": 1.0,
    }  # fmt: skip
    assert outcome(otb)["best"]["label"] == "near"
    for label, reason in {
        "beyond": "The value 20.0 of parameter 'shift' isn't contained",
        "other": "options.grow: expected None, found 3",
        "static": "target: expected 'toys:Shifted', found 'static'",
        "bare": "no record of a run",
        "unfinished": "no result for 1 sequences (Crossing)",
    }.items():
        line = next(x for x in done.stdout.splitlines() if x.startswith(f"{label}: left out"))
        assert reason in line
    marks = {name: read_record(results / name / "run.json") for name in ("near", "plain")}
    assert {name: r.tuned_on for name, r in marks.items() if r} == {
        "near": "otb2015", "plain": None,
    }  # fmt: skip
    bench(*tune, "--on-test-set", cwd=otb)
    assert len(outcome(otb)["trials"]) == 2
    score = ("eval", "otb2015", "--data", "data", "--trackers", "near,plain")
    scored = bench(*score, cwd=otb).stdout
    assert "near: hyper-parameters tuned on this benchmark" in scored
    assert "plain: hyper-parameters" not in scored
    assert "0 sequences done" in bench(*run, "--name", "near", "--set", "shift=1", cwd=otb).stdout
    boxes = results / "near" / "Crossing.txt"
    boxes.write_text(boxes.read_text().replace("21.0", "25.0"))
    done = bench(*tune, "--on-test-set", cwd=otb, code=1)
    assert "have changed since" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--search", "shif=0:1"], ["unknown option", "Did you mean 'shift'", "grow"]),
        (["--search", "shift=0:1", "--measure", "eao"], ["unknown measure", "success"]),
        (["--search", "shift=0:1", "--sequence", "wlak"], ["unknown sequence", "'walk'"]),
        (["--search", "shift=0:1", "--stored"], ["no run there can be compared", "bench run"]),
        (["--search", "shift=0:1", "--study", "clips"], ["clips", "folder"]),
        (["--search", "shift=0:1", "--study", "notes.md"], ["notes.md", "Name another file"]),
    ],
)
def test_mistakes_get_one_clear_error(
    clips: Path, bench: Bench, arguments: list[str], words: list[str]
) -> None:
    (clips / "notes.md").write_text("my notes\nunfinished")
    done = bench(*CLIPS, *arguments, cwd=clips, code=1)
    assert done.stderr.startswith("error: ")
    for word in words:
        assert word in done.stderr
    assert (clips / "notes.md").read_text() == "my notes\nunfinished"


def test_a_study_of_another_search_is_refused(clips: Path, bench: Bench) -> None:
    bench(*CLIPS, "--search", "shift=0:8", "--trials", 1, cwd=clips)
    done = bench(*CLIPS, "--search", "shift=0:9", "--seed", 1, "--trials", 1, cwd=clips, code=1)
    for word in ("shift=0.0:8.0", "shift=0.0:9.0", "seed: expected 1, found 0", "--study"):
        assert word in done.stderr
