"""A repository of trackers on disk: found, imported, watched; what it lacks as one error.

Nothing is written into it. Its own ``local.py`` with the paths of a machine may be missing: one
in memory takes its place.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import re
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from bench.errors import BenchError, ConfigError, TrackerError, describe, unknown_name
from bench.loading import put_first
from trackers.repositories.substitutes import unused_packages

_OURS = ("bench", "trackers")
_CODE = frozenset((".py", ".pyc", ".so"))
_WEIGHTS = frozenset((".pth", ".pt", ".tar", ".pkl", ".ckpt", ".bin", ".npz", ".npy", ".model",
    ".safetensors", ".onnx", ".engine", ".mat", ".yaml", ".yml"))  # fmt: skip
_listening: list[set[str]] = []  # where opened files are noted
_hooked = False
_claimed: dict[str, tuple[Path, str]] = {}  # what this process runs, by the package it imports


@dataclass(frozen=True)
class Layout:
    """Where a family of repositories keeps what.

    Attributes:
        family: its name, for messages.
        package: the package that its code is imported as.
        trackers: folder of the trackers.
        evaluation: package with ``environment.py`` and ``local.py`` of evaluation; empty if none.
        training: the same of training.
    """

    family: str
    package: str
    trackers: str
    evaluation: str = ""
    training: str = ""


@dataclass(eq=False)
class Checkout:
    """A repository in a folder.

    Attributes:
        root: the folder, in full.
        layout: what it is laid out like.
        opened: files that were opened for reading while it was in use.

    Raises:
        ConfigError: there is no such folder, or it is laid out differently.
    """

    root: Path
    layout: Layout
    opened: set[str] = field(default_factory=set)
    _own: dict[str, ModuleType] = field(default_factory=dict)  # named like packages of ours

    def __post_init__(self) -> None:
        self.root = self.root.expanduser().resolve()
        if not self.root.is_dir():
            raise ConfigError(f"option 'repo': there is no folder {self.root}")
        if not (self.root / self.layout.trackers).is_dir():
            raise ConfigError(
                f"option 'repo': expected a repository laid out like {self.layout.family}, with "
                f"{self.layout.trackers}/, found none in {self.root}. Name the folder that holds "
                f"{self.layout.package}/."
            )

    def claim(self, use: str) -> None:
        """Make sure that this process runs nothing else of that family.

        The code of a repository keeps its configuration in its modules, so two uses would change
        each other.

        Raises:
            ConfigError: it does.
        """
        wanted = (self.root, use)
        loaded = list(getattr(sys.modules.get(self.layout.package), "__path__", ()))
        if loaded and not any(Path(each).is_relative_to(self.root) for each in loaded):
            _claimed.setdefault(self.layout.package, (Path(loaded[0]).parent, "other code"))
        there = _claimed.setdefault(self.layout.package, wanted)
        if there != wanted:
            raise ConfigError(
                f"this process already runs {there[1]} of {there[0]}, and the package "
                f"{self.layout.package!r} and its configuration exist once in a process. Run "
                f"{use} of {self.root} in another one: over a dataset, every run has its own."
            )

    def files(self) -> list[Path]:
        """Files that decide what it answers: those it opened, and modules named like ours."""
        own = (getattr(module, "__file__", None) for module in self._own.values())
        return [*that_count(self.opened, self.root), *(Path(file) for file in own if file)]

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Call its code here, without bytecode written; what it opens is noted."""
        put_first(str(self.root))
        before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
        try:
            with opened_into(self.opened), unused_packages():
                yield
        finally:
            sys.dont_write_bytecode = before

    @contextlib.contextmanager
    def imported(self) -> Iterator[None]:
        """The same for importing its code; none of ours may be imported meanwhile.

        A package of the repository that is called like one of ours takes its place.
        """
        clashing = [name for name in _OURS if _is_importable(self.root, name)]
        hidden = _taken_out(clashing)
        sys.modules.update(self._own)
        try:
            with self.watched():
                yield
        finally:
            self._own = _taken_out(clashing)
            sys.modules.update(hidden)

    def module(self, name: str, kind: str, known: Collection[str]) -> Any:
        """A module of the repository.

        Args:
            name: its full name.
            kind: what it is the module of, for messages.
            known: names that exist.

        Raises:
            ConfigError: there is none of that name; lists those that there are.
        """
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name is not None and (
                name == error.name or name.startswith(f"{error.name}.")
            ):
                raise unknown_name(f"{kind} of {self.root}", name.split(".")[-1], known) from None
            raise

    def provide_settings(self, paths: Mapping[str, Path], *, instead: bool) -> None:
        """Let modules in memory take the place of its ``local.py``.

        Args:
            paths: settings of evaluation by name.
            instead: also where the repository has its own ``local.py``.
        """
        layout = self.layout
        if layout.evaluation and (instead or not self.has_module(f"{layout.evaluation}.local")):
            environment = f"{layout.evaluation}.environment"
            _add_module(
                f"{layout.evaluation}.local",
                local_env_settings=lambda: _settings(environment, paths),
            )
        if layout.training and (instead or not self.has_module(f"{layout.training}.local")):
            empty = {"workspace_dir": "", "tensorboard_dir": "", "pretrained_networks": ""}
            kind = type("EnvironmentSettings", (), {**empty, "__getattr__": _no_path})
            kind.__module__ = f"{layout.training}.local"
            _add_module(f"{layout.training}.local", EnvironmentSettings=kind)

    def has_module(self, name: str) -> bool:
        """Whether the repository holds a module of that name."""
        return (self.root / Path(*name.split("."))).with_suffix(".py").is_file()

    def stems(self, folder: str, pattern: str = "*.py") -> set[str]:
        """Names of the files in one of its folders, without suffix and private ones."""
        paths = (self.root / folder).glob(pattern)
        return {path.stem for path in paths if not path.name.startswith(("_", "."))}

    @contextlib.contextmanager
    def explained(self, what: str, hints: Mapping[Any, str]) -> Iterator[None]:
        """Turn what its code raises into one error that says how to mend it.

        Args:
            what: what is being done, for messages.
            hints: what to do, by kind of exception or tuple of kinds.

        Raises:
            TrackerError: in place of any exception but ours.
        """
        try:
            yield
        except BenchError:
            raise
        except (Exception, SystemExit) as error:
            hint = _hint(error, self.layout.package)
            more = next((text for kind, text in hints.items() if isinstance(error, kind)), "")
            text = " ".join(filter(None, (f"{what}: {describe(error)}.", hint, more)))
            if isinstance(error, ModuleNotFoundError | FileNotFoundError):
                raise TrackerError(text) from None  # says all there is to say
            raise TrackerError(text) from error


