"""Collects the facts of a run record: what determines the results, and the circumstances.

Code is compared by content rather than by commit: a commit may change documentation only, and an
edit that is not yet committed may change results.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import inspect
import json
import os
import platform
import subprocess
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import CodeType
from typing import Any

from bench.benchmarks import get_benchmark
from bench.datasets.fingerprint import annotation_hash
from bench.processes import thread_count
from bench.registry import (
    TrackerSpec,
    is_written,
    named_file,
    named_folder,
    registered_trackers,
)
from bench.results.declared import FILE, fingerprint_of
from bench.results.record import RunRecord, differences, now, read_record
from bench.results.stores import Store
from bench.runner.devices import gpu_facts
from bench.runner.own_files import files_of, folder_hash, hashes, imported_files
from bench.sequence import Dataset
from bench.version import __version__

_ROOT = Path(__file__).parents[1]
_CODE = (
    "geometry/*.py", "sequence.py", "tracker.py", "images.py", "datasets/frames.py",
    "protocols/*.py", "processes.py", "runner/unit.py",
)  # fmt: skip  # the code between an image file and a stored box
_LIBRARIES = (
    "numpy", "scipy", "opencv-python-headless", "opencv-python", "opencv-contrib-python-headless",
    "opencv-contrib-python", "torch", "torchvision",
)  # fmt: skip


def make_record(
    dataset: Dataset,
    spec: TrackerSpec,
    *,
    seed: int,
    jobs: int | None,
    protocol: str = "onepass",
    lockstep: int = 1,
    masks: bool = False,
    tuned_on: str | None = None,
    engine: str = "workers",
    gpus: tuple[str, ...] = (),
) -> RunRecord:
    """The record of a session that starts now.

    Args:
        dataset: to run on.
        spec: the tracker.
        seed: of the run.
        jobs: number of worker processes; None for as many as a cluster has room for.
        protocol: name of the experiment.
        lockstep: sequences that a worker follows at once.
        masks: whether masks are kept.
        tuned_on: label of the dataset whose scores chose the options.
        engine: ``"workers"``, ``"ray"``, or the name of another engine.
        gpus: GPUs that workers see one of each.

    Raises:
        ConfigError: the tracker is unknown.
        TrackerError: its module cannot be imported.
    """
    provenance = {
        "protocol": protocol,
        "lockstep": lockstep if lockstep > 1 else None,
        "masks": "kept" if masks else None,
        "benchmark": dataset.benchmark,
        "miniature": dataset.miniature,
        **_tracker_facts(spec),
        **_code_facts(),
        "seed": seed,
    }
    session = {
        "started": now(),
        "ended": None,
        "engine": engine,
        "jobs": jobs,
        **({"gpus": list(gpus)} if gpus else {}),
        "threads": thread_count() if engine in ("workers", "ray") else None,
        "dataset": str(dataset.root),
        "annotation_sha256": annotation_hash(dataset),
        "caveats": list(map(str, dataset.caveats)),
        **_declaration(dataset.benchmark),
        **_commit(),
        **machine(),
    }
    # Through JSON, so that later comparisons see what will have been read back.
    return RunRecord(_as_stored(provenance), (_as_stored(session),), tuned_on=tuned_on)


def worker_facts(spec: TrackerSpec) -> dict[str, Any]:
    """What a worker tells of itself: where it runs, and what its results depend on."""
    return {
        **machine(), **gpu_facts(), **_code_facts(), "weights_sha256": spec.weights_hash(),
    }  # fmt: skip


def differing_facts(expected: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    """The facts of a worker that differ from those of the run, in words; empty if none does."""
    known = {name: value for name, value in expected.items() if name in facts}
    return "; ".join(differences(_as_stored({name: facts[name] for name in known}), known))


def _declaration(benchmark: str) -> dict[str, Any]:
    """Which declaration a benchmark from outside the package had; it lies beside the results."""
    sha256 = fingerprint_of(get_benchmark(benchmark))
    return {"declaration": {"file": FILE, "sha256": sha256}} if sha256 else {}


def with_later_files(store: Store, tracker: str, current: RunRecord) -> RunRecord:
    """``current`` with the hashes, as of now, of files that earlier sessions loaded while running.

    A change is then noticed before anything runs, and also where nothing is left to run.

    Raises:
        ResultError: the record of the earlier sessions is malformed.
        TrackerError: such a file cannot be read.
    """
    earlier = read_record(store.record_path(tracker))
    paths = {
        name: Path(str(path))
        for session in (earlier.sessions if earlier is not None else ())
        for name, path in dict(session.get("paths") or {}).items()
    }
    later = hashes({name: path for name, path in paths.items() if path.is_file()})
    files = {**later, **current.provenance["tracker_files"]}
    return dataclasses.replace(current, provenance={**current.provenance, "tracker_files": files})


def _as_stored(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts as they will be read back; what is not text, as some file names, is spelled."""
    text = json.dumps(facts, default=str, ensure_ascii=False)
    plain: dict[str, Any] = json.loads(text.encode(errors="replace"))
    return plain


def _tracker_facts(spec: TrackerSpec) -> dict[str, Any]:
    folders = {_last_name(path): folder_hash(path) for path in spec.folders()}
    return {
        "tracker": spec.name,
        "target": spec.target,
        "options": {name: _option(spec, name, value) for name, value in spec.options.items()},
        "weights_sha256": spec.weights_hash(),
        **({"option_folders": folders} if folders else {}),
        "tracker_code_sha256": _digest(_tracker_sources(spec)),
        "tracker_files": _tracker_files(spec),
    }


