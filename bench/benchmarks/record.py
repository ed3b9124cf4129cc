"""Benchmarks and experiments as data: what a declaration and the tables say, with types."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal

from bench.errors import ConfigError, unknown_name

TABLES = Path(__file__).parents[1] / "tables"


@dataclass(frozen=True)
class Listed:
    """One sequence of a benchmark's list; a row of its table.

    Attributes:
        name: canonical name, also of its result files.
        subset: the part of the benchmark it belongs to.
        folder: name of its folder of images; several sequences may share one.
        file: its file of boxes, where the layout's usual name is not it.
        first: number of the first annotated image; None for the layout's usual one.
        frames: number of annotation rows, None if unknown.
        digits: of the images' numbers.
        skippable: leading frames that some toolkits leave out. Tiger1 is annotated from frame 1,
            where the official one-pass evaluation starts; several toolkits skip five frames, so
            that their results have 349 rows for frames 6-354.
        surplus_images: True if the official folder holds images outside the annotated range.
        width, height: of the images in pixels, if known.
        absent: number of rows without the target, if known.
        without_box: rows of the official file, from 1, that hold no box for no stated reason.
        attributes: by the authors' own list; None without one.
        sets: named selections of the table that it is in.
        spellings: names in other toolkits.
    """

    name: str
    subset: str = "test"
    folder: str = ""
    file: str = ""
    first: int | None = None
    frames: int | None = None
    digits: int = 4
    skippable: int = 0
    surplus_images: bool = False
    width: int | None = None
    height: int | None = None
    absent: int | None = None
    without_box: tuple[int, ...] = ()
    attributes: frozenset[str] | None = None
    sets: tuple[str, ...] = ()
    spellings: tuple[str, ...] = ()

    @property
    def size(self) -> tuple[int, int] | None:
        """(width, height) in pixels, if known."""
        return (self.width, self.height) if self.width and self.height else None

    @property
    def category(self) -> str:
        """``airplane-1`` -> ``airplane``; empty for names of another form."""
        category, _, number = self.name.rpartition("-")
        return category if number.isdecimal() else ""

    @property
    def places(self) -> dict[str, str]:
        """What the placeholders of a layout's paths stand for."""
        folder, subset = self.folder or self.name, self.subset
        return {"name": self.name, "folder": folder, "subset": subset, "category": self.category}


@dataclass(frozen=True)
class Form:
    """One arrangement of a benchmark's files, as paths below its folder.

    Placeholders: ``{name}``, ``{folder}``, ``{category}``, ``{subset}``, ``{file}`` of the
    sequence, ``{at}`` for the path found by ``at``, and the options of the layout.

    Attributes:
        at: folder or file whose presence means that the sequence is here; the first found counts.
        boxes: file of boxes; ``at`` by default.
        images: folders of images; the first that exists.
        absent: files of flags, 1 where the target is absent; any of them may say so.
        absent_may_lack: whether such files may be missing: the first that exists counts.
        absent_longer: whether such files may have more flags than the ground truth has rows.
        visible: file with the visible share of the target per frame; 0 means absent.
        attributes: files of one 0 or 1 per attribute; the first that exists.
        marked: a file of one 0 or 1 per frame for each attribute; one 1 is enough.
        range: file with the numbers of the first and last image.
        size: file with a line ``resolution: (width, height)``.
        rows: how a row is written: ``x,y,w,h``, or ``id x1 y1 x2 y2 ...`` at 240 frames
            per second.
    """

    at: tuple[str, ...]
    boxes: str = "{at}"
    images: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    absent_may_lack: bool = False
    absent_longer: bool = False
    visible: str = ""
    attributes: tuple[str, ...] = ()
    marked: tuple[str, ...] = ()
    range: str = ""
    size: str = ""
    rows: Literal["xywh", "corners of 240 fps"] = "xywh"


