"""The printed tables of papers beside the scores of a report's studies."""

from __future__ import annotations

from collections.abc import Iterator

from bench.reports.study import Study


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

    stored = {s.key: s.stored for s in studies if s.key == s.benchmark.name}
    for name in table_names():
        paper = paper_table(name)
        if paper.scored:
            ours = [stored[benchmark] for benchmark in paper.benchmarks if benchmark in stored]
            yield to_html(build_table(paper, ours))
