"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

REPOSITORY = Path(__file__).parent.parent

# A first call may compile, or import PyTorch, on a machine that does something else as well.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of third-party annotations, results and golden values, kept outside git."""
    folder = Path(os.environ.get("BENCH_SHARED", REPOSITORY.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"needs third-party data that may not be committed; not found at {folder}")
    return folder
