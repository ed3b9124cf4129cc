"""Damages files of every kind that bench reads, and counts what happens.

    python scripts/mutate.py --count 50000 --out mutations.jsonl

Each case is one damaged file among sound ones: annotation, raw results (text, JSON, MATLAB, VOT
text and binary, archives), stored results with their record, tables, and checkpoints. It is
opened, imported and scored as `bench` does. The seed of a case is its number, so every case can
be repeated; a file of outcomes that exists is continued.

Outcomes: `same` (accepted, scores unchanged), `noted` (accepted with a new remark), `refused` (an
error meant for the user), `moved` and `unseen` (accepted without a remark, scores changed),
`traceback`, `slow` (over 10 s), `large` (over 2 GB).

`unseen` is what no reader of the damaged file could tell from a sound one; `moved` is the rest.
This script decides by itself, from the bytes, in `is_plausible`. The file is `unseen` if it has

* the layout of the sound file: the same lines (but for empty ones at the top or the end, which
  some writers leave), separators (or one other throughout) and words, and as many numbers, with
  at most four digits before the point and twenty after it; in binary files, the same bytes but
  for the four numbers of each row and the free text of a header;
* in each row a box of at least half a pixel and at most 1280x720, with a pixel in an image of
  1280x720, and no number but 0 below a millionth;
* in VOT ground truth, corners of a rotated box to within 3 pixels; in VOT results, boxes that
  touch the one that was there, as the protocol ends a run where a tracker loses its target;
* elsewhere, a first box within 3 pixels of the one that was there, on which a tracker starts;
* as flags of absent targets, as many as in the official file, and none in the first frame.
"""

from __future__ import annotations

import argparse
import io
import json
import multiprocessing
import os
import re
import resource
import shutil
import sys
import tempfile
import time
import traceback
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import savemat

from bench.benchmarks import get_benchmark
from bench.datasets import open_dataset
from bench.errors import BenchError
from bench.evaluation import evaluate
from bench.files import format_exact
from bench.results import open_store
from bench.results.importing import import_results
from bench.results.onepass import OnePassStore

OUTCOMES = ("same", "noted", "refused", "unseen", "moved", "traceback", "slow", "large")
SLOW_SECONDS = 10
LARGE_BYTES = 2 << 30
_OTB = ("Couple", "Crossing", "Football1")
_LASOT = ("shark-3", "yoyo-15")
_IMAGE = (1280, 720)  # the largest of these benchmarks
_NUMBER = re.compile(rb"-?\d{1,4}(?:\.\d{1,20})?")
_DOUBLES = b"\x09\x00\x00\x00\xc0\x03\x00\x00"  # in a MATLAB file: 960 bytes of numbers
_VOT = ("bag", "ball1")
_TOKENS = (
    *(b"inf -inf nan NaN 1e300 -1 0 1e5 abc 12,5 1_0 0x10 '' \xff\xfe , ; \t".split(b" ")),
    b"1" * 400, b"[" * 3000, b"9" * 70_000, b"\r\n", b"\n\n", b"\x00", b"m0,0,4096,4096,1,1",
)  # fmt: skip


def boxes_of(seed: int, frames: int) -> np.ndarray:
    """A target that wanders."""
    rng = np.random.default_rng(seed)
    start = rng.uniform([40, 60, 20, 30], [160, 120, 50, 60])
    return np.round(start + np.cumsum(rng.uniform(-3, 3, (frames, 4)) * [1, 1, 0, 0], axis=0), 1)


