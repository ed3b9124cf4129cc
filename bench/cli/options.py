"""Arguments and options that several verbs share, and shared exit handling."""

from __future__ import annotations

import dataclasses
import inspect
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_origin, get_type_hints

import typer

from bench.benchmarks import SUFFIXES, benchmarks, get_benchmark
from bench.errors import ConfigError
from bench.signatures import Function, separated, showing

if TYPE_CHECKING:
    from bench.runner.options import Option


def complete_benchmark(incomplete: str) -> list[str]:
    return [name for name in benchmarks() if name.startswith(incomplete)]


def _canonical(context: typer.Context, name: str) -> str:
    """The benchmark's own name, whatever spelling was given, or the file that declares it."""
    try:
        return get_benchmark(name).name
    except ConfigError:
        with_results = any(each.name == "results" for each in context.command.params)
        if not with_results or Path(name).suffix in SUFFIXES:
            raise
    if "results" not in context.params:
        return name  # its declaration may lie beside the results, which are read next
    from bench.results.declared import benchmark_of

    return benchmark_of(name, context.params["results"]).name


def canonical_or_none(context: typer.Context, name: str | None) -> str | None:
    """The benchmark's own name where none need be given."""
    return None if name is None else _canonical(context, name)


def complete_tracker(incomplete: str) -> list[str]:
    """Registered trackers whose names begin so."""
    from bench.registry import registered_trackers

    return [name for name in registered_trackers() if name.startswith(incomplete)]


def _complete_experiment(incomplete: str) -> list[str]:
    known = dict.fromkeys(e for each in benchmarks().values() for e in each.experiments)
    return [name for name in known if name.startswith(incomplete)]


BenchmarkName = Annotated[
    str,
    typer.Argument(
        metavar="BENCHMARK",
        help="otb2015, uav123, vot2016, vot2018, lasot, trackingnet and others, folder for own "
        "clips, or a declaration (.toml, .json).",
        autocompletion=complete_benchmark,
        callback=_canonical,
        is_eager=True,
    ),
]
DEFAULT_DATA = Path("data")
DEFAULT_RESULTS = Path("results")
STOPPED = 130  # exit code after Ctrl-C, as shells have it


def _is_given(context: typer.Context, name: str) -> bool:
    """Whether an option stands on the command line or in the environment."""
    source = context.get_parameter_source(name)
    return source is not None and source.name in ("COMMANDLINE", "ENVIRONMENT")


def _data(context: typer.Context, value: Path) -> Path:
    """The dataset's folder: as given, else as configured, else ``data``.

    A verb that reads several benchmarks gets ``DEFAULT_DATA``, and asks ``data_of`` for each.
    """
    if _is_given(context, "data"):
        return value.absolute() if value == DEFAULT_DATA else value
    benchmark = context.params.get("benchmark")
    return data_of(benchmark, DEFAULT_DATA) if benchmark else DEFAULT_DATA


def _results(context: typer.Context, value: Path) -> Path:
    from bench.cli.config import configuration
    from bench.results.declared import benchmark_of, declare_beside

    given = _is_given(context, "results")
    folder = value if given else configuration().results or DEFAULT_RESULTS
    benchmark = context.params.get("benchmark")
    if isinstance(benchmark, str):
        context.params["benchmark"] = benchmark_of(benchmark, folder).name
    else:
        declare_beside(folder)
    return folder


def data_of(benchmark: str, data: Path) -> Path:
    """The folder of one benchmark where a verb reads several: ``data``, unless configured."""
    from bench.cli.config import configuration

    if data != DEFAULT_DATA:
        return data
    return configuration().data_of(benchmark) or DEFAULT_DATA


Data = Annotated[
    Path,
    typer.Option(
        "--data",
        "-d",
        envvar="BENCH_DATA",
        callback=_data,
        help="The dataset's folder, or the folder that holds it as <benchmark>/. Also from "
        "bench.toml.",
    ),
]
Results = Annotated[
    Path,
    typer.Option(
        "--results",
        "-r",
        envvar="BENCH_RESULTS",
        callback=_results,
        is_eager=True,  # benchmarks may be declared there, and named by bench.toml
        help="Folder of raw results, <benchmark>/<tracker>/. Also from bench.toml.",
    ),
]
Subset = Annotated[
    str,
    typer.Option(
        help="test; train, all (LaSOT); val (GOT-10k); TRAIN_0 .. TRAIN_11 (TrackingNet)."
    ),
]
Experiment = Annotated[
    str | None,
    typer.Option(
        help="VOT: baseline (with resets, the default), unsupervised, realtime.",
        autocompletion=_complete_experiment,
    ),
]
Trackers = Annotated[
    list[str] | None,
    typer.Option(
        "--tracker",
        "-t",
        help="Names, repeatable or with commas ('\"a,b\"' is one name); all by default.",
    ),
]
StoredTrackers = Annotated[
    list[str] | None,
    typer.Option("--trackers", "-t", help="Those with results to include; with commas."),
]
Partial = Annotated[
    bool, typer.Option("--partial", help="Accept missing sequences; every table says so.")
]

