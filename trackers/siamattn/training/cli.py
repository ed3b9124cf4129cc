"""Command line of SiamAttn's training."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from bench.errors import BenchError, ConfigError, ResultError
from trackers.siamattn.training.config import Recipe, recipe
from trackers.siamattn.training.imagenet import published

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)

FACTOR, OVERLAP = 4.0, 0.8  # least loss reduction and overlap of a passing smoke test

Settings = Annotated[
    list[str] | None,
    typer.Option("--set", help="Override a recipe setting, e.g. schedule.epochs=2."),
]
Seed = Annotated[int | None, typer.Option(help="Seed of all random numbers.")]
Backbone = Annotated[
    Path | None,
    typer.Option(
        help="Initial backbone: torchvision's ResNet-50, weights of this project, or 'none'."
    ),
]
Devices = Annotated[int, typer.Option(min=1, help="Processes per node.")]
Nodes = Annotated[int, typer.Option(min=1, help="Number of nodes.")]
Compile = Annotated[str, typer.Option(help="Backend of torch.compile, such as inductor.")]
Accelerator = Annotated[str, typer.Option(help="auto, cpu or gpu.")]
Precision = Annotated[str, typer.Option(help="32-true, 16-mixed or bf16-mixed.")]
Workers = Annotated[int, typer.Option(min=0, help="Data loading processes.")]


@app.callback()
def group() -> None:
    """Train SiamAttn."""


@app.command()
def fit(
    folder: Annotated[Path, typer.Argument(help="Run folder; an interrupted run resumes.")],
    name: Annotated[
        str, typer.Option("--recipe", help="Name of the recipe, or its .json or .toml file.")
    ] = "nano",
    settings: Settings = None,
    seed: Seed = None,
    data: Annotated[Path | None, typer.Option(help="Folder of the training sets.")] = None,
    initial: Annotated[
        Path | None, typer.Option(help="Initial weights of the same or a smaller network.")
    ] = None,
    backbone: Backbone = None,
    accelerator: Accelerator = "auto",
    devices: Devices = 1,
    nodes: Nodes = 1,
    precision: Precision = "32-true",
    workers: Workers = 1,
    compile: Compile = "",
    validate_every: Annotated[
        int, typer.Option(min=0, help="Epochs between validations; 0 disables them.")
    ] = 1,
    validation_data: Annotated[
        Path | None, typer.Option(help="Folder of the recipe's validation.dataset.")
    ] = None,
    keep_epochs: Annotated[
        bool, typer.Option("--keep-epochs", help="Keep a checkpoint of every epoch.")
    ] = False,
    wandb: Annotated[
        str, typer.Option(help="Project of Weights & Biases to log to, beside TensorBoard.")
    ] = "",
) -> None:
    """Train a network, or resume an interrupted run."""
    chosen = chosen_recipe(name, settings, seed)  # fails before the slow imports
    if initial and backbone:
        raise ConfigError("expected --initial or --backbone, found both: --initial includes one")
    backbone = _backbone(chosen, backbone, initial)

    from trackers.siamattn.training.fit import new_network, train
    from trackers.siamattn.training.mixtures import open_samples
    from trackers.siamattn.training.run import describe_initial
    from trackers.siamattn.training.trainer import Machine

    _check_read("--data", data, {chosen.data.mixture})
    chosen = replace(chosen, initial=describe_initial(initial, backbone))
    network = new_network(chosen, initial, backbone)
    machine = Machine(
        accelerator, devices, nodes, precision, workers, validate_every=validate_every,
        keep_epochs=keep_epochs, compile=compile, wandb=wandb,
    )  # fmt: skip
    validation = _validation(chosen, validation_data, validate_every)
    train(chosen, open_samples(chosen, data, folder), folder, machine, network, validation)


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="Run folder, finished or not.")],
    target: Annotated[Path, typer.Argument(help="Output .safetensors file.")],
    checkpoint: Annotated[
        str, typer.Option(help="last, best by the hold-out, or an epoch such as epoch-011.")
    ] = "last",
) -> None:
    """Export a checkpoint of a run as half-precision weights."""
    from trackers.siamattn.training import run

    chosen, network, steps = run.load_run(folder, checkpoint)
    run.export(network, target, run.describe(chosen, steps))
    typer.echo(f"{target}: {chosen.preset} after {steps} steps of {chosen.schedule.batch} pairs")


@app.command()
def average(
    first: Annotated[Path, typer.Argument(help="Weights.")],
    second: Annotated[Path, typer.Argument(help="Weights fine-tuned from the first.")],
    target: Annotated[Path, typer.Argument(help="Output .safetensors file.")],
    share: Annotated[float, typer.Option(help="Share of the second, 0 to 1.")] = 0.5,
) -> None:
    """Average two sets of weights, which may keep the strengths of both."""
    from trackers.siamattn.training import warm_start

    warm_start.average(first, second, target, share)
    typer.echo(f"{target}: {1 - share:g} of {first.name}, {share:g} of {second.name}")


@app.command()
def smoke(
    folder: Annotated[Path, typer.Argument(help="Run folder; must be new.")],
    settings: Settings = None,
) -> None:
    """Overfit a few pairs to check that training works on this machine."""
    if (folder / "recipe.json").exists():
        raise ConfigError(f"{folder}: expected a new folder, found a training run")
    chosen = chosen_recipe("smoke", settings, None)

    from trackers.siamattn.training.smoke import smoke as learn
    from trackers.siamattn.training.trainer import Machine

    found = learn(chosen, folder, Machine(accelerator="cpu", workers=0, validate_every=0))
    factor = found.before / found.after
    typer.echo(
        f"loss {found.before:.3f} -> {found.after:.3f}, reduced by a factor of {factor:.1f} "
        f"(expected: more than {FACTOR}); overlap of the best proposals with their targets "
        f"{found.overlap:.3f} (expected: more than {OVERLAP})"
    )
    if not (factor > FACTOR and found.overlap > OVERLAP):
        raise ConfigError("the pairs were not learned: training is broken on this machine")


@app.command()
def ablation(
    out: Annotated[Path, typer.Option(help="Output folder of the table.")] = Path(
        "reports/ablation"
    ),
    tables: Annotated[str, typer.Option(help="Comma-separated tables: 5, 6, 7.")] = "5,6",
    seeds: Annotated[str, typer.Option(help="Comma-separated training seeds.")] = "0,1",
    name: Annotated[str, typer.Option("--recipe", help="Name of the base recipe.")] = "ablation",
    settings: Settings = None,
    training_data: Annotated[
        Path | None, typer.Option(help="Folder of the training sets.")
    ] = None,
    backbone: Backbone = None,
    accelerator: Accelerator = "auto",
    devices: Devices = 1,
    nodes: Nodes = 1,
    precision: Precision = "32-true",
    workers: Workers = 1,
    compile: Compile = "",
    benchmark: Annotated[
        str, typer.Option(help="Benchmark to score on; `folder` for one's own videos.")
    ] = "vot2016",
    data: Annotated[Path, typer.Option(help="Folder of the benchmark.")] = Path("data/mini"),
    runs: Annotated[Path, typer.Option(help="Folder of the runs.")] = Path("runs/ablation"),
    results: Annotated[Path, typer.Option(help="Folder of raw results.")] = Path(
        "results/ablation"
    ),
) -> None:
    """Train and score the rows of the paper's ablation tables; finished rows are kept."""
    base, numbers = chosen_recipe(name, settings, None), _seeds(seeds)
    backbone = _backbone(base, backbone)

    from bench.datasets import open_dataset
    from trackers.siamattn.training import ablation as rows
    from trackers.siamattn.training.fit import leads
    from trackers.siamattn.training.run import describe_initial
    from trackers.siamattn.training.trainer import Machine

    base = replace(base, initial=describe_initial(backbone=backbone))
    chosen = rows.rows(tables.split(","))
    machine = Machine(
        accelerator, devices, nodes, precision, workers, validate_every=0, compile=compile
    )
    budget = rows.Budget(base, numbers, machine, training_data, backbone)
    _check_read("--training-data", training_data, budget.mixtures(chosen))
    dataset = open_dataset(benchmark, data)
    layout = rows.layout_for(benchmark)
    notes = [*map(str, dataset.caveats), rows.describe(budget, chosen)]
    found, path = [], None
    for each in rows.ablate(chosen, budget, (runs, results), dataset):
        found.append(each)
        if path or isinstance(each, rows.RowScores):
            path = rows.write(rows.frame(found, layout), out, notes)
    if not leads():
        return
    typer.echo(rows.frame(found, layout).to_string(index=False))
    if path is None:
        raise ResultError(
            f"no row has scores, so no table was written to {out}; see the notes above"
        )
    typer.echo("\n".join([*notes, f"table: {path}"]))


