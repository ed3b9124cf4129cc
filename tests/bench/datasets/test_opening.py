"""Opening by name: unknown names, unreadable and nested roots, the miniature's mark."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.benchmarks import benchmarks
from bench.datasets import open_dataset
from bench.errors import ConfigError, DatasetError


def test_unknown_benchmark(tmp_path: Path):
    with pytest.raises(ConfigError, match="Did you mean 'otb2015'"):
        open_dataset("otb2105", tmp_path)


@pytest.mark.parametrize("name", list(benchmarks()))
def test_an_empty_folder_and_a_file_are_missing_datasets(tmp_path: Path, name: str):
    file = tmp_path / "readme.md"
    for root, state in ((tmp_path, "no sequence found"), (tmp_path / "none", "does not exist")):
        with pytest.raises(DatasetError, match=state) as caught:
            open_dataset(name, root)
        message = str(caught.value)
        assert str(root) in message
        assert benchmarks()[name].layout in message
        assert (benchmarks()[name].site or "") in message
        assert "make demo" in message
    file.write_text("no dataset")
    with pytest.raises(DatasetError, match="no sequence found"):
        open_dataset(name, file)


@pytest.mark.parametrize("name", list(benchmarks()))
def test_an_unreadable_root_is_one_clear_error(name: str):
    with pytest.raises(DatasetError, match="cannot be read"):
        open_dataset(name, Path("x" * 300))


def test_a_root_that_holds_the_benchmark_folder(tmp_path: Path):
    (tmp_path / "otb2015" / "anno").mkdir(parents=True)
    (tmp_path / "otb2015" / "anno" / "Boy.txt").write_text("1,2,3,4\n")
    for root in (str(tmp_path), tmp_path / "otb2015"):
        dataset = open_dataset("otb2015", root)
        assert dataset.root == tmp_path / "otb2015"
        assert {sequence.benchmark for sequence in dataset} == {"otb2015"}


def test_the_current_folder_is_named_by_its_own_name(tmp_path, write_images, monkeypatch):
    write_images(tmp_path / "clip", [1])
    (tmp_path / "clip" / "init.txt").write_text("1,2,3,4")
    monkeypatch.chdir(tmp_path / "clip")
    assert [s.name for s in open_dataset("folder", Path())] == ["clip"]


def test_a_miniature_is_known_from_a_folder_inside(tmp_path: Path):
    (tmp_path / "anno").mkdir()
    (tmp_path / "anno" / "Boy.txt").write_text("1,2,3,4\n")
    (tmp_path / "miniature.json").write_text("{}")
    assert open_dataset("otb2015", tmp_path / "anno").miniature
