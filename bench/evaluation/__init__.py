"""Raw results and annotation into scores: the arrow between the stores and the measures."""

from __future__ import annotations

from bench.evaluation.onepass import evaluate

__all__ = ["evaluate"]
