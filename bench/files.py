"""Fast parsing of number rows, JSON with limits, and atomic file writes."""

from __future__ import annotations

import codecs
import contextlib
import errno
import hashlib
import itertools
import json
import logging
import os
import re
import socket
import stat
import sys
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import numpy as np
import simdjson

from bench.arrays import FloatArray
from bench.errors import BenchError, ResultError, unique_keys

MAX_PIXEL = 1e100
"""Largest accepted coordinate; beyond it, the squared area of a box overflows."""
_TEMPORARY = re.compile(r"\..+\.([0-9a-f]{8})-(\d+)-\d+\.tmp")
_COUNTER = itertools.count()
# Opening a pipe does not wait for a writer.
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_NO_FSYNC = (errno.EINVAL, errno.ENOSYS, errno.EPERM, errno.EOPNOTSUPP)
_NUMBER_BYTES = b"0123456789.-+eE "
# Accepted by float() or split(), but malformed: empty fields, a tab before fields separated by
# commas, digit groups such as 1_000.
_NOT_A_FIELD = re.compile(r"[,;\n][ \t]*[,;]|\n\t[^\n]*,|_")
_BLANKS = str.maketrans(",;\t", "   ")
_BARS = 3  # in a row of four numbers, and two more around it
_QUOTED = re.compile(r"([\"'])([^\"']+)\1")
_BETWEEN = re.compile(r"[\])]\s*[,;]?\s*[\[(]")  # two corners, or a corner and a size
_BOX = 4  # numbers of a box
_X, _Y = (rf"(?:{n}(?:1|_?min)?|{side})" for n, side in (("x", "left"), ("y", "top")))
_HEADER = re.compile(rf"\W*{_X}\W+{_Y}\W+(?:w|width)\W+(?:h|height)\W*", re.IGNORECASE | re.ASCII)
_COLUMN = (
    r"(?:[xy](?:[12]|_?min|_?max|_?c)?|(?:c|center|centre)_?[xy]|left|top|right|bottom|w|h|width|"
    r"height|frame|score|confidence)"
)
_COLUMNS = re.compile(rf"\W*{_COLUMN}(?:\W+{_COLUMN}){{3,5}}\W*", re.IGNORECASE | re.ASCII)
# NaN as Microsoft's C library, R and Python print it.
_UNKNOWN = re.compile(
    r"-?nan\(\w*\)|-?1\.#(?:IND|[QS]NAN)0*|\b(?:n/?a|none|null)\b", re.IGNORECASE
)
# The longest real texts are 0.5 MB (LaSOT), the largest real JSON files 60 MB (all of LaSOT).
MAX_TEXT_BYTES = 32 << 20
MAX_MASK_BYTES = 512 << 20  # 11,397 frames, LaSOT's longest sequence, of 47 kB each
MAX_JSON_BYTES = 256 << 20
MAX_JSON_DEPTH = 64
MAX_ROWS = 2_000_000
_MAX_LINE = 1 << 16
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_JSON_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_HUGE_NUMBER = re.compile(rb"\d{310}")  # beyond any float
_DIGITS = 40
_LONG_NUMBER = re.compile(rb"[0-9.]{%d,}" % _DIGITS)
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def sha256(paths: Iterable[Path]) -> str:
    """SHA-256 over the content of files, one after the other, as hexadecimal digits.

    Raises:
        OSError: one cannot be read.
    """
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def write_atomically(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Write a file through a temporary one: complete or absent, even after ``kill -9``.

    Its permissions follow the umask. What a killed process of this machine left in the folder is
    removed. Unless it is ``durable``, a power cut may leave a file without its content.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep_once(path.parent)
    temporary = path.with_name(temporary_name(path.name))
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    handle = os.open(temporary, flags | getattr(os, "O_BINARY", 0), 0o666)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            if durable:
                _to_disk(stream.fileno(), path.parent)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _to_disk(handle: int, folder: Path) -> None:
    """Wait until a file is on its disk; best effort where the file system cannot tell."""
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _NO_FSYNC:
            raise
        _say_once(
            f"{folder}: its file system cannot flush files ({error.strerror}); a power cut "
            "may lose what was written last"
        )


@lru_cache(maxsize=8)
def _say_once(text: str) -> None:
    logging.getLogger("bench").warning(text)


@lru_cache(maxsize=1)
def _machine() -> str:
    """A mark of this machine, its start and its process numbers, the same in all processes."""
    facts = [socket.gethostname()]
    for source in ("/proc/sys/kernel/random/boot_id", "/proc/self/ns/pid"):
        with contextlib.suppress(OSError):
            path = Path(source)
            text = str(path.readlink()) if path.is_symlink() else path.read_text("ascii")
            facts.append(text)
    return hashlib.sha256("\n".join(facts).encode("utf-8", "replace")).hexdigest()[:8]


def temporary_name(name: str) -> str:
    """A hidden name for an unfinished file or folder, which says what process writes it."""
    return f".{name}.{_machine()}-{os.getpid()}-{next(_COUNTER)}.tmp"


def is_litter(name: str) -> bool:
    """True for the name of an unfinished file whose process, on this machine, is gone."""
    match = _TEMPORARY.fullmatch(name)
    if match is None or match[1] != _machine():
        return False
    return not is_running(int(match[2]))


def is_running(process: int) -> bool:
    """Whether a process of this machine runs, or may run: Windows does not tell.

    There ``os.kill`` would send Ctrl-C in place of asking.
    """
    if sys.platform == "win32":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's
        return True
    return True


@lru_cache(maxsize=1024)
def _sweep_once(folder: Path) -> None:
    """Remove what killed processes left in a folder, the first time this process writes there."""
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            if is_litter(path.name):
                path.unlink(missing_ok=True)


def format_rows(rows: FloatArray, decimals: int = 4, delimiter: str = ",") -> bytes:
    """Format rows ``(N, K)`` as text, one line per row, with ``decimals`` places."""
    line = delimiter.join([f"%.{decimals}f"] * rows.shape[1])
    return "".join(f"{line % tuple(row)}\n" for row in rows.tolist()).encode()


def format_exact(rows: FloatArray, delimiter: str = ",") -> bytes:
    """Format rows ``(N, K)`` as text that reads back bit for bit, one line per row.

    >>> format_exact(np.array([[198.0, 0.1, 1e-7, np.nan]]))
    b'198,0.1,1e-07,nan\\n'
    """
    lines = (delimiter.join(map(_shortest, row)) for row in rows.tolist())
    return "".join(f"{line}\n" for line in lines).encode()


def _shortest(value: float) -> str:
    return repr(value).removesuffix(".0")


def read_rows(
    path: Path | str, columns: int = 4, error: type[BenchError] = ResultError
) -> FloatArray:
    """Read a text file of numbers as ``(N, columns)``.

    Numbers are separated by commas, tabs, semicolons or spaces; trailing empty lines are
    ignored.

    Raises:
        error: the file is missing, or a line is malformed; the message names file and line.
    """
    return parse_rows(read_whole(path, error), path, columns, error)


def read_whole(
    path: Path | str, error: type[BenchError] = ResultError, limit: int = MAX_TEXT_BYTES
) -> bytes:
    """The content of a regular file of at most ``limit`` bytes.

    Raises:
        error: it is missing, cannot be read, is larger, or is not a regular file: a pipe or a
            device would be waited for, or read, without end.
    """
    try:
        mode, data = _read_bounded(path, limit)
    except (OSError, ValueError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else problem
        raise error(f"{path}: cannot be read ({reason})") from problem
    if not stat.S_ISREG(mode):
        raise error(
            f"{path}: expected a regular file, found {_kind(mode)}. Copy its content to a file."
        )
    if len(data) > limit:
        raise error(
            f"{path}: expected at most {limit >> 20} MiB, found a larger file. "
            "Check that it is the file you mean."
        )
    return data


def _read_bounded(path: Path | str, limit: int) -> tuple[int, bytes]:
    """Mode and content of a file, of a larger one a byte over ``limit``; of a pipe, nothing.

    One system call reads what ``fstat`` promises: asking for the limit would allocate it.
    """
    handle = os.open(path, _READ)
    try:
        status = os.fstat(handle)
        if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
            return status.st_mode, b""
        data = os.read(handle, min(status.st_size, limit) + 1)
        while len(data) != status.st_size and len(data) <= limit:
            more = os.read(handle, limit + 1 - len(data))
            if not more:
                break
            data += more
        return status.st_mode, data
    finally:
        os.close(handle)


def _kind(mode: int) -> str:
    kinds = {stat.S_ISFIFO: "a pipe", stat.S_ISSOCK: "a socket"}
    return next((name for test, name in kinds.items() if test(mode)), "a device")


def shown(value: object, limit: int = 80) -> str:
    """A value as messages show it: on one line, printable, and not longer than ``limit``.

    >>> shown("a\\x1b[31m" + "b" * 100, 12)
    "'a\\\\x1b[31mbb..."
    """
    text = repr(value[: limit + 1] if isinstance(value, (str, bytes)) else value)
    return text if len(text) <= limit else f"{text[:limit]}..."


def read_json(
    source: Path | bytes,
    where: Path | str = "",
    error: type[BenchError] = ResultError,
    *,
    infinite: bool = False,
) -> Any:
    """The document of a JSON file, or of JSON text in memory.

    ``NaN`` is read, as many annotation files hold it; ``Infinity`` is not unless asked for.

    Args:
        source: the file, or its content.
        where: what messages call it; the file's path by default.
        error: kind of error to raise.
        infinite: accept ``Infinity``, which an option of a tracker may be.

    Raises:
        error: the file cannot be read, is not JSON, or exceeds a limit of size or depth.
    """
    place = where or (source if isinstance(source, Path) else "JSON")
    data = read_whole(source, error, MAX_JSON_BYTES) if isinstance(source, Path) else source
    if len(data) > MAX_JSON_BYTES:
        raise error(f"{place}: expected at most {MAX_JSON_BYTES >> 20} MiB of JSON, found more")
    if (depth := _json_depth(data)) > MAX_JSON_DEPTH:
        raise error(
            f"{place}: cannot be read as JSON (nested {depth} deep, expected at most "
            f"{MAX_JSON_DEPTH}). Restore the file from its source."
        )
    if huge := _HUGE_NUMBER.search(data):
        line = data.count(b"\n", 0, huge.start()) + 1
        raise error(f"{place}:{line}: cannot be read as JSON (a number of over 300 digits)")
    try:
        document = json.loads(
            data, parse_constant=float if infinite else _nan, object_pairs_hook=unique_keys
        )
        if _SURROGATE.search(data):
            json.dumps(document, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as problem:
        reason = " ".join(str(problem).split())[:200]
        raise error(f"{place}: cannot be read as JSON ({reason})") from problem
    return document


def _nan(name: str) -> float:
    if name != "NaN":
        raise ValueError(f"expected numbers, found {name}")
    return float(name)


def _json_depth(data: bytes) -> int:
    """How deep the brackets of a JSON text nest; brackets inside strings count only if few."""
    depth = _bracket_depth(data)
    return depth if depth <= MAX_JSON_DEPTH else _bracket_depth(_JSON_TEXT.sub(b"", data))


def _bracket_depth(data: bytes) -> int:
    brackets = np.frombuffer(data.translate(None, _NO_BRACKETS), dtype=np.uint8)
    opens = (brackets == ord("[")) | (brackets == ord("{"))
    return int(np.cumsum(np.where(opens, 1, -1)).max(initial=0))


def parse_rows(
    data: bytes,
    where: Path | str,
    columns: int = 4,
    error: type[BenchError] = ResultError,
    *,
    foreign: bool = False,
) -> FloatArray:
    """``read_rows`` for text in memory; ``where`` names the file in messages.

    In ``foreign`` text, lines before the first row may be empty, comments or the header
    ``x,y,w,h``, and rows may be quoted or in brackets and have other words for NaN.
    """
    rows = _parse_fast(data, columns)
    if rows is not None:
        return rows
    if foreign and data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):  # Windows PowerShell
        data = data.decode("utf-16", errors="replace").encode()
    return _parse_carefully(data, where, columns, error, foreign)


def check_digits(data: bytes, where: Path | str, error: type[BenchError] = ResultError) -> None:
    """Refuse a text with a number of more digits than any program writes.

    Raises:
        error: a number has 40 digits or more; the message names its line.
    """
    ends = np.flatnonzero(np.frombuffer(data, dtype=np.uint8) == ord("\n"))
    if np.diff(ends, prepend=-1, append=len(data)).max() < _DIGITS:
        return
    if long := _LONG_NUMBER.search(data):
        line = data.count(b"\n", 0, long.start()) + 1
        raise error(
            f"{where}:{line}: expected numbers of fewer than {_DIGITS} digits, found "
            f"{long[0][:20].decode()}... Restore the file from its source."
        )


def _parse_fast(data: bytes, columns: int) -> FloatArray | None:
    """Parse comma-separated numbers with a JSON parser; None for any other text."""
    data = data.rstrip()
    separators = data.translate(None, _NUMBER_BYTES)
    lines = (len(separators) + 1) // columns
    if not data or separators != ((b"," * (columns - 1) + b"\n") * lines)[:-1]:
        return None
    flat = parse_numbers(data)
    if flat is None or flat.size != lines * columns:
        return None
    return flat.reshape(lines, columns)


def parse_numbers(data: bytes) -> FloatArray | None:
    """Parse numbers ``(N,)`` separated by commas and newlines; None if they are not JSON."""
    try:
        document = _parser().parse(b"[" + data.replace(b"\n", b",") + b"]")
        return np.frombuffer(cast(simdjson.Array, document).as_buffer(of_type="d"))
    except (ValueError, TypeError, RuntimeError):
        return None


@lru_cache(maxsize=1)
def _parser() -> simdjson.Parser:
    """One shared parser: allocating its buffers costs more than parsing a file."""
    return simdjson.Parser()


def _parse_carefully(
    data: bytes, where: Path | str, columns: int, error: type[BenchError], foreign: bool
) -> FloatArray:
    """Parse line by line, with any delimiter, so that errors name the line."""
    if (rows_found := data.count(b"\n")) > MAX_ROWS:
        raise error(f"{where}: expected at most {MAX_ROWS} rows, found {rows_found}")
    text = data.removeprefix(codecs.BOM_UTF8).decode("ascii", errors="replace").rstrip()
    lines = text.splitlines()
    above = _heading(lines) if foreign and columns == _BOX else 0
    bare = _bare(lines[above:]) if foreign else lines[above:]
    rows = np.empty((len(lines) - above, columns))
    for number, (line, read) in enumerate(zip(lines[above:], bare, strict=True), above + 1):
        if len(line) > _MAX_LINE:
            raise error(
                f"{where}:{number}: expected {columns} numbers, found a line of {len(line)} "
                f"characters: {line[:80]!r}"
            )
        fields = read.translate(_BLANKS).split()
        if len(fields) != columns:
            raise error(
                f"{where}:{number}: expected {columns} numbers, found {len(fields)}: "
                f"{line[:80]!r}{_hint(line, fields, columns)}"
            )
        try:
            rows[number - 1 - above] = [float(field) for field in fields]
        except ValueError:
            raise error(f"{where}:{number}: expected numbers, found {line[:80]!r}") from None
    if odd := _odd_line(lines[above:]):
        line = lines[above + odd - 1]
        raise error(
            f"{where}:{above + odd}: expected {columns} plain numbers, found {line[:80]!r}"
        )
    return rows


def _odd_line(lines: list[str]) -> int:
    """The first row, from 1, that has a field too many, or alone begins with a tab; 0 for none."""
    padded = "\n".join(["", *lines])
    if odd := _NOT_A_FIELD.search(padded):
        return len(padded[: odd.end()].splitlines()) - 1
    tabs = [line.startswith("\t") for line in lines]
    return 0 if all(tabs) or not any(tabs) else tabs.index(True) + 1


def _bare(lines: list[str]) -> list[str]:
    """Rows without the quotes, brackets or bars of lists and tables; what is unpaired stays."""
    text = "\n".join(lines)
    paired = all(text.count(a) == text.count(b) for a, b in ("[]", "()"))
    bare = []
    for line in lines:
        read = _QUOTED.sub(r" \2 ", _UNKNOWN.sub("nan", line))
        if paired:
            read = _BETWEEN.sub(",", read.strip("[]() \t,;"))
        bare.append(read.replace("|", " ") if read.count("|") >= _BARS else read)
    return bare


def _heading(lines: list[str]) -> int:
    """How many lines before the first row are empty, comments, or the header of boxes.

    A comment that names other columns, as ``# x1 y1 x2 y2``, is none.
    """

    def skipped(line: str) -> bool:
        if not line.strip() or _HEADER.fullmatch(line):
            return True
        others = _COLUMNS.fullmatch(line) and not _HEADER.search(line)
        return line[0] in "#%" and not others

    return sum(1 for _ in itertools.takewhile(skipped, lines))


def _hint(line: str, fields: list[str], columns: int) -> str:
    """How to mend a line of too many fields; empty where nothing is known."""
    if len(fields) <= columns:
        return ""
    if "." not in line and "," in line and not any(map(str.isalpha, line)):
        return ". Write decimals with a point if these commas are decimal ones"
    if columns == _BOX and len(fields) == 2 * _BOX:
        return ". Write x, y, w, h of the box around them if these are four corners"
    return ". Keep the columns x, y, w, h alone" if columns == _BOX else ""