def sound_files() -> dict[str, bytes]:
    """Every kind of file, sound, by path."""
    files: dict[str, bytes] = {}
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for seed, name in enumerate(_OTB):
            truth = boxes_of(seed, 30)
            result = truth + np.arange(30)[:, None] * [0.5, 0, 0, 0]
            files[f"otb2015/anno/{name}.txt"] = format_exact(truth)
            files[f"text/{name}.txt"] = format_exact(result, "\t")
            files[f"text/{name}_time.txt"] = format_exact(np.full((30, 1), 0.01))
            record = {"seqName": name, "resType": "rect", "fps": 10.0, "res": result.tolist()}
            files[f"json/{name}.json"] = json.dumps([record]).encode()
            cell = np.empty((1, 1), dtype=object)
            cell[0, 0] = {"type": "rect", "res": result, "fps": 10.0, "len": 30.0}
            stream = io.BytesIO()
            savemat(stream, {"results": cell}, do_compression=seed > 0)
            files[f"mat/{name}_T.mat"] = stream.getvalue()
            packed.writestr(f"T/{name}.txt", format_exact(result))
    files["zip/T.zip"] = archive.getvalue()
    for seed, name in enumerate(_LASOT):
        row = get_benchmark("lasot").rows[name]
        frames, absent = row.frames or 0, row.absent or 0
        truth = boxes_of(20 + seed, frames)
        files[f"lasot/{name}.txt"] = format_exact(truth)
        files[f"lasot/absent/{name}.txt"] = b"0\n" * (frames - absent) + b"1\n" * absent
        result = truth + np.arange(frames)[:, None] * [0.02, 0, 0, 0]
        files[f"lasotraw/{name}.txt"] = format_exact(result)
    files["weights/small.pth"] = _weights()
    files |= _vot_files()
    return files


def _weights() -> bytes:
    import torch

    stream = io.BytesIO()
    torch.save({"state_dict": {"a": torch.arange(12.0).reshape(3, 4)}}, stream)
    return stream.getvalue()


def _vot_files() -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    videos: dict[str, Any] = {}
    for seed, name in enumerate(_VOT):
        truth = boxes_of(10 + seed, 196 if name == "bag" else 105)
        x, y, w, h = truth.T
        corners = np.stack([x, y, x + w, y, x + w, y + h, x, y + h], axis=1)
        videos[name] = {
            "video_dir": name,
            "init_rect": corners[0].tolist(),
            "img_names": [f"{name}/color/{i + 1:08d}.jpg" for i in range(len(truth))],
            "gt_rect": corners.tolist(),
            "width": 480,
            "height": 360,
        }
        rows = format_exact(truth + 1.0)
        files[f"vot/baseline/{name}/{name}_001.txt"] = b"1\n" + rows.partition(b"\n")[2]
        times = format_exact(np.full((len(truth), 1), 0.02))
        files[f"vot/baseline/{name}/{name}_time.txt"] = times
    files["vot2018/VOT2018.json"] = json.dumps(videos).encode()
    return files


Parts = tuple[bytes, np.ndarray]
"""The layout of a file, and its boxes ``(N, 4)``, corners ``(N, 8)`` or flags ``(N,)``."""


@dataclass(frozen=True)
class Kind:
    """One kind of input.

    Attributes:
        name: of the kind.
        damaged: folder or file below which one file is damaged.
        score: opens, imports and scores; gives measures and remarks.
        parts: layout and numbers of a file, or ValueError.
    """

    name: str
    damaged: str
    score: Callable[[Path], tuple[Mapping[str, Any], list[str]]]
    parts: Callable[[bytes], Parts]


def _scored(root: Path, data: str, source: str, format_: str) -> tuple[dict[str, Any], list[str]]:
    """Measures and remarks of the results in ``source``, imported and scored."""
    dataset = open_dataset(data, root / data)
    remarks = [str(doubt) for doubt in dataset.doubts]
    with tempfile.TemporaryDirectory(dir=root) as results:
        store = open_store(results, data)
        if source == "stored":
            shutil.copytree(root / source, Path(results, "otb2015", "T"))
        else:
            report = import_results(
                root / source, store, "T", dataset, format=format_, partial=True
            )
            remarks += report.notes
        (scores,) = evaluate(dataset, store, partial=True, cache=False)
    if "T" not in scores.trackers:
        raise BenchError(scores.refused["T"])
    tracker = scores.trackers["T"]
    return {**tracker.measures, "fps": 0}, [*remarks, *tracker.notes]


def _kind(
    name: str,
    damaged: str,
    data: str,
    source: str,
    format_: str,
    parts: Callable[[bytes], Parts],
) -> Kind:
    return Kind(name, damaged, lambda root: _scored(root, data, source, format_), parts)


def _layout(text: bytes) -> bytes:
    """A text without its numbers, line by line; one separator is as good as another."""
    layout = _NUMBER.sub(b"#", b"\n".join(text.rstrip().splitlines()))
    used = set(re.findall(rb"[,;\t ]", layout))
    return layout.replace(used.pop(), b",") if len(used) == 1 else layout


