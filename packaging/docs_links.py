"""A hook of the documentation site: files outside docs/ are named there, not linked."""

from __future__ import annotations

import re
from typing import Any

_OUTSIDE = re.compile(r"\[([^\]]+)\]\(\.\./([^)\s]+)\)")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """The page without links that lead out of the site.

    >>> on_page_markdown("[`kcf.py`](../trackers/kcf.py), the [card](../w/README.md)")
    '`kcf.py`, the card (`w/README.md`)'
    """
    return _OUTSIDE.sub(_named, markdown)


def _named(link: re.Match[str]) -> str:
    text, path = link.groups()
    return text if path.endswith(text.strip("`")) else f"{text} (`{path}`)"
