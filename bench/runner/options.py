"""How trackers are run: each option once, for the command line, for Python and for the runner.

A field of ``RunOptions`` is an option of ``bench run`` and an argument of ``bench.run``.
"""

from __future__ import annotations

import functools
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import Parameter
from typing import TYPE_CHECKING, Annotated, Any, Literal

from bench.errors import ConfigError, unknown_name
from bench.runner.devices import chosen_gpus
from bench.signatures import Function, showing

if TYPE_CHECKING:
    from bench.runner.ray_engine import RayCluster
    from bench.runner.shards import Shard


@dataclass(frozen=True)
class Workers:
    """Where workers run.

    Attributes:
        jobs: how many on this machine; None for as many as the cluster has room for.
        gpus: of which each worker sees one, the one with the fewest workers.
        cluster: the Ray cluster whose nodes they run on; None for this machine.
    """

    jobs: int | None = 1
    gpus: tuple[str, ...] = ()
    cluster: RayCluster | None = None


@dataclass(frozen=True)
class Shown:
    """How an option is shown.

    Attributes:
        help: what it does.
        low: its least value.
        flags: on the command line; by default its name.
        metavar: stands for its value there.
    """

    help: str
    low: float | None = None
    flags: tuple[str, ...] = ()
    metavar: str | None = None


@dataclass(frozen=True)
class RunOptions:
    """What a run does with its tracker, and where.

    Raises:
        ConfigError: a value is too small, or names no shard.
    """

    sequences: Annotated[
        list[str] | None, Shown("Only these; repeatable or with commas.", flags=("--sequence",))
    ] = None
    repetitions: Annotated[
        int | None, Shown("Runs of a sequence; on VOT at most so many, 15 by default.", 1)
    ] = None
    lockstep: Annotated[int, Shown("Sequences that a batch tracker follows in one call.", 1)] = 1
    jobs: Annotated[
        int | None,
        Shown("Worker processes: 1, or as many as a cluster has room for.", 1, ("--jobs", "-j")),
    ] = None
    gpus: Annotated[
        str | None,
        Shown("auto, or numbers as in 0,1,3: every worker sees one GPU as its only one."),
    ] = None
    per_gpu: Annotated[int | None, Shown("Workers that share a GPU; 1 by default.", 1)] = None
    engine: Annotated[
        Literal["processes", "ray"],
        Shown("Where workers run: on this machine, or on a Ray cluster."),
    ] = "processes"
    ray_address: Annotated[
        str | None,
        Shown("auto, or that of the head; without it, Ray starts on this machine."),
    ] = None
    data_map: Annotated[
        list[str] | None,
        Shown("A folder that nodes have elsewhere; repeatable.", metavar="HERE=THERE"),
    ] = None
    same_device: Annotated[bool, Shown("Refuse results of another device than the first.")] = False
    shard: Annotated[
        str | None,
        Shown("Run share I of N; the others may run at the same time.", metavar="I/N"),
    ] = None
    seed: Annotated[int, Shown("Seed of every random generator.")] = 0
    timeout: Annotated[float, Shown("Seconds a tracker may take for one frame.", 0.1)] = 120.0
    start_timeout: Annotated[float, Shown("Seconds that building the tracker may take.", 0.1)] = (
        300.0
    )
    masks: Annotated[
        bool, Shown("Keep the masks that the tracker answers, beside the results.")
    ] = False
    partial: Annotated[bool, Shown("Leave out sequences without frames.")] = False
    tuned_on: Annotated[
        str | None, Shown("Dataset whose scores chose these options; every table says so.")
    ] = None

    def __post_init__(self) -> None:
        for option in run_options():
            option.check(getattr(self, option.name))
        self.part  # noqa: B018  raises now what would be raised late

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> RunOptions:
        """The record of options given by name.

        Raises:
            ConfigError: there is no option of a name.
        """
        known = [option.name for option in run_options()]
        for name in given:
            if name not in known:
                raise unknown_name("option of a run", name, known)
        return cls(**given)

    @functools.cached_property
    def part(self) -> Shard | None:
        """The share that is run; None for everything."""
        if self.shard is None:
            return None
        from bench.runner.shards import Shard  # loads what the help does not need

        return Shard.parse(self.shard)

    @functools.cached_property
    def workers(self) -> Workers:
        """Where workers run, how many, and what GPUs they see."""
        if self.engine == "ray":
            return Workers(self.jobs, cluster=self._cluster())
        for option, value in (("--ray-address", self.ray_address), ("--data-map", self.data_map)):
            if value:
                raise ConfigError(f"{option} belongs to --engine ray")
        if self.gpus is None:
            if self.per_gpu is not None:
                raise ConfigError(f"--per-gpu {self.per_gpu} needs --gpus, such as --gpus auto")
            return Workers(self.jobs or 1)
        if self.jobs is not None:
            raise ConfigError(
                f"--jobs {self.jobs}: with --gpus, --per-gpu says how many workers there are"
            )
        chosen = chosen_gpus(self.gpus)
        return Workers(len(chosen) * (self.per_gpu or 1), chosen)

    def _cluster(self) -> RayCluster:
        from bench.runner.ray_engine import RayCluster, parse_data_map

        if self.gpus not in (None, "auto"):
            raise ConfigError(
                f"--gpus {self.gpus}: Ray chooses the GPUs; say how many with --per-gpu"
            )
        share = self.per_gpu or (1 if self.gpus else None)
        return RayCluster(self.ray_address, self.jobs, share, parse_data_map(self.data_map or []))