def chosen_recipe(name: str, settings: list[str] | None, seed: int | None) -> Recipe:
    """The recipe ``name`` with the settings given on the command line.

    Raises:
        ConfigError: no such recipe or setting, or a value of another type.
    """
    changes = dict(_setting(text) for text in settings or [])
    if seed is not None:
        changes["seed"] = seed
    chosen = recipe(name, changes)
    _check_seed(chosen.seed)
    return chosen


def _backbone(chosen: Recipe, backbone: Path | None, initial: Path | None = None) -> Path | None:
    """The file of the initial backbone, if any.

    Raises:
        ConfigError: the recipe keeps the backbone still at first or in part, and nobody said that
            this is to be a random one; or its ImageNet weights are not installed.
    """
    if str(backbone) == "none":
        return None
    if chosen.imagenet and backbone is None and initial is None:
        return published(chosen.imagenet)
    if chosen.pretrained and backbone is None and initial is None:
        raise ConfigError(
            f"recipe {chosen.name!r} keeps the backbone still at first or in part, so it needs a "
            "trained one: give --backbone FILE (torchvision's resnet50-*.pth, or weights of this "
            "project) or --initial FILE. --backbone none trains beside a random one"
        )
    return backbone


def _validation(chosen: Recipe, folder: Path | None, every: int) -> tuple[Any, ...]:
    """The videos of the dataset that a recipe is validated on; none for generated ones."""
    dataset = chosen.validation.dataset
    if bool(folder) != bool(dataset):
        raise ConfigError(
            f"recipe {chosen.name!r} is validated on {dataset or 'generated video'}: "
            + ("give its folder with --validation-data FOLDER" if dataset else
               "--set validation.dataset=NAME names what --validation-data holds")
        )  # fmt: skip
    if folder is None or not every:
        return ()
    from bench.datasets import open_dataset
    from trackers.siamattn.training.holdout import dataset_videos

    found = open_dataset(dataset, folder)
    for caveat in found.caveats:
        typer.echo(f"validation: {caveat}", err=True)
    return dataset_videos(found, chosen.validation.frames)


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
    """Refuse training sets that no training would read."""
    from trackers.siamattn.training.mixtures import GENERATED

    if folder and mixtures == {GENERATED}:
        raise ConfigError(
            f"{option} {folder}: every training uses generated video. Choose a recipe that reads "
            "training sets, such as --recipe paper"
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
    """Run the command line; user errors print one line."""
    try:
        app()
    except BenchError as error:
        sys.exit(f"error: {without_traceback(error)}")
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        sys.exit(
            f"error: {where}{error.strerror or error}. Is there room, and may you write there?"
        )


def without_traceback(error: BenchError) -> str:
    """An error's message without the traceback that PyTorch's data loader puts before it."""
    return str(error).rstrip().rpartition(f"{type(error).__name__}: ")[2]
