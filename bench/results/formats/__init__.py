"""The community's formats of raw results, by name.

Every format keeps boxes to the last bit. ``got10k`` and ``pytracking`` also keep times,
``otb-mat`` and ``otb-json`` a mean frame rate, the others none; ``pytracking`` keeps confidences.
No format of boxes has masks.
"""

from __future__ import annotations

from bench.benchmarks import get_benchmark
from bench.errors import ResultError, unknown_name
from bench.results.formats.base import Exported, Format, Found, RawResult
from bench.results.formats.matching import listed
from bench.results.formats.matlab import MatFormat
from bench.results.formats.otb import JsonFormat
from bench.results.formats.source import TEXTS, Source, open_source, runs_of
from bench.results.formats.text import TextFormat, delimiter_of, is_companion

__all__ = [
    "EXPERIMENTS",
    "FORMATS",
    "Exported",
    "Format",
    "Found",
    "RawResult",
    "Source",
    "get_format",
    "open_source",
    "runs_of",
    "sniff_format",
]

_FORMATS: tuple[Format, ...] = (
    TextFormat("pysot"),
    TextFormat("got10k", folder="{benchmark}/{tracker}", times="times/{sequence}_time.txt"),
    TextFormat(
        "pytracking",
        delimiter="\t",
        times="{sequence}_time.txt",
        scores="{sequence}_object_presence_scores.txt",
    ),
    TextFormat("lasot", folder="{tracker}_tracking_result"),
    MatFormat(),
    JsonFormat(),
    TextFormat("trackingnet"),
)
FORMATS = tuple(format_.name for format_ in _FORMATS)
"""Names of the formats of one-pass results."""

EXPERIMENTS = "vot"
"""Name of the format of VOT experiments, see ``bench.results.vot``."""


def get_format(name: str) -> Format:
    """The format of one-pass results called ``name``.

    Raises:
        ConfigError: unknown format; the message lists the known ones.
    """
    found = next((format_ for format_ in _FORMATS if format_.name == name), None)
    if found is None:
        raise unknown_name("format", name, (*FORMATS, EXPERIMENTS))
    return found


def sniff_format(source: Source, benchmark: str) -> str:
    """Detect the format of a source.

    All text formats are read alike; the choice among them only affects notes on delimiters.

    Raises:
        ResultError: the source has no raw results.
    """
    kinds = {".txt": TEXTS, ".mat": (".mat",), ".json": (".json",)}
    counts = {kind: len(source.with_suffix(*suffixes)) for kind, suffixes in kinds.items()}
    suffix = max(counts, key=lambda key: counts[key])
    if not counts[suffix]:
        folders = list(source.ignored)
        others = [file.path.name for file in source.files if len(file.path.parts) == 1]
        inside = f" but the files {listed(others, 3)}" if others else ""
        inside = f" but the folders {listed(folders, 10)}" if folders else inside
        example = f", such as {source.path / folders[0]}, or its name as --name" if folders else ""
        raise ResultError(
            f"{source.path}: expected raw results, one .txt, .mat or .json file per sequence, "
            f"found none{inside}. Give the folder of one tracker{example}."
        )
    if suffix != ".txt":
        return "otb-mat" if suffix == ".mat" else "otb-json"
    return _sniff_text(source, benchmark)


def _sniff_text(source: Source, benchmark: str) -> str:
    texts = source.with_suffix(*TEXTS)
    if any(file.path.parts[0] == "times" for file in source.files):
        return "got10k"
    if source.path.stem.endswith("_tracking_result"):
        return "lasot"
    boxes = next((file for file in texts if not is_companion(file)), texts[0])
    if any(is_companion(file) for file in texts) or delimiter_of(boxes.load()) == "\t":
        return "pytracking"
    return get_benchmark(benchmark).result_format
