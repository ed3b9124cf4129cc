"""Trackers of the lib/test family: STARK, OSTrack, MixFormer, ODTrack, SUTrack and others.

They share a layout: ``lib/test/tracker/<tracker>.py`` with ``get_tracker_class()``, and
``lib/test/parameter/<tracker>.py`` with ``parameters(yaml_name)``. This module calls both as
``lib/test/evaluation/tracker.py`` does, but gives no ground truth.
"""

from __future__ import annotations

import copy
import inspect
from pathlib import Path
from typing import Any

from bench.benchmarks import benchmarks
from bench.errors import ConfigError, TrackerError
from bench.tracker import BenchmarkName
from trackers.adapted import Origin
from trackers.foreign_options import literal
from trackers.repositories.checkout import Layout
from trackers.repositories.rebuilt import Rebuilt
from trackers.repositories.tuned import (
    NEUTRAL,
    difference,
    reads_name,
    settings_of,
    takes_name,
)

LAYOUT = Layout("lib/test", "lib", "lib/test/tracker", "lib.test.evaluation", "lib.train.admin")

_UNKNOWN = BenchmarkName("")


class LibTest(Rebuilt):
    """A tracker of a repository of the lib/test family.

    Args:
        repo: the repository's folder.
        tracker: name of the tracker: a file of ``lib/test/tracker``.
        config: name of its parameters, as its own ``tracking/test.py`` takes it: mostly a YAML
            file of ``experiments/<tracker>``.
        as_: name of the benchmark that the tracker is told, whatever it runs on.
        benchmark: that is run; filled in by the run.
        params: more arguments of ``parameters()``, or attributes of what it returns, as
            ``name=value,name=value``.
        save_dir: folder of ``checkpoints/``, in place of what the repository's own
            ``lib/test/evaluation/local.py`` says, or of ``output/`` without that file.
        origin: coordinate of the first pixel in the tracker's boxes.

    Raises:
        ConfigError: the repository, tracker or configuration does not exist.
        TrackerError: it cannot be built; the message says what is missing.
    """

    layout, saved_in, saved_option = LAYOUT, "output", "save_dir"
    networks = "checkpoints/ is"
    folders = ("repo", saved_option)

    def __init__(
        self,
        repo: Path,
        tracker: str,
        config: str,
        as_: str | None = None,
        benchmark: BenchmarkName = _UNKNOWN,
        params: str = "",
        save_dir: Path | None = None,
        origin: Origin = 0,
    ) -> None:
        self.given, self.tuned_per_benchmark = _pairs(params), ""
        self.dataset_name = as_ or dataset_name(benchmark)
        super().__init__(repo, tracker, config, save_dir, origin, params)
        self.tuned_per_benchmark = self._tuned(fixed=as_ is not None)

    @staticmethod
    def result_name(options: dict[str, Any]) -> str:
        """The name of results by default."""
        return f"{options['tracker']}-{options['config']}"

    def settings(self) -> dict[str, Path]:
        """What ``tracking/create_default_local_file.py`` writes."""
        return {
            "prj_dir": self.checkout.root,
            "save_dir": self.saved,
            "results_path": self.saved / "test/tracking_results",
            "segmentation_path": self.saved / "test/segmentation_results",
            "network_path": self.saved / "test/networks",
            "result_plot_path": self.saved / "test/result_plots",
        }

    def told(self) -> str:
        """The name of the benchmark that the tracker was told."""
        return f"dataset_name {self.dataset_name!r}, " if self.takes_name else ""

    def _make(self) -> Any:
        kind, params = self._parts()
        self.takes_name = takes_name(kind)
        return self._built(kind, params, self.dataset_name)

    def _parts(self) -> tuple[Any, Any]:
        """The class of the tracker, and its parameters."""
        known = self.checkout.stems(LAYOUT.trackers) & self.checkout.stems("lib/test/parameter")
        with self.checkout.explained(f"{self.named()} cannot be loaded", {}):
            found = [
                self.checkout.module(f"lib.test.{part}.{self.tracker}", "tracker", known)
                for part in ("tracker", "parameter")
            ]
            kind, make = found[0].get_tracker_class(), found[1].parameters
        what = f"{self.named()}: its parameters({self.config!r}) failed"
        with self.checkout.explained(what, self.hints()):
            return kind, self._parameters(make)

    def _parameters(self, make: Any) -> Any:
        """What the repository's ``parameters()`` returns.

        Raises:
            ConfigError: it needs more arguments, or there is no such configuration.
        """
        taken = list(inspect.signature(make).parameters.values())[1:]
        names = {each.name for each in taken if each.kind in (each.POSITIONAL_OR_KEYWORD,
            each.KEYWORD_ONLY)}  # fmt: skip
        needed = {each.name for each in taken if each.default is each.empty} & names
        if missing := sorted(needed - set(self.given)):
            raise ConfigError(
                f"parameters() of {self.tracker!r} in {self.checkout.root} also needs "
                f"{', '.join(missing)}: give it with --set params={missing[0]}=VALUE"
            )
        arguments = {name: value for name, value in self.given.items() if name in names}
        try:
            params = make(self.config, **arguments)
        except FileNotFoundError as error:
            missed = Path(str(error.filename))
            if missed.stem != self.config:
                raise
            raise ConfigError(
                f"there is no configuration {self.config!r} of {self.tracker!r}: no file "
                f"{missed}. {self._known_configurations(missed.parent)}"
            ) from None
        for name, value in self.given.items():
            if name not in names:
                setattr(params, name, value)
        params.debug = getattr(params, "debug", 0)
        return params

    def _known_configurations(self, folder: Path) -> str:
        if not folder.is_dir():
            return self.hints()[FileNotFoundError]
        names = sorted(path.stem for path in folder.glob("*.yaml"))
        return f"Known: {', '.join(names) or 'none'}."

    def _built(self, kind: Any, params: Any, name: str) -> Any:
        told = (name,) if takes_name(kind) else ()
        lacks: dict[Any, str] = {}
        if told and reads_name(kind):
            lacks[AttributeError, KeyError] = (
                f"It was told the benchmark {name!r}; if it has no settings for that name, give "
                "one that it has with --set as=NAME."
            )
        with self.checkout.explained(f"{self.named()} cannot be built", {**self.hints(), **lacks}):
            return kind(params, *told)

    def _tuned(self, fixed: bool) -> str:
        """How its settings depend on the benchmark's name, in words; empty if they do not."""
        here = settings_of(self.wrapped)
        with self.checkout.imported():
            kind, params = self._parts()
            if self.dataset_name == NEUTRAL or not reads_name(kind):
                return ""
            try:
                neutral = settings_of(self._built(kind, copy.deepcopy(params), NEUTRAL))
            except TrackerError:
                neutral = None
        found = difference(self.dataset_name, here, neutral)
        if found and fixed:
            return f"told the benchmark {self.dataset_name!r} on every benchmark: {found}"
        return found and f"tuned per benchmark: {found}"


def dataset_name(benchmark: str) -> str:
    """What these repositories call a benchmark; ``"video"`` for none."""
    row = benchmarks().get(benchmark)
    return benchmark or NEUTRAL if row is None else row.dataset_name or row.name


def _pairs(text: str) -> dict[str, Any]:
    """``name=value,name=value`` as a mapping.

    Raises:
        ConfigError: a part without an equals sign.
    """
    parts = [each.strip() for each in text.split(",") if each.strip()]
    wrong = [each for each in parts if not each.partition("=")[1]]
    if wrong:
        raise ConfigError(f"option 'params': expected name=value, found {wrong[0]!r}")
    return {name.strip(): literal(value) for name, _, value in (p.partition("=") for p in parts)}
