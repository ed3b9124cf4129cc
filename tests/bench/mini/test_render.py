from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bench.geometry import mask_to_box
from bench.mini.render import render_frame
from bench.mini.scenario import Scenario, draw_scenario, motley
from bench.mini.scene import Scene, draw_scene
from bench.mini.signals import stream

PLAIN = Scenario(frames=12, shape="plate", place="room", bystanders=0, shutter=0.0, noise=0.0)
BUSY = Scenario(
    frames=16, shape="walker", place="street", targets=2, deform=0.8, grow=0.8, roll=40, yaw=50,
    pan=3, shake=2, zoom=0.4, tilt=10, light=0.8, shadows=0.6, shutter=0.6, lookalikes=2,
    bystanders=2, occluders=2, leave="partly", camouflage=0.3,
)  # fmt: skip


def scene_of(scenario: Scenario, seed: int = 0) -> Scene:
    return draw_scene(stream(seed, "test"), scenario)


def test_equal_streams_give_equal_frames() -> None:
    first, second, other = scene_of(BUSY), scene_of(BUSY), scene_of(BUSY, seed=1)
    for time in (0, 7, 15):
        one, two = render_frame(first, time), render_frame(second, time)
        assert (one.image == two.image).all()
        assert (one.targets[1].visible == two.targets[1].visible).all()
    assert (render_frame(other, 7).image != render_frame(first, 7).image).mean() > 0.5


def test_frames_do_not_depend_on_the_order_they_are_rendered_in() -> None:
    scene = scene_of(BUSY)
    late = render_frame(scene, 9).image
    render_frame(scene, 3)
    assert (render_frame(scene, 9).image == late).all()


def test_masks_nest_and_agree() -> None:
    scene = scene_of(BUSY)
    for time in range(len(scene)):
        for view in render_frame(scene, time).targets:
            assert view.full.shape == view.visible.shape == (240, 320)
            assert not (view.visible & ~view.full).any()
            rows, columns = np.nonzero(view.silhouette)
            columns, rows = columns + view.offset[0], rows + view.offset[1]
            inside = (columns >= 0) & (columns < 320) & (rows >= 0) & (rows < 240)
            assert view.full.sum() == inside.sum()
            assert view.full[rows[inside], columns[inside]].all()


def test_nothing_covers_a_target_that_is_alone() -> None:
    scene = scene_of(PLAIN)
    for time in (0, 11):
        view = render_frame(scene, time).targets[0]
        assert (view.visible == view.full).all()
        assert view.light == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("time", [0, 6, 11])
def test_mask_lies_where_geometry_says(time: int) -> None:
    """The box of a rigid plate follows from outline, radius, path and camera."""
    scene = scene_of(replace(PLAIN, grow=0.7, zoom=0.3, pan=2.0))
    actor, camera = scene.actors[scene.targets[0]], scene.camera
    outline = np.concatenate([part for part, _ in actor.shape.outline(0.0)])
    reach = actor.radius * actor.path.scale[time] * camera.zoom[time]
    centre = camera.to_screen(actor.path.position)[time]
    low, high = (centre + reach * edge for edge in (outline.min(axis=0), outline.max(axis=0)))
    box = mask_to_box(render_frame(scene, time).targets[0].full)
    assert box == pytest.approx([*low, *(high - low)], abs=1.6)


def test_camera_maps_back_and_forth() -> None:
    camera = scene_of(replace(BUSY, shake=0.0)).camera
    points = np.random.default_rng(0).uniform(0, 240, (BUSY.frames, 2))
    assert np.allclose(camera.to_screen(camera.to_world(points)), points)


def test_background_moves_with_the_camera() -> None:
    """Camera motion displaces the image."""
    scene = scene_of(replace(PLAIN, pan=4.0, size=20.0))
    world = np.tile(scene.camera.to_world(np.tile([160.0, 120.0], (12, 1)))[5], (12, 1))
    moved = np.rint(scene.camera.to_screen(world)[7] - scene.camera.to_screen(world)[5])
    dx, dy = moved.astype(int)
    before = render_frame(scene, 5).image[60:180, 80:240].astype(float)
    after = render_frame(scene, 7).image[60 + dy : 180 + dy, 80 + dx : 240 + dx]
    assert np.hypot(dx, dy) > 3
    assert np.median(np.abs(after - before)) < 4


def test_motion_blur_is_measured_and_seen() -> None:
    fast = replace(PLAIN, pan=12.0, shutter=1.0)
    blurred, sharp = (render_frame(scene_of(s), 6) for s in (fast, replace(fast, shutter=0.0)))
    assert blurred.targets[0].streak > 0
    assert sharp.targets[0].streak == 0
    gradients = [np.abs(np.diff(f.image.astype(float), axis=1)).mean() for f in (blurred, sharp)]
    assert gradients[0] < 0.8 * gradients[1]


@pytest.mark.parametrize("seed", range(6))
def test_any_random_scenario_can_be_rendered(seed: int) -> None:
    rng = stream(seed, "any")
    scene = draw_scene(rng, draw_scenario(rng, frames=4, width=332, height=250))
    for time in range(4):
        frame = render_frame(scene, time)
        assert frame.image.shape == (250, 332, 3)
        assert frame.image.dtype == np.uint8
        assert frame.targets[0].silhouette.sum() > 20


@pytest.mark.parametrize("shape", ["figure", "couple"])
def test_motley_people_wear_several_colours(shape: str) -> None:
    """Every texture layer is visible, with more colours than shades of one palette."""
    scene = scene_of(replace(PLAIN, shape=shape, motley=True, size=120.0))
    actor = scene.actors[scene.targets[0]]
    assert {layer for _, layer in actor.shape.outline(0.0)} == {0, 1, 2, 3}
    tones = [skin.reshape(-1, 3).mean(axis=0) for skin in actor.skins]
    apart = [np.abs(a - b).max() for i, a in enumerate(tones) for b in tones[:i]]
    assert len(tones) == 4
    assert np.median(apart) > 20
    frame = render_frame(scene, 0)
    seen = frame.image[frame.targets[0].visible].astype(float)
    near = [np.abs(seen - tone).max(axis=1) for tone in tones]
    assert len(np.unique(np.argmin(near, axis=0))) >= 3


def test_some_parts_of_motley_targets_have_a_colour_of_the_ground() -> None:
    """Some skins of motley targets resemble the background."""
    nearest = []
    for seed in range(30):
        scene = scene_of(replace(PLAIN, shape="figure", motley=True), seed=seed)
        ground = scene.world[::16, ::16].reshape(-1, 3).astype(float)
        for skin in scene.actors[scene.targets[0]].skins:
            tone = skin.reshape(-1, 3).mean(axis=0)
            nearest.append((np.abs(ground - tone).max(axis=1) < 15).mean())
    share = np.mean(np.array(nearest) > 0.05)
    assert 0.1 < share < 0.7


def test_a_motley_scenario_changes_the_target_alone() -> None:
    plain = draw_scenario(np.random.default_rng(4))
    changed = motley(np.random.default_rng(5), plain)
    assert changed.motley
    assert changed.shape in ("figure", "couple", "mosaic")
    rest = ("place", "legs", "pan", "light", "lookalikes", "occluders", "camouflage", "noise")
    assert all(getattr(changed, name) == getattr(plain, name) for name in rest)
