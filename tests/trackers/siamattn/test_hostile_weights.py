"""Files that are no weights, or are made to do harm: one error each, in little time and memory."""

from __future__ import annotations

import io
import os
import pickle
import re
import struct
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from bench.errors import ConfigError
from trackers.siamattn import checkpoints

MEGABYTE = 1 << 20


def archive(path: Path, head: bytes, records: dict[str, bytes], compress: bool = False) -> Path:
    """A zip archive as PyTorch writes it, with any pickle and records."""
    kind = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "w", kind) as out:
        out.writestr("archive/data.pkl", head)
        out.writestr("archive/version", b"3\n")
        for name, content in records.items():
            out.writestr(f"archive/data/{name}", content)
    return path


def storage(kind: str = "FloatStorage", key: str = "0", count: int = 4) -> bytes:
    """The operations that put a storage on the stack."""
    return (
        b"(" + text("storage") + f"ctorch\n{kind}\n".encode() + text(key) + text("cpu")
        + number(count) + b"tQ"
    )  # fmt: skip


def text(word: str) -> bytes:
    return b"X" + struct.pack("<I", len(word)) + word.encode()


def number(value: int) -> bytes:
    raw = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(raw)]) + raw


def weights(values: bytes) -> bytes:
    """A pickle of one tensor by name."""
    return b"\x80\x02}" + text("a") + values + b"s."


def tensor(kept: bytes, size: bytes = b"K\x04\x85", stride: bytes = b"K\x01\x85") -> bytes:
    function = b"ctorch._utils\n_rebuild_tensor_v2\n"
    return (
        function + b"(" + kept + b"K\x00" + size + stride + b"\x89ccollections\nOrderedDict\n)RtR"
    )


def call(name: str, *arguments: bytes) -> bytes:
    return f"c{name}\n".replace(" ", "\n").encode() + b"(" + b"".join(arguments) + b"tR"


def nested(path: Path) -> Path:
    """A tuple of two of a tuple of two, and so on: short to write, endless to compare or show."""
    operations = b"K\x01" + b"q\x00h\x00\x86" * 60
    return archive(path, b"\x80\x02" + operations + b".", {})


def nested_key(path: Path) -> Path:
    operations = b"K\x01" + b"q\x00h\x00\x86" * 60
    return archive(path, b"\x80\x02}" + operations + text("value") + b"s.", {})


def deep(path: Path) -> Path:
    return archive(path, b"\x80\x02" + b"]" * 300_000 + b"a" * 299_999 + b".", {})


def compressed(path: Path) -> Path:
    zeros = bytes(400 * MEGABYTE)
    return archive(path, weights(tensor(storage(count=100 * MEGABYTE))), {"0": zeros}, True)


def compressed_head(path: Path) -> Path:
    return archive(path, b"\x80\x02" + b"N0" * (50 * MEGABYTE) + b"N.", {}, True)


def long_head(path: Path) -> Path:
    return archive(path, b"\x80\x02" + b"N0" * (3 * MEGABYTE) + b"N.", {})


def overlapping(path: Path) -> Path:
    """Every name of the archive leads to the same record."""
    with zipfile.ZipFile(path, "w") as out:
        out.writestr("archive/data.pkl", weights(tensor(storage())))
        out.writestr("archive/data/0", bytes(MEGABYTE))
        first = out.infolist()[-1]
        out.filelist += [_renamed(first, f"archive/data/{number}") for number in range(1, 4000)]
    return path


def _renamed(record: zipfile.ZipInfo, name: str) -> zipfile.ZipInfo:
    copied = zipfile.ZipInfo(name)
    for field in ("CRC", "compress_size", "file_size", "header_offset"):
        setattr(copied, field, getattr(record, field))
    return copied


def huge_storage(path: Path) -> Path:
    return archive(path, weights(tensor(storage(count=1 << 33))), {"0": bytes(16)})


def missing_storage(path: Path) -> Path:
    return archive(path, weights(tensor(storage(key="7"))), {"0": bytes(16)})