def _tracker_files(spec: TrackerSpec) -> dict[str, str]:
    """Hashes of the tracker's own files as far as they are known before it is built.

    Workers add what they load later, see ``runner.own_files``.
    """
    builder = spec.builder
    names = {kind.__module__ for kind in _kinds(spec)}
    if spec.factory is None:
        target = registered_trackers().get(spec.target, spec.target)
        names.add(target.rpartition(":")[0])
    named = files_of(builder) if inspect.isclass(builder) else {}
    return {**imported_files(sorted(names)), **named}


def _kinds(spec: TrackerSpec) -> tuple[Any, ...]:
    """The class of a tracker with its base classes, or the function that builds it.

    Of a class written for another toolkit, its own and the adapter's.
    """
    builder: Any = spec.builder
    if isinstance(builder, partial):
        builder = builder.func
    if not (inspect.isclass(builder) or inspect.isfunction(builder)):
        builder = type(builder)  # an object that can be called
    if not inspect.isclass(builder):
        return (builder,)
    foreign = getattr(builder, "foreign", None)
    return (*(foreign.__mro__[:-1] if inspect.isclass(foreign) else ()), *builder.__mro__[:-1])


def _code_facts() -> dict[str, Any]:
    import cv2

    files = (path for part in _CODE for path in _ROOT.glob(part))
    return {
        "bench_version": __version__,
        "bench_code_sha256": _digest(_contents(files)),
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "libraries": _versions(),
        "decoder": f"opencv imread {cv2.__version__}",
    }


def machine() -> dict[str, Any]:
    """The host and what it computes with."""
    return {
        "host": platform.node(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
    }


def _option(spec: TrackerSpec, name: str, value: Any) -> Any:
    """Where a file or folder lies does not affect results; hashes cover its content."""
    if isinstance(value, Path) and name in getattr(spec.builder, "folders", ()):
        return value.resolve().name
    path = named_file(value) or named_folder(value)
    counts = isinstance(value, Path) or not is_written(name)
    return value if path is None or not counts else _last_name(path)


def _last_name(path: Path) -> str:
    return path.name or path.resolve().name


def _tracker_sources(spec: TrackerSpec) -> Iterator[tuple[str, bytes]]:
    """The source of a tracker: its module, and those of its class and base classes.

    If one of these is a package or is in a sub-package, every module of that package counts. The
    text of a class that is in no file, such as one of a notebook, counts by itself.
    """
    kinds = _kinds(spec)
    names = {kind.__module__ for kind in kinds}
    if spec.factory is None:
        names.add(registered_trackers().get(spec.target, spec.target).rpartition(":")[0])
    yield from _contents(_files(names))
    yield from ((kind.__name__, _text(kind)) for kind in kinds if _file(kind.__module__) is None)


def _files(names: Collection[str]) -> set[Path]:
    inner = {name.rpartition(".")[0] for name in names if name.count(".") > 1}
    files = {path for name in {*names, *inner} if (path := _file(name)) is not None}
    packages = {path.parent for path in files if path.name == "__init__.py"}
    return files | {path for package in packages for path in package.rglob("*.py")}


def _file(module: str) -> Path | None:
    file = getattr(sys.modules.get(module), "__file__", None)
    return None if file is None else Path(file)


def _text(kind: Any) -> bytes:
    """The source of a class or function; if Python does not have it, the compiled code."""
    with contextlib.suppress(OSError, TypeError):
        return inspect.getsource(kind).encode()
    own = vars(kind) if inspect.isclass(kind) else {"call": kind}
    functions = [value for value in own.values() if inspect.isfunction(value)]
    with contextlib.suppress(OSError, TypeError):  # a class of a notebook before Python 3.13
        if functions:
            return "".join(map(inspect.getsource, functions)).encode()
    return repr([_compiled(function.__code__) for function in functions]).encode()


def _compiled(code: CodeType) -> list[Any]:
    """What a function does, whatever file and line it was defined in."""
    constants = [_compiled(c) if isinstance(c, CodeType) else c for c in code.co_consts]
    return [code.co_code, code.co_names, constants]


def _contents(files: Iterable[Path]) -> Iterator[tuple[str, bytes]]:
    """Name and content of files, in an order that does not depend on where they are installed."""
    for path in sorted(set(files), key=lambda path: (path.name, str(path))):
        yield path.name, path.read_bytes()


def _digest(contents: Iterable[tuple[str, bytes]]) -> str:
    """SHA-256 over names and contents."""
    digest = hashlib.sha256()
    for name, content in contents:
        digest.update(f"{name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def _versions() -> dict[str, str]:
    """Versions of the installed libraries; imports none of them."""
    found = {}
    for package in _LIBRARIES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _commit() -> dict[str, Any]:
    """Commit of the checkout that this package runs from, and whether files differ from it."""
    if not (_ROOT.parent / ".git").exists():
        return {}
    try:
        return {
            "commit": _git("rev-parse", "HEAD"),
            "dirty": bool(_git("status", "--porcelain", "--untracked-files=no")),
        }
    except (OSError, subprocess.SubprocessError):
        return {}


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(_ROOT.parent), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    return done.stdout.strip()


def _cpu() -> str:
    """Name of the processor from Linux, else from Python."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
