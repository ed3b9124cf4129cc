"""Runs the sequence that parts first again, under one changed fact at a time.

The reference's tracker is run from the first frame to a little beyond the parting: once as it
was, which must give the reference's rows, then with one change. The change whose rows are the
suspect's is the cause; others explain the part of the distance that they take away.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Sequence as List
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import numpy as np

from bench.arrays import FloatArray, Image
from bench.benchmarks import get_experiment
from bench.comparison.causes import Cause
from bench.comparison.difference import Difference, overall
from bench.comparison.facts import Fact
from bench.comparison.inputs import Alter, by_pillow, grey, halved, read_by, swapped
from bench.comparison.pairs import Pair, boxes_of, pairs_of, parting_of, row_distance
from bench.comparison.sides import Opened, common
from bench.errors import BenchError, ConfigError
from bench.geometry import Regions
from bench.registry import TrackerSpec, make_spec, tracker_options
from bench.results.record import RunRecord
from bench.runner.unit import Unit, build_tracker, run_unit
from bench.sequence import Frames, RegionTrajectory, Sequence, to_file
from bench.tracker import BenchmarkName

_BEYOND = 12  # frames after the parting
_CAP = 20.0  # pixels; a lost target must not outweigh the rest
_EXACT = 0.98  # of the rows must be the suspect's
_FAMILIES = ("otb2015", "vot2018", "lasot", "uav123")


@dataclass(frozen=True)
class Rerun:
    """One run under one change.

    Attributes:
        cause: name of the cause that the change is; empty for the control.
        change: in words.
        sequence: that was run.
        frames: how many were run.
        equal: part of the rows that are the suspect's (the reference's for the control).
        explains: part of the distance between both runs that the change makes.
        problem: why it could not be run.
    """

    cause: str
    change: str
    sequence: str
    frames: int
    equal: float = 0.0
    explains: float = 0.0
    problem: str = ""


def spec_of(
    record: RunRecord | None, weights: Path | None = None, benchmark: str = ""
) -> TrackerSpec:
    """The tracker that a record states, to be run again.

    Raises:
        ConfigError: there is no record of a run, or the tracker cannot be made from it.
    """
    if record is None or record.kind != "run":
        raise ConfigError(
            "--rerun: expected a run.json of a run beside one of the results, found none. Run the "
            "tracker with `bench run`, or leave --rerun out."
        )
    facts = record.provenance
    known = tracker_options(str(facts["target"]))
    names = [k for k, p in known.items() if p.annotation is BenchmarkName]
    options = {
        name: value
        for name, value in dict(facts.get("options") or {}).items()
        if name in known and name not in ("weights", *names)
    }
    return make_spec(str(facts["target"]), options, weights=weights).on(benchmark)


def rerun(
    pairs: List[Pair],
    spec: TrackerSpec,
    facts: List[Fact],
    experiment: str,
    *,
    seed: int = 0,
    control: str = "b",
) -> list[Rerun]:
    """Run the first parting sequence under every change; the control comes first.

    Args:
        pairs: of all sequences, the suspect first.
        spec: the reference's tracker.
        facts: options that the records state differently are tried one at a time.
        experiment: the protocol.
        seed: of the reference.
        control: which side of the facts is the suspect's other.
    """
    chosen = _first_parting(pairs)
    if chosen is None:
        return []
    pair, frames = chosen
    runner = _Runner(pair, frames, experiment, seed)
    before = runner.distance(pair.b.boxes[:frames])
    found = [runner.control(spec)]
    if found[0].problem:
        return found
    for cause, change, altered in _alterations():
        found.append(runner.test(cause, change, spec, altered, before))
    for cause, change, other in _other_options(spec, facts, control):
        found.append(runner.test(cause, change, other, lambda sequence: sequence, before))
    return found


def _first_parting(pairs: List[Pair]) -> tuple[Pair, int] | None:
    """The sequence with frames that parts first, and how many frames to run."""
    found = []
    for pair in pairs:
        at = parting_of(pair).any
        if at is not None and pair.sequence.frames is not None and len(pair.sequence.frames):
            found.append((at, pair))
    if not found:
        return None
    at, pair = min(found, key=lambda each: each[0])
    return pair, min(at + _BEYOND, pair.rows, len(pair.sequence))


@dataclass(frozen=True, eq=False)
class _Runner:
    """Runs the first frames of one sequence."""

    pair: Pair
    frames: int
    experiment: str
    seed: int

    def distance(self, boxes: FloatArray) -> float:
        """Mean distance to the suspect's rows, each at most a cap."""
        off = row_distance(self.pair.a.boxes[: self.frames], boxes)[1:]
        return float(np.minimum(off, _CAP).mean())

    def run(self, spec: TrackerSpec, sequence: Sequence) -> FloatArray:
        """``(frames, 4)`` boxes in file coordinates."""
        cut = _cut(sequence, self.frames)
        unit = Unit(cut, self.seed, 1, get_experiment(self.experiment))
        found = run_unit(build_tracker(spec, self.seed), unit)
        if isinstance(found, RegionTrajectory):
            return boxes_of(found.regions)
        boxes = boxes_of(Regions.from_boxes(to_file(found.boxes, cut.index_base)))
        return np.round(boxes, 4)

    def control(self, spec: TrackerSpec) -> Rerun:
        blank = Rerun("", "as it was", self.pair.name, self.frames)
        try:
            boxes = self.run(spec, self.pair.sequence)
        except BenchError as error:
            return dataclasses.replace(blank, problem=str(error))
        off = row_distance(self.pair.b.boxes[: self.frames], boxes)
        equal = float((off <= self.pair.tolerance + 1e-3).mean())
        problem = (
            ""
            if equal >= _EXACT
            else (
                f"the reference's rows do not come out here (only {equal:.0%} of them), so no "
                "change can be tested; its code, libraries or weights are others"
            )
        )
        return dataclasses.replace(blank, equal=equal, problem=problem)

    def test(
        self, cause: str, change: str, spec: TrackerSpec, altered: Alter, before: float
    ) -> Rerun:
        blank = Rerun(cause, change, self.pair.name, self.frames)
        try:
            boxes = self.run(spec, altered(self.pair.sequence))
        except (BenchError, ArithmeticError, IndexError) as error:
            return dataclasses.replace(blank, problem=str(error))
        off = row_distance(self.pair.a.boxes[: self.frames], boxes)[1:]
        equal = float((off <= self.pair.tolerance + 1e-3).mean())
        explains = 1 - float(np.minimum(off, _CAP).mean()) / before if before else 0.0
        return dataclasses.replace(blank, equal=equal, explains=explains)


