"""A dry run of a file of pickled weights, before PyTorch reads it.

PyTorch makes room for what a file declares, and unpacks what is compressed in it, so a small file
can take all memory, or all time. The dry run walks through the pickle with stand-ins for all that
it names, and checks that the file holds the numbers that it declares.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

_LONGEST = 1 << 20  # bytes of a pickle: several times that of a network with its optimiser
_PICKLES = 5  # in a file of before PyTorch 1.6: magic number, version, system, weights, keys
_RECORDS = 100_000  # in an archive

_SIZES = {
    "FloatStorage": 4, "DoubleStorage": 8, "HalfStorage": 2, "BFloat16Storage": 2,
    "LongStorage": 8, "IntStorage": 4, "ShortStorage": 2, "CharStorage": 1, "ByteStorage": 1,
    "BoolStorage": 1, "UntypedStorage": 1, "ComplexFloatStorage": 8, "ComplexDoubleStorage": 16,
}  # fmt: skip
_NAMES = {
    *(f"torch {name}" for name in _SIZES),
    "torch.storage UntypedStorage", "torch.storage TypedStorage", "torch Size", "torch device",
    *(f"torch {kind}{bits}" for kind in ("float", "int", "uint") for bits in (8, 16, 32, 64)),
    "torch bfloat16", "torch bool", "torch.serialization _get_layout",
    *(f"torch._utils _rebuild_{what}" for what in ("tensor", "tensor_v2", "parameter")),
    "torch.nn.parameter Parameter",
    "collections OrderedDict", "collections defaultdict", "_codecs encode", "numpy dtype",
    *(f"numpy.{core}.multiarray scalar" for core in ("core", "_core")),
}  # fmt: skip
_OPERATIONS = (
    b"\x80 . c \x81 R b a e s u ( t \x85 \x86 \x87 N \x88 \x89 ) ] } \x8f J K M G X U Q h j q r "
    b"\x8a"
).split(b" ")  # what PyTorch's own reader of weights knows
_PYTHON_2 = {ord(letter) for letter in "SITL"}  # how only Python 2 writes text and numbers


class RefusedError(Exception):
    """A file does not hold weights; the text says why."""


def check_pickle(path: Path) -> None:
    """Walk through a ``.pth`` file without making room for anything it declares.

    Raises:
        RefusedError: it names what weights do not need, holds less than it declares or unpacks to
            more, differs from its own checksums, or was written by Python 2.
        Exception: it is damaged; a reader of a damaged pickle may raise anything.
    """
    with path.open("rb") as stream:
        size = path.stat().st_size
        if stream.read(4) == b"PK\x03\x04":
            _check_archive(stream, size)
            return
        stream.seek(0)
        limited = _Limited(stream)
        declared: dict[str, int] = {}
        for number in range(_PICKLES):
            dry = _DryRun(limited, declared)
            content = dry.load()
            if number == 0 and isinstance(content, Mapping | list | _Stub):
                break  # a bare pickle
        _check_sum(sum(declared.values()), size)


def _check_archive(stream: BinaryIO, size: int) -> None:
    with zipfile.ZipFile(stream) as archive:
        records = archive.infolist()
        if len(records) > _RECORDS:
            raise RefusedError(f"expected at most {_RECORDS} records, found {len(records)}")
        unpacked = sum(record.file_size for record in records)
        if unpacked > size:
            raise RefusedError(
                f"it unpacks to {unpacked / (1 << 20):.0f} MB from {size / (1 << 20):.1f} MB, and "
                "PyTorch compresses nothing"
            )
        heads = [r for r in records if r.filename.rpartition("/")[2] == "data.pkl"]
        if len(heads) != 1:
            raise RefusedError(
                "a zip archive, but not of PyTorch: it has no data.pkl. Unpack it first"
            )
        if heads[0].file_size > _LONGEST:
            raise RefusedError(f"its data.pkl has more than {_LONGEST >> 20} MB")
        declared: dict[str, int] = {}
        _DryRun(io.BytesIO(archive.read(heads[0])), declared).load()
        root = heads[0].filename.removesuffix("data.pkl")
        held = {record.filename: record.file_size for record in records}
        for key, declares in declared.items():
            found = held.get(f"{root}data/{key}")
            if found is None or found < declares:
                raise RefusedError(
                    f"damaged: record {key} declares {declares} bytes and has {found or 0}"
                )
        if changed := archive.testzip():  # PyTorch does not look at the checksums
            raise RefusedError(f"damaged: record {changed} differs from its checksum")


def _check_sum(declared: int, size: int) -> None:
    if declared > size:
        raise RefusedError(
            f"damaged: it declares {declared} bytes of numbers, and the file has {size}"
        )


class _Limited:
    """A stream of which only so much is read."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._left = stream, _LONGEST

    def read(self, count: int) -> bytes:
        return self._counted(self._stream.read(min(count, self._left + 1)))

    def readline(self) -> bytes:
        return self._counted(self._stream.readline(self._left + 1))

    def _counted(self, data: bytes) -> bytes:
        self._left -= len(data)
        if self._left < 0:
            raise RefusedError(f"what it says about its weights has more than {_LONGEST >> 20} MB")
        return data


