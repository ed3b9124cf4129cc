"""Workspaces of vot-toolkit, the VOT challenge's Python toolkit, from a dataset and results.

``vot analysis`` scores the results in a workspace; ``vot evaluate`` runs the trackers of its
``trackers.ini`` if it has images.
"""

from __future__ import annotations

import configparser
import io
import json
import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from bench.benchmarks import get_benchmark
from bench.datasets.frames import NumberedFrames
from bench.errors import ConfigError, DatasetError, ResultError
from bench.files import format_exact
from bench.images import ImageFiles
from bench.locks import rebuilt
from bench.registry import TrackerSpec
from bench.results.vot.exchange import experiments_of, render_experiments
from bench.results.vot.text import format_text
from bench.sequence import Dataset, Sequence

Images = Literal["none", "link", "copy"]
Protocol = Literal["trax", "python"]

REALTIME_FPS = 20
"""Frame rate of the challenge's realtime experiment; vot-toolkit assumes 30 without it."""

_ADAPTER = "bench.interop.vot_python:PluginTracker"
_NOT_IN_IDENTIFIER = re.compile(r"[^a-zA-Z0-9_-]")


@dataclass(frozen=True)
class Served:
    """A tracker that the toolkit can run.

    Attributes:
        spec: the tracker; its name is used in the workspace.
        protocol: TraX, or a class that the toolkit imports.
        timeout: seconds that the toolkit waits for each answer, including the start; its own
            30 by default.
    """

    spec: TrackerSpec
    protocol: Protocol = "trax"
    timeout: int | None = None


def write_workspace(
    folder: Path,
    dataset: Dataset,
    *,
    results: Path | None = None,
    trackers: Iterable[str] = (),
    served: Iterable[Served] = (),
    images: Images = "none",
    interval: tuple[int, int] | None = None,
) -> None:
    """Write a workspace; it appears complete or not at all.

    Args:
        folder: target folder; must be empty or not exist.
        dataset: VOT2016 or VOT2018, whole or partial.
        results: root folder of the results of ``trackers``.
        trackers: trackers whose results to include, for ``vot analysis``.
        served: trackers that ``vot evaluate`` can run.
        images: omit, link or copy the images; ``vot analysis`` needs none if the frame size is
            known.
        interval: sequence lengths for expected average overlap; the challenge's by default.

    Raises:
        ConfigError: the benchmark has no experiments, or two trackers share an identifier.
        DatasetError: requested images are missing.
        ResultError: ``folder`` is not empty or cannot be written, or a result is malformed.
    """
    experiments_of(dataset)
    trackers, served = list(trackers), list(served)
    identifiers = _identifiers([*trackers, *(one.spec.name for one in served)])
    try:
        with rebuilt(folder.absolute()) as unfinished:
            if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
                raise ResultError(
                    f"{folder}: exists and is not empty. Choose another folder or delete it."
                )
            for path, content in _files(dataset, trackers, served, results, identifiers, interval):
                (unfinished / path).parent.mkdir(parents=True, exist_ok=True)
                (unfinished / path).write_bytes(content)
            if images != "none":
                for sequence in dataset:
                    _place_images(unfinished / "sequences" / sequence.name, sequence, images)
    except OSError as error:
        raise ResultError(f"{folder}: cannot be written ({error})") from error


def _files(
    dataset: Dataset,
    trackers: list[str],
    served: list[Served],
    results: Path | None,
    identifiers: dict[str, str],
    interval: tuple[int, int] | None,
) -> Iterator[tuple[str, bytes]]:
    """Path and content of every file except images."""
    table = get_benchmark(dataset.benchmark).stack
    stack = table["name"]
    if interval is not None:
        stack = "stack.yaml"
        yield stack, _stack(dataset, table["experiments"], interval)
    yield "config.yaml", f"registry:\n- ./trackers.ini\nstack: {stack}\n".encode()
    yield "trackers.ini", _registry(trackers, served, identifiers)
    names = "".join(f"{sequence.name}\n" for sequence in dataset)
    yield "sequences/list.txt", names.encode()
    for sequence in dataset:
        for name, content in _sequence_files(sequence):
            yield f"sequences/{sequence.name}/{name}", content
    for tracker in trackers:
        files, _ = render_experiments(results or Path(), tracker, dataset)
        for path, content in files.items():
            yield f"results/{identifiers[tracker]}/{path.partition('/')[2]}", content


def _identifiers(names: list[str]) -> dict[str, str]:
    """Identifiers for the toolkit: only letters, digits, ``-`` and ``_``."""
    identifiers = {name: _NOT_IN_IDENTIFIER.sub("-", name) for name in names}
    if len(set(identifiers.values())) < len(names):
        found = ", ".join(identifiers[name] for name in names)
        raise ConfigError(
            f"trackers {', '.join(names)}: expected different names in the workspace, where only "
            f"letters, digits, - and _ are kept, found {found}. Omit a tracker or give it "
            "another --name."
        )
    return identifiers


