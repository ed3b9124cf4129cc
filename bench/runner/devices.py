"""The GPUs of this machine, and which of them a run may use."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from functools import lru_cache

from bench.errors import ConfigError

VISIBLE = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True)
class Gpu:
    """A GPU as its driver names it."""

    index: str
    uuid: str
    name: str
    driver: str


@lru_cache(maxsize=1)
def installed_gpus() -> tuple[Gpu, ...]:
    """The GPUs that ``nvidia-smi`` lists; none where there is no such command."""
    query = ["nvidia-smi", "--query-gpu=index,uuid,name,driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return ()
    rows = (tuple(map(str.strip, line.split(","))) for line in done.stdout.splitlines())
    return tuple(Gpu(*row) for row in rows if len(row) == 4)


def visible_gpus() -> tuple[str, ...]:
    """Numbers or names of the GPUs that this process may use, as CUDA_VISIBLE_DEVICES has them.

    That variable, which Slurm and Ray set, decides; without it, all that are installed.
    """
    given = os.environ.get(VISIBLE)
    if given is None:
        return tuple(gpu.index for gpu in installed_gpus())
    return tuple(each.strip() for each in given.split(",") if each.strip() not in ("", "-1"))


def chosen_gpus(wanted: str) -> tuple[str, ...]:
    """The GPUs that ``--gpus`` names: ``auto``, or numbers that count the visible ones from 0.

    Numbers are taken as they stand where nothing tells which GPUs there are.

    Raises:
        ConfigError: no GPU is found, or the text names one that is not there, or one twice.
    """
    visible = visible_gpus()
    if wanted.strip() == "auto":
        if not visible:
            raise ConfigError(
                "--gpus auto: no GPU found (nvidia-smi lists none, or CUDA_VISIBLE_DEVICES is "
                "empty). Leave the option out to run on the processor."
            )
        return visible
    numbers = [each.strip() for each in wanted.split(",")]
    if not all(re.fullmatch(r"\d+", each) for each in numbers):
        raise ConfigError(f"--gpus expects auto, or numbers as in 0,1,3, found {wanted!r}")
    if len(set(numbers)) < len(numbers):
        raise ConfigError(f"--gpus {wanted}: names a GPU twice; several workers are --per-gpu")
    if beyond := [each for each in numbers if visible and int(each) >= len(visible)]:
        raise ConfigError(
            f"--gpus {wanted}: there is no GPU {beyond[0]}; {len(visible)} can be used, counted "
            "from 0"
        )
    return tuple(visible[int(each)] if visible else each for each in numbers)


def gpu_facts() -> dict[str, str]:
    """Model and driver of the first GPU that this process may use; nothing without one."""
    visible = visible_gpus()
    for gpu in installed_gpus() if visible else ():
        if visible[0] == gpu.index or gpu.uuid.startswith(visible[0]):
            return {"gpu": gpu.name, "driver": gpu.driver}
    return {}
