"""Declarations of benchmarks from outside the package, kept beside the results of them.

``<results>/<benchmark>/benchmark.json`` holds the whole declaration, its list of sequences
included, so that results can be scored, listed and shown later and elsewhere.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from bench.benchmarks import Benchmark, benchmarks, declare_stored, get_benchmark
from bench.errors import ConfigError, ResultError
from bench.files import read_json, write_atomically
from bench.results.stores import Store

FILE = "benchmark.json"


def keep_declaration(store: Store) -> None:
    """Write the declaration of a store's benchmark beside its results, if it is not built in.

    Raises:
        ResultError: it cannot be written.
    """
    text = _text(get_benchmark(store.benchmark))
    path = store.root / store.benchmark / FILE
    if not text or (path.is_file() and path.read_bytes() == text):
        return
    try:
        write_atomically(path, text)
    except OSError as error:
        raise ResultError(f"{path}: cannot be written ({error.strerror})") from error


def fingerprint_of(benchmark: Benchmark) -> str | None:
    """SHA-256 of a declaration as it is kept; None for a benchmark inside the package."""
    text = _text(benchmark)
    return hashlib.sha256(text).hexdigest() if text else None


def _text(benchmark: Benchmark) -> bytes:
    if not benchmark.declared:
        return b""
    return (json.dumps(benchmark.declared, indent=1, ensure_ascii=False) + "\n").encode()


def declare_beside(results: Path) -> None:
    """Make the benchmarks known whose declarations lie below a folder of results.

    Raises:
        ConfigError: a declaration there is malformed.
        ResultError: it is not JSON.
    """
    for path in sorted(results.glob(f"*/{FILE}")):
        content = read_json(path)
        if not isinstance(content, dict):
            raise ConfigError(
                f"{path}: expected the declaration of a benchmark, found another structure. "
                "Restore the file, or delete it and give the declaration with --benchmarks FILE."
            )
        declare_stored(content, path)


def benchmark_of(name: str, results: Path) -> Benchmark:
    """A benchmark by name, also one whose declaration lies beside its results.

    Raises:
        ConfigError: it is unknown; where there are results of it, what is missing beside them.
    """
    try:
        return get_benchmark(name)
    except ConfigError:
        declare_beside(results)
    if name not in benchmarks() and (results / name).is_dir() and name not in ("", ".", ".."):
        raise ConfigError(
            f"{results / name} holds results of a benchmark that is not built in, and its "
            f"declaration {FILE} is missing there. Give it with --benchmarks FILE."
        )
    return get_benchmark(name)
