"""The whole miniature, drawn once for all tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.mini.plan import plans
from tests.conftest import Miniature


@pytest.fixture(scope="session")
def root(miniature: Miniature) -> Path:
    """Folder of the miniature of all six benchmarks with seed 0."""
    (root,) = {miniature.drawn(name).parent for name in plans()}
    return root
