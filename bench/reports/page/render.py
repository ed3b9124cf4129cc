"""Fills the templates. What they print is escaped by Jinja, whatever it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bench import __version__
from bench.errors import ConfigError
from bench.reports.page import rows as tables
from bench.reports.page.timeline import Track, frame_count
from bench.reports.study import Study
from bench.results.record import now


@dataclass(frozen=True)
class Leader:
    """One of the best trackers of a benchmark, with the length of its bar in percent."""

    name: str
    text: str
    percent: float


class Renderer:
    """Turns studies into pages of HTML."""

    def __init__(self, studies: list[Study], styles: Mapping[str, tables.Style]) -> None:
        try:
            from jinja2 import Environment, PackageLoader, StrictUndefined
        except ImportError:
            raise ConfigError(
                "the report page needs Jinja: pip install 'siamattn-bench[reports]'"
            ) from None
        self.studies = studies
        self.styles = styles
        self.environment = Environment(
            loader=PackageLoader("bench.reports.page"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.environment.globals.update(studies=studies, written=now(), version=__version__)

    def overview(self) -> str:
        """The page that all others are linked from."""
        main = [study for study in self.studies if study.key == study.benchmark.name]
        return self._render(
            "index.html.j2",
            root="",
            main=main,
            leaders={study.key: leaders(study) for study in main},
            headings={study.key: heading(study) for study in main},
            rows=self._matrix(main),
        )

    def study(self, study: Study, files: list[str]) -> str:
        """The page of a benchmark."""
        return self._render(
            "study.html.j2",
            root="",
            study=study,
            columns=tables.columns_of(study),
            rows=tables.summary_rows(study, self.styles),
            notes=tables.footnotes(study),
            pages=list(zip(study.sequences, files, strict=True)),
            frame_count=frame_count,
        )

    def sequence(self, study: Study, files: list[str], index: int, tracks: list[Track]) -> str:
        """The page of a sequence.

        Args:
            study: that it belongs to.
            files: names of the pages of all its sequences.
            index: which of them.
            tracks: of every tracker.
        """
        name = study.sequences[index].name
        columns = tables.sequence_columns(study)
        return self._render(
            "sequence.html.j2",
            root="../",
            study=study,
            sequence=study.sequences[index],
            columns=columns,
            cells={
                track.tracker: tables.sequence_cells(study, name, track.tracker, columns)
                for track in tracks
            },
            frames=frame_count(study.sequences[index]),
            data=f"{study.key}/{files[index]}",
            before=self._neighbour(study, files, index - 1),
            after=self._neighbour(study, files, index + 1),
            tracks=tracks,
            styles=self.styles,
            notes=tables.footnotes(study),
        )

    def papers(self, tables: Iterable[str]) -> str:
        """The page of printed tables.

        Args:
            tables: as HTML, with names escaped.
        """
        from markupsafe import Markup

        return self._render("papers.html.j2", root="", papers=[Markup(each) for each in tables])

    def _neighbour(self, study: Study, files: list[str], index: int) -> Mapping[str, str] | None:
        if not 0 <= index < len(files):
            return None
        return {"name": study.sequences[index].name, "href": f"{files[index]}.html"}

    def _matrix(self, main: list[Study]) -> list[dict[str, Any]]:
        """Every tracker with its row of every benchmark, those on most benchmarks first."""
        found: dict[str, dict[str, tables.Row]] = {}
        for study in main:
            for row in tables.summary_rows(study, self.styles):
                found.setdefault(row.name, {})[study.key] = row
        ordered = sorted(found.items(), key=lambda item: (-len(item[1]), item[0].lower()))
        return [{"name": name, "style": self.styles[name], "rows": rows} for name, rows in ordered]

    def _render(self, template: str, **values: Any) -> str:
        return self.environment.get_template(template).render(**values)


def heading(study: Study) -> str:
    """Heading of the measure that a study ranks by."""
    return study.layout.columns[study.first_measure]


def leaders(study: Study, count: int = 3) -> list[Leader]:
    """The first few trackers of a study, as bars relative to 1 (to the best for EAO)."""
    columns = tables.columns_of(study)
    values = [(n, study.value(n, study.first_measure)) for n in study.trackers[:count]]
    known = [(name, value) for name, value in values if value == value]
    longest = max([value for _, value in known] + [1e-9]) if study.first_measure == "eao" else 1.0
    return [
        Leader(name, columns[0].text(value), round(100 * value / longest, 1))
        for name, value in known
    ]
