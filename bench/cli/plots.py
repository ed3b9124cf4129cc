"""``bench plots``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.benchmarks import get_benchmark
from bench.cli import options
from bench.cli.figures import Plan, plans_of
from bench.cli.options import given, takes
from bench.errors import ConfigError
from bench.reports.options import FigureOptions

if TYPE_CHECKING:
    from bench.reports.palette import Look
    from bench.reports.plots.catalogue import Drawn
    from bench.results.stores import Store
    from bench.scores import BenchmarkScores
    from bench.sequence import Dataset

_BEST = 5  # trackers of the strip by default; more hide each other

Benchmark = Annotated[
    str | None,
    typer.Argument(
        metavar="BENCHMARK",
        help="otb2015, uav123, vot2016, vot2018, lasot, trackingnet and others, folder for own "
        "clips, or a declaration (.toml, .json); with --config, only its figures of this one.",
        autocompletion=options.complete_benchmark,
        callback=options.canonical_or_none,
        is_eager=True,
    ),
]
Out = Annotated[
    Path, typer.Option("--out", "-o", help="Folder to write to, as <benchmark>/<plot>.pdf.")
]
Config = Annotated[
    Path | None, typer.Option(help="A set of figures to draw (.toml); see docs/plots.md.")
]
Convention = Annotated[str | None, typer.Option(help="As for `bench eval`, official by default.")]
Only = Annotated[
    list[str] | None,
    typer.Option(
        help="success, precision, normalized_precision, expected_overlap, ar, ranking, speed, "
        "radar, attributes, sequences, failures, strip; all that can be drawn by default."
    ),
]
Formats = Annotated[
    list[str] | None, typer.Option("--format", help="pdf, svg, png; all by default.")
]
Sequences = Annotated[
    list[str] | None,
    typer.Option(
        "--sequence", help="Sequences of the strip; by default those where trackers differ most."
    ),
]
Frames = Annotated[
    list[str] | None, typer.Option(help="Frames of the strip; four spread evenly by default.")
]


@dataclass(frozen=True, eq=False)
class _Scored:
    """A plan with everything that is drawn of it."""

    plan: Plan
    store: Store
    dataset: Dataset
    scores: BenchmarkScores


def register(app: typer.Typer) -> None:
    """Add the verb of this module."""
    app.command("plots")(plots)


@takes(FigureOptions)
def plots(
    benchmark: Benchmark = None,
    data: options.Data = options.DEFAULT_DATA,
    results: options.Results = options.DEFAULT_RESULTS,
    out: Out = Path("reports/plots"),
    config: Config = None,
    only: Only = None,
    convention: Convention = None,
    experiment: options.Experiment = None,
    partial: options.Partial = False,
    formats: Formats = None,
    sequences: Sequences = None,
    frames: Frames = None,
    subset: options.Subset = "test",
    **drawn_with: Any,
) -> None:
    """Draw scores as figures for a paper, a talk or a page: PDF, SVG and PNG.

    Trackers whose results are broken or unfinished are left out and named; the exit code is
    then 1. captions.md has every figure's caption. The strip (frames with regions) needs the
    dataset's images, the other plots do not.

    [bold]Examples[/]

      bench plots otb2015 --data data/mini --results results/mini

      bench plots vot2018 --data /data/VOT2018 --only ar,expected_overlap --tracker ECO,LADCF

      bench plots otb2015 --data /data/OTB2015 --style paper --ours siamattn --font serif

      bench plots otb2015 --data /data/OTB2015 --only strip --sequence Crossing --frames 20,60

      bench plots --config figures.toml --data /data
    """
    from bench.locks import locked_beside

    said = {
        "only": only, "convention": convention, "experiment": experiment, "format": formats,
        "sequence": sequences, "frames": frames, "partial": partial or None,
        "subset": subset if subset != "test" else None, **drawn_with,
    }  # fmt: skip
    plans = plans_of(benchmark, given(said), config)
    scored = [_score(plan, data, results) for plan in plans]
    folders = _folders(scored, out)
    looks = _looks(scored, results)
    refused: dict[str, str] = {}
    for each, folder in zip(scored, folders, strict=True):
        with locked_beside(folder):
            _draw(each, folder, looks)
        start = f"{get_benchmark(each.plan.benchmark).title}: " if len(scored) > 1 else ""
        refused |= {f"{start}{name}": why for name, why in each.scores.refused.items()}
    options.exit_on_refusals(refused)


def _score(plan: Plan, data: Path, results: Path) -> _Scored:
    """Check the names in a plan, and score what it needs."""
    from bench.datasets import open_dataset
    from bench.evaluation import evaluate
    from bench.reports.plots import catalogue, style
    from bench.results import known_trackers, open_store

    catalogue.check_names(plan.only, (*catalogue.PLOTS, *catalogue.FROM_RESULTS))
    catalogue.check_names(plan.format, style.FORMATS)
    for text in plan.frames:
        _number(text)
    store = open_store(results, plan.benchmark, plan.experiment or None)
    plan.options.check_names(store.trackers(), known_trackers(results))
    folder = options.data_of(plan.benchmark, data)
    dataset = open_dataset(plan.benchmark, folder, subset=plan.subset)
    names = list(plan.options.trackers) or None
    rules = [plan.convention] if plan.convention else None
    (scores,) = evaluate(dataset, store, names, rules, partial=plan.partial)
    if not scores.trackers:
        options.exit_on_refusals(scores.refused)
    return _Scored(plan, store, dataset, scores)


def _folders(scored: list[_Scored], out: Path) -> list[Path]:
    """A folder for each set of figures.

    Raises:
        ConfigError: two would write the same files.
    """
    folders = [out / (each.plan.name or _folder_name(each.scores)) for each in scored]
    written: set[tuple[Path, str]] = set()
    for each, folder in zip(scored, folders, strict=True):
        files = {(folder, plot) for plot in (*each.plan.only, "captions.md")}
        if files & written:
            raise ConfigError(
                f"two figures would be written to {folder}: give one of them a name, as in "
                'name = "otb-ablation"'
            )
        written |= files
    return folders


def _looks(scored: list[_Scored], results: Path) -> dict[str, Look]:
    """One look for every tracker, whatever figure it is in."""
    from bench.reports.palette import looks_of_figures
    from bench.reports.plots.entries import first_to_choose
    from bench.results import known_trackers

    figures = [first_to_choose(each.scores, each.plan.options) for each in scored]
    ours = next((each.plan.options.ours for each in scored if each.plan.options.ours), "")
    return looks_of_figures(known_trackers(results), figures, ours)


def _draw(each: _Scored, folder: Path, looks: Mapping[str, Look]) -> None:
    """Draw and describe one set of figures."""
    from bench.reports.plots import catalogue, style
    from bench.reports.plots.captions import write_captions

    plan, scores = each.plan, each.scores
    endings = plan.format or style.FORMATS
    of_scores = [name for name in plan.only if name not in catalogue.FROM_RESULTS]
    drawn = catalogue.draw_plots(
        scores, folder, of_scores if plan.only else None, endings, looks, plan.options
    )
    for name, plot in _of_results(each, looks, drawn):
        drawn.paths[name] = style.save(plot, folder, name, endings)
        drawn.plots[name] = plot
    _report(drawn, write_captions(scores, folder, drawn.plots), each)


def _of_results(
    each: _Scored, looks: Mapping[str, Look], drawn: Drawn
) -> Iterator[tuple[str, Any]]:
    """The plots of raw results: those asked for, else those that can be drawn."""
    from bench.reports.palette import PALETTE
    from bench.reports.plots.failures import failure_map
    from bench.reports.plots.strip import qualitative

    plan, scores, dataset, store = each.plan, each.scores, each.dataset, each.store
    if "failures" in plan.only or not plan.only:
        try:
            yield "failures", failure_map(scores, dataset, store, looks, options=plan.options)
        except ConfigError as error:
            if plan.only:
                raise
            drawn.skipped["failures"] = str(error)
    if _wants_strip(plan.only, dataset, drawn.skipped):
        most = len(PALETTE) if plan.options.trackers else _BEST
        numbers = list(map(_number, plan.frames))
        yield "strip", qualitative(
            scores, dataset, store, sequences=plan.sequence or None, numbers=numbers,
            trackers=most, looks=looks, options=plan.options,
        )  # fmt: skip


def _folder_name(scores: BenchmarkScores) -> str:
    """The benchmark, and the experiment if it is not the main one."""
    main = scores.experiment == get_benchmark(scores.benchmark).experiments[0]
    return scores.benchmark if main else f"{scores.benchmark}-{scores.experiment}"


def _report(drawn: Drawn, captions: Path, each: _Scored) -> None:
    """Print what was written, and what was not and why."""
    for name, paths in drawn.paths.items():
        typer.echo(f"{name}: {', '.join(map(str, paths))}")
    typer.echo(f"captions: {captions}")
    for name, why in drawn.skipped.items():
        typer.echo(f"note: no {name} plot: {why}", err=True)
    for caveat in each.scores.caveats:
        typer.echo(f"note: {caveat}", err=True)
    font, sizes = each.plan.options.typeface, each.plan.options.sizes
    if each.plan.options.ours and font.bold == font.regular:
        typer.echo(f"note: {font.family} has no bold face here: ours is not in bold", err=True)
    without = "neither title nor notes" if not sizes.titled else "no notes"
    if not sizes.noted:
        typer.echo(f"note: the figures carry {without}: print what {captions} says", err=True)


def _wants_strip(wanted: tuple[str, ...], dataset: Dataset, skipped: dict[str, str]) -> bool:
    """Whether to draw the strip: if it was requested, else if there are images."""
    if wanted:
        return "strip" in wanted
    if any(sequence.frames is not None for sequence in dataset):
        return True
    skipped["strip"] = f"{dataset.root} holds annotation only, no images"
    return False


def _number(text: str) -> int:
    if not text.isdigit():
        raise ConfigError(f"--frames expects numbers separated by commas, found {text!r}")
    return int(text)