# Of verbs that make a tracker, and run it.
Tracker = Annotated[
    str,
    typer.Option(
        "--tracker",
        "-t",
        help="Registered name (see `bench trackers`), module:Class or path/file.py:Class.",
        autocompletion=complete_tracker,
    ),
]
RunTrackers = Annotated[
    list[str],
    typer.Option(
        "--tracker",
        "-t",
        help="Registered name (see `bench trackers`), module:Class or path/file.py:Class; "
        "repeatable.",
        autocompletion=complete_tracker,
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", "-s", metavar="NAME=VALUE", help="Option of the tracker; repeatable."),
]
Weights = Annotated[Path | None, typer.Option(help="File of weights for the tracker.")]
Device = Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1, ...")]
Jobs = Annotated[int, typer.Option("--jobs", "-j", min=1, help="Worker processes.")]
Seed = Annotated[int, typer.Option(help="Seed of every random generator.")]
Sequences = Annotated[
    list[str] | None, typer.Option("--sequence", help="Only these; repeatable or with commas.")
]


def running(*names: str, before: str) -> Callable[[Function], Function]:
    """Give a verb the options of a run, or those of some names, where it takes ``**running``."""
    from bench.runner.options import taking

    def typed(option: Option) -> Any:
        shown = option.shown
        return Annotated[
            option.kind,
            typer.Option(*option.flags, help=shown.help, min=shown.low, metavar=shown.metavar),
        ]

    return taking(*names, before=before, typed=typed)


def takes(record: type, without: tuple[str, ...] = ()) -> Callable[[Function], Function]:
    """Let a verb have options for the fields of a record where it takes ``**given``.

    A field's ``metadata`` has its ``help``, and may have ``metavar`` and ``flags`` (its names,
    with dashes). What is not given is None.

    Args:
        record: a dataclass.
        without: fields that get no option.
    """

    return showing(each for each in _parameters(record) if each.name not in without)


def given(words: Mapping[str, Any]) -> dict[str, Any]:
    """The options that were given."""
    return {name: value for name, value in words.items() if value is not None}


def _parameters(record: Any) -> Iterator[inspect.Parameter]:
    hints = get_type_hints(record)
    for each in dataclasses.fields(record):
        says = each.metadata
        flags = tuple(says["flags"].split()) if "flags" in says else ()
        option = typer.Option(*flags, help=says["help"], metavar=says.get("metavar"))
        yield inspect.Parameter(
            each.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[_kind(hints[each.name]), option],
        )


def _kind(hint: Any) -> Any:
    """What the command line reads for a field; None stands for an option that is not given."""
    if hint is bool:
        return bool | None
    if get_origin(hint) is Literal:
        return hint | None
    return list[str] | None if get_origin(hint) in (tuple, Mapping) else str | None


def parse_settings(settings: list[str] | None) -> dict[str, str]:
    """``["a=1", "b=x"]`` as a dictionary; empty for none given.

    Raises:
        ConfigError: an item has no ``=``, or a name has two values.
    """
    pairs: dict[str, str] = {}
    for item in settings or []:
        key, equals, value = item.partition("=")
        if not equals or not key:
            raise ConfigError(f"--set expects NAME=VALUE, found {item!r}")
        if pairs.setdefault(key, value) != value:
            raise ConfigError(f"--set {key} is given twice, as {pairs[key]!r} and {value!r}")
    return pairs


def split_names(names: list[str] | None) -> list[str] | None:
    """Names given one by one or separated by commas; None for none given.

    Raises:
        ConfigError: something was given, but no name in it.
    """
    flat = separated(names or [])
    if names and not flat:
        raise ConfigError(
            f"expected names separated by commas, found {', '.join(map(repr, names))}"
        )
    return flat or None


@contextmanager
def stoppable(kept: str) -> Iterator[None]:
    """Ctrl-C inside prints what is kept, e.g. ``"trials"``, and exits with 130.

    So does SIGTERM, by which schedulers end a job.
    """
    former = signal.signal(signal.SIGTERM, _stop)
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(f"stopped; {kept} are kept, the same command continues", err=True)
        raise typer.Exit(STOPPED) from None
    finally:
        signal.signal(signal.SIGTERM, former)


def _stop(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def write_file(path: Path, text: str) -> None:
    """Write a text file; it appears whole or not at all.

    Raises:
        ConfigError: it cannot be written.
    """
    from bench.files import write_atomically

    try:
        write_atomically(path, text.encode())
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written ({error.strerror})") from error


def exit_on_refusals(refused: Mapping[str, str]) -> None:
    """Name the trackers that could not be scored, with the reason, and exit with 1 if any."""
    from bench.reports.notes import grouped, names_in

    for why, names in grouped((why, name) for name, why in refused.items()).items():
        typer.secho(f"not scored: {names_in(names)}: {why}", fg="red", err=True)
    if refused:
        raise typer.Exit(1)


def counted(number: int, noun: str) -> str:
    """A number with its noun.

    >>> counted(1, "sequence"), counted(2, "result")
    ('1 sequence', '2 results')
    """
    return f"{number} {noun}{'s' * (number != 1)}"