@dataclass(frozen=True)
class Layout:
    """How a benchmark lies on disk.

    Attributes:
        name: identifier in declarations.
        reader: module of ``bench.datasets`` that reads it.
        shown: the layout in one line, for messages.
        forms: arrangements that the reader ``forms`` looks for, in this order.
        file: usual name of the file of boxes.
        first: number of the first image.
        frames: images named by number, or in the order of their names.
        first_box_only: whether files may hold the first box only, where a server keeps the rest.
        written: how the miniature writes it: path of an ``image``, and a ``writer``.
        options: values of further placeholders.
    """

    name: str
    reader: str
    shown: str
    forms: tuple[Form, ...] = ()
    file: str = "groundtruth.txt"
    first: int = 1
    frames: Literal["numbered", "sorted"] = "numbered"
    first_box_only: bool = False
    written: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Spelling:
    """How a toolkit spells some sequence names.

    Attributes:
        format: name of the toolkit's format.
        pattern: regular expression that the canonical name must match in full.
        name: the toolkit's spelling, with ``\\1`` for groups of the pattern.
    """

    format: str
    pattern: str
    name: str


@dataclass(frozen=True)
class Server:
    """The archive that an evaluation server takes.

    Attributes:
        files: path of a result in it, with ``{sequence}`` and ``{run}``.
        submit: where to submit it.
        times: path of the file of times, with ``{sequence}``; empty for none.
        decimals: of the numbers in it; all digits by default.
        runs: most runs of a sequence that it takes.
    """

    files: str
    submit: str
    times: str = ""
    decimals: int | None = None
    runs: int = 1