class _Stub:
    """Stands for whatever a pickle names."""

    def __init__(self, *arguments: object) -> None:
        pass

    def __setstate__(self, state: object) -> None:
        pass

    def __setitem__(self, key: object, value: object) -> None:
        pass

    def append(self, value: object) -> None:
        """Takes part in nothing."""

    def extend(self, values: object) -> None:
        """Takes part in nothing."""


_Python: Any = pickle._Unpickler  # Python's own: in the one in C, a number can take memory


class _DryRun(_Python):  # type: ignore[misc]
    """Reads a pickle; nothing that it names is made."""

    def __init__(self, stream: Any, declared: dict[str, int]) -> None:
        super().__init__(stream)
        self._declared = declared

    def find_class(self, module: str, name: str) -> type:
        if f"{module} {name}" not in _NAMES:
            raise RefusedError(f"contains '{module}.{name}', but weights are tensors")
        return type(name, (_Stub,), {})

    def persistent_load(self, entry: Any) -> _Stub:
        """Note the bytes of a storage: ("storage", type, key, place, count)."""
        if not (isinstance(entry, tuple) and len(entry) >= 5 and entry[0] == "storage"):
            raise RefusedError("damaged: an entry that is not a storage")
        _, kind, key, _, count = entry[:5]
        size = _SIZES.get(getattr(kind, "__name__", ""))
        if size is None or type(count) is not int or count < 0 or not isinstance(key, str):
            raise RefusedError("damaged: a storage of no known type or size")
        self._declared[key] = max(self._declared.get(key, 0), size * count)
        return _Stub()

    def _check_keys(self, keys: list[Any]) -> None:
        """Refuse keys that are nested: comparing these may take for ever."""
        for key in keys:
            if not isinstance(key, str | int | float | None):
                raise RefusedError(f"has a key of type {type(key).__name__}")

    def _load_setitem(self) -> None:
        self._check_keys(self.stack[-2:-1])
        _Python.dispatch[b"s"[0]](self)

    def _load_setitems(self) -> None:
        self._check_keys(self.stack[::2])
        _Python.dispatch[b"u"[0]](self)

    def _load_python_2(self) -> None:
        raise RefusedError(
            "written by Python 2, whose text this reader does not know. Load it where it was "
            "made and save it again with Python 3"
        )

    dispatch: ClassVar[dict[int, Any]] = {
        **{operation[0]: _Python.dispatch[operation[0]] for operation in _OPERATIONS},
        **dict.fromkeys(_PYTHON_2, _load_python_2),
        b"s"[0]: _load_setitem,
        b"u"[0]: _load_setitems,
    }
