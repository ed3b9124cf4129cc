"""Gathering what a run record states: what makes the results, and under which circumstances.

Code is compared by its content, not by its commit: a commit of documentation makes no other
results, and an edit that is not committed yet may.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import bench
from bench.registry import TrackerSpec, find_tracker, registered_trackers
from bench.results.record import RunRecord, now
from bench.runner.unit import thread_count
from bench.sequence import Dataset

_ROOT = Path(bench.__file__).parent
_CODE = (
    "geometry/*.py", "sequence.py", "tracker.py", "datasets/frames.py", "protocols/*.py",
    "runner/unit.py",
)  # fmt: skip  # what stands between an image file and a stored box
_LIBRARIES = (
    "numpy", "scipy", "opencv-python-headless", "opencv-python", "opencv-contrib-python-headless",
    "opencv-contrib-python", "torch", "torchvision",
)  # fmt: skip


def make_record(
    dataset: Dataset,
    spec: TrackerSpec,
    *,
    seed: int,
    jobs: int,
    protocol: str = "onepass",
    lockstep: int = 1,
    tuned_on: str | None = None,
) -> RunRecord:
    """The record of a session that starts now.

    Raises:
        ConfigError: the tracker is not known.
        TrackerError: its module cannot be imported.
    """
    import cv2

    provenance = {
        "protocol": protocol,
        "lockstep": lockstep if lockstep > 1 else None,
        "benchmark": dataset.benchmark,
        "miniature": dataset.miniature,
        "tracker": spec.name,
        "target": spec.target,
        "options": {name: _option(value) for name, value in spec.options.items()},
        "weights_sha256": spec.weights_hash(),
        "tracker_code_sha256": _digest(_tracker_files(spec.target)),
        "bench_version": bench.__version__,
        "bench_code_sha256": _digest(path for part in _CODE for path in _ROOT.glob(part)),
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "libraries": _versions(),
        "decoder": f"opencv imread {cv2.__version__}",
        "seed": seed,
    }
    session = {
        "started": now(),
        "ended": None,
        "jobs": jobs,
        "threads": thread_count(),
        "dataset": str(dataset.root),
        "caveats": list(map(str, dataset.caveats)),
        **_commit(),
        "host": platform.node(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
    }
    # Through JSON, so that what is compared later is what will have been read back.
    stored: dict[str, Any] = json.loads(json.dumps(provenance, default=str))
    return RunRecord(stored, (session,), tuned_on=tuned_on)


def _option(value: Any) -> Any:
    """Where a file lies moves no box; its content is in the weights' hash."""
    return value.name if isinstance(value, Path) and value.is_file() else value


def _tracker_files(target: str) -> set[Path]:
    """The source of a tracker: the module named, and those of its class and base classes.

    Where one of these is a package or lies in a sub-package, every module in that.
    """
    names = {kind.__module__ for kind in find_tracker(target).__mro__}
    names.add(registered_trackers().get(target, target).partition(":")[0])
    files = {Path(f) for n in names if (f := getattr(sys.modules.get(n), "__file__", None))}
    inner = {n.rpartition(".")[0] for n in names if n.count(".") > 1}
    files |= {Path(f) for n in inner if (f := getattr(sys.modules.get(n), "__file__", None))}
    packages = {path.parent for path in files if path.name == "__init__.py"}
    return files | {path for package in packages for path in package.rglob("*.py")}


def _digest(files: Iterable[Path]) -> str:
    """SHA-256 over names and contents of files, whatever folder they were installed in."""
    digest = hashlib.sha256()
    for path in sorted(set(files), key=lambda path: (path.name, str(path))):
        content = path.read_bytes()
        digest.update(f"{path.name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def _versions() -> dict[str, str]:
    """Versions of the libraries that are installed; none is imported."""
    found = {}
    for package in _LIBRARIES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _commit() -> dict[str, Any]:
    """Commit of the checkout this package runs from, and whether files differ from it."""
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
    """Name of the processor as Linux states it, else as Python knows it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
