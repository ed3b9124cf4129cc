"""Plants known causes in pairs of runs, and counts how often `bench diff` names each first.

    python scripts/planted.py FOLDER [--shared SHARED] [--only NAME]

Thirty pairs differ by one cause: runs of KCF and siamattn-lite on the miniature and on real
sequences, and other people's stored results with one thing changed. Forty more differ by
chance alone: a stochastic tracker's repetitions, boxes or first boxes with noise, and noise in
the frames. Runs are kept in FOLDER, so a second call only compares. The exit code is 1 unless 28
causes are named first and none in the pairs of chance.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.benchmarks import get_experiment
from bench.comparison import Opened, Side, compare_sides, with_reruns
from bench.comparison.pairs import pairs_of
from bench.comparison.patterns import recognised
from bench.comparison.sides import open_sides
from bench.datasets import open_dataset
from bench.geometry import FAILED, INITIALISED, SKIPPED, Regions
from bench.mini import write_miniature
from bench.registry import make_spec
from bench.results.memory import MemoryStore, StoredRun
from bench.runner.unit import Unit, run_unit
from bench.sequence import Sequence

ENOUGH = 28
REAL = ("Crossing", "Couple", "Football1", "Skiing")


@dataclass(frozen=True)
class Plant:
    """A pair with a known cause; none for a pair of chance.

    Attributes:
        name: of the pair.
        causes: names that are right; empty for chance.
        make: opens it.
        tracker: of the reference, to be run again; empty for stored results.
    """

    name: str
    causes: tuple[str, ...]
    make: Callable[[], Opened]
    tracker: str = ""


class Altered:
    """A tracker whose input is changed on the way."""

    deterministic = True

    def __init__(self, inner: Any, change: str, seed: int = 0) -> None:
        self.inner, self.change = inner, change
        self.random = np.random.default_rng(seed)
        self.starts_on = getattr(inner, "starts_on", "bounding")
        self.count, self.last = 0, None

    def init(self, image: Any, region: Any) -> None:
        by = {"half": 0.5, "one": 1.0, "minus one": -1.0}.get(self.change, 0.0)
        moved = np.array(region, dtype=np.float64)
        if moved.ndim == 1:
            moved[:2] += by
        else:
            moved += by
        if self.change == "first box noise":
            moved = moved + self.random.normal(0, 0.3, moved.shape)
        self.inner.init(self._seen(image), moved)

    def update(self, image: Any) -> Any:
        self.count += 1
        if self.change == "every other" and self.count % 2 == 0:
            return self.last
        self.last = self.inner.update(self._seen(image))
        return self.last

    def _seen(self, image: Any) -> Any:
        if self.change == "bgr":
            return image[..., ::-1].copy()
        if self.change == "frame noise":
            noisy = image + self.random.normal(0, 2, image.shape)
            return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
        return image


class Late:
    """Frames that are one too late."""

    def __init__(self, inner: Any, first: bool) -> None:
        self.inner, self.first = inner, first

    def __len__(self) -> int:
        return len(self.inner)

    def __getitem__(self, index: int) -> Any:
        return self.inner[min(index + (1 if index or not self.first else 0), len(self) - 1)]


def less_precise(tracker: Any, change: str) -> None:
    """Weights of another precision: of 16 bits, or with noise in the last bits of 32."""
    import torch

    network = tracker.engine.network
    torch.manual_seed(0)
    with torch.no_grad():
        for each in network.parameters():
            changed = each.half() if change == "half precision" else each.float()
            each.copy_(changed.float() * (1 + 3e-7 * torch.randn_like(each)))


def run(
    data: str,
    benchmark: str,
    tracker: str,
    change: str,
    options: dict[str, Any],
    seed: int,
    only: tuple[str, ...] = (),
) -> dict[str, Regions]:
    """Every sequence of a dataset under one change, in file coordinates."""
    import torch

    torch.set_num_threads(1)
    dataset = open_dataset(benchmark, data)
    experiment = get_experiment("baseline" if benchmark.startswith("vot") else "onepass")
    store = MemoryStore(benchmark, experiment.name)
    for sequence in dataset:
        if sequence.frames is None or (only and sequence.name not in only):
            continue
        inner = make_spec(tracker, options).build()
        if "precision" in change:
            less_precise(inner, change)
        clip = sequence
        if change in ("late", "started late"):
            clip = dataclasses.replace(clip, frames=Late(clip.frames, change == "late"))
        if change == "started late":
            rows = np.minimum(np.arange(len(clip)) + 1, len(clip) - 1)
            clip = dataclasses.replace(clip, ground_truth=clip.ground_truth[rows])
        unit = Unit(clip, 0, 1, experiment)
        found = run_unit(Altered(inner, change, seed), unit)
        store.write("x", sequence, found)
    return {name: runs[1].regions for name, runs in store.stored["x"].items()}


class Bench:
    """Runs and stored results that plants are made of."""

    def __init__(self, folder: Path, shared: Path) -> None:
        self.folder, self.shared = folder, shared
        self.mini = folder / "mini"
        if not self.mini.is_dir():
            write_miniature(self.mini, benchmarks=["otb2015", "vot2018"], jobs=2)

    def data(self, place: str) -> tuple[str, str, tuple[str, ...]]:
        """Folder, benchmark and sequences of a place."""
        if place == "real":
            return str(self.shared / "data/otb2015/sequences"), "otb2015", REAL
        if place == "bag":
            return str(self.shared / "data/vot2018/sequences"), "vot2018", ()
        return str(self.mini), place, ()

    def ran(
        self, place: str, tracker: str, change: str = "", seed: int = 0, **options: Any
    ) -> dict[str, Regions]:
        """A run, from the folder if it was made before."""
        words = [place, tracker, change, str(seed), *(f"{k}={v}" for k, v in options.items())]
        path = self.folder / "runs" / ("_".join(filter(None, words)).replace(" ", "-") + ".npz")
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            data, benchmark, only = self.data(place)
            with ProcessPoolExecutor(1) as pool:
                made = pool.submit(run, data, benchmark, tracker, change, options, seed, only)
                arrays = {n: r.values for n, r in made.result().items()}
                counts = {f"{n}|counts": r.counts for n, r in made.result().items()}
            np.savez(path, **arrays, **counts)
        with np.load(path) as kept:
            return {n: Regions(kept[n], kept[f"{n}|counts"]) for n in kept.files if "|" not in n}

    def pair(self, place: str, a: dict[str, Regions], b: dict[str, Regions]) -> Opened:
        """Two runs as they would be stored: boxes of four decimals."""
        data, benchmark, _ = self.data(place)
        dataset = open_dataset(benchmark, data)
        experiment = "baseline" if benchmark.startswith("vot") else "onepass"
        store = MemoryStore(benchmark, experiment)
        for label, runs in (("mine", a), ("theirs", b)):
            for name, regions in runs.items():
                rounded = Regions(np.round(regions.values, 4), regions.counts)
                store.add(label, name, StoredRun(rounded))
        return Opened(dataset, store, Side("mine"), Side("theirs"))

    def stored(self, benchmark: str, tracker: str) -> Opened:
        """Other people's results beside themselves."""
        base = self.shared / "data" / benchmark
        annotation = {
            "otb2015": base / "annotations/anno",
            "uav123": base / "annotations/anno",
        }.get(benchmark, base / "annotations")
        folder = str(base / "results" / tracker)
        return open_sides(
            folder, folder, data=annotation, results=Path("none"), benchmark=benchmark
        )

    def changed(
        self, benchmark: str, tracker: str, change: Callable[[Sequence, Regions], Regions]
    ) -> Opened:
        """Stored results, the first side changed sequence by sequence."""
        opened = self.stored(benchmark, tracker)
        own = opened.store.stored[opened.a.label]
        for name, runs in own.items():
            for number, one in list(runs.items()):
                runs[number] = StoredRun(change(opened.dataset[name], one.regions))
        return opened


