"""Search spaces, and the ones that are refused."""

from __future__ import annotations

import re
import sys

import pytest
from optuna.distributions import (
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import create_trial

from bench.errors import ConfigError
from bench.registry import tracker_options
from bench.tuning.space import describe, drawn_value, parse_space

TOY = "toys:Shifted"


def test_ranges_and_choices_take_the_type_of_the_option() -> None:
    space = parse_space(["shift=0:8", "grow=1:16:log", "way=right,down"], TOY, {})
    assert space == {
        "shift": FloatDistribution(0.0, 8.0),
        "grow": IntDistribution(1, 16, log=True),
        "way": CategoricalDistribution(("right", "down")),
    }
    assert [describe(name, values) for name, values in space.items()] == [
        "shift=0.0:8.0", "grow=1:16:log", "way=right,down",
    ]  # fmt: skip


def test_a_stored_value_is_in_the_space_or_not() -> None:
    space, known = parse_space(["padding=1:3", "scales=1,3"], "kcf", {}), tracker_options("kcf")

    def drawn(name: str, value: object) -> object:
        text = drawn_value(value, space[name], known[name].annotation)
        only = {name: space[name]}
        return create_trial(params={name: text}, distributions=only, value=0.0).params[name]

    assert drawn("padding", 2.0) == 2.0
    assert drawn("scales", 3) == "3"
    for name, value in (("padding", 0.5), ("padding", 3.1), ("padding", None), ("scales", 5)):
        with pytest.raises(ValueError, match=re.escape(repr(value))):
            drawn(name, value)


@pytest.mark.parametrize(
    ("items", "words"),
    [
        ([], ["nothing to search", "shift"]),
        (
            ["shif=0:1"],
            ["unknown option of tracker 'toys:Shifted'", "Did you mean 'shift'", "way"],
        ),
        (["shift"], ["NAME=LOW:HIGH"]),
        (["shift=1:0"], ["smaller first"]),
        (["shift=1:1"], ["smaller first"]),
        (["shift=0:inf"], ["finite"]),
        (["shift=nan:1"], ["finite"]),
        (["shift=0:1:log"], ["above 0"]),
        (["shift=1:2:lin"], ["LOW:HIGH:log"]),
        (["shift=1:x"], ["expected float", "'x'"]),
        (["grow=1.5:2"], ["expected int"]),
        (["way=up,down"], ["unknown value", "right"]),
        (["way=down"], ["several different values"]),
        (["grow=1,1"], ["several different values"]),
        (["shift=0:1", "shift=0:2"], ["twice"]),
        (["pause=0:1"], ["twice", "--set"]),
    ],
)
def test_a_search_that_makes_no_sense_is_refused(items: list[str], words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_space(items, TOY, {"pause": "0"})
    for word in words:
        assert word in str(caught.value)


def test_the_library_is_loaded_for_a_search_only() -> None:
    import subprocess

    script = "import sys, bench.cli.main; sys.exit('optuna' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0


def test_without_the_library_the_extra_is_named() -> None:
    import subprocess

    script = "import sys; sys.modules['optuna'] = None; import bench.tuning"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 1
    assert "ConfigError: a search needs optuna" in done.stderr
    assert "pip install 'siamattn-bench[train]'" in done.stderr
