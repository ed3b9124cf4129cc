"""Imported results keep their numbers; only names and folders change."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.errors import ConfigError, ResultError
from bench.files import format_exact, temporary_name
from bench.results import provenance
from bench.results.importing import import_results
from bench.results.onepass import OnePassStore
from bench.sequence import Dataset

MakeDataset = Callable[..., Dataset]
FRAMES = {"Bolt": 3, "Jogging-1": 4, "Human4-2": 2}


def boxes_of(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-5, 500, (count, 4))


def write_texts(folder: Path, frames: dict[str, int]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for seed, (name, count) in enumerate(frames.items()):
        (folder / f"{name}.txt").write_bytes(format_exact(boxes_of(count, seed)))
    return folder


def test_names_are_mapped_and_numbers_kept_to_the_last_bit(
    tmp_path: Path, otb: Dataset, store: OnePassStore
) -> None:
    spelled = {"bolt": 3, "Jogging.1": 4, "human4_2": 2}
    source = write_texts(tmp_path / "theirs", spelled)
    report = import_results(source, store, "T", otb)
    assert (report.imported, report.format, report.notes) == (tuple(FRAMES), "pysot", ())
    for seed, (name, count) in enumerate(FRAMES.items()):
        np.testing.assert_array_equal(store.read_boxes("T", name), boxes_of(count, seed))
    assert store.sequences("T") == set(FRAMES)
    record = json.loads(store.record_path("T").read_text())
    assert record.pop("date")
    assert len(record.pop("files_sha256")) == 64
    assert record == {
        "kind": "import",
        "source": "theirs",
        "format": "pysot",
        "origin": 1,
        "notes": [],
        "sequences": 3,
    }


def test_times_are_imported(tmp_path: Path, otb: Dataset, store: OnePassStore) -> None:
    source = write_texts(tmp_path / "theirs", FRAMES)
    (source / "times").mkdir()
    (source / "times/Bolt_time.txt").write_text("0.1\n0.012345678901\n0.3\n")
    assert import_results(source, store, "T", otb).format == "got10k"
    np.testing.assert_array_equal(store.read_times("T", "Bolt"), [0.1, 0.012345678901, 0.3])
    assert store.read_times("T", "Jogging-1") is None


def test_scores_and_masks_are_imported_where_they_fit(
    tmp_path: Path, otb: Dataset, store: OnePassStore
) -> None:
    source = write_texts(tmp_path / "theirs", FRAMES)
    for folder in ("scores", "masks"):
        (source / folder).mkdir()
    (source / "scores/Bolt_score.txt").write_text("nan\n0.012345678901\n0.3\n")
    (source / "masks/Bolt_mask.txt").write_text("0\nm1,2,2,1,0,2\nm0,0,1,1,1\n")
    (source / "Jogging-1_object_presence_scores.txt").write_text("1\n0.5\n0.25\n0.125\n")
    (source / "masks/Jogging-1_mask.txt").write_text("0\n0\n")
    (source / "scores/Human4-2_score.txt").write_text("0.1\n")
    (source / "masks/Human4-2_mask.txt").write_text("0\nm1,2\n")
    notes = import_results(source, store, "T", otb).notes
    assert notes[1:] == (  # the first is on delimiters
        "1 file: Jogging-1: masks left out: 2 rows for 4 frames",
        "1 file: Human4-2: scores left out: 1 rows for 2 frames",
        f"1 file: Human4-2: masks left out: {source / 'masks/Human4-2_mask.txt'}:2: expected a "
        "mask, x, y, width, height and run lengths, found [1, 2]",
    )
    np.testing.assert_array_equal(store.read_scores("T", "Bolt"), [np.nan, 0.012345678901, 0.3])
    np.testing.assert_array_equal(store.read_scores("T", "Jogging-1"), [1, 0.5, 0.25, 0.125])
    assert store.masks_path("T", "Bolt").read_text() == "0\nm1,2,2,1,0,2\nm0,0,1,1,1\n"
    for name in ("Jogging-1", "Human4-2"):
        assert store.read_masks("T", name) is None
    assert store.read_scores("T", "Human4-2") is None


def test_a_different_origin_shifts_and_is_noted(
    tmp_path: Path, otb: Dataset, store: OnePassStore
) -> None:
    source = write_texts(tmp_path / "theirs", FRAMES)
    import_results(source, store, "same", otb, index_base=1)
    report = import_results(source, store, "shifted", otb, index_base=0)
    assert report.notes == ("shifted by +1 pixel: the source counts from 0",)
    assert json.loads(store.record_path("shifted").read_text())["origin"] == 0
    np.testing.assert_array_equal(
        store.read_boxes("shifted", "Bolt"),
        store.read_boxes("same", "Bolt") + np.array([1, 1, 0, 0]),
    )
    with pytest.raises(ConfigError, match=r"origin 0\.5: expected 0 or 1"):
        import_results(source, store, "half", otb, index_base=0.5)


@pytest.mark.parametrize(
    ("benchmark", "frames", "rows", "note"),
    [
        ("otb2015", 354, 349, "Tiger1: 349 rows, read as frames 6 to 354"),
        ("lasot", 10, 12, "Tiger1: 2 rows more than its 10 frames, kept"),
    ],
)
def test_accepted_numbers_of_rows(
    tmp_path: Path, make_dataset: MakeDataset, benchmark: str, frames: int, rows: int, note: str
) -> None:
    plain = make_dataset(benchmark, {"Tiger1": frames})
    dataset = replace(plain, sequences=(replace(plain.sequences[0], skippable_frames=5),))
    store = OnePassStore(tmp_path, benchmark)
    report = import_results(write_texts(tmp_path / "raw", {"Tiger1": rows}), store, "T", dataset)
    assert report.notes == (note,)
    assert len(store.read_boxes("T", "Tiger1")) == rows


@pytest.mark.parametrize(
    ("benchmark", "rows"), [("otb2015", 0), ("otb2015", 2), ("otb2015", 4), ("lasot", 2)]
)
def test_any_other_number_of_rows_is_an_error(
    tmp_path: Path, make_dataset: MakeDataset, benchmark: str, rows: int
) -> None:
    dataset, store = make_dataset(benchmark, {"Bolt": 3}), OnePassStore(tmp_path / "r", benchmark)
    source = write_texts(tmp_path / "theirs", {"Bolt": rows})
    with pytest.raises(ResultError, match=rf"Bolt\.txt: expected 3 rows, .* found {rows}"):
        import_results(source, store, "T", dataset, partial=True)
    assert not store.root.exists()


def test_rows_are_not_checked_without_frames(tmp_path: Path, make_dataset: MakeDataset) -> None:
    plain = make_dataset("trackingnet", {"a_0": 1, "b_0": 1})
    dataset = replace(plain, sequences=tuple(replace(s, hidden=True) for s in plain))
    store = OnePassStore(tmp_path, "trackingnet")
    report = import_results(write_texts(tmp_path / "x", {"a_0": 7, "b_0": 9}), store, "T", dataset)
    assert report.notes == ("number of rows of 2 sequences not checked without frames",)


def test_missing_sequences(tmp_path: Path, otb: Dataset, store: OnePassStore) -> None:
    source = write_texts(tmp_path / "theirs", {"Bolt": 3, "Joging-1": 4, "notes": 1})
    with pytest.raises(ResultError, match="expected results of 3 sequences, found 1") as caught:
        import_results(source, store, "T", otb)
    message = str(caught.value)
    assert "missing: Jogging-1, Human4-2" in message
    assert "Did you mean 'Joging-1'?" in message
    assert "--partial" in message
    report = import_results(source, store, "T", otb, partial=True)
    assert report.imported == ("Bolt",)
    assert report.notes == (
        "partial: 1 of 3 sequences",
        "2 unknown files ignored (no sequence of otb2015): Joging-1.txt, notes.txt",
    )


def test_a_source_without_known_sequences(
    tmp_path: Path, otb: Dataset, store: OnePassStore
) -> None:
    source = write_texts(tmp_path / "theirs", {"bike1": 3})
    with pytest.raises(ResultError, match="expected results of 3 sequences, found 0"):
        import_results(source, store, "T", otb, partial=True)


def test_two_files_of_one_sequence(tmp_path: Path, otb: Dataset, store: OnePassStore) -> None:
    source = write_texts(tmp_path / "theirs", {**FRAMES, "jogging_1": 4})
    report = import_results(source, store, "T", otb)
    assert report.notes == ("1 unknown file ignored (no sequence of otb2015): jogging_1.txt",)
    (source / "Jogging-1.txt").rename(source / "JOGGING-1.txt")
    with pytest.raises(ResultError, match="theirs: 'JOGGING-1' and 'jogging_1' both mean"):
        import_results(source, store, "T", otb)


def test_a_folder_of_several_trackers(shared: Path, tmp_path: Path, otb: Dataset) -> None:
    for tracker, file in (("SRDCF", "bolt"), ("LADCF", "Bolt")):
        path = shared / f"data/otb2015/results/{tracker}/{file}_{tracker}.mat"
        (tmp_path / f"Bolt_{tracker}.mat").write_bytes(path.read_bytes())
    store = OnePassStore(tmp_path / "r", "otb2015")
    with pytest.raises(ResultError, match=r"Bolt_LADCF\.mat, Bolt_SRDCF\.mat .* sequence Bolt"):
        import_results(tmp_path, store, "T", otb, partial=True)


def test_content_that_names_another_sequence(tmp_path: Path, make_dataset: MakeDataset) -> None:
    record = {"res": [[1, 2, 3, 4]], "resType": "rect", "seqName": "car11"}
    (tmp_path / "car1_1.json").write_text(json.dumps(record))
    dataset = make_dataset("uav123", {"car1_1": 1, "car11": 1})
    store = OnePassStore(tmp_path / "r", "uav123")
    with pytest.raises(ResultError, match="means car1_1, its content names car11"):
        import_results(tmp_path, store, "T", dataset, partial=True)


def test_nan_rows_are_kept_and_noted(tmp_path: Path, otb: Dataset, store: OnePassStore) -> None:
    source = write_texts(tmp_path / "theirs", FRAMES)
    (source / "Bolt.txt").write_text("1,2,3,4\nnan,nan,nan,nan\n1,2,NaN,4\n")
    report = import_results(source, store, "T", otb)
    assert report.notes == ("rows with NaN kept: Bolt (2)",)
    assert np.isnan(store.read_boxes("T", "Bolt")).sum() == 5


@pytest.mark.parametrize(
    "content", [b"", b"\x00\xff\xfe" * 9, b"1,2,3\n" * 3, b"a,b,c,d\n" * 3, b"1,2,inf,4\n" * 3]
)
def test_a_broken_file_is_one_error_and_nothing_is_written(
    tmp_path: Path, otb: Dataset, store: OnePassStore, content: bytes
) -> None:
    source = write_texts(tmp_path / "theirs", FRAMES)
    (source / "Bolt.txt").write_bytes(content)
    with pytest.raises(ResultError, match=r"theirs/Bolt\.txt:"):
        import_results(source, store, "T", otb)
    assert not store.root.exists()


def test_importing_twice(tmp_path: Path, otb: Dataset, store: OnePassStore) -> None:
    source = write_texts(tmp_path / "theirs", FRAMES)
    import_results(source, store, "T", otb)
    before = {p: p.read_bytes() for p in store.folder("T").glob("[!.]*")}
    store.boxes_path("T", "Bolt").unlink()
    store.boxes_path("T", sorted(FRAMES)[-1]).write_text("1,2,3")
    import_results(source, store, "T", otb)
    assert {p: p.read_bytes() for p in store.folder("T").glob("[!.]*")} == before
    (source / "Bolt.txt").write_text("1,2,3,4\n" * 3)
    with pytest.raises(ResultError, match=r"holds other results \(files_sha256: expected"):
        import_results(source, store, "T", otb)
    with pytest.raises(ResultError, match=r"origin: expected 0, found 1.*another --name"):
        import_results(source, store, "T", otb, index_base=0)


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        (None, r"expected a run\.json"),
        ("not json", "not a readable record"),
        ("[1]", "not a readable record"),
        ('{"kind": "run"}', "not a readable record"),
        (
            '{"kind": "run", "provenance": {}, "sessions": [], "failures": []}',
            "kind: expected 'import', found 'run'",
        ),
    ],
)
def test_other_results_are_not_overwritten(
    tmp_path: Path, otb: Dataset, store: OnePassStore, record: str | None, problem: str
) -> None:
    write_texts(store.folder("T"), {"Bolt": 3})
    if record is not None:
        store.record_path("T").write_text(record)
    before = store.boxes_path("T", "Bolt").read_bytes()
    with pytest.raises(ResultError, match=problem):
        import_results(write_texts(tmp_path / "theirs", FRAMES), store, "T", otb)
    assert store.boxes_path("T", "Bolt").read_bytes() == before
    assert store.sequences("T") == {"Bolt"}


def test_results_that_cannot_be_written(tmp_path: Path, otb: Dataset) -> None:
    (tmp_path / "results").write_text("")
    store = OnePassStore(tmp_path / "results", "otb2015")
    with pytest.raises(ResultError, match="otb2015/T: cannot be written"):
        import_results(write_texts(tmp_path / "theirs", FRAMES), store, "T", otb)


def test_an_interrupted_import_leaves_nothing(
    tmp_path: Path, otb: Dataset, store: OnePassStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed, it leaves a hidden folder that nobody reads and the next call removes."""
    source = write_texts(tmp_path / "theirs", FRAMES)
    original, calls = provenance.write_atomically, []

    def interrupt(path: Path, content: bytes) -> None:
        calls.append(path)
        if len(calls) == 2:  # after the first sequence
            assert store.trackers() == []  # nobody takes what is unfinished for a tracker
            raise KeyboardInterrupt
        original(path, content)

    with monkeypatch.context() as patch:
        patch.setattr(provenance, "write_atomically", interrupt)
        with pytest.raises(KeyboardInterrupt):
            import_results(source, store, "T", otb)
    assert store.trackers() == []
    left = f".T.{temporary_name('T').split('.')[2].split('-')[0]}-999999999-0.tmp"
    (store.folder(left) / "unfinished").mkdir(parents=True)
    import_results(source, store, "T", otb)
    assert store.sequences("T") == set(FRAMES)
    assert not store.folder(left).exists()


@pytest.mark.parametrize("name", ["../T", "a/b", "", "."])
def test_unsafe_names_are_rejected(
    tmp_path: Path, otb: Dataset, store: OnePassStore, name: str
) -> None:
    source = write_texts(tmp_path / "theirs", FRAMES)
    with pytest.raises(ConfigError, match="not a valid file name"):
        import_results(source, store, name, otb)
