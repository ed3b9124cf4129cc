"""The command line of training."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from bench.errors import BenchError, ConfigError, ResultError
from trackers.siamattn.training.config import Recipe, recipe

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)

FACTOR, OVERLAP = 4.0, 0.8  # that a handful must be learned by

Settings = Annotated[
    list[str] | None, typer.Option("--set", help="a setting of the recipe, e.g. schedule.epochs=2")
]
Seed = Annotated[int | None, typer.Option(help="of everything random")]
Backbone = Annotated[
    Path | None,
    typer.Option(help="of torchvision's ResNet-50, or of other weights, to begin with"),
]
Accelerator = Annotated[str, typer.Option(help="auto, cpu or gpu")]
Precision = Annotated[str, typer.Option(help="32-true, 16-mixed or bf16-mixed")]
Workers = Annotated[int, typer.Option(min=0, help="processes that make pairs")]


@app.callback()
def group() -> None:
    """Train SiamAttn."""


@app.command()
def fit(
    folder: Annotated[Path, typer.Argument(help="of the run; an interrupted one goes on")],
    name: Annotated[str, typer.Option("--recipe", help="named settings")] = "nano",
    settings: Settings = None,
    seed: Seed = None,
    data: Annotated[Path | None, typer.Option(help="folder of the training sets")] = None,
    initial: Annotated[
        Path | None,
        typer.Option(help="weights of the same network, or of a smaller one, to begin with"),
    ] = None,
    backbone: Backbone = None,
    accelerator: Accelerator = "auto",
    devices: Annotated[int, typer.Option(min=1, help="processes on each node")] = 1,
    nodes: Annotated[int, typer.Option(min=1, help="machines")] = 1,
    precision: Precision = "32-true",
    workers: Workers = 1,
    validate_every: Annotated[int, typer.Option(min=0, help="epochs; 0 never")] = 1,
) -> None:
    """Train a network, or go on with a training that was interrupted."""
    chosen = chosen_recipe(name, settings, seed)  # before what takes seconds to import
    if initial and backbone:
        raise ConfigError("expected --initial or --backbone, found both: --initial has a backbone")

    from trackers.siamattn.training.fit import Machine, new_network, train
    from trackers.siamattn.training.run import begun_from
    from trackers.siamattn.training.sourcing import open_samples

    _check_read("--data", data, {chosen.data.mixture})
    chosen = replace(chosen, initial=begun_from(initial, backbone))
    network = new_network(chosen, initial, backbone)
    machine = Machine(
        accelerator, devices, nodes, precision, workers, validate_every=validate_every
    )
    train(chosen, open_samples(chosen, data, folder), folder, machine, network)


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="of a training, finished or not")],
    target: Annotated[Path, typer.Argument(help=".safetensors file to write")],
) -> None:
    """Write the weights of a training's last checkpoint, in half precision."""
    from trackers.siamattn.training import run

    chosen, network, steps = run.load_run(folder)
    run.export(network, target, run.describe(chosen, steps))
    typer.echo(f"{target}: {chosen.preset} after {steps} steps of {chosen.schedule.batch} pairs")


@app.command()
def average(
    first: Annotated[Path, typer.Argument(help="weights")],
    second: Annotated[Path, typer.Argument(help="weights trained on from those")],
    target: Annotated[Path, typer.Argument(help=".safetensors file to write")],
    share: Annotated[float, typer.Option(help="of the second, 0 to 1")] = 0.5,
) -> None:
    """Write weights between two others, which may keep the most of both."""
    from trackers.siamattn.training import average as between

    between.average(first, second, target, share)
    typer.echo(f"{target}: {1 - share:g} of {first.name}, {share:g} of {second.name}")


@app.command()
def smoke(
    folder: Annotated[Path, typer.Argument(help="of the run; must be new")],
    settings: Settings = None,
) -> None:
    """Learn eight pairs by heart, to see that training works here."""
    if (folder / "recipe.json").exists():
        raise ConfigError(f"{folder}: expected a new folder, found a training")
    chosen = chosen_recipe("smoke", settings, None)

    from trackers.siamattn.training.fit import Machine
    from trackers.siamattn.training.smoke import smoke as learn

    found = learn(chosen, folder, Machine(accelerator="cpu", workers=0, validate_every=0))
    factor = found.before / found.after
    typer.echo(
        f"loss {found.before:.3f} -> {found.after:.3f}, smaller by a factor of {factor:.1f} "
        f"(expected: more than {FACTOR}); overlap of the surest proposals with their targets "
        f"{found.overlap:.3f} (expected: more than {OVERLAP})"
    )
    if not (factor > FACTOR and found.overlap > OVERLAP):
        raise ConfigError("the handful was not learned: something in training is broken")