def _cut(sequence: Sequence, frames: int) -> Sequence:
    """The first frames of a sequence."""
    return dataclasses.replace(
        sequence,
        ground_truth=sequence.ground_truth[:frames],
        polygons=None if sequence.polygons is None else sequence.polygons[:frames],
        absent=None if sequence.absent is None else sequence.absent[:frames],
        tags={name: flags[:frames] for name, flags in sequence.tags.items()},
        practical=None if sequence.practical is None else sequence.practical[:frames],
        all_frames=False,
    )


def _alterations() -> Iterator[tuple[str, str, Alter]]:
    """Changes of what the tracker is given, each with the cause that it is."""
    yield "colour-order", "BGR for RGB", read_by(swapped)
    yield "colour-order", "grey frames", read_by(grey)
    yield "decoder", "frames decoded by Pillow", read_by(by_pillow)
    yield "image-size", "frames halved and enlarged again", read_by(halved)
    for by in (0.5, -0.5):
        yield "half-pixel", f"first box {by:+g} pixel off", _first_box(by)
    for by in (1.0, -1.0):
        yield "one-based", f"first box {by:+g} pixel off", _first_box(by)
    yield "truncated", "first box cut to whole pixels", _whole_first_box
    for by in (1, -1):
        yield "frames-shifted", f"frames shifted by {by:+d} after the first", read_by(_later(by))
    yield "first-frame-missing", "started one frame later", _started_later


def _later(by: int) -> Callable[[Frames, int], Image]:
    return lambda frames, index: frames[min(max(index + by, 0), len(frames) - 1) if index else 0]


def _moved(sequence: Sequence, box: FloatArray) -> Sequence:
    """The sequence with another first box; a polygon moves with it."""
    truth = sequence.ground_truth.copy()
    by = box[:2] - truth[0, :2]
    truth[0] = box
    polygons = sequence.polygons
    if polygons is not None:
        polygons = polygons.copy()
        polygons[0] += by
    return dataclasses.replace(sequence, ground_truth=truth, polygons=polygons)


def _first_box(by: float) -> Alter:
    def altered(sequence: Sequence) -> Sequence:
        return _moved(sequence, sequence.ground_truth[0] + np.array([by, by, 0.0, 0.0]))

    return altered