def of_boxes(change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Sequence, Regions], Regions]:
    """A change of rows ``(N, 4)``."""
    return lambda _, regions: Regions.from_boxes(change(regions.values[:, :4].copy()))


def corners(rows: np.ndarray) -> np.ndarray:
    return np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:]], axis=1)


def shifted(by: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda rows: rows + np.array([by, by, 0, 0])


def later(rows: np.ndarray) -> np.ndarray:
    return np.concatenate([rows[:1], rows[2:], rows[-1:]])


def without_some(rows: np.ndarray) -> np.ndarray:
    """Without the rows in the middle, the last one repeated."""
    middle = len(rows) // 2
    return np.concatenate([rows[:middle], rows[middle + 3 :], np.repeat(rows[-1:], 3, axis=0)])


def tiger(sequence: Sequence, regions: Regions) -> Regions:
    """Tiger1 with its first five frames, which other people's results leave out."""
    if sequence.name != "Tiger1":
        return regions
    rows = [sequence.ground_truth[: len(sequence) - len(regions)], regions.values[:, :4]]
    return Regions.from_boxes(np.concatenate(rows))


def david(sequence: Sequence, regions: Regions) -> Regions:
    """David from another frame on, started on that frame's box."""
    if sequence.name != "David":
        return regions
    rows = regions.values[:, :4].copy()
    rows[:-8] = rows[8:]
    rows[0] = sequence.ground_truth[8] + 0.0
    return Regions.from_boxes(rows)


def restarted_at_once(_: Sequence, regions: Regions) -> Regions:
    """Restarts five frames early: right where the failure was, rows moved forward."""
    rows = [
        row[:count].tolist() for row, count in zip(regions.values, regions.counts, strict=True)
    ]
    for failure in np.flatnonzero(regions.codes == FAILED):
        if failure + 5 < len(rows) and rows[failure + 5] == [INITIALISED]:
            rows[failure + 1] = [INITIALISED]
            for index in range(failure + 2, failure + 6):
                follow = rows[min(index + 4, len(rows) - 1)]
                rows[index] = follow if len(follow) > 1 else rows[failure - 1]
    return Regions.from_rows(rows)


def failed_early(_: Sequence, regions: Regions) -> Regions:
    """Failures declared five frames early."""
    rows = [
        row[:count].tolist() for row, count in zip(regions.values, regions.counts, strict=True)
    ]
    for failure in np.flatnonzero(regions.codes == FAILED):
        if failure >= 8 and all(len(rows[i]) > 1 for i in range(failure - 5, failure)):
            rows[failure - 5] = [FAILED]
            for index in range(failure - 4, min(failure + 5, len(rows))):
                rows[index] = [INITIALISED] if index == failure else [SKIPPED]
                if index > failure:
                    rows[index] = rows[failure - 6]
    return Regions.from_rows(rows)


def late_flips(sequence: Sequence, regions: Regions) -> Regions:
    """A few sequences that fail late, where they did not."""
    if len(sequence.name) % 4 or len(regions) < 120:
        return regions
    rows = [
        row[:count].tolist() for row, count in zip(regions.values, regions.counts, strict=True)
    ]
    at = int(0.8 * len(rows))
    if any(len(rows[index]) == 1 for index in range(at - 3, at + 7)):
        return regions
    rows[at : at + 6] = [[FAILED], *[[SKIPPED]] * 4, [INITIALISED]]
    return Regions.from_rows(rows)


def first_of_many(bench: Bench) -> Opened:
    """The first repetition of fifteen."""
    opened = bench.stored("vot2018", "UPDT")
    own = opened.store.stored[opened.a.label]
    for name, runs in list(own.items()):
        own[name] = {1: runs[1]}
    return opened


def repetition_pair(bench: Bench, first: int, second: int) -> Opened:
    """Two repetitions of a stochastic tracker."""
    opened = bench.stored("vot2018", "UPDT")
    for label, number in ((opened.a.label, first), (opened.b.label, second)):
        own = opened.store.stored[label]
        for name, runs in list(own.items()):
            own[name] = {1: runs[number if number in runs else 1]}
    return opened


def noisy(sigma: float, seed: int) -> Callable[[Sequence, Regions], Regions]:
    """Boxes with noise of so many pixels."""
    random = np.random.default_rng(seed)

    def change(_: Sequence, regions: Regions) -> Regions:
        values = regions.values.copy()
        rows = regions.counts > 1
        values[rows] += random.normal(0, sigma, values[rows].shape)
        return Regions(values, regions.counts)

    return change


def stored_plants(bench: Bench) -> Iterator[Plant]:
    """Fifteen changes of stored results."""
    for name, cause, benchmark, tracker, change in (
        ("one-based", "one-based", "otb2015", "DaSiamRPN", of_boxes(shifted(1))),
        ("zero-based", "one-based", "uav123", "SiamFDB", of_boxes(shifted(-1))),
        ("corners", "corners", "uav123", "SiamFDB", of_boxes(corners)),
        ("truncated", "truncated", "otb2015", "SiamRPN++", of_boxes(np.floor)),
        ("rounded", "truncated", "uav123", "SiamFDB", of_boxes(np.rint)),
        ("half a pixel", "half-pixel", "otb2015", "DaSiamRPN", of_boxes(shifted(0.5))),
        ("one frame later", "frames-shifted", "lasot", "DiMP50", of_boxes(later)),
        ("three rows lost", "frames-dropped", "otb2015", "DaSiamRPN", of_boxes(without_some)),
        ("no first row", "first-frame-missing", "otb2015", "SiamRPN++",
         lambda _, regions: regions[slice(1, None)]),
        ("Tiger1", "ground-truth", "otb2015", "DaSiamRPN", tiger),
        ("David", "ground-truth", "otb2015", "DaSiamRPN", david),
        ("halved", "image-size", "otb2015", "DaSiamRPN", of_boxes(lambda rows: rows / 2)),
        ("restarts", "early-reset", "vot2018", "SiamRPN", restarted_at_once),
        ("early failures", "early-reset", "vot2018", "LADCF", failed_early),
        ("late flips", "precision", "vot2018", "SiamRPN", late_flips),
    ):  # fmt: skip
        yield Plant(
            f"{tracker}: {name}", (cause,),
            lambda b=benchmark, t=tracker, c=change: bench.changed(b, t, c),
        )  # fmt: skip
    yield Plant("UPDT: one run of 15", ("repetitions",), lambda: first_of_many(bench))


def run_plants(bench: Bench) -> Iterator[Plant]:
    """Fourteen runs with one change."""
    hyper = ("hyper-parameters",)
    for place, tracker, change, causes, options in (
        ("otb2015", "kcf", "bgr", ("colour-order",), {}),
        ("real", "kcf", "bgr", ("colour-order",), {}),
        ("otb2015", "siamattn-lite", "bgr", ("colour-order",), {}),
        ("otb2015", "kcf", "half", ("half-pixel",), {}),
        ("real", "kcf", "half", ("half-pixel",), {}),
        ("real", "kcf", "one", ("one-based",), {}),
        ("otb2015", "siamattn-lite", "minus one", ("one-based",), {}),
        ("real", "kcf", "late", ("frames-shifted",), {}),
        ("otb2015", "kcf", "every other", ("frames-dropped",), {}),
        ("real", "kcf", "started late", ("first-frame-missing",), {}),
        ("otb2015", "kcf", "", hyper, {"learning_rate": 0.075}),
        ("real", "kcf", "", hyper, {"scale_step": 1.05}),
        ("otb2015", "siamattn-lite", "", hyper, {"benchmark": "vot"}),
        ("otb2015", "siamattn-lite", "", hyper, {"lr": 0.2}),
        ("otb2015", "siamattn-lite", "precision", ("precision",), {}),
        ("otb2015", "siamattn-lite", "half precision", ("precision",), {}),
    ):
        yield Plant(
            f"{tracker} on {place}: {change or options}", causes,
            lambda p=place, t=tracker, c=change, o=options: bench.pair(
                p, bench.ran(p, t, c, **o), bench.ran(p, t)
            ),
            tracker,
        )  # fmt: skip


def chance_plants(bench: Bench) -> Iterator[Plant]:
    """Pairs that differ by chance alone."""
    for first, second in ((1, 2), (3, 4), (5, 6), (7, 8), (9, 10), (11, 12), (13, 14), (2, 15)):
        yield Plant(
            f"UPDT: runs {first} and {second}", (),
            lambda f=first, s=second: repetition_pair(bench, f, s),
        )  # fmt: skip
    for benchmark, tracker in (("otb2015", "DaSiamRPN"), ("uav123", "SiamFDB")):
        for seed, sigma in enumerate((0.02, 0.2, 1.0)):
            yield Plant(
                f"{tracker}: boxes with noise of {sigma} pixels", (),
                lambda b=benchmark, t=tracker, s=sigma, n=seed: bench.changed(b, t, noisy(s, n)),
            )  # fmt: skip
    for place in ("otb2015", "real"):
        for change in ("frame noise", "first box noise"):
            for seed in (1, 3):
                yield Plant(
                    f"kcf on {place}: {change}, seeds {seed} and {seed + 1}", (),
                    lambda p=place, c=change, s=seed: bench.pair(
                        p, bench.ran(p, "kcf", c, s), bench.ran(p, "kcf", c, s + 1)
                    ),
                )  # fmt: skip
    for change in ("frame noise", "first box noise"):
        yield Plant(
            f"siamattn-lite on otb2015: {change}", (),
            lambda c=change: bench.pair(
                "otb2015", bench.ran("otb2015", "siamattn-lite", c, 1),
                bench.ran("otb2015", "siamattn-lite", c, 2),
            ),
        )  # fmt: skip


def print_alarms(bench: Bench) -> None:
    """How often each cause is named between different trackers' stored results."""
    counts: Counter[str] = Counter()
    pairs = 0
    for benchmark, annotation in (("otb2015", "annotations/anno"), ("vot2018", "annotations")):
        base = bench.shared / "data" / benchmark
        folders = sorted((base / "results").iterdir())
        for first, second in itertools.combinations(folders, 2):
            opened = open_sides(
                str(first),
                str(second),
                data=base / annotation,
                results=Path("none"),
                benchmark=benchmark,
            )
            found = list(pairs_of(opened.dataset, opened.store, opened.a.label, opened.b.label))
            named = [cause.name for cause in recognised(found, opened.store.experiment)]
            counts.update(named)
            pairs += 1
            print(
                f"{benchmark}: {first.name}, {second.name}: {', '.join(named) or '-'}", flush=True
            )
    print(f"{pairs} pairs of different trackers:", dict(counts))


def judged(plant: Plant, *, rerun: bool) -> tuple[bool, str]:
    """Whether the first cause is right, and what was named."""
    opened = plant.make()
    found = compare_sides(opened)
    if rerun and plant.tracker and plant.causes:
        found = with_reruns(found, opened, tracker=plant.tracker)
    named = [cause.name for cause in found.causes]
    right = named[:1] == [] if not plant.causes else bool(named) and named[0] in plant.causes
    return right, ", ".join(named) or "no cause"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--only", default="")
    parser.add_argument("--alone", action="store_true", help="from results alone, nothing is run")
    parser.add_argument("--alarms", action="store_true", help="different trackers, pair by pair")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    bench = Bench(given.folder, given.shared)
    if given.alarms:
        print_alarms(bench)
        return
    counts = {True: [0, 0], False: [0, 0]}
    for plant in (*stored_plants(bench), *run_plants(bench), *chance_plants(bench)):
        if given.only not in plant.name:
            continue
        started = time.monotonic()
        right, named = judged(plant, rerun=not given.alone)
        counts[bool(plant.causes)][0] += right
        counts[bool(plant.causes)][1] += 1
        wanted = " or ".join(plant.causes) or "no cause"
        mark = "right" if right else "WRONG"
        took = time.monotonic() - started
        print(f"{mark}  {plant.name}: {wanted}; named {named} ({took:.0f} s)", flush=True)
    causes, chance = counts[True], counts[False]
    print(f"{causes[0]} of {causes[1]} causes named first; "
          f"{chance[1] - chance[0]} of {chance[1]} pairs of chance with a cause")  # fmt: skip
    sys.exit(0 if given.only or (causes[0] >= ENOUGH and chance[0] == chance[1]) else 1)


if __name__ == "__main__":
    main()