def _rows_of_text(data: bytes) -> Parts:
    rows = np.array(_NUMBER.findall(data), dtype=float).reshape(-1, 4)
    return _layout(data.lstrip(b"\r\n")), rows


def _rows_of_vot(data: bytes) -> Parts:
    code, _, rows = data.partition(b"\n")
    layout, boxes = _rows_of_text(rows)
    return code.strip() + layout, boxes


def _rows_of_binary(data: bytes) -> Parts:
    rows = np.frombuffer(data[11:], dtype=np.uint8).reshape(-1, 17)
    return data[:11] + rows[:, 0].tobytes(), rows[:, 1:].copy().view("<f4").astype(float)


def _rows_of_matlab(data: bytes) -> Parts:
    start = data.index(_DOUBLES) + len(_DOUBLES)
    numbers = np.frombuffer(data[start : start + 960])
    return data[116:start] + data[start + 960 :], numbers.reshape(4, -1).T


def _rows_of_json(data: bytes) -> Parts:
    found = json.loads(data)
    if isinstance(found, list):
        rows = found[0]["res"]
    else:
        rows = [row for video in found.values() for row in video["gt_rect"]]
    return _layout(json.dumps(found).encode()), np.array(rows, dtype=float)


def _flags(data: bytes) -> Parts:
    return re.sub(rb"[01]", b"#", data), np.array(re.findall(rb"[01]", data), dtype=float)


def _opaque(data: bytes) -> Parts:
    return data, np.empty(0)


def is_plausible(kind: Kind, sound: bytes, found: bytes) -> bool:
    """Whether nothing in a damaged file tells that it is; see the top of this file."""
    try:
        (layout, before), (other, after) = kind.parts(sound), kind.parts(found)
    except (ValueError, KeyError, TypeError, IndexError):
        return False
    if layout != other or before.shape != after.shape or not np.isfinite(after).all():
        return False
    if after.ndim == 1:
        return bool(after.sum() == before.sum() and not after[:1].any())
    if after.shape[1] == 8:
        corners = after.reshape(-1, 4, 2)
        skew = np.abs(corners[:, 0] + corners[:, 2] - corners[:, 1] - corners[:, 3])
        before, after = _around(before), _around(after)
        if (skew > 3).any():
            return False
    low, high = after[:, :2], after[:, :2] + after[:, 2:]
    sized = (after[:, 2:] >= 0.5).all() and (after[:, 2:] <= _IMAGE).all()
    inside = (low < _IMAGE).all() and (high > 0).all()
    tiny = (np.abs(after) < 1e-6) & (after != 0)
    if kind.name in ("vot text", "vot binary"):
        start = ((low < before[:, :2] + before[:, 2:]) & (high > before[:, :2])).all()
    else:
        start = (np.abs(after[0] - before[0]) <= 3).all()
    return bool(sized and inside and start and not tiny.any())


def _around(rows: np.ndarray) -> np.ndarray:
    """The boxes around corners ``(N, 8)``."""
    low = rows.reshape(-1, 4, 2).min(axis=1)
    return np.hstack([low, rows.reshape(-1, 4, 2).max(axis=1) - low])


def _checkpoint(root: Path) -> tuple[Mapping[str, Any], list[str]]:
    """A checkpoint is read, or refused; sums of its tensors are what is compared."""
    from trackers.siamattn.checkpoints import read

    tensors, _ = read(root / "weights" / "small.pth")
    return {name: float(value.double().sum()) for name, value in tensors.items()}, []


KINDS = (
    _kind("annotation", "otb2015/anno", "otb2015", "text", "pytracking", _rows_of_text),
    _kind("text", "text", "otb2015", "text", "pytracking", _rows_of_text),
    _kind("json", "json", "otb2015", "json", "otb-json", _rows_of_json),
    _kind("mat", "mat", "otb2015", "mat", "otb-mat", _rows_of_matlab),
    _kind("zip", "zip/T.zip", "otb2015", "zip/T.zip", "pysot", _opaque),
    _kind("stored", "stored", "otb2015", "stored", "", _opaque),
    _kind("vot json", "vot2018", "vot2018", "vot", "vot", _rows_of_json),
    _kind("vot text", "vot", "vot2018", "vot", "vot", _rows_of_vot),
    _kind("vot binary", "votbin", "vot2018", "votbin", "vot", _rows_of_binary),
    _kind("table", "lasot/absent", "lasot", "lasotraw", "lasot", _flags),
    Kind("checkpoint", "weights", _checkpoint, _opaque),
)


