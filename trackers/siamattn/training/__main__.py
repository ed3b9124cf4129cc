"""``python -m trackers.siamattn.training``: train SiamAttn."""

from __future__ import annotations

from trackers.siamattn.training.cli import main

main()
