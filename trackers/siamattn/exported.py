"""The network as graphs for other runtimes, and what shows that they compute the same.

A model is a folder with one graph for each stage, of one target, and ``model.json``, which names
the inputs and outputs of each. Tensors go from stage to stage by name:

    template  exemplar                            -> terms.*, kernels.*        once per target
    search    search, terms.*, kernels.*          -> cls, loc, early.*, attended.*, kernels.*
    box       regions, attended.*, kernels.*      -> deltas
    mask      regions, early.*, attended.*, ...   -> logits

Between search and box a tracker chooses a proposal, as ``search.py`` does.
"""

from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from bench.errors import ConfigError, TrackerError
from bench.files import write_atomically
from trackers.siamattn.config import Config
from trackers.siamattn.network import Network, Proposals, Template
from trackers.siamattn.records import filled, named_tensors

Format = Literal["onnx", "torchscript", "exported-program"]
Tensors = dict[str, Tensor]
Runner = Callable[[Sequence[Tensor]], Sequence[Tensor]]

ENDINGS = {"onnx": ".onnx", "torchscript": ".pt", "exported-program": ".pt2"}
CARD = "model.json"
OPSET = 18
REGION = (0.0, 80.0, 90.0, 150.0, 170.0)  # any: an example


class Stage(nn.Module):
    """A part of the network on tensors in a fixed order.

    Attributes:
        inputs: names of the arguments.
        outputs: names of the results.
    """

    def __init__(
        self, network: Network, work: Callable[[Tensors], Tensors], example: Tensors
    ) -> None:
        """``work`` turns tensors by name into others, those of ``example`` to begin with."""
        super().__init__()
        self.network, self.work, self.example = network, work, example
        self.inputs = tuple(example)
        self.found = {name: t for name, t in work(example).items() if not _within(t, example)}
        self.outputs = tuple(self.found)

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """The outputs for these inputs."""
        found = self.work(dict(zip(self.inputs, tensors, strict=True)))
        return tuple(found[name] for name in self.outputs)


def stages(network: Network) -> dict[str, Stage]:
    """The stages of a network by name, with examples of one target."""
    config = network.config
    tracking = config.tracking_for()
    z, x = (
        torch.full((1, 3, side, side), 127.0, device=network.device)
        for side in (tracking.exemplar, tracking.instance)
    )
    regions = torch.tensor([REGION], device=network.device)
    template = replace(network.template(z), features=())
    features = network.search(x, template).features

    def started(given: Tensors) -> Tensors:
        return named_tensors(replace(network.template(given["exemplar"]), features=()))

    def searched(given: Tensors) -> Tensors:
        found = network.search(given["search"], filled(template, given))
        read = _beginning(named_tensors(found.features), "early", "attended", *_READ)
        return {"cls": found.cls, "loc": found.loc, **read}

    def refined(given: Tensors) -> Tensors:
        return {"deltas": network.refine_box(filled(features, given), given["regions"])}

    def masked(given: Tensors) -> Tensors:
        return {"logits": network.refine_mask(filled(features, given), given["regions"])}

    carried = named_tensors(features)
    example = {"search": x, **named_tensors(template)}
    made = {
        "template": Stage(network, started, {"exemplar": z}),
        "search": Stage(network, searched, example),
    }
    if config.refine.box:
        read = _beginning(carried, "attended", "kernels.fusion")
        made["box"] = Stage(network, refined, {"regions": regions, **read})
    if config.refine.mask:
        read = _beginning(carried, "early", "attended", *_READ)
        made["mask"] = Stage(network, masked, {"regions": regions, **read})
    return made


_READ = ("kernels.fusion", "kernels.mask")  # what heads read of a template


def _beginning(tensors: Tensors, *starts: str) -> Tensors:
    return {name: each for name, each in tensors.items() if name.startswith(starts)}


def _within(tensor: Tensor, tensors: Tensors) -> bool:
    """Whether it is one of ``tensors`` itself."""
    return any(tensor is each for each in tensors.values())