@dataclass(frozen=True)
class Option:
    """A field of ``RunOptions``."""

    name: str
    kind: Any
    default: Any
    shown: Shown

    @property
    def flags(self) -> tuple[str, ...]:
        """How it is written on the command line."""
        return self.shown.flags or (f"--{self.name.replace('_', '-')}",)

    def check(self, value: Any) -> None:
        """Check a value from Python.

        Raises:
            ConfigError: it is of another type, or too small.
        """
        low, accepted = self.shown.low, typing.get_args(self.kind) or (self.kind,)
        if typing.get_origin(self.kind) is Literal:
            expected = "" if value in accepted else " or ".join(accepted)
        elif not any(_is_of(value, kind) for kind in accepted):
            expected = (typing.get_origin(accepted[0]) or accepted[0]).__name__
        else:
            short = low is not None and value is not None and not value >= low
            expected = f"{low} or more" if short else ""
        if expected:
            raise ConfigError(f"{self.flags[0]}: expected {expected}, found {value!r}")


def _is_of(value: object, kind: Any) -> bool:
    """Whether a value is of a type; a whole number is a number, and a tuple a list."""
    wider = {float: (int, float), list: (list, tuple)}
    plain = typing.get_origin(kind) or kind
    return isinstance(value, wider.get(plain, plain))


@functools.lru_cache(maxsize=1)
def run_options() -> tuple[Option, ...]:
    """The options of a run, in the order of the help."""
    typed = typing.get_type_hints(RunOptions, include_extras=True).items()
    return tuple(
        Option(name, kind.__origin__, getattr(RunOptions, name), kind.__metadata__[0])
        for name, kind in typed
    )


DEFAULTS = RunOptions()


def taking(
    *names: str, before: str, typed: Callable[[Option], Any] = lambda option: option.kind
) -> Callable[[Function], Function]:
    """Let a function show the options, or those of some names, where it takes ``**running``.

    Args:
        names: of the options; all by default.
        before: the parameter that they come before.
        typed: what to show as the type of an option.
    """
    shown = [
        Parameter(o.name, Parameter.KEYWORD_ONLY, default=o.default, annotation=typed(o))
        for o in run_options()
        if not names or o.name in names
    ]
    return showing(shown, before)
