"""One video of the miniature: drawn, rendered, annotated and written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from bench.errors import DatasetError
from bench.mini.annotate import annotate
from bench.mini.attributes import frame_tags, sequence_attributes
from bench.mini.layouts import LAYOUTS, Clip
from bench.mini.plan import Plan, Video, get_plan
from bench.mini.render import Frame, render_frame
from bench.mini.scenario import Scenario, draw_scenario
from bench.mini.scene import Scene, draw_scene
from bench.mini.signals import stream

_JPEG_QUALITY = 90
_ATTEMPTS = 12
_CLEAR = 0.9  # share of a target that must be seen where a sequence starts

_COLOURS = {
    "red": (190, 50, 50),
    "orange": (210, 130, 50),
    "yellow": (210, 200, 70),
    "green": (70, 150, 70),
    "blue": (60, 80, 180),
    "purple": (130, 70, 150),
    "pink": (215, 140, 170),
    "brown": (110, 75, 45),
    "black": (35, 35, 35),
    "gray": (125, 125, 125),
    "white": (225, 225, 225),
}


def write_video(root: Path, benchmark: str, video: Video, seed: int) -> None:
    """Render one video and write its images and the annotation of its sequences under ``root``.

    Raises:
        ConfigError: no miniature of that benchmark is planned.
        DatasetError: an image cannot be written.
    """
    plan, layout = get_plan(benchmark), LAYOUTS[benchmark]
    scene = draw_video(benchmark, video, seed)
    paths = [root / layout.image(video, number) for number in video.numbers()]
    paths[0].parent.mkdir(parents=True, exist_ok=True)
    annotations = annotate(_rendered_to(scene, paths))
    for entry in video.entries:
        part = annotations[entry.target][entry.start : entry.start + entry.frames]
        found = sequence_attributes(scene, entry.target, part, plan.rules, entry.start)
        tags = frame_tags(scene, part, entry.start)
        clip = Clip(benchmark, entry, video.folder, part, found, tags, describe(scene))
        layout.write(root, clip)


def draw_video(benchmark: str, video: Video, seed: int) -> Scene:
    """The scene of a planned video: the first of its stream in which every sequence starts clear.

    A tracker is started on the first frame, so the target must not be hidden there.
    """
    plan = get_plan(benchmark)
    for attempt in range(_ATTEMPTS):
        rng = stream(seed, "miniature", benchmark, video.folder, str(attempt))
        scene = draw_scene(rng, _scenario(rng, plan, video))
        if _clearness(scene, video) >= _CLEAR:
            break
    return scene


def describe(scene: Scene) -> str:
    """One sentence on what is seen, as LaSOT's."""
    actor = scene.actors[scene.targets[0]]
    tone = actor.skins[0].reshape(-1, 3).mean(axis=0)
    colour = min(_COLOURS, key=lambda name: float(np.abs(tone - _COLOURS[name]).sum()))
    others = " among others of its kind" if scene.lookalikes else ""
    return f"a {colour} {actor.shape.kind} moving over {scene.scenario.place}{others}"


def _scenario(rng: np.random.Generator, plan: Plan, video: Video) -> Scenario:
    width, height = plan.size
    if video.scenario is None:
        return draw_scenario(rng, video.frames, width, height)
    return replace(Scenario(**video.scenario), frames=video.frames, width=width, height=height)


def _clearness(scene: Scene, video: Video) -> float:
    """Smallest share of a target that is seen in the first frame of a sequence."""
    shares = []
    for entry in video.entries:
        view = render_frame(scene, entry.start).targets[entry.target]
        shares.append(float(view.visible.sum() / view.silhouette.sum()))
    return min(shares)


def _rendered_to(scene: Scene, paths: list[Path]) -> Iterator[Frame]:
    """Every frame of a scene, stored as JPEG as it passes by."""
    for time, path in enumerate(paths):
        frame = render_frame(scene, time)
        image = cv2.cvtColor(frame.image, cv2.COLOR_RGB2BGR)
        if not cv2.imwrite(str(path), image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]):
            raise DatasetError(f"{path}: cannot be written. Is the disk full, or read-only?")
        yield frame