def prepare(root: Path) -> None:
    """Write all sound files below ``root``."""
    for name, content in sound_files().items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    dataset = open_dataset("otb2015", root / "otb2015")
    store = OnePassStore(root / "first", "otb2015")
    import_results(root / "text", store, "T", dataset, partial=True)
    shutil.copytree(store.folder("T"), root / "stored", ignore=shutil.ignore_patterns(".lock"))
    for name in _VOT:
        rows = (root / f"vot/baseline/{name}/{name}_001.txt").read_text().splitlines()
        folder = root / "votbin" / "baseline" / name
        folder.mkdir(parents=True)
        (folder / f"{name}_001.bin").write_bytes(_binary(rows))


def _binary(rows: list[str]) -> bytes:
    """Rows of text in the binary format of vot-toolkit."""
    parts = [np.array([1], "<i2").tobytes(), np.array([len(rows)], "<u4").tobytes()]
    for row in rows:
        numbers = [float(field) for field in row.split(",")]
        if len(numbers) == 1:
            parts += [b"\x00", np.array(numbers, "<u4").tobytes()]
        else:
            parts += [b"\x01", np.array(numbers, "<f4").tobytes()]
    return b"".join(parts)


def damaged(data: bytes, rng: np.random.Generator) -> bytes:
    """The content with one to three faults."""
    for _ in range(int(rng.choice([1, 1, 1, 2, 3]))):
        data = _FAULTS[int(rng.integers(len(_FAULTS)))](data, rng)
    return data


def _at(data: bytes, rng: np.random.Generator) -> int:
    return int(rng.integers(len(data) + 1))


def _flip(data: bytes, rng: np.random.Generator) -> bytes:
    changed = bytearray(data)
    for _ in range(int(rng.integers(1, 8))):
        if changed:
            changed[int(rng.integers(len(changed)))] = int(rng.integers(256))
    return bytes(changed)


def _cut(data: bytes, rng: np.random.Generator) -> bytes:
    start, end = sorted((_at(data, rng), _at(data, rng)))
    return data[:start] + data[end:] if rng.random() < 0.5 else data[:end]


def _repeat(data: bytes, rng: np.random.Generator) -> bytes:
    start, end = sorted((_at(data, rng), _at(data, rng)))
    return data[:end] + data[start:]


def _insert(data: bytes, rng: np.random.Generator) -> bytes:
    at = _at(data, rng)
    return data[:at] + _TOKENS[int(rng.integers(len(_TOKENS)))] + data[at:]


def _field(data: bytes, rng: np.random.Generator) -> bytes:
    """One number of a text becomes something else."""
    fields = data.replace(b"\n", b",").split(b",")
    chosen = fields[int(rng.integers(len(fields)))]
    at = data.find(chosen)
    return data[:at] + _TOKENS[int(rng.integers(len(_TOKENS)))] + data[at + len(chosen) :]


def _lines(data: bytes, rng: np.random.Generator) -> bytes:
    lines = data.split(b"\n")
    rng.shuffle(lines)
    return b"\n".join(lines)


def _separators(data: bytes, rng: np.random.Generator) -> bytes:
    old, new = ((b",", b";"), (b"\t", b","), (b".", b","), (b",", b" "), (b"\n", b"\r"))[
        int(rng.integers(5))
    ]
    return data.replace(old, new)


_FAULTS = (_flip, _cut, _repeat, _insert, _insert, _field, _field, _lines, _separators)


@dataclass(frozen=True)
class Outcome:
    """What happened to one case."""

    case: int
    kind: str
    file: str
    outcome: str
    text: str = ""


