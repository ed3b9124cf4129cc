"""Looks of trackers: decided by name, different where they can be, stable."""

from __future__ import annotations

import random

import numpy as np
import pytest

from bench.reports.palette import DASHES, PALETTE, looks, looks_of_figures


def test_order_and_repetition_of_names_do_not_matter() -> None:
    names = [f"tracker-{i}" for i in range(20)]
    shuffled = random.Random(0).sample(names, len(names))
    assert looks(shuffled + names) == looks(names)
    assert looks([]) == {}


@pytest.mark.parametrize(("count", "parts"), [(7, "colour"), (35, "colour dash"),
                                              (84, "colour marker")])  # fmt: skip
def test_looks_differ(count: int, parts: str) -> None:
    chosen = looks(f"tracker-{i}" for i in range(count)).values()
    assert len({tuple(getattr(look, part) for part in parts.split()) for look in chosen}) == count


def test_one_more_tracker_changes_few_looks() -> None:
    rng = random.Random(1)
    changed = 0
    for _ in range(200):
        names = [f"name {rng.random()}" for _ in range(6)]
        before, after = looks(names[:5]), looks(names)
        changed += sum(before[name] != after[name] for name in before)
    assert changed < 0.2 * 200 * 5


def test_those_shown_together_differ_in_colour_and_ours_has_the_first() -> None:
    names = [f"tracker-{i}" for i in range(40)]
    for start in range(0, 33):
        shown = names[start : start + 7]
        chosen = looks(names, shown)
        assert len({chosen[name].colour for name in shown}) == 7
        assert chosen.keys() == set(names)
        ours = looks(names, shown, shown[3])
        assert ours[shown[3]].colour == PALETTE[0]
        assert ours[shown[3]].dash == "solid"
        assert len({ours[name].colour for name in shown}) == 7
    assert looks(names[:7], names[:3]) == looks(names[:7]), "nothing changes without need"


def test_several_figures_share_looks_and_each_has_seven_colours() -> None:
    names = [f"tracker-{i}" for i in range(40)]
    figures = [names[:7], names[5:12], [*names[:2], *names[12:17]]]
    chosen = looks_of_figures(names, figures, ours=names[6])
    assert all(len({chosen[name].colour for name in figure}) == 7 for figure in figures)
    assert chosen[names[6]].colour == PALETTE[0]
    assert len({(look.colour, look.dash) for look in chosen.values()}) >= 35
    assert looks_of_figures(names[:7], [names[:3], names[2:6]]) == looks(names[:7])
    assert len(looks_of_figures(names, [names[:9]])) == 40, "more than there are colours"


def test_any_name_has_a_look() -> None:
    assert len(looks(["", "跟踪器", "\udcff", "a\nb"])) == 4


def test_the_tables_are_complete() -> None:
    assert set(DASHES) == {"solid", "dash", "dot", "dashdot", "longdash"}
    assert len(set(PALETTE)) == 7


SEES = {  # Machado et al., 2009: linear RGB as seen with a deficiency of full severity
    "normal": np.eye(3),
    "deuteranopia": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "protanopia": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
}


@pytest.mark.parametrize(("eyes", "apart"), [("normal", 40), ("deuteranopia", 16),
                                             ("protanopia", 16)])  # fmt: skip
def test_colours_differ_for_everybody(eyes: str, apart: float) -> None:
    rgb = np.array(PALETTE) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.array(SEES[eyes]).T, 0, 1)
    xyz = seen @ np.array([[0.412, 0.213, 0.019], [0.358, 0.715, 0.119], [0.180, 0.072, 0.950]])
    root = np.cbrt(xyz / [0.950, 1, 1.089])
    lab = np.stack([116 * root[:, 1] - 16, 500 * (root[:, 0] - root[:, 1]),
                    200 * (root[:, 1] - root[:, 2])], axis=1)  # fmt: skip
    distance = np.linalg.norm(lab[:, None] - lab, axis=2)
    assert distance[~np.eye(7, dtype=bool)].min() > apart
