"""Trackers that answer masks, None and "absent": the real command, from the run to the pages."""

from __future__ import annotations

import csv
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from bench.datasets import open_dataset
from bench.geometry import FAILED, INITIALISED, TRACKED, has_pixels, runs_to_mask
from bench.reports.palette import looks
from bench.results.checksums import changed_files
from bench.results.onepass import OnePassStore
from bench.results.vot.store import VotStore
from bench.tracker import absent_rows
from tests.conftest import Miniature, keep_frames

Bench = Callable[..., subprocess.CompletedProcess[str]]

# Frame 2 a box, 3 a mask, 4 None, 5 an empty mask, 6 zeros, 7 a box with a mask, and so on.
TRACKER = """
import numpy as np

from bench.tracker import Prediction, as_box


class Shy:
    deterministic = True

    def __init__(self, shows: bool = False, stop: str = "") -> None:
        self.shows = shows
        self.stop = stop

    def init(self, image, region):
        self.box, self.number = as_box(region), 0

    def update(self, image):
        kind = self.number % 6 if not self.shows else (1 if self.number % 2 else 5)
        self.number += 1
        if self.stop and self.number == 30:
            import os
            os._exit(9)
        mask = np.zeros(image.shape[:2], dtype=bool)
        score = (1 + self.number % 7) / 8
        if kind in (2, 3, 4):
            return Prediction((None, mask, np.zeros(4))[kind - 2], score / 4)
        x, y, w, h = np.rint(self.box).astype(int)
        mask[max(y, 0) : y + h, max(x, 0) : x + w] = True
        if kind == 1:
            return Prediction(mask, score)
        return Prediction(self.box, score, mask if kind == 5 else None)
"""


