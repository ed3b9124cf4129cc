"""One video of the miniature, from its scenario to files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from bench.benchmarks import TABLES
from bench.errors import DatasetError
from bench.mini.annotate import annotate, frame_tags, sequence_attributes
from bench.mini.layouts import Clip, image_path, write_annotation
from bench.mini.plan import Plan, Video, get_plan
from bench.mini.render import Frame, render_frame
from bench.mini.scenario import Scenario, draw_scenario
from bench.mini.scene import Scene, draw_scene
from bench.mini.signals import stream

_JPEG_QUALITY = 90
_ATTEMPTS = 12
_CLEAR = 0.9  # visible share of a target required where a sequence starts


def write_video(root: Path, benchmark: str, video: Video, seed: int) -> None:
    """Render one video; write its images and the annotation of its sequences under ``root``.

    Raises:
        ConfigError: the benchmark has no miniature.
        DatasetError: an image cannot be written.
    """
    plan = get_plan(benchmark)
    scene = draw_video(benchmark, video, seed)
    paths = [root / image_path(benchmark, video, number) for number in video.numbers()]
    paths[0].parent.mkdir(parents=True, exist_ok=True)
    annotations = annotate(_rendered_to(scene, paths))
    for entry in video.entries:
        part = annotations[entry.target][entry.start : entry.start + entry.frames]
        found = sequence_attributes(scene, entry.target, part, plan.rules, entry.start)
        tags = frame_tags(scene, part, entry.start)
        clip = Clip(benchmark, entry, video.folder, part, found, tags, describe(scene), plan.size)
        write_annotation(root, clip)


def draw_video(benchmark: str, video: Video, seed: int) -> Scene:
    """Draw scenes of a planned video until every sequence starts with its target visible."""
    plan = get_plan(benchmark)
    for attempt in range(_ATTEMPTS):
        rng = stream(seed, "miniature", benchmark, video.folder, str(attempt))
        scene = draw_scene(rng, _scenario(rng, plan, video))
        if _clearness(scene, video) >= _CLEAR:
            break
    return scene


def describe(scene: Scene) -> str:
    """Description in one sentence, as in LaSOT."""
    actor = scene.actors[scene.targets[0]]
    tone = actor.skins[0].reshape(-1, 3).mean(axis=0)
    colours = _colours()
    colour = min(colours, key=lambda name: float(np.abs(tone - colours[name]).sum()))
    others = " among others of its kind" if scene.lookalikes else ""
    return f"a {colour} {actor.shape.kind} moving over {scene.scenario.place}{others}"


@lru_cache(maxsize=1)
def _colours() -> dict[str, list[int]]:
    """RGB of colours by name."""
    colours: dict[str, list[int]] = json.loads((TABLES / "mini_colours.json").read_bytes())
    return colours


def _scenario(rng: np.random.Generator, plan: Plan, video: Video) -> Scenario:
    width, height = plan.size
    if video.scenario is None:
        return draw_scenario(rng, video.frames, width, height)
    return replace(Scenario(**video.scenario), frames=video.frames, width=width, height=height)


def _clearness(scene: Scene, video: Video) -> float:
    """Smallest visible share of a target in the first frame of a sequence."""
    shares = []
    for entry in video.entries:
        view = render_frame(scene, entry.start).targets[entry.target]
        shares.append(float(view.visible.sum() / view.silhouette.sum()))
    return min(shares)


def _rendered_to(scene: Scene, paths: list[Path]) -> Iterator[Frame]:
    """Render every frame of a scene and store it as JPEG."""
    for time, path in enumerate(paths):
        frame = render_frame(scene, time)
        image = cv2.cvtColor(frame.image, cv2.COLOR_RGB2BGR)
        if not cv2.imwrite(str(path), image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]):
            raise DatasetError(f"{path}: cannot be written. Is the disk full, or read-only?")
        yield frame
