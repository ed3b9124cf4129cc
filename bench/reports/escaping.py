"""Escaping and emphasis for Markdown, LaTeX and HTML."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from bench.reports.table import Mark

_START = re.compile(r"(?<![^\s'\"`(=,])(?:~?/|[A-Za-z]:[\\/])(?=[^\s\\/])")
_FOLDERS = re.compile(r"(?:[^\s\\/'\"`:]+[\\/])+(?=[^\s\\/'\"`:])")
_PATH_ENDS = re.compile(r"['\"`:\n]")


@dataclass(frozen=True)
class Dialect:
    """How one language writes the parts of a table.

    Attributes:
        escape: turns any characters into plain text.
        marks: pattern around the best and the second best figure.
        raised: pattern around the letter of a footnote.
        odd: pattern of a cell's state and its text, unless the state is ``known``.
        kind: pattern of a row's kind, twice.
        interval: pattern of a figure and its interval.
    """

    escape: Callable[[str], str]
    marks: Mapping[Mark, str]
    raised: str
    odd: str = "{1}"
    kind: str = "{1}"
    interval: str = "{0} {1}"


def plain(text: str) -> str:
    """Text on one line, without control characters and marks that change its direction."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def without_folders(text: str) -> str:
    """Text in which absolute paths are reduced to file names: what is passed on is not private.

    >>> without_folders("/home/me/results/kcf/Bolt.txt:3: found 5/60, see https://a.org/b")
    'Bolt.txt:3: found 5/60, see https://a.org/b'
    """
    found, done = [], 0
    for start in _START.finditer(text):
        end = _end_of_folders(text, start)
        if start.start() >= done and end > start.start():
            found.append(text[done : start.start()])
            done = end
    return "".join([*found, text[done:]])


def _end_of_folders(text: str, start: re.Match[str]) -> int:
    """Where the last part of a path begins; names with spaces count if such a folder exists.

    A path of one part, or what looks like one, has no folders.
    """
    spaceless = _FOLDERS.match(text, start.end())
    least = spaceless.end() if spaceless else start.start()
    stop = _PATH_ENDS.search(text, start.end())
    longest = text[start.start() : stop.start() if stop else len(text)]
    for place in reversed([place for place, sign in enumerate(longest) if sign in "/\\"]):
        end = start.start() + place + 1
        if end <= least:
            break
        if " " in longest[:place] and _is_folder(longest[:place]):
            return end
    return least


def _is_folder(name: str) -> bool:
    try:
        return Path(name).expanduser().is_dir()
    except (OSError, ValueError, RuntimeError):
        return False


def harmless(text: str) -> str:
    """A name for a CSV file: an apostrophe precedes what a spreadsheet would run as a formula.

    >>> harmless("=1+1"), harmless("kcf")
    ("'=1+1", 'kcf')
    """
    line = plain(text)
    return f"'{line}" if line.startswith(("=", "+", "-", "@")) else line


def escape_markdown(text: str) -> str:
    """Text that Markdown prints unchanged, also in tables."""
    kept = re.sub(r"([\\`*_\[\]|~$#!])", r"\\\1", plain(text))
    return html.escape(kept, quote=False)


def escape_html(text: str) -> str:
    """Text that HTML prints unchanged, inside an element or an attribute."""
    return html.escape(plain(text))


def escape_latex(text: str) -> str:
    """Text that LaTeX prints unchanged, in ASCII; letters it lacks by number, as U+8DDF."""
    written = str(_latex_encoder().unicode_to_latex(plain(text)))
    # After the end of a row, these would be read as an argument of it.
    return f"{{}}{written}" if written.startswith(("[", "*")) else written


@lru_cache(maxsize=1)
def _latex_encoder() -> Any:
    from pylatexenc.latexencode import (
        RULE_DICT,
        RULE_REGEX,
        UnicodeToLatexConversionRule,
        UnicodeToLatexEncoder,
        get_builtin_uni2latex_dict,
    )

    # The library ignores ligatures and characters that the default fonts draw differently.
    own = UnicodeToLatexConversionRule(
        RULE_REGEX,
        [
            (re.compile(r"\|"), r"{\\textbar}"),
            (re.compile(r"`"), r"{\\textasciigrave}"),
            (re.compile(r"([-'])(?=\1)"), r"\1{}"),
        ],
    )
    drawn = {
        code: written
        for code, written in get_builtin_uni2latex_dict().items()
        if code < 128 or _always_drawn(written)
    }
    return UnicodeToLatexEncoder(
        conversion_rules=[own, UnicodeToLatexConversionRule(RULE_DICT, drawn | _SIGNS)],
        unknown_char_policy="unihex",
        unknown_char_warning=False,
    )


# The library would need a package for these.
_SIGNS = {
    ord("×"): r"\ensuremath{\times}",
    ord("↑"): r"\ensuremath{\uparrow}",
    ord("↓"): r"\ensuremath{\downarrow}",
    ord("°"): r"\ensuremath{^\circ}",
}
# Commands of the default fonts: accents and letters, signs, Greek.
_TEXT = re.compile(
    "['`^\"~=.cvuHr]|ae|AE|oe|OE|[oOlLi]|ss|textendash|textemdash|textellipsis|textbullet"
    "|textquote(left|right|dblleft|dblright)|textsection|textcopyright|textregistered"
)
_MATHEMATICS = re.compile(
    "alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|lambda|mu|nu|xi|pi|rho|sigma|tau"
    "|upsilon|phi|chi|psi|omega|Gamma|Delta|Theta|Lambda|Xi|Pi|Sigma|Phi|Psi|Omega"
    "|times|pm|leq|geq|neq|approx|infty"
)


def _always_drawn(written: str) -> bool:
    """Whether LaTeX prints a character, as the library writes it, without any package."""
    commands = set(re.findall(r"\\([a-zA-Z]+|.)", written))
    known = _MATHEMATICS if "ensuremath" in commands else _TEXT
    return written.isascii() and all(map(known.fullmatch, commands - {"ensuremath"}))


MARKDOWN = Dialect(
    escape_markdown, {"best": "**{}**", "second": "<u>{}</u>"}, "<sup>{}</sup>", "*{1}*"
)
LATEX = Dialect(
    escape_latex,
    {"best": r"\textbf{{{}}}", "second": r"\underline{{{}}}"},
    r"\textsuperscript{{{}}}",
    r"\textit{{{1}}}",
    interval=r"\shortstack[r]{{{0}\\{{\scriptsize {1}}}}}",
)
HTML = Dialect(
    escape_html,
    {"best": "<strong>{}</strong>", "second": "<u>{}</u>"},
    "<sup>{}</sup>",
    '<span class="{0}">{1}</span>',
    '<span class="{0}">{1}</span>',
)
