"""Which GPUs a run may use, on machines that have some, none, or a scheduler's choice of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.errors import ConfigError
from bench.runner import devices

LISTED = "0, GPU-aa11, NVIDIA A100-SXM4-80GB, 550.54\n1, GPU-bb22, NVIDIA H200, 550.54\n"


@pytest.fixture
def smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine with two GPUs."""
    command = tmp_path / "nvidia-smi"
    command.write_text(f"#!/bin/sh\ncat <<END\n{LISTED}END\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.delenv(devices.VISIBLE, raising=False)
    devices.installed_gpus.cache_clear()
    yield
    devices.installed_gpus.cache_clear()


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine without GPUs."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(devices.VISIBLE, raising=False)
    devices.installed_gpus.cache_clear()
    yield
    devices.installed_gpus.cache_clear()


@pytest.mark.usefixtures("smi")
def test_auto_is_all_that_can_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    assert devices.chosen_gpus("auto") == ("0", "1")
    assert devices.gpu_facts() == {"gpu": "NVIDIA A100-SXM4-80GB", "driver": "550.54"}
    monkeypatch.setenv(devices.VISIBLE, "1")
    assert devices.chosen_gpus("auto") == devices.chosen_gpus("0") == ("1",)
    assert devices.gpu_facts()["gpu"] == "NVIDIA H200"
    monkeypatch.setenv(devices.VISIBLE, "GPU-bb22")
    assert devices.chosen_gpus("auto") == ("GPU-bb22",)
    assert devices.gpu_facts()["gpu"] == "NVIDIA H200"


@pytest.mark.usefixtures("smi")
@pytest.mark.parametrize(
    ("wanted", "message"),
    [("2", "no GPU 2; 2 can be used"), ("0,0", "twice"), ("one", "numbers as in 0,1,3"),
     ("", "numbers as in"), ("0,", "numbers as in")],
)  # fmt: skip
def test_a_gpu_that_is_not_there_is_refused(wanted: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        devices.chosen_gpus(wanted)


@pytest.mark.usefixtures("bare")
def test_without_gpus_numbers_are_taken_and_auto_is_not() -> None:
    assert devices.chosen_gpus("0,1,3") == ("0", "1", "3")
    assert devices.gpu_facts() == {}
    with pytest.raises(ConfigError, match="no GPU found"):
        devices.chosen_gpus("auto")
