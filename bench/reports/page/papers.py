"""The printed tables of papers beside the scores of a report's studies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bench.reports.page.study import Study

if TYPE_CHECKING:
    from bench.reports.stored import Stored


def paper_tables(studies: list[Study]) -> Iterator[str]:
    """Every printed table that results can be held against, as HTML with all names escaped.

    Args:
        studies: of a report; experiments other than a benchmark's main one are left aside.

    Raises:
        ConfigError: the libraries of the extra ``reports`` are not installed.
    """
    from bench.published.papers import paper_table, table_names
    from bench.reports.paper import build_table
    from bench.reports.render import to_html

    stored = {s.key: _stored(s) for s in studies if s.key == s.benchmark.name}
    for name in table_names():
        paper = paper_table(name)
        if paper.scored:
            ours = [stored[benchmark] for benchmark in paper.benchmarks if benchmark in stored]
            yield to_html(build_table(paper, ours))


def _stored(study: Study) -> Stored:
    """A study as the tables of papers take it; nothing is scored anew."""
    from bench.reports.stored import Stored, stored_origin

    store = study.store
    origins = {name: stored_origin(store, name) for name in study.trackers} if store else {}
    failed = dict(study.scores.refused) if study.scores else {}
    if study.scores is None:
        failed = dict.fromkeys(study.trackers, study.problem or "")
    return Stored(
        study.benchmark.name,
        origins,
        study.scores,
        study.dataset is not None and study.dataset.miniature,
        failed,
        "broken" if study.scores else "unscored",
    )
