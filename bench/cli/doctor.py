"""``bench doctor``: versions, devices and known traps."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, files, version

import typer

from bench.version import __version__

_PACKAGES = (
    "numpy", "scipy", "pandas", "matplotlib", "shapely", "opencv-python-headless", "pysimdjson",
    "numba", "torch", "safetensors", "lightning", "got10k", "vot-toolkit", "attributee",
    "vot-trax",
)  # fmt: skip

# The builds that lay the same folder cv2.
_OPENCV = (
    "opencv-contrib-python", "opencv-contrib-python-headless", "opencv-python",
    "opencv-python-headless",
)  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add the verb of this module."""
    app.command("doctor")(doctor)


def doctor() -> None:
    """Print versions, devices and settings, and warn of known traps; exit code 1 if one is found.

    [bold]Examples[/]

      bench doctor
    """
    for name, value in {**_environment(), **_settings()}.items():
        typer.echo(f"{name:24} {value}")
    found = traps()
    for trap in found:
        typer.secho(f"trap: {trap}", fg="yellow")
    if found:
        raise typer.Exit(1)
    typer.secho("no known trap found", fg="green")


def _environment() -> dict[str, str]:
    """Versions of everything that can move a number, and the devices."""
    found = {
        "siamattn-bench": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cores": str(os.cpu_count()),
    }
    for package in _PACKAGES:
        found[package] = _version(package) or "not installed"
    found["cuda"] = _cuda()
    return found


def _settings() -> dict[str, str]:
    """The folders that apply without options, and what says so."""
    from bench.cli.config import configuration, configuration_files

    found = configuration()
    applied: dict[str, str] = {}
    for path in configuration_files():
        applied[f"settings {len(applied) + 1}"] = (
            f"{path}{'' if path in found.files else ' (none)'}"
        )
    for name, configured in (("data", found.data_of("")), ("results", found.results)):
        variable = f"BENCH_{name.upper()}"
        if os.environ.get(variable):
            applied[name] = f"{os.environ[variable]} ({variable})"
        else:
            applied[name] = f"{configured} (settings)" if configured else f"{name} (by default)"
    for name, folder in found.data.items():
        if name != "default" and not os.environ.get("BENCH_DATA"):
            applied[f"data of {name}"] = f"{folder} (settings)"
    return applied


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _cuda() -> str:
    if _version("torch") is None:
        return "unknown (torch is not installed)"
    import torch

    if not torch.cuda.is_available():
        return "none"
    return ", ".join(torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count()))


def traps() -> list[str]:
    """Every known trap of this installation, one sentence each with the way out."""
    return [*_opencv_traps(), *_interop_traps()]


def _opencv_traps() -> Iterator[str]:
    builds = [name for name in _OPENCV if _ships_cv2(name)]
    if len(builds) > 1:
        yield (
            f"{len(builds)} OpenCV builds lie in one cv2 folder: {', '.join(builds)}. Uninstall "
            "all of them, then install opencv-python-headless alone (`make setup` does)."
        )
    import cv2

    if int(cv2.__version__.split(".")[0]) >= 5:
        yield (
            f"OpenCV {cv2.__version__}: minAreaRect and warpAffine differ from 4.x, so rotated "
            "boxes and masks move. Install opencv-python-headless>=4.5,<5."
        )


def _ships_cv2(package: str) -> bool:
    try:
        return any(str(path).startswith("cv2/") for path in files(package) or ())
    except PackageNotFoundError:
        return False


def _interop_traps() -> Iterator[str]:
    attributee = _version("attributee")
    if not (_version("vot-toolkit") and attributee) or sys.version_info < (3, 11):
        return
    if tuple(int(part) for part in re.findall(r"\d+", attributee)) >= (0, 1, 10):
        yield (
            f"attributee {attributee}: vot-toolkit cannot be imported with it on this Python. "
            "Install attributee<0.1.10."
        )