@contextmanager
def _quietly() -> Iterator[None]:
    """Without gradients, and without what exporters say about their own code."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def export(network: Network, folder: Path, form: Format, origin: Mapping[str, str]) -> None:
    """Write the graphs of a network, and the card that describes them.

    Args:
        network: in evaluation mode, with batch norms folded but otherwise as it was built.
        folder: new, empty, or an earlier export.
        form: of the graphs.
        origin: what else the card says.

    Raises:
        ConfigError: the folder holds something else.
        TrackerError: a package that the form needs is not installed.
    """
    if folder.exists() and (
        not folder.is_dir() or (any(folder.iterdir()) and not (folder / CARD).exists())
    ):
        raise ConfigError(
            f"{folder}: expected a new folder or an earlier export, found something else. "
            "Give another one with --out."
        )
    require(form)
    with _quietly():
        parts = stages(network)
        contents = {name: _WRITERS[form](stage) for name, stage in parts.items()}
    for name, content in contents.items():
        write_atomically(folder / (name + ENDINGS[form]), content)
    card = {
        "format": form,
        **origin,
        "graphs": {name: _described(name + ENDINGS[form], s) for name, s in parts.items()},
    }
    write_atomically(folder / CARD, (json.dumps(card, indent=1) + "\n").encode())


def require(form: Format) -> None:
    """Check that what a form needs is installed.

    Raises:
        TrackerError: names the package, and how to install it.
    """
    for package in ("onnx", "onnxscript", "onnxruntime") if form == "onnx" else ():
        try:
            import_module(package)
        except ModuleNotFoundError as error:
            raise TrackerError(
                f"the format onnx needs {error.name!r}, which is not installed: "
                "`pip install '.[export]'` in this project's checkout"
            ) from error


def _described(file: str, stage: Stage) -> dict[str, Any]:
    return {
        "file": file,
        "inputs": {name: list(each.shape) for name, each in stage.example.items()},
        "outputs": {name: list(each.shape) for name, each in stage.found.items()},
    }


def _onnx(stage: Stage) -> bytes:
    program: Any = torch.onnx.export(
        stage,
        tuple(stage.example.values()),
        input_names=list(stage.inputs),
        output_names=list(stage.outputs),
        opset_version=OPSET,
        dynamo=True,
        verbose=False,
    )
    content: bytes = program.model_proto.SerializeToString()
    return content


def _torchscript(stage: Stage) -> bytes:
    buffer = io.BytesIO()
    trace: Any = torch.jit.trace
    traced = trace(stage, tuple(stage.example.values()), check_trace=False)
    torch.jit.save(traced, buffer)
    return buffer.getvalue()


def _exported_program(stage: Stage) -> bytes:
    buffer = io.BytesIO()
    torch.export.save(torch.export.export(stage, tuple(stage.example.values())), buffer)
    return buffer.getvalue()


_WRITERS: dict[str, Callable[[Stage], bytes]] = {
    "onnx": _onnx,
    "torchscript": _torchscript,
    "exported-program": _exported_program,
}


def _run_onnx(path: Path, inputs: Sequence[str], outputs: Sequence[str]) -> Runner:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    # Between stages its threads would spin, and take the cores from PyTorch's.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    kept = {each.name for each in session.get_inputs()}

    def run(tensors: Sequence[Tensor]) -> Sequence[Tensor]:
        feed = {name: t.numpy() for name, t in zip(inputs, tensors, strict=True) if name in kept}
        return [torch.from_numpy(each) for each in session.run(list(outputs), feed)]

    return run


def _run_torchscript(path: Path, inputs: Sequence[str], outputs: Sequence[str]) -> Runner:
    load: Any = torch.jit.load
    module = load(path)
    return lambda tensors: module(*tensors)


def _run_exported_program(path: Path, inputs: Sequence[str], outputs: Sequence[str]) -> Runner:
    module: Any = torch.export.load(path).module()
    return lambda tensors: module(*tensors)


_RUNNERS: dict[str, Callable[[Path, Sequence[str], Sequence[str]], Runner]] = {
    "onnx": _run_onnx,
    "torchscript": _run_torchscript,
    "exported-program": _run_exported_program,
}


class ExportedNetwork:
    """The graphs of a folder, with what ``Engine`` calls of a ``Network``; for one target.

    Templates and features are tensors by name here.
    """

    def __init__(self, folder: Path, config: Config) -> None:
        """``config`` is that of the exported network."""
        self.config, self.device = config, torch.device("cpu")
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        self._graphs = card["graphs"]
        load = _RUNNERS[card["format"]]
        with _quietly():
            self._runners = {
                name: load(folder / graph["file"], list(graph["inputs"]), graph["outputs"])
                for name, graph in self._graphs.items()
            }

    def run(self, stage: str, given: Tensors) -> Tensors:
        """The outputs of a stage by name; of ``given`` it takes what it needs."""
        graph = self._graphs[stage]
        found = self._runners[stage]([given[name].contiguous() for name in graph["inputs"]])
        return dict(zip(graph["outputs"], found, strict=True))

    def template(self, z: Tensor) -> Tensors:
        """As ``Network.template``."""
        return self.run("template", {"exemplar": z})

    def search(self, x: Tensor, template: Tensors) -> Proposals:
        """As ``Network.search``."""
        found = self.run("search", {"search": x, **template})
        features: Any = {**template, **found}
        return Proposals(found["cls"], found["loc"], features)

    def refine_box(self, features: Tensors, regions: Tensor) -> Tensor:
        """As ``Network.refine_box``."""
        return self.run("box", {"regions": regions, **features})["deltas"]

    def refine_mask(self, features: Tensors, regions: Tensor) -> Tensor:
        """As ``Network.refine_mask``."""
        return self.run("mask", {"regions": regions, **features})["logits"]


@dataclass(frozen=True)
class Deviation:
    """The largest difference of an output between two forms of a network.

    Attributes:
        name: of the output, after its stage.
        difference: absolute.
        scale: the output's largest value.
    """

    name: str
    difference: float
    scale: float

    @property
    def share(self) -> float:
        """The difference as a share of the largest value."""
        return self.difference / self.scale if self.scale else self.difference


@dataclass(frozen=True)
class Drift:
    """How far two forms of a network come apart on the same frames.

    Attributes:
        deviations: of every output, for the same inputs.
        pixels: largest difference of the boxes of two tracks.
    """

    deviations: Sequence[Deviation]
    pixels: float


class Compared:
    """A network that also runs its exported form on the same inputs, and notes differences.

    It answers with the network's own outputs.
    """

    def __init__(self, network: Network, exported: ExportedNetwork) -> None:
        """Both are of the same weights."""
        self.network, self.exported = network, exported
        self.config, self.device = network.config, network.device
        self._found: dict[str, Deviation] = {}

    @property
    def deviations(self) -> list[Deviation]:
        """Of every output so far."""
        return list(self._found.values())

    def template(self, z: Tensor) -> Template:
        """As ``Network.template``."""
        found = self.network.template(z)
        self._compare("template", {"exemplar": z}, named_tensors(replace(found, features=())))
        return found

    def search(self, x: Tensor, template: Template) -> Proposals:
        """As ``Network.search``."""
        found = self.network.search(x, template)
        self._given = {**named_tensors(template), **named_tensors(found.features)}
        outputs = {"cls": found.cls, "loc": found.loc, **named_tensors(found.features)}
        self._compare("search", {"search": x, **named_tensors(template)}, outputs)
        return found

    def refine_box(self, features: Any, regions: Tensor) -> Tensor:
        """As ``Network.refine_box``."""
        found = self.network.refine_box(features, regions)
        self._compare("box", {"regions": regions, **self._given}, {"deltas": found})
        return found

    def refine_mask(self, features: Any, regions: Tensor) -> Tensor:
        """As ``Network.refine_mask``."""
        found = self.network.refine_mask(features, regions)
        self._compare("mask", {"regions": regions, **self._given}, {"logits": found})
        return found

    def _compare(self, stage: str, given: Tensors, wanted: Tensors) -> None:
        for output, found in self.exported.run(stage, given).items():
            name = f"{stage}: {output}"
            old = self._found.get(name, Deviation(name, 0.0, 0.0))
            difference = float((found - wanted[output]).abs().max())
            scale = float(wanted[output].abs().max())
            self._found[name] = Deviation(
                name, max(old.difference, difference), max(old.scale, scale)
            )
