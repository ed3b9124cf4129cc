"""What is given twice, and names with commas."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bench.cli.options import parse_settings, split_names
from bench.errors import ConfigError, unknown_name
from bench.files import format_rows
from bench.reports.options import read_labels

Bench = Callable[..., object]


def test_an_option_with_two_values_is_refused() -> None:
    assert parse_settings(["x=1", "y=a=b", "x=1"]) == {"x": "1", "y": "a=b"}
    with pytest.raises(ConfigError, match="--set x is given twice, as '1' and '2'"):
        parse_settings(["x=1", "x=2"])
    assert read_labels("--labels", ["a=A", "a=A"]) == {"a": "A"}
    with pytest.raises(ConfigError, match="expected one label of 'a', found 'A' and 'B'"):
        read_labels("--labels", ["a=A", "a=B"])


@pytest.mark.parametrize(
    ("given", "names"),
    [
        (["a,b", " c "], ["a", "b", "c"]),
        (['"a,b",c'], ["a,b", "c"]),
        (['c, "a, b"'], ["c", "a, b"]),
        (['5"', "it's"], ['5"', "it's"]),
        (["a,,b,"], ["a", "b"]),
        (["a\nb\r\nc"], ["a", "b", "c"]),
    ],
)
def test_names_in_quotes_may_have_commas(given: list[str], names: list[str]) -> None:
    assert split_names(given) == names


def test_a_part_of_a_name_with_commas_says_how_it_is_written() -> None:
    assert """Did you mean 'a, b'? Quote a name that has commas: '"a, b"'""" in str(
        unknown_name("tracker", "b", ["a, b", "bb"])
    )


def test_a_tracker_whose_name_has_a_comma(tmp_path: Path, bench) -> None:  # type: ignore[no-untyped-def]
    boxes = format_rows(np.tile([20.0, 30.0, 24.0, 24.0], (5, 1)))
    (tmp_path / "clips" / "street").mkdir(parents=True)
    (tmp_path / "clips" / "street" / "groundtruth.txt").write_bytes(boxes)
    for name in ("kcf,fast", "kcf"):
        (tmp_path / "results" / "folder" / name).mkdir(parents=True)
        (tmp_path / "results" / "folder" / name / "street.txt").write_bytes(boxes)
    command = ("eval", "folder", "--data", "clips", "--tracker")
    done = bench(*command, "kcf,fast", cwd=tmp_path, code=1)
    assert "'fast'. Did you mean 'kcf,fast'? Quote a name" in done.stderr
    done = bench(*command, '"kcf,fast"', cwd=tmp_path)
    assert "kcf,fast" in done.stdout
