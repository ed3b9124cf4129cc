"""Weights that come as a package: found where it is installed, and asked for where it is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.errors import ConfigError
from trackers.siamattn.training.imagenet import PACKAGES, published


def test_the_file_is_found_without_running_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / PACKAGES["efficientnet-lite0"]
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('was run')")
    (package / "models" / "lite0-1.pth").write_bytes(b"")
    monkeypatch.syspath_prepend(tmp_path)
    assert published("efficientnet-lite0") == package / "models" / "lite0-1.pth"


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.path", [])
    with pytest.raises(ConfigError, match=r"'efficientnet-lite0'.*pip install '\.\[imagenet\]'"):
        published("efficientnet-lite0")
    with pytest.raises(ConfigError, match=r"efficientnet-lite.*mean 'efficientnet-lite0'"):
        published("efficientnet-lite")
