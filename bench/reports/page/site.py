"""Writes the folder of a report: pages, data, assets and videos, all or nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Literal, cast

from bench.arrays import Image
from bench.errors import BenchError, ConfigError
from bench.reports.page import views
from bench.reports.page.encoding import file_names, script
from bench.reports.page.papers import paper_tables
from bench.reports.page.render import Renderer
from bench.reports.page.rows import styles_of
from bench.reports.page.timeline import stage_size, tracks_along
from bench.reports.study import Study
from bench.sequence import Sequence

_MARK = ".bench-report"
_FIRST = 3
FPS = 25.0

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Videos:
    """Which sequences get a video.

    Attributes:
        which: none, the first three of each benchmark, or all; in any case those with frames.
        width: pixels that frames are scaled down to where they are wider.
    """

    which: Literal["none", "first", "all"] = "first"
    width: int = 640

    def wanted(self, sequences: tuple[Sequence, ...]) -> frozenset[str]:
        """Names of the sequences to write a video of."""
        having = [s.name for s in sequences if s.frames is not None and len(s.frames)]
        last = {"none": 0, "first": _FIRST, "all": len(having)}[self.which]
        return frozenset(having[:last])


def write_report(
    studies: list[Study], folder: Path, videos: Videos, progress: Progress | None = None
) -> list[str]:
    """Write the report of several benchmarks; an earlier one stays until the new one is whole.

    Args:
        studies: one for each page, in the order of the overview.
        folder: to write; made, or replaced where it holds a report.
        videos: which sequences get one.
        progress: is told what is being written.

    Returns:
        what could not be written and why, in sentences: videos of frames that cannot be read.

    Raises:
        ConfigError: the folder holds something else, cannot be written, or a library is missing.
    """
    _require_ours(folder)
    try:
        with _swapped_in(folder) as partial:
            return _Writer(partial, studies, videos, progress or (lambda _: None)).write()
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be written ({error.strerror or error})") from error


def _require_ours(folder: Path) -> None:
    """Check that nothing but an earlier report would be replaced."""
    if folder.is_dir() and not any(folder.iterdir()):
        return
    if folder.exists() and not (folder / _MARK).is_file():
        raise ConfigError(
            f"{folder}: expected a new folder or an earlier report, found something else, which "
            "would be lost. Name another folder with --out, or delete this one."
        )


@contextmanager
def _swapped_in(folder: Path) -> Iterator[Path]:
    """A folder to write into that takes the place of ``folder`` once all went well."""
    folder = folder.absolute()
    partial = folder.with_name(f".{folder.name}.partial")
    earlier = folder.with_name(f".{folder.name}.earlier")
    if earlier.exists() and not folder.exists():  # killed between the two renames below
        earlier.rename(folder)
    for left_over in (partial, earlier):
        shutil.rmtree(left_over, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        if folder.exists():
            folder.rename(earlier)
        partial.rename(folder)
    finally:
        if earlier.exists() and not folder.exists():
            earlier.rename(folder)
        shutil.rmtree(partial, ignore_errors=True)
        shutil.rmtree(earlier, ignore_errors=True)


class _Writer:
    """Writes one report into an empty folder."""

    def __init__(
        self, folder: Path, studies: list[Study], videos: Videos, progress: Progress
    ) -> None:
        self.folder = folder
        self.studies = studies
        self.videos = videos
        self.progress = progress
        self.styles = styles_of(studies)
        self.filmed = {study.key: videos.wanted(study.sequences) for study in studies}
        self.renderer = Renderer(studies, self.styles)
        self.problems: list[str] = []

    def write(self) -> list[str]:
        _copy_assets(self.folder / "assets")
        for study in self.studies:
            files = file_names(sequence.name for sequence in study.sequences)
            self._write_study(study, files)
            for index in range(len(files)):
                self._write_sequence(study, files, index)
        self._write_text("papers.html", self.renderer.papers(paper_tables(self.studies)))
        self._write_text("index.html", self.renderer.overview())
        self._write_text(_MARK, "written by `bench report`, which may replace this folder\n")
        return self.problems

    def _write_study(self, study: Study, files: list[str]) -> None:
        self.progress(study.title)
        if study.scores is not None:
            data = views.study_data(study, self.styles, files)
            self._write_text(f"data/{study.key}.js", script(study.key, data))
        self._write_text(f"{study.key}.html", self.renderer.study(study, files))

    def _write_sequence(self, study: Study, files: list[str], index: int) -> None:
        sequence, file = study.sequences[index], files[index]
        self.progress(f"{study.title}: {sequence.name}")
        tracks = list(tracks_along(study, sequence))
        filmed = sequence.name in self.filmed[study.key]
        video = self._write_video(study, sequence, file) if filmed else None
        size = stage_size(sequence)
        data = views.sequence_data(study, sequence, tracks, self.styles, size)
        data |= {"video": video, "fps": FPS}
        key = f"{study.key}/{file}"
        self._write_text(f"data/{key}.js", script(key, data))
        self._write_text(f"{key}.html", self.renderer.sequence(study, files, index, tracks))

    def _write_video(self, study: Study, sequence: Sequence, file: str) -> str | None:
        """Encode the frames; its address as seen from the page, None where that failed."""
        from bench.reports.video import write_video

        path = f"video/{study.key}/{file}.mp4"
        try:
            write_video(_frames(sequence, self.videos.width), self.folder / path, FPS)
        except BenchError as error:
            self.problems.append(f"{study.title}: no video of {sequence.name}: {error}")
            return None
        return f"../{path}"

    def _write_text(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _frames(sequence: Sequence, width: int) -> Iterator[Image]:
    """Every annotated frame, scaled down where it is wider than ``width``."""
    import cv2

    frames = sequence.frames
    if frames is None:
        return
    for index in range(min(len(sequence), len(frames))):
        image = frames[index]
        scale = width / image.shape[1]
        if scale < 1:
            size = (width, round(image.shape[0] * scale))
            image = cast("Image", cv2.resize(image, size, interpolation=cv2.INTER_AREA))
        yield image


def _copy_assets(folder: Path) -> None:
    """The style sheet, our scripts, and Plotly's with its licence."""
    folder.mkdir()
    for part in ("assets", "vendor"):
        for asset in resources.files("bench.reports.page").joinpath(part).iterdir():
            (folder / asset.name).write_bytes(asset.read_bytes())