def negative_storage(path: Path) -> Path:
    return archive(path, weights(tensor(storage(count=-4))), {"0": bytes(16)})


def huge_view(path: Path) -> Path:
    """One number, shown as a square of numbers."""
    size, stride = number(1 << 20) * 2 + b"\x86", b"K\x00K\x00\x86"
    return archive(path, weights(tensor(storage(), size, stride)), {"0": bytes(16)})


def huge_bytes(path: Path) -> Path:
    return archive(path, weights(call("builtins bytearray", number(1 << 35))), {})


def huge_tensor(path: Path) -> Path:
    return archive(path, weights(call("torch Tensor", number(1 << 34))), {})


def huge_memo(path: Path) -> Path:
    return archive(path, b"\x80\x02}r\xff\xff\xff\x7f.", {})


def huge_text(path: Path) -> Path:
    return archive(path, b"\x80\x02X\xff\xff\xff\x7fab.", {})


def sparse(path: Path) -> Path:
    index, values = torch.zeros((1, 1), dtype=torch.int64), torch.ones(1)
    whole = torch.sparse_coo_tensor(index, values, (1 << 40,), check_invariants=True)
    torch.save({"a": whole}, path)
    return path


def script(path: Path) -> Path:
    """A compiled network, which holds code."""
    with zipfile.ZipFile(path, "w") as out:
        out.writestr("model/data.pkl", b"\x80\x02c__torch__\nNet\n)\x81.")
        out.writestr("model/constants.pkl", b"\x80\x02).")
    return path


def old_huge(path: Path) -> Path:
    """The format before PyTorch 1.6, which declares sizes ahead of the numbers."""
    out = io.BytesIO()
    for value in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}):
        pickle.dump(value, out, 2)
    kept = storage(count=1 << 33).replace(b"tQ", b"NtQ")
    out.write(weights(tensor(kept)) + b"\x80\x02]" + text("0") + b"a." + bytes(24))
    path.write_bytes(out.getvalue())
    return path


def wrapped(path: Path) -> Path:
    """The weights inside another archive, as from a download of several files."""
    with zipfile.ZipFile(path, "w") as out:
        out.writestr("weights/model.pth", b"\x80\x02}.")
    return path


def endless_header(path: Path) -> Path:
    content = b'{"__metadata__": {"a": "' + b"b" * (9 * MEGABYTE) + b'"}}'
    path.write_bytes(struct.pack("<Q", len(content)) + content)
    return path


def huge_safetensors(path: Path) -> Path:
    content = b'{"a": {"dtype": "F32", "shape": [1073741824], "data_offsets": [0, 4294967296]}}'
    path.write_bytes(struct.pack("<Q", len(content)) + content + bytes(8))
    return path


def endless(path: Path) -> Path:
    with path.open("wb") as stream:
        stream.truncate(200 << 30)  # takes no room
    return path


def pipe(path: Path) -> Path:
    os.mkfifo(path)
    return path


def device(path: Path) -> Path:
    path.symlink_to("/dev/zero")
    return path


def one_byte_changed(path: Path) -> Path:
    """Weights whose numbers changed on a disk; PyTorch reads them without a word."""
    values = torch.arange(12.0)
    torch.save({"a": values}, path)
    data, number = path.read_bytes(), struct.pack("<f", 11.0)
    assert data.count(number) == 1
    path.write_bytes(data.replace(number, struct.pack("<f", 11.5)))
    return path