def _hint(error: BaseException, package: str) -> str:
    """What to do about an exception that many repositories raise."""
    if isinstance(error, ModuleNotFoundError):
        name = (error.name or "").partition(".")[0]
        if name == package:
            return f"The repository lacks its module {error.name}: is the checkout complete?"
        if name in sys.modules and name != error.name:
            return (
                f"The installed {name} has no {error.name}: the repository was written for "
                f"another version of {name}. Install the version that it names."
            )
        return f"It needs the package {name}: install it into this environment."
    torch: Any = sys.modules.get("torch")
    if (
        torch is not None
        and not torch.cuda.is_available()
        and re.search(r"\b(cuda|nvidia|gpu)\b", str(error), re.IGNORECASE)
    ):
        return "Its code asks for a GPU, and PyTorch finds none here: run it where there is one."
    if type(error).__name__ == "UnpicklingError" and "weights_only" in str(error):
        return (
            "Its checkpoint holds objects of Python beside the weights, which PyTorch 2.6 and "
            "newer load only on request. If you trust the file, set the environment variable "
            "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD=1."
        )
    return ""


def _is_importable(root: Path, name: str) -> bool:
    folder = root / name
    return folder.with_suffix(".py").is_file() or (folder.is_dir() and any(folder.glob("*.py")))


def _taken_out(packages: Collection[str]) -> dict[str, ModuleType]:
    """The loaded modules of packages, taken out of ``sys.modules``."""
    names = [name for name in sys.modules if name.partition(".")[0] in packages]
    return {name: sys.modules.pop(name) for name in names}


def _add_module(name: str, **content: Any) -> None:
    module = sys.modules[name] = ModuleType(name)
    vars(module).update(content)


def _settings(environment: str, paths: Mapping[str, Path]) -> Any:
    """The settings that the repository declares, with our paths in them."""
    settings: Any = SimpleNamespace()
    with contextlib.suppress(AttributeError, TypeError):  # none, or one of another kind
        settings = importlib.import_module(environment).EnvSettings()
    vars(settings).update({name: str(path) for name, path in paths.items()})
    return settings


def _no_path(settings: object, name: str) -> str:
    """The path of a dataset to train on, which no tracker needs."""
    if name.startswith("__"):
        raise AttributeError(name)
    return ""


def stay_without_cuda() -> bool:
    """Let ``.cuda()`` leave everything where it is if there is no CUDA; whether there is none."""
    import torch

    if torch.cuda.is_available():
        return False
    torch.Tensor.cuda = torch.nn.Module.cuda = _stay  # type: ignore[method-assign]
    return True


def _stay(self: Any, *_: Any, **__: Any) -> Any:
    return self


@contextlib.contextmanager
def opened_into(found: set[str]) -> Iterator[None]:
    """Add the full path of every file that Python code opens for reading to ``found``.

    Python's audit event ``open`` names them: it is raised by ``open`` itself, and so by
    ``torch.load``, ``pickle``, ``numpy`` and ``yaml``. Libraries that open files in C++ or Rust
    without Python are not seen.
    """
    global _hooked
    if not _hooked:
        sys.addaudithook(_note)  # cannot be removed: idle while nobody listens
        _hooked = True
    _listening.append(found)
    try:
        yield
    finally:
        _listening.pop()


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "open" or not _listening:
        return
    path, mode, flags = arguments
    writes = flags & (os.O_WRONLY | os.O_RDWR) if mode is None else set(mode) & set("wax+")
    if not writes and isinstance(path, str | bytes | os.PathLike):
        full = os.path.abspath(os.fsdecode(path))  # noqa: PTH100  keeps names of links
        _listening[-1].add(full)


def that_count(found: set[str], root: Path) -> list[Path]:
    """The opened files that can change a result: data in ``root``, and weights anywhere.

    Code is left out, because the modules that are loaded are hashed by themselves.
    """
    paths = (Path(each) for each in sorted(found))
    return [
        path
        for path in paths
        if path.suffix not in _CODE
        and (path.is_relative_to(root) or path.suffix in _WEIGHTS)
        and path.is_file()
    ]
