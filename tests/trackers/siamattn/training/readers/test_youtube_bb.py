"""YouTube-BoundingBoxes: fractions to pixels, separate tracks, absent objects dropped."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bench.errors import DatasetError
from trackers.siamattn.training.readers import open_source

Paint = Callable[..., None]
SPLIT = "yt_bb_detection_train"
ROWS = """\
NAxx_-01234,2000,5,bus,0,present,0.25,0.75,0.5,1.0
NAxx_-01234,1000,5,bus,0,present,0.0,0.5,0.25,0.75
NAxx_-01234,3000,5,bus,0,absent,-1,-1,-1,-1
NAxx_-01234,4000,5,bus,0,present,0.5,0.5,0.25,0.75
NAxx_-01234,1000,5,bus,1,present,0.5,1.0,0.0,0.5
bbbbbbbbbbb,9000,23,none,0,present,0.5,1.0,0.0,0.5
bbbbbbbbbbb,9000,0,person,0,absent,-1,-1,-1,-1
"""


@pytest.fixture
def root(tmp_path: Path, paint: Paint) -> Path:
    (tmp_path / f"{SPLIT}.csv").write_text(ROWS)
    for name in ("1000_5_0", "2000_5_0", "1000_5_1"):
        paint(tmp_path / SPLIT / "5" / f"NAxx_-01234_{name}.jpg", 10 * int(name[0]))
    return tmp_path


def test_fractions_become_pixels(root: Path) -> None:
    source = open_source("youtube-bb", root)
    assert (len(source), source.videos) == (3, 2)
    target = source.target(0)
    assert target.name == "youtube-bb/NAxx_-01234_5_0"
    assert target.numbers.tolist() == [1, 2]  # seconds, in order; 3 is absent, 4 without width
    assert target.boxes.tolist() == [[0, 12, 32, 24], [16, 24, 32, 24]]
    assert abs(int(target.image(1)[0, 0, 0]) - 20) <= 1
    assert source.target(1).boxes.tolist() == [[32, 0, 32, 24]]
    with pytest.raises(DatasetError, match=r"bbbbbbbbbbb_23_0: expected frames such as"):
        source.target(2)


@pytest.mark.parametrize(
    "text",
    [
        "aaaaaaaaaaa,1000,5,bus,0,present,left,0.5,0.1,0.2\n",
        "aaaaaaaaaaa,soon,5,bus,0,present,0.1,0.5,0.1,0.2\n",
        'aaaaaaaaaaa,1000,5,bus,0,present,0.1,0.5,0.1,"0.2\n',
        "aaaaaaaaaaa,1000,5,bus,0,present,0.1,0.5,0.1,0.2\naaaaaaaaaaa,2000,5\n",
        "aaaaaaaaaaa,1000,5,bus,0,present,0.1,0.5,0.1,0.2,7\n",
        "youtube_id,timestamp_ms,class_id,class_name,object_id,object_presence,a,b,c,d\n",
    ],
)
def test_a_broken_csv_is_named(text: str, root: Path) -> None:
    (root / f"{SPLIT}.csv").write_text(text)
    with pytest.raises(DatasetError, match=r"train.csv: expected 10 columns"):
        open_source("youtube-bb", root)


def test_a_csv_of_absent_objects_has_no_target(root: Path) -> None:
    for text in (ROWS.splitlines()[2], ""):
        (root / f"{SPLIT}.csv").write_text(text)
        with pytest.raises(DatasetError, match="rows of present objects"):
            open_source("youtube-bb", root)
    (root / f"{SPLIT}.csv").unlink()
    with pytest.raises(DatasetError, match=rf"youtube-bb.*\n.*{SPLIT}\.csv"):
        open_source("youtube-bb", root)