class Bench:
    """Sound files in a folder of their own, in which one at a time is damaged."""

    def __init__(self, root: Path) -> None:
        self._root = root
        prepare(root)
        self._sound = {kind.name: kind.score(root) for kind in KINDS}

    def run(self, case: int) -> Outcome:
        """Damage the file of a case, score, and put the sound file back."""
        rng = np.random.default_rng(case)
        kind = KINDS[case % len(KINDS)]
        place = self._root / kind.damaged
        files = [place] if place.is_file() else sorted(p for p in place.rglob("*") if p.is_file())
        file = files[int(rng.integers(len(files)))]
        sound = file.read_bytes()
        started = time.monotonic()
        found = damaged(sound, rng)
        file.write_bytes(found)
        try:
            outcome, text = self._judge(kind)
        finally:
            file.write_bytes(sound)
        if outcome == "moved" and is_plausible(kind, sound, found):
            outcome = "unseen"
        if time.monotonic() - started > SLOW_SECONDS:
            outcome = "slow"
        if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 > LARGE_BYTES:
            outcome = "large"
        return Outcome(case, kind.name, file.relative_to(self._root).as_posix(), outcome, text)

    def _judge(self, kind: Kind) -> tuple[str, str]:
        measures, remarks = self._sound[kind.name]
        try:
            found, new = kind.score(self._root)
        except BenchError as error:
            return "refused", str(error)[:300]
        except Exception:
            return "traceback", traceback.format_exc()[-1500:]
        more = sorted(set(new) - set(remarks))
        if more or len(new) != len(remarks):
            return "noted", "; ".join(more)[:300]
        same = found.keys() == measures.keys() and all(
            abs(found[name] - measures[name]) <= 1e-12 or found[name] != found[name]
            for name in measures
        )
        return ("same", "") if same else ("moved", "")


def _work(cases: list[int], lines: multiprocessing.SimpleQueue[str | None]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        lines.put("ready")
        for case in cases:
            lines.put(f"start {case}")
            lines.put(json.dumps(bench.run(case).__dict__))
    lines.put(None)


def outcomes(cases: list[int]) -> Iterator[Outcome]:
    """Run cases in another process; one that hangs or dies is counted, and the rest goes on."""
    while cases:
        lines: Any = multiprocessing.Queue()
        worker = multiprocessing.Process(target=_work, args=(cases, lines))
        worker.start()
        current = cases[0]
        try:
            lines.get(timeout=600)  # until it is ready
            while (line := lines.get(timeout=60)) is not None:
                if line.startswith("start "):
                    current = int(line[6:])
                    continue
                yield Outcome(**json.loads(line))
                cases = cases[1:]
            cases = []
        except Exception:  # the queue's Empty: the worker hangs or has died
            hangs = worker.is_alive()
            worker.kill()
            kind = KINDS[current % len(KINDS)].name
            yield Outcome(current, kind, "", "slow" if hangs else "large", "no answer in 60 s")
            cases = [case for case in cases if case != current]
        worker.join()


def table(found: list[Outcome]) -> str:
    """Counts by kind and outcome."""
    counts = Counter((each.kind, each.outcome) for each in found)
    rows = [["kind", "tried", *OUTCOMES]]
    for name in [kind.name for kind in KINDS]:
        row = [counts[name, outcome] for outcome in OUTCOMES]
        rows.append([name, str(sum(row)), *map(str, row)])
    total = [sum(int(row[i]) for row in rows[1:]) for i in range(1, len(rows[0]))]
    rows.append(["all", *map(str, total)])
    return "\n".join("  ".join(f"{cell:>10}" for cell in row) for row in rows)


def main() -> int:
    """Run or continue; 1 if a case was answered by a traceback, too late or with too much."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--count", type=int, default=50_000, help="number of cases")
    parser.add_argument("--out", type=Path, default=Path("mutations.jsonl"))
    options = parser.parse_args()
    done = []
    if options.out.is_file():
        lines = options.out.read_text(encoding="utf-8").splitlines()
        done = [Outcome(**json.loads(line)) for line in lines if line.endswith("}")]
    left = sorted(set(range(options.count)) - {each.case for each in done})
    with options.out.open("a", encoding="utf-8") as stream:
        for outcome in outcomes(left):
            done.append(outcome)
            stream.write(f"{json.dumps(outcome.__dict__)}\n")
            stream.flush()
            if len(done) % 1000 == 0:
                print(f"{table(done)}\n", flush=True)
    print(table(done))
    return int(any(each.outcome in ("traceback", "slow", "large") for each in done))


if __name__ == "__main__":
    os.nice(5)
    sys.exit(main())
