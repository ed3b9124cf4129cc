"""A file that describes a set of figures: ``bench plots --config figures.toml``.

::

    style = "paper"           # options of all figures, as on the command line
    ours = "siamattn"
    trackers = ["siamattn", "ATOM", "SiamRPN"]

    [labels]
    siamattn = "SiamAttn (ours)"

    [[figure]]
    benchmark = "otb2015"
    only = ["success", "precision"]

    [[figure]]
    benchmark = "vot2018"
    only = ["ar"]
    legend = "inside"

An option on the command line wins over the file, and a figure's own over that of all figures.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.benchmarks import get_benchmark
from bench.cli.config import read_toml
from bench.errors import ConfigError, unknown_name
from bench.reports.options import FigureOptions, read_name, read_names, read_options


@dataclass(frozen=True)
class Plan:
    """What to draw of one benchmark.

    Attributes:
        benchmark: its name.
        name: of its folder; by default the benchmark's, and the experiment's if not the main one.
        only: plots; all that can be drawn if empty.
        convention, experiment, subset: as for ``bench eval``; empty for the default.
        partial: accept missing sequences.
        format: any of pdf, svg and png; all if empty.
        sequence, frames: of the strip.
        options: how to draw.
    """

    benchmark: str
    name: str = ""
    only: tuple[str, ...] = ()
    convention: str = ""
    experiment: str = ""
    subset: str = "test"
    partial: bool = False
    format: tuple[str, ...] = ()
    sequence: tuple[str, ...] = ()
    frames: tuple[str, ...] = ()
    options: FigureOptions = dataclasses.field(default_factory=FigureOptions)


_OF_OPTIONS = tuple(each.name for each in dataclasses.fields(FigureOptions))
_OWN = tuple(each.name for each in dataclasses.fields(Plan) if each.name != "options")


def plans_of(benchmark: str | None, given: Mapping[str, Any], config: Path | None) -> list[Plan]:
    """The figures of a file, or those of one benchmark.

    Args:
        benchmark: draw only figures of this one.
        given: what the command line says, which wins over the file.
        config: the file, if any.

    Raises:
        ConfigError: the file is malformed, has no figure of the benchmark, or nothing says which
            benchmark to draw.
    """
    content = read_toml(config) if config else {}
    figures = content.pop("figure", None)
    if figures is None:
        figures = [{"benchmark": benchmark}] if benchmark else []
    where = f"{config.name}: " if config else ""
    merged = [_merged(content, each) for each in _checked(figures, where)]
    plans = [_plan(each, given, where, config) for each in merged]
    chosen = [plan for plan in plans if benchmark in (None, plan.benchmark)]
    if not chosen:
        raise ConfigError(
            f"{where}expected a benchmark to draw, found "
            + (f"no figure of {benchmark}" if benchmark else "none: name it, or use --config FILE")
        )
    return chosen


def _merged(content: Mapping[str, Any], figure: Mapping[str, Any]) -> dict[str, Any]:
    """What holds for a figure: its own settings before those of all; labels add up."""
    everyone, own = content.get("labels"), figure.get("labels")
    if isinstance(everyone, dict) and isinstance(own, dict):
        return {**content, **figure, "labels": {**everyone, **own}}
    return {**content, **figure}


def _plan(
    content: Mapping[str, Any], given: Mapping[str, Any], where: str, config: Path | None
) -> Plan:
    known = (*_OWN, *_OF_OPTIONS)
    for key in content:
        if key not in known:
            raise unknown_name(f"setting in {where.removesuffix(': ')}", key, known)
    ours = {key: content[key] for key in content if key in _OF_OPTIONS}
    font = ours.get("font")
    if config and isinstance(font, str) and font not in ("sans", "serif"):
        ours["font"] = str(config.parent / Path(font).expanduser())
    drawn = read_options(ours, where)
    typed = read_options({key: given[key] for key in given if key in _OF_OPTIONS}, "--")
    won = {key: getattr(typed, key) for key in given if key in _OF_OPTIONS}
    values = {k: _value(f"{where}{k}", k, content[k]) for k in content if k in _OWN}
    values |= {k: _value(f"--{k}", k, given[k]) for k in given if k in _OWN}
    if "benchmark" not in values:
        raise ConfigError(f"{where}a [[figure]] says no benchmark")
    values["benchmark"] = get_benchmark(values["benchmark"]).name
    return Plan(**values, options=dataclasses.replace(drawn, **won))


def _value(where: str, key: str, value: object) -> Any:
    kind = type(getattr(Plan, key, ""))
    if kind is bool:
        if not isinstance(value, bool):
            raise ConfigError(f"{where}: expected true or false, found {value!r}")
        return value
    if kind is tuple:
        listed = [str(each) for each in value] if isinstance(value, list) else value
        return read_names(where, listed)
    return read_name(where, value)


def _checked(figures: object, where: str) -> list[dict[str, Any]]:
    if not isinstance(figures, list) or not all(isinstance(each, dict) for each in figures):
        raise ConfigError(f"{where}figure: expected sections [[figure]], found {figures!r}")
    return figures