def _stack(dataset: Dataset, experiments: dict[str, Any], interval: tuple[int, int]) -> bytes:
    """The challenge's experiments with another interval, as JSON, which is valid YAML."""
    low, high = interval
    analyses: dict[str, list[dict[str, Any]]] = {
        "supervised": [
            {"type": "supervised_average_ar", "sensitivity": 30},
            {"type": "supervised_eao_score", "low": low, "high": high},
            {"type": "supervised_eao_curve"},
        ],
        "unsupervised": [{"type": "average_accuracy"}],
    }
    described = {
        name: {**settings, "analyses": analyses[settings["type"]]}
        for name, settings in experiments.items()
    }
    title = f"{dataset.benchmark}, {len(dataset)} sequences"
    return (json.dumps({"title": title, "experiments": described}, indent=1) + "\n").encode()


def _registry(trackers: list[str], served: list[Served], identifiers: dict[str, str]) -> bytes:
    """``trackers.ini``: names of results, and names and commands of served trackers."""
    registry = configparser.ConfigParser(interpolation=None)
    for name in trackers:
        registry[identifiers[name]] = {"label": name, "command": ""}
    for one in served:
        fields = {"label": one.spec.name, "protocol": one.protocol, **_command(one)}
        if one.timeout is not None:
            fields["timeout"] = str(one.timeout)
        registry[identifiers[one.spec.name]] = {k: v.replace("%", "%%") for k, v in fields.items()}
    stream = io.StringIO()
    registry.write(stream)
    return stream.getvalue().encode()


def _command(one: Served) -> dict[str, str]:
    """Command and arguments for the toolkit, which starts TraX servers in another folder."""
    spec = one.spec
    options = {
        name: str(value.absolute() if isinstance(value, Path) else value)
        for name, value in spec.options.items()
    }
    if one.protocol == "python":
        arguments = {"arg_tracker": spec.target, "arg_options": json.dumps(options)}
        return {"command": _ADAPTER, **arguments}
    settings = [word for name, value in options.items() for word in ("--set", f"{name}={value}")]
    words = [sys.executable, "-m", "bench", "serve", "--tracker", spec.target, *settings]
    path = f"{Path.cwd()}{os.pathsep}$PYTHONPATH"
    own_module = {"env_PYTHONPATH": path} if ":" in spec.target else {}
    return {"command": shlex.join(words), **own_module}


def _sequence_files(sequence: Sequence) -> Iterator[tuple[str, bytes]]:
    """Annotation of a sequence, and its description, so that the toolkit need not read images."""
    properties = {
        "channel.default": "color",
        "channels.color": f"color/%08d{_suffix(sequence)}",
        "format": "default",
        "fps": REALTIME_FPS,
        "length": len(sequence),
        "name": sequence.name,
    }
    if sequence.size is not None:
        properties |= dict(zip(("width", "height"), sequence.size, strict=True))
    yield "sequence", "".join(f"{key}={value}\n" for key, value in properties.items()).encode()
    yield "groundtruth.txt", format_text(sequence.regions, decimals=None)
    for tag, flags in sequence.tags.items():
        yield f"{tag}.tag", "".join(f"{int(flag)}\n" for flag in flags).encode()
    if sequence.practical is not None:
        yield "practical.value", format_exact(np.asarray(sequence.practical)[:, None])


def _suffix(sequence: Sequence) -> str:
    paths = _image_paths(sequence)
    return paths[0].suffix.lower() if paths else ".jpg"


def _image_paths(sequence: Sequence) -> list[Path]:
    """Image file of every frame; none if the frames are not files."""
    if isinstance(sequence.frames, NumberedFrames):
        return [sequence.frames.path(index) for index in range(len(sequence))]
    return list(sequence.frames.paths) if isinstance(sequence.frames, ImageFiles) else []


def _place_images(folder: Path, sequence: Sequence, images: Images) -> None:
    """Link or copy the frames to where ``channels.color`` expects them, numbered from 1."""
    paths = _image_paths(sequence)
    if not paths:
        raise DatasetError(
            f"sequence {sequence.name!r} is annotation only; expected images to put into the "
            "workspace. Add them to the dataset, or write a workspace without images."
        )
    target = folder / "color"
    target.mkdir()
    for number, path in enumerate(paths, start=1):
        if not path.is_file():
            raise DatasetError(
                f"{path} does not exist; expected the image of frame {number} of {sequence.name}. "
                "Run `bench check` on the dataset to list every missing frame."
            )
        place = target / f"{number:08d}{_suffix(sequence)}"
        if images == "link":
            place.symlink_to(path.absolute())
        else:
            shutil.copyfile(path, place)