def _whole_first_box(sequence: Sequence) -> Sequence:
    return _moved(sequence, np.floor(sequence.ground_truth[0]))


def _started_later(sequence: Sequence) -> Sequence:
    """Frames and boxes from the second on."""
    shifted = read_by(lambda frames, index: frames[min(index + 1, len(frames) - 1)])(sequence)
    rows = np.minimum(np.arange(len(sequence.ground_truth)) + 1, len(sequence.ground_truth) - 1)
    polygons = None if sequence.polygons is None else sequence.polygons[rows]
    return dataclasses.replace(
        shifted, ground_truth=sequence.ground_truth[rows], polygons=polygons
    )


def _other_options(
    spec: TrackerSpec, facts: List[Fact], control: str
) -> Iterator[tuple[str, str, TrackerSpec]]:
    """The suspect's options one at a time, and the hyper-parameters of other benchmarks."""
    for fact in facts:
        if fact.name.startswith("options.") and fact.cause:
            name, value = fact.name.removeprefix("options."), getattr(fact, _other(control))
            yield fact.cause, f"{name} = {value}", _with(spec, {name: value})
    for name, parameter in tracker_options(spec.target).items():
        if parameter.annotation is BenchmarkName:
            choices: tuple[str, ...] = _FAMILIES
        elif name == "benchmark" and get_origin(parameter.annotation) is Literal:
            choices = get_args(parameter.annotation)
        else:
            continue
        for choice in choices:
            if spec.options.get(name) != choice:
                change = f"hyper-parameters of {choice}"
                yield "hyper-parameters", change, _with(spec, {name: choice})


def _other(side: str) -> str:
    return "a" if side == "b" else "b"


def _with(spec: TrackerSpec, options: Mapping[str, Any]) -> TrackerSpec:
    given = {name: value for name, value in options.items() if value is not None}
    dropped = {name for name, value in options.items() if value is None}
    kept = {name: value for name, value in spec.options.items() if name not in dropped}
    return dataclasses.replace(spec, options={**kept, **given})


def proven_causes(reruns: List[Rerun]) -> list[Cause]:
    """The changes under which the suspect's rows come out; else the best of those that help."""
    proven = [one for one in reruns[1:] if one.cause and one.equal >= _EXACT]
    found: dict[str, Rerun] = {}
    for one in proven:
        found.setdefault(one.cause, one)
    return [
        Cause(
            one.cause, one.change,
            f"{one.sequence} run again under this change alone: {one.equal:.0%} of {one.frames} "
            "rows are the other run's",
            weight=0.995 - 0.001 * place, sequences=(one.sequence,),
            explains={"distance": one.explains},
        )
        for place, one in enumerate(found.values())
    ]  # fmt: skip


def with_reruns(
    found: Difference, opened: Opened, weights: Path | None = None, tracker: str | None = None
) -> Difference:
    """The difference with what running again showed, the proven causes first.

    Args:
        found: what ``compare_sides`` gave.
        opened: both sides.
        weights: file of the reference's weights, where it is not the tracker's own.
        tracker: the reference's tracker, where no record states it.

    Raises:
        ConfigError: no side's tracker can be made again.
    """
    dataset = common(opened.dataset, opened.store, (found.a, found.b))
    pairs = list(pairs_of(dataset, opened.store, found.a, found.b))
    problems, reruns = [], []
    for side, suspected in (("b", pairs), ("a", [pair.swapped() for pair in pairs])):
        record = opened.b.record if side == "b" else opened.a.record
        try:
            spec = (
                make_spec(tracker, weights=weights).on(dataset.benchmark)
                if tracker is not None
                else spec_of(record, weights, dataset.benchmark)
            )
        except BenchError as error:
            problems.append(str(error))
            continue
        seed = int(record.provenance.get("seed") or 0) if record is not None else 0
        done = rerun(suspected, spec, list(found.facts), found.experiment, seed=seed, control=side)
        reruns += done
        proven = proven_causes(done)
        if proven:
            names = {cause.name for cause in proven}
            suspect = "a" if side == "b" else "b"
            first = (dataclasses.replace(cause, side=suspect) for cause in proven)
            causes = (*first, *(c for c in found.causes if c.name not in names))
            told = dataclasses.replace(found, causes=causes, reruns=tuple(reruns))
            return dataclasses.replace(told, verdict=overall(told, pairs))
    if not reruns and problems:
        raise ConfigError(problems[0])
    return dataclasses.replace(found, reruns=tuple(reruns))