@app.command()
def ablation(
    out: Annotated[Path, typer.Option(help="folder of the table")] = Path("reports/ablation"),
    tables: Annotated[str, typer.Option(help="of the paper, with commas: 5, 6, 7")] = "5,6",
    seeds: Annotated[str, typer.Option(help="of each row's trainings, with commas")] = "0,1",
    name: Annotated[str, typer.Option("--recipe", help="size, data and budget")] = "ablation",
    settings: Settings = None,
    training_data: Annotated[Path | None, typer.Option(help="folder of the training sets")] = None,
    backbone: Backbone = None,
    accelerator: Accelerator = "auto",
    precision: Precision = "32-true",
    workers: Workers = 1,
    benchmark: Annotated[str, typer.Option(help="vot2016 or vot2018")] = "vot2016",
    data: Annotated[Path, typer.Option(help="where the benchmark lies")] = Path("data/mini"),
    runs: Annotated[Path, typer.Option(help="folder of the trainings")] = Path("runs/ablation"),
    results: Annotated[Path, typer.Option(help="folder of raw results")] = Path(
        "results/ablation"
    ),
) -> None:
    """Train and score the rows of the paper's ablations; what is finished is kept."""
    base, numbers = chosen_recipe(name, settings, None), _seeds(seeds)

    from bench.cli.options import data_root
    from bench.datasets import open_dataset
    from trackers.siamattn.training import ablation as rows
    from trackers.siamattn.training import ablation_table
    from trackers.siamattn.training.fit import Machine
    from trackers.siamattn.training.run import begun_from

    base = replace(base, initial=begun_from(backbone=backbone))
    chosen = rows.rows(tables.split(","))
    machine = Machine(accelerator, precision=precision, workers=workers, validate_every=0)
    budget = rows.Budget(base, numbers, machine, training_data, backbone)
    _check_read("--training-data", training_data, budget.mixtures(chosen))
    dataset = open_dataset(benchmark, data_root(data, benchmark))
    notes = [*dataset.caveats, ablation_table.told(budget, chosen)]
    found, path = [], None
    for each in rows.ablate(chosen, budget, (runs, results), dataset):
        found.append(each)
        if path or isinstance(each, rows.Finding):
            path = ablation_table.write(found, out, notes)
    typer.echo(ablation_table.frame(found).to_string(index=False))
    if path is None:
        raise ResultError(
            f"no row has scores, so no table is written in {out}; see the notes above"
        )
    typer.echo("\n".join([*notes, f"table: {path}"]))


def chosen_recipe(name: str, settings: list[str] | None, seed: int | None) -> Recipe:
    """A named recipe with the settings of a command line.

    Raises:
        ConfigError: no such recipe or setting, or a value of another type.
    """
    changes = dict(_setting(text) for text in settings or [])
    if seed is not None:
        changes["seed"] = seed
    chosen = recipe(name, changes)
    _check_seed(chosen.seed)
    return chosen


def _seeds(text: str) -> list[int]:
    try:
        seeds = [int(part) for part in text.split(",")]
    except ValueError:
        raise ConfigError(f"--seeds {text}: expected whole numbers, such as 0,1") from None
    if len(set(seeds)) < len(seeds):
        raise ConfigError(f"--seeds {text}: expected each seed once")
    for seed in seeds:
        _check_seed(seed)
    return seeds


def _check_read(option: str, folder: Path | None, mixtures: set[str]) -> None:
    """Refuse training sets that nothing would read."""
    from trackers.siamattn.training.sourcing import GENERATED

    if folder and mixtures == {GENERATED}:
        raise ConfigError(
            f"{option} {folder}: all of this trains on generated video. Choose a recipe that "
            "reads training sets, such as --recipe paper"
        )


def _check_seed(seed: int) -> None:
    if not 0 <= seed < 2**32:
        raise ConfigError(f"seed {seed}: expected a number from 0 to {2**32 - 1}")


def _setting(text: str) -> tuple[str, Any]:
    key, found, value = text.partition("=")
    if not found:
        raise ConfigError(f"--set {text}: expected NAME=VALUE, such as schedule.epochs=2")
    try:
        return key, json.loads(value)
    except json.JSONDecodeError:
        return key, value


def main() -> None:
    """Run the command line; errors of the user's making are one line."""
    try:
        app()
    except BenchError as error:
        sys.exit(f"error: {told(error)}")


def told(error: BenchError) -> str:
    """What an error says, without the traceback that PyTorch adds to a worker's."""
    return str(error).rstrip().rpartition(f"{type(error).__name__}: ")[2]