@pytest.fixture(scope="module")
def made(bench: Bench, miniature: Miniature, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("absence")
    (folder / "shy.py").write_text(TRACKER)
    miniature.into(folder / "data", "lasot", "vot2018")
    for name in ("lasot", "vot2018"):
        bench("run", name, "-t", "shy.py:Shy", "--masks", "-q", "--name", "shy", cwd=folder)
    bench("run", "lasot", "-t", "static", "-q", cwd=folder)
    return folder


def kinds(frames: int) -> list[int | None]:
    """What the tracker answers in each frame: None for the first."""
    return [None, *(index % 6 for index in range(frames - 1))]


def test_one_pass_results_keep_boxes_and_masks(made: Path) -> None:
    store = OnePassStore(made / "results", "lasot")
    for sequence in open_dataset("lasot", made / "data"):
        boxes, masks = store.read_run("shy", sequence.name), store.read_masks("shy", sequence.name)
        assert masks is not None
        assert len(masks) == len(boxes) == len(sequence)
        said = absent_rows(boxes, sequence.index_base)
        assert sequence.frames is not None
        height, width = sequence.frames[0].shape[:2]
        for index, kind in enumerate(kinds(len(sequence))):
            mask = masks[index]
            assert said[index] == (kind in (2, 3, 4))
            assert (mask is None) == (kind in (None, 0))
            if mask is not None:
                assert has_pixels(mask) == (kind in (1, 5))
            if kind == 1 and mask is not None:  # the box is that of the mask
                rows, columns = np.nonzero(runs_to_mask(mask, (width, height)))
                x, y, w, h = boxes.values[index, :4] - [1, 1, 0, 0]
                assert (columns.min(), rows.min()) == (x, y)
                assert (columns.max() + 1, rows.max() + 1) == (x + w, y + h)
    assert changed_files(store.folder("shy")) == []
    assert "masks/" in (store.folder("shy") / "SHA256SUMS").read_text()


def test_resets_count_an_absence_as_a_failure(made: Path) -> None:
    store = VotStore(made / "results", "vot2018", "baseline")
    for sequence in open_dataset("vot2018", made / "data"):
        run, masks = store.read_run("shy", sequence.name), store.read_masks("shy", sequence.name)
        assert masks is not None
        assert store.repetitions("shy", sequence.name) == (1,)
        starts = np.flatnonzero(run.codes == INITIALISED)
        assert len(starts) > 3
        for start in starts[:-1]:  # a box, a mask, and then "absent" in the third frame
            failed = start + np.flatnonzero(run.codes[start:] == FAILED)[0]
            assert failed <= start + 3
            if failed == start + 3:
                assert (run.codes[start + 1 : start + 3] == TRACKED).all()
                assert masks[start + 1] is None
                assert masks[start + 2] is not None
                assert masks[failed] is not None  # the empty one
            assert masks[start] is None


def test_without_resets_an_absence_overlaps_nothing(bench: Bench, made: Path) -> None:
    line = ("vot2018", "--experiment", "unsupervised")
    bench("run", *line, "-t", "shy.py:Shy", "--masks", "-q", "--name", "shy", cwd=made)
    store = VotStore(made / "results", "vot2018", "unsupervised")
    for sequence in open_dataset("vot2018", made / "data"):
        run = store.read_run("shy", sequence.name)
        said = absent_rows(run, 0)
        assert said.tolist() == [kind in (2, 3, 4) for kind in kinds(len(sequence))]
        assert not run.values[said, :4].any()
    assert "shy" in bench("eval", *line, cwd=made).stdout


def test_a_run_goes_on_as_it_began(bench: Bench, made: Path, tmp_path: Path) -> None:
    """A crash keeps what is whole; results with and without masks are never mixed."""
    line = ("run", "lasot", "-d", made / "data", "-t", made / "shy.py:Shy", "--name", "shy")
    stopped = bench(*line, "--masks", "--set", "stop=yes", "-q", cwd=tmp_path, code=1)
    assert "failed" in stopped.stderr
    folder = tmp_path / "results/lasot/shy"
    assert not list(folder.glob("*.txt"))
    assert not list(folder.glob("masks/*"))
    bench(*line, "--masks", "-q", cwd=tmp_path)
    mine, theirs = (sorted(f.rglob("*_mask.txt")) for f in (folder, made / "results/lasot/shy"))
    assert [p.read_bytes() for p in mine] == [p.read_bytes() for p in theirs] != []
    again = bench(*line, "--masks", cwd=tmp_path)
    assert f"{len(mine)} were finished before" in again.stdout
    refused = bench(*line, cwd=tmp_path, code=1)
    assert "masks: expected None, found 'kept'" in refused.stderr
    boxes = sorted(folder.glob("*.txt"))
    content = boxes[0].read_bytes()
    boxes[0].unlink()  # as a run leaves it that is killed after the masks
    bench(*line, "--masks", "-q", cwd=tmp_path)
    assert boxes[0].read_bytes() == content


@pytest.mark.parametrize("benchmark", ["lasot", "vot2018"])
def test_masks_are_merged_imported_exported_and_removed(
    bench: Bench, made: Path, tmp_path: Path, benchmark: str
) -> None:
    data, inner = made / "data", "lasot/shy" if benchmark == "lasot" else "vot2018/shy/baseline"
    source = made / "results" / inner

    def held(folder: Path) -> dict[str, bytes]:
        found = [*folder.rglob("*_mask.txt"), *folder.rglob("*confidence.value")]
        return {p.relative_to(folder).as_posix(): p.read_bytes() for p in found}

    def scores(folder: Path) -> list[list[float]]:
        return [np.loadtxt(p).tolist()[1:] for p in sorted(folder.glob("scores/*.txt"))]

    wanted = held(source)
    assert wanted
    (tmp_path / "one" / benchmark).mkdir(parents=True)
    (tmp_path / "one" / benchmark / "shy").symlink_to(made / "results" / benchmark / "shy")
    bench("merge", "one", "--results", "merged", cwd=tmp_path)
    merged = tmp_path / "merged" / inner
    assert held(merged) == wanted
    assert changed_files(merged) == []
    options = ("--name", "again", "-d", data, "-r", "imported")
    bench("import", benchmark, made / "results" / benchmark / "shy", *options, cwd=tmp_path)
    imported = tmp_path / "imported" / inner.replace("shy", "again")
    assert held(imported) == wanted
    assert scores(imported) == scores(source)
    if benchmark == "lasot":
        line = ("--tracker", "shy", "-d", data, "-r", made / "results")
        done = bench("export", "lasot", "out", *line, "--format", "pytracking", cwd=tmp_path)
        assert "note: masks left out: the format pytracking has none" in done.stderr
        back = ("out/shy", "--name", "back", "-d", data, "-r", "imported")
        bench("import", "lasot", *back, cwd=tmp_path)
        assert scores(tmp_path / "imported/lasot/back") == scores(source)
    else:
        line = ("--tracker", "shy", "-d", data, "-r", made / "results", "--format", "vot")
        bench("export", "vot2018", "out", *line, cwd=tmp_path)
        assert held(tmp_path / "out/shy/baseline") == wanted
    assert "shy" in bench("list", "-r", "merged", cwd=tmp_path).stdout
    bench("remove", benchmark, "shy", "-r", "merged", "--yes", cwd=tmp_path)
    assert not merged.exists()


def test_eval_says_whether_trackers_know(bench: Bench, made: Path) -> None:
    files = ("--json", "s.json", "--csv", "s.csv")
    said = bench("eval", "lasot", *files, cwd=made).stdout
    assert "is the target there?" in said
    assert "AUROC" in said
    assert "says itself that the target is not visible" in said
    measures = json.loads((made / "s.json").read_text())["trackers"]["shy"]["measures"]
    with (made / "s.csv").open() as stream:
        rows = {r["measure"]: r["value"] for r in csv.DictReader(stream) if r["tracker"] == "shy"}
    for name in ("presence_auroc", "presence_f", "presence_threshold", "absence_recall"):
        assert float(rows[name]) == measures[name]
    store = OnePassStore(made / "results", "lasot")
    scores, shown = [], []
    for sequence in open_dataset("lasot", made / "data"):
        found = store.read_scores("shy", sequence.name)
        assert found is not None
        assert sequence.absent is not None
        scores.append(found[1:])
        shown.append(~sequence.absent[1:])
    from scipy.stats import mannwhitneyu

    every, present = np.concatenate(scores), np.concatenate(shown)
    statistic = mannwhitneyu(every[present], every[~present]).statistic
    pairs = present.sum() * (~present).sum()
    assert measures["presence_auroc"] == pytest.approx(statistic / pairs, abs=1e-12)
    assert measures["presence_frames"] == len(every)
    drawn = bench("plots", "lasot", "--only", "presence", "--format", "png", cwd=made).stdout
    assert "presence: reports/plots/lasot/presence.png" in drawn
    bench("report", "--benchmark", "lasot", "--videos", "none", "-o", "report", cwd=made)
    page = (made / "report/lasot.html").read_text()
    assert "Is the target there?" in page
    assert f"{measures['presence_auroc']:.3f}" in page


def test_a_video_shows_masks_and_absences(bench: Bench, made: Path) -> None:
    (sequence, *_) = open_dataset("lasot", made / "data")
    name = sequence.name
    bench("video", "lasot", name, "-t", "shy", "-o", "clip.mp4", cwd=made)
    with av.open(str(made / "clip.mp4")) as container:
        frames = [f.to_ndarray(format="rgb24").astype(int) for f in container.decode(video=0)]
    colour = np.array(looks(["shy", "static"])["shy"].colour)
    assert sequence.frames is not None
    zoom = -(-640 // sequence.frames[0].shape[1])

    def near(index: int, x: float, y: float) -> int:
        """Pixels of the tracker's colour in a square around a place."""
        x, y = round(x * zoom), round(y * zoom)
        part = frames[index][y - 14 : y + 15, x - 14 : x + 15]
        return int((np.abs(part - colour).max(axis=-1) < 70).sum())

    x, y, w, h = sequence.initial_box.tolist()
    centre = (x + w / 2, y + h / 2)
    assert near(3, *centre) > near(1, *centre) + 30  # the mark of the absence, not of the box
    inside = frames[2][round(centre[1] * zoom), round(centre[0] * zoom)]
    before = np.asarray(sequence.frames[2], dtype=int)[round(centre[1]), round(centre[0])]
    tinted = before * 0.6 + colour * 0.4  # the colour inside the mask
    assert np.abs(inside - tinted).max() < 60


def test_siamattn_keeps_its_masks_when_asked(
    bench: Bench, miniature: Miniature, tmp_path: Path
) -> None:
    miniature.into(tmp_path / "data", "vot2018")
    (sequence, *_) = open_dataset("vot2018", tmp_path / "data")
    keep_frames(tmp_path / "data" / "vot2018" / sequence.name, "color", 20)
    line = ("run", "vot2018", "-t", "siamattn-lite", "-q", "--sequence", sequence.name)
    bench(*line, "--masks", "--name", "kept", cwd=tmp_path)
    bench(*line, "--name", "plain", cwd=tmp_path)
    store = VotStore(tmp_path / "results", "vot2018", "baseline")
    kept, plain = (store.run_path(name, sequence.name, 1) for name in ("kept", "plain"))
    assert kept.read_bytes() == plain.read_bytes()
    masks = store.read_masks("kept", sequence.name)
    assert masks is not None
    assert sum(mask is not None and has_pixels(mask) for mask in masks) > len(masks) / 3
    assert store.read_masks("plain", sequence.name) is None