@dataclass(frozen=True)
class Benchmark:
    """One benchmark.

    Attributes:
        name: identifier used in commands and folders, e.g. ``"otb2015"``.
        title: display name, e.g. ``"OTB-2015"``.
        layout: how it lies on disk.
        rule: name of the official convention.
        index_base: coordinate of the first pixel in its files (0 or 1).
        source: where these facts are from.
        proven_by: what shows that its scores are the official ones.
        expected_sequences: sequences in its main subset; None where any number is right.
        expected_frames: annotated frames in its main subset; None if not stated.
        load_table: reads the list of its sequences; empty where it is not known, or open.
        open: True for users' own clips, which no list can know.
        overview: place in the report's overview, which it has without results too; 0 for none.
        site: official download page.
        where: remark on the layout, for messages.
        notes: remarks to print with every score of this benchmark.
        measure_notes: remarks to print with scores of one measure, by measure.
        experiments: its experiments, the main one first: ``"onepass"``, or those of VOT.
        interval: sequence lengths (both included) that the published EAO averages over.
        aliases: other names that `get_benchmark` accepts, whatever their spelling.
        attributes: titles by abbreviation, in the order of its flag files.
        attributes_source: where their order and meaning are from.
        spellings: exceptions in how toolkits write its sequence names.
        relatives: benchmarks cut from the same video, and what a sequence of them is.
        json: name of its file among PySOT's, without ``.json``.
        conventions: rules of a convention that differ on this benchmark, by convention.
        measures: name of its columns in ``tables/measures.json``; by default the experiment's.
        boxless: how its files write a row without a box: ``"nan"``, or a ``"size"`` that is not
            positive; where a row is neither allowed here nor flagged as absent, it is doubtful.
        numbers_only: True where the official rule has no value for a row of NaN.
        needs_absence: True where the official rule leaves out frames flagged as absent.
        longer_results: True where the official code cuts results longer than the ground truth.
        training: True where there is video for training besides its test set.
        result_format: the community's format of its raw results.
        variants: sets cut from the same video, with every ``step``-th frame.
        server: the archive that its evaluation server takes, None without a server.
        scored: the subset that the report shows, where it is not the main one.
        alternative: what can be scored here where the server keeps the ground truth.
        dataset_name: what repositories of the lib/test family call it
            (``lib/test/evaluation/datasets.py``), where that is not ``name``.
        stack: its stack in the vot-toolkit.
        declared: the content of its declaration, for one from outside the package.
    """

    name: str
    title: str
    layout: Layout
    rule: str
    index_base: float
    source: str = ""
    proven_by: str = ""
    expected_sequences: int | None = None
    expected_frames: int | None = None
    load_table: Callable[[], tuple[Listed, ...]] = tuple
    open: bool = False
    overview: int = 0
    site: str | None = None
    where: str = ""
    notes: tuple[str, ...] = ()
    measure_notes: Mapping[str, str] = field(default_factory=dict)
    experiments: tuple[str, ...] = ("onepass",)
    interval: tuple[int, int] | None = None
    aliases: tuple[str, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
    attributes_source: str = ""
    spellings: tuple[Spelling, ...] = ()
    relatives: Mapping[str, str] = field(default_factory=dict)
    json: str = ""
    conventions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    measures: str = ""
    boxless: tuple[str, ...] = ()
    numbers_only: bool = False
    needs_absence: bool = False
    longer_results: bool = False
    training: bool = False
    result_format: str = "pysot"
    variants: tuple[Mapping[str, Any], ...] = ()
    server: Server | None = None
    scored: str = ""
    alternative: str = ""
    dataset_name: str | None = None
    stack: Mapping[str, Any] = field(default_factory=dict)
    declared: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> Literal["onepass", "vot"]:
        """One-pass evaluation, or the experiments of the VOT challenge."""
        return "onepass" if self.experiments == ("onepass",) else "vot"

    @cached_property
    def table(self) -> tuple[Listed, ...]:
        """The sequences of all its subsets, in order."""
        return self.load_table()

    @cached_property
    def subsets(self) -> tuple[str, ...]:
        """Names of its subsets, the main one first; ``all`` where there are several."""
        names = tuple(dict.fromkeys(row.subset for row in self.table)) or ("test",)
        return (*names, "all") if len(names) > 1 else names

    def listed(self, subset: str = "all") -> dict[str, Listed]:
        """The sequences of a subset by name, in order."""
        return {row.name: row for row in self.table if subset in ("all", row.subset)}

    @cached_property
    def rows(self) -> Mapping[str, Listed]:
        """All sequences of its list by name."""
        return self.listed()

    def length_hint(self, expected: int, found: int) -> str:
        """What a file of ``found`` rows may be where ``expected`` are right; empty if unknown."""
        for variant in self.variants:
            if found == -(-expected // int(variant["step"])):
                return (
                    f"As many rows as {variant['name']} has, which keeps one frame in "
                    f"{variant['step']}: another benchmark."
                )
        return ""

    def experiment(self, wanted: str | None = None) -> str:
        """The requested experiment; the main one by default.

        Raises:
            ConfigError: the benchmark has no such experiment.
        """
        if wanted is None:
            return self.experiments[0]
        if wanted not in self.experiments and self.kind == "onepass":
            raise ConfigError(
                f"experiment {wanted!r}: {self.name} supports one-pass evaluation only. Omit "
                "the option, or choose a VOT benchmark."
            )
        if wanted not in self.experiments:
            raise unknown_name(f"experiment of {self.name}", wanted, self.experiments)
        return wanted


def subset_title(subset: str) -> str:
    """``training set`` for ``train``.

    >>> subset_title("train"), subset_title("test")
    ('training set', 'test set')
    """
    return f"{ {'train': 'training', 'val': 'validation'}.get(subset, subset) } set"


@dataclass(frozen=True)
class Experiment:
    """One experiment; a row of ``tables/experiments.json``.

    Attributes:
        name: identifier, also the name of its result folder.
        protocol: how the tracker is driven.
        repetitions: maximum number of runs per sequence.
        skip: frames from a failure to the next initialisation.
        fps: frame rate that a tracker must keep up with in real time.
        grace: frames after an initialisation that may take longer.
        source: files of the official code that define it.
    """

    name: str
    protocol: Literal["onepass", "reset", "unsupervised", "realtime"]
    repetitions: int
    skip: int
    fps: float | None
    grace: int | None
    source: str


@lru_cache(maxsize=1)
def experiments() -> dict[str, Experiment]:
    """All experiments by name."""
    table = json.loads((TABLES / "experiments.json").read_text(encoding="utf-8"))
    return {name: Experiment(name=name, **row) for name, row in table.items()}


def get_experiment(name: str) -> Experiment:
    """The experiment called ``name``.

    Raises:
        ConfigError: unknown experiment.
    """
    try:
        return experiments()[name]
    except KeyError:
        raise unknown_name("experiment", name, experiments()) from None