MADE: list[tuple[Callable[[Path], Path], str]] = [
    (nested, "expected tensors by key, .*found tuple"),
    (nested_key, "has a key of type tuple"),
    (deep, "expected tensors by key, .*found list"),
    (compressed, "it unpacks to 400 MB from 0.4 MB"),
    (compressed_head, "it unpacks to 100 MB"),
    (long_head, "data.pkl has more than 1 MB"),
    (overlapping, "it unpacks to 4000 MB from 1"),
    (huge_storage, "record 0 declares 34359738368 bytes and has 16"),
    (missing_storage, "record 7 declares 16 bytes and has 0"),
    (one_byte_changed, "damaged: record .*data/0 differs from its checksum"),
    (negative_storage, "a storage of no known type or size"),
    (huge_view, "at most 2 GB together, found 0 sparse ones and 4096.0 GB"),
    (huge_bytes, "contains 'builtins.bytearray', but weights are tensors"),
    (huge_tensor, "contains 'torch.Tensor', but weights are tensors"),
    (huge_memo, "expected tensors by key"),
    (huge_text, "damaged"),
    (sparse, "contains 'torch._utils._rebuild_sparse_tensor'"),
    (script, "contains '__torch__.Net'"),
    (old_huge, "declares 34359738368 bytes of numbers, and the file has"),
    (wrapped, "a zip archive, but not of PyTorch: it has no data.pkl. Unpack it first"),
    (endless, "of at most 2 GB, found 200.0 GB"),
    (pipe, "found a named pipe"),
    (device, "found a device"),
    (endless_header, "its header has more than 8 MB"),
    (huge_safetensors, "damaged, or not a safetensors file"),
]
READ = """
import resource, sys, time
from pathlib import Path
import torch
from bench.errors import ConfigError
from trackers.siamattn import checkpoints
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for name in sys.argv[1:]:
    start = time.monotonic()
    try:
        checkpoints.read(Path(name))
        print("read")
    except ConfigError as error:
        took = time.monotonic() - start
        more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10
        print(f"{took:.0f} s {more} MB\\t{error}")
"""


def test_small_files_that_take_all_memory_or_time(tmp_path: Path) -> None:
    """Read in one process, so that it is started once; each costs less than 2 GB and 10 s."""
    endings = {endless_header: ".safetensors", huge_safetensors: ".safetensors"}
    paths = [make(tmp_path / f"{make.__name__}{endings.get(make, '.pth')}") for make, _ in MADE]
    root = Path(__file__).parents[3]
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", READ, *map(str, paths)], capture_output=True, text=True, cwd=root,
        timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert time.monotonic() - start < 120
    lines = done.stdout.splitlines()
    assert len(lines) == len(MADE), done.stdout
    for path, line, (make, message) in zip(paths, lines, MADE, strict=True):
        cost, _, said = line.partition("\t")
        assert said.startswith(f"{path}: "), line
        assert re.search(message, said), f"{make.__name__}: {line}"
        assert len(said) < 700, line[:1000]
        seconds, megabytes = int(cost.split()[0]), int(cost.split()[2])
        assert seconds < 10, line
        assert megabytes < 1024, line


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("lfs.pth", "found a Git LFS pointer"),
        ("gdrive.pth", "found an HTML page"),
        ("udt_python2.pth.tar", "written by Python 2"),
    ],
)
def test_files_are_named_for_what_they_are(shared: Path, name: str, kind: str) -> None:
    with pytest.raises(ConfigError, match=rf"{name}: .*{kind}"):
        checkpoints.read(shared / "cases" / "checkpoints" / name)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\xef\xbb\xbf\n<html><body>no", "an HTML page"),
        (b"<?xml version='1.0'?><Error>AccessDenied</Error>", "an XML text"),
        (b'{"error": "rate limit"}', "the error message of a server"),
        (b"\x1f\x8b\x08\x00abc", "a gzip archive"),
        (b"model".ljust(257, b"\0") + b"ustar\x0000", "a tar archive"),
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    ],
)
@pytest.mark.parametrize("ending", [".pth", ".safetensors", ".ckpt"])
def test_other_kinds_of_files(tmp_path: Path, content: bytes, kind: str, ending: str) -> None:
    path = tmp_path / f"model{ending}"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=f"found {kind}"):
        checkpoints.read(path)


def test_the_state_of_a_training_run_must_be_exported(tmp_path: Path) -> None:
    path = tmp_path / "last.ckpt"
    state = {"network.backbone.conv1.weight": torch.ones(3)}
    torch.save({"pytorch-lightning_version": "2.6", "state_dict": state, "epoch": 1}, path)
    with pytest.raises(ConfigError, match=r"python -m trackers.siamattn.training export RUN FILE"):
        checkpoints.read(path)
