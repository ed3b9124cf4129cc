"""What the tests of training share."""

from __future__ import annotations

from pathlib import Path

import pytest

GOLDEN = Path(__file__).parents[5] / "shared" / "golden" / "siamattn"
needs_golden = pytest.mark.skipif(
    not (GOLDEN / "training.npz").exists(),
    reason=f"needs the released training code's values, {GOLDEN / 'training.npz'}",
)
