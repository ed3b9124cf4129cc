"""Writes the folder of a report: pages, data, assets and videos, all or nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import Literal, cast

from bench.arrays import Image
from bench.comparison import Difference, Opened
from bench.errors import BenchError, ConfigError, ResultError
from bench.evaluation.along import Track, tracks_along
from bench.locks import locked
from bench.reports.escaping import without_folders
from bench.reports.page import views
from bench.reports.page.encoding import file_names, script
from bench.reports.page.render import Renderer
from bench.reports.palette import looks
from bench.reports.section import ReportSection, shareable_section
from bench.reports.table import Table
from bench.sequence import Sequence

_MARK = ".bench-report"
_LOCK = ".lock"  # of bench.locks
_FIRST = 3
FPS = 25.0

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Extra:
    """What the page of a section shows besides its scores.

    Attributes:
        tables: below the scores.
        pages: further pages that it links to: the name of each, its title and its tables.
    """

    tables: tuple[Table, ...] = ()
    pages: Mapping[str, tuple[str, tuple[Table, ...]]] = field(default_factory=dict)


@dataclass(frozen=True)
class Videos:
    """Which sequences get a video.

    Attributes:
        which: none, the first three of each benchmark with frames, or all with frames.
        width: wider frames are scaled down to it, in pixels.
    """

    which: Literal["none", "first", "all"] = "first"
    width: int = 640

    def wanted(self, sequences: tuple[Sequence, ...]) -> frozenset[str]:
        """Names of the sequences to write a video of."""
        having = [s.name for s in sequences if s.frames is not None and len(s.frames)]
        last = {"none": 0, "first": _FIRST, "all": len(having)}[self.which]
        return frozenset(having[:last])


def write_report(
    sections: list[ReportSection],
    folder: Path,
    videos: Videos,
    progress: Progress | None = None,
    known: Iterable[str] = (),
    pairs: Mapping[str, tuple[Difference, Opened]] | None = None,
    extras: Mapping[str, Extra] | None = None,
    heading: str = "Tracking report",
) -> list[str]:
    """Write the report; an earlier one stays until the new one is complete.

    Args:
        sections: one per page, in the order of the overview.
        folder: created, or replaced if it holds a report.
        videos: which sequences get one.
        progress: called with what is being written.
        known: further trackers with results, so that those shown keep their looks.
        pairs: two runs side by side, by the key of their section.
        extras: what else sections show, by their key.
        heading: of the overview.

    Returns:
        messages about videos that could not be written because frames cannot be read.

    Raises:
        ConfigError: the folder holds something else or cannot be written.
    """
    _require_ours(folder)
    try:
        with _swapped_in(folder) as partial:
            watch = progress or (lambda _: None)
            return _Writer(
                partial, sections, videos, watch, known, pairs or {}, extras or {}, heading
            ).write()
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be written ({error.strerror or error})") from error


def _require_ours(folder: Path) -> None:
    """Check that the folder is new or holds an earlier report."""
    if folder.is_dir() and not any(folder.iterdir()):
        return
    if folder.exists() and not (folder / _MARK).is_file():
        raise ConfigError(
            f"{folder}: expected a new folder or an earlier report, found something else. Name "
            "another folder with --out, or delete this one."
        )


@contextmanager
def _swapped_in(folder: Path) -> Iterator[Path]:
    """A folder to write into that replaces ``folder`` on success."""
    folder = folder.absolute()
    partial = folder.with_name(f".{folder.name}.partial")
    earlier = folder.with_name(f".{folder.name}.earlier")
    with _only_writer(folder, partial):
        if earlier.exists() and not folder.exists():  # killed between the two renames below
            earlier.rename(folder)
        shutil.rmtree(earlier, ignore_errors=True)
        try:
            yield partial
            if folder.exists():
                folder.rename(earlier)
            partial.rename(folder)
            (folder / _LOCK).unlink(missing_ok=True)
        finally:
            if earlier.exists() and not folder.exists():
                earlier.rename(folder)
            shutil.rmtree(partial, ignore_errors=True)
            shutil.rmtree(earlier, ignore_errors=True)


@contextmanager
def _only_writer(folder: Path, partial: Path) -> Iterator[None]:
    """Hold ``partial``, emptied of what a killed writer left, for this process.

    Raises:
        ConfigError: another process writes this report, or the folder cannot be locked.
    """
    with ExitStack() as held:
        try:
            held.enter_context(locked(partial))
        except ResultError as error:
            if isinstance(error.__cause__, TimeoutError):
                raise ConfigError(
                    f"{folder}: another `bench report` is writing there. Wait for it to end, or "
                    "name another folder with --out."
                ) from error
            raise ConfigError(str(error).replace(partial.name, folder.name)) from error
        for left_over in partial.iterdir():
            if left_over.is_dir():
                shutil.rmtree(left_over)
            elif left_over.name != _LOCK:
                left_over.unlink()
        yield


class _Writer:
    """Writes one report into an empty folder."""

    def __init__(
        self,
        folder: Path,
        sections: list[ReportSection],
        videos: Videos,
        progress: Progress,
        known: Iterable[str],
        pairs: Mapping[str, tuple[Difference, Opened]],
        extras: Mapping[str, Extra],
        heading: str,
    ) -> None:
        self.pairs, self.extras = pairs, extras
        self.folder = folder
        self.sections = list(map(shareable_section, sections))
        self.videos = videos
        self.progress = progress
        self.looks = looks([*known, *(name for each in sections for name in each.trackers)])
        self.renderer = Renderer(self.sections, self.looks, heading)
        self.problems: list[str] = []

    def write(self) -> list[str]:
        _copy_assets(self.folder / "assets")
        for section in self.sections:
            files = file_names(sequence.name for sequence in section.sequences)
            self._write_section(section, files)
            filmed = self.videos.wanted(section.sequences)
            for index, sequence in enumerate(section.sequences):
                self._write_sequence(section, files, index, film=sequence.name in filmed)
        self._write_text("papers.html", self.renderer.papers(paper_tables(self.sections)))
        self._write_text("index.html", self.renderer.overview())
        self._write_text(_MARK, "written by `bench report`, which may replace this folder\n")
        return self.problems

    def _write_section(self, section: ReportSection, files: list[str]) -> None:
        self.progress(section.title)
        if section.scores is not None:
            data = views.section_data(section, section.scores, self.looks, files)
            self._write_text(f"data/{section.key}.js", script(section.key, data))
        extra = self.extras.get(section.key, Extra())
        links = list(self._write_pages(section, extra))
        page = self.renderer.section(section, files, links, extra.tables)
        self._write_text(f"{section.key}.html", page)

    def _write_pages(self, section: ReportSection, extra: Extra) -> Iterator[tuple[str, str]]:
        """The further pages of a section; gives the address and the text of each link."""
        if section.key in self.pairs:
            yield self._write_pair(section), "Why two of these results differ"
        for name, (title, tables) in extra.pages.items():
            page = f"{section.key}-{name}.html"
            self._write_text(page, self.renderer.tables_page(section, title, tables))
            yield page, title

    def _write_pair(self, section: ReportSection) -> str:
        """The page of two runs side by side; returns its address."""
        from bench.reports.difference import difference_tables, shareable_difference
        from bench.reports.plots.difference import difference_plot

        found, opened = self.pairs[section.key]
        found = shareable_difference(found)
        page, picture = f"{section.key}-pair.html", f"data/{section.key}-pair.png"
        try:
            plot = difference_plot(found, opened)
            (self.folder / "data").mkdir(exist_ok=True)
            plot.savefig(self.folder / picture, dpi=150)
        except ConfigError:  # no sequence parts
            picture = ""
        tables = [t for t in difference_tables(found) if t.rows or t.notes]
        title = f"{found.a} and {found.b}"
        self._write_text(page, self.renderer.tables_page(section, title, tables, picture))
        return page

    def _write_sequence(
        self, section: ReportSection, files: list[str], index: int, *, film: bool
    ) -> None:
        sequence, key = section.sequences[index], f"{section.key}/{files[index]}"
        self.progress(f"{section.title}: {sequence.name}")
        store, trackers = section.store, section.trackers
        tracks = list(map(_shareable, tracks_along(store, trackers, sequence))) if store else []
        data = views.sequence_data(section, sequence, tracks, self.looks)
        video = self._write_video(section, sequence, key) if film else None
        self._write_text(f"data/{key}.js", script(key, {**data, "video": video, "fps": FPS}))
        self._write_text(f"{key}.html", self.renderer.sequence(section, files, index, tracks))

    def _write_video(self, section: ReportSection, sequence: Sequence, key: str) -> str | None:
        """Encode the frames; returns the address relative to the page, or None on failure."""
        from bench.reports.video import write_video

        path = f"video/{key}.mp4"
        try:
            write_video(_frames(sequence, self.videos.width), self.folder / path, FPS)
        except BenchError as error:
            self.problems.append(f"{section.title}: no video of {sequence.name}: {error}")
            return None
        return f"../{path}"

    def _write_text(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _shareable(track: Track) -> Track:
    """A track whose problem names no folder of this machine."""
    return (
        track if track.problem is None else replace(track, problem=without_folders(track.problem))
    )


def paper_tables(sections: list[ReportSection]) -> Iterator[str]:
    """Every printed table that results can be compared with, as HTML with escaped names.

    Args:
        sections: of a report; only main experiments are compared.
    """
    from bench.published.papers import paper_table, table_names
    from bench.reports.paper import build_table
    from bench.reports.render import to_html

    main = {section.benchmark.name: section for section in sections if section.is_main}
    for paper in map(paper_table, table_names()):
        if paper.scored:
            own = [main[benchmark] for benchmark in paper.benchmarks if benchmark in main]
            yield to_html(build_table(paper, own))


def _frames(sequence: Sequence, width: int) -> Iterator[Image]:
    """Every annotated frame, scaled down to ``width`` if wider."""
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
