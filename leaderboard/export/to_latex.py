"""Tables for a paper, with booktabs: the best of a column in bold, ties by their letters, a caption that tells how."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Sequence

from leaderboard.tables import Column, Table, best_rows, shown_on_paper

__all__ = ["escaped", "to_latex"]

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    **{character: f"\\{character}" for character in "&%$#_"},
    "–": "--",
    "—": "---",
    "−": "$-$",
    "±": r"$\pm$",
    "·": r"$\cdot$",
    "Δ": r"$\Delta$",
    "β": r"$\beta$",
    "γ": r"$\gamma$",
    "’": "'",
    "“": "``",
    "”": "''",
    "…": r"\ldots{}",
}

# Letters before this code point are in the fonts that pdflatex has by default.
_AFTER_LATIN = 0x180

_HEAD = "% Needs \\usepackage{array,booktabs,graphicx}.\n"

# Text with more characters is broken into lines.
_LONG_TEXT = 24
_TEXT_WIDTH = r">{\raggedright\arraybackslash}p{0.3\linewidth}"
# A table that is too wide is made smaller, as a whole.
_FIT = (
    "\\footnotesize\n\\setlength{\\tabcolsep}{4pt}\n"
    r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"
)


def to_latex(tables: Sequence[Table]) -> str:
    """Return one table environment each."""
    return _HEAD + "\n".join(_table(table, number) for number, table in enumerate(tables, 1))


def escaped(text: str) -> str:
    """Return a text that LaTeX prints as it is; a character that pdflatex has no glyph for becomes its number."""
    return "".join(_character(c) for c in text)


def _character(character: str) -> str:
    if character in _SPECIAL:
        return _SPECIAL[character]
    latin = "LATIN" in unicodedata.name(character, "") and ord(character) < _AFTER_LATIN
    if character.isascii() or latin:
        return character
    return f"U+{ord(character):04X}"


def _table(table: Table, number: int) -> str:
    import pandas as pd

    columns = [column for column in table.columns if not column.extra]
    cells = [[_cell(table, row, column) for row in range(len(table.frame))] for column in columns]
    # Numbered columns: two that are called the same stay two.
    styler = pd.DataFrame(dict(enumerate(cells))).style.hide(axis="index")
    bold = {k: best for k, column in enumerate(columns) if any(best := best_rows(table, column))}
    for k, best in bold.items():
        styler = styler.map(
            lambda _: "textbf:--rwrap;", subset=([row for row, is_best in enumerate(best) if is_best], [k])
        )
    headers = [_header(column, own) for column, own in zip(columns, cells, strict=True)]
    styler = styler.format_index(lambda k: headers[k], axis="columns")  # type: ignore[call-overload]  # k is a number
    marks = ["Bold: the best of a column, controls apart."] if bold else []
    text: str = styler.to_latex(
        column_format="".join(_alignment(column, own) for column, own in zip(columns, cells, strict=True)),
        position="t",
        position_float="centering",
        hrules=True,
        caption=escaped(" ".join([f"{table.title}.", *table.notes, *marks])),
        label=f"tab:gauntlet-{number}",
    )
    text = text.replace(r"\begin{tabular}", f"{_FIT}\n\\begin{{tabular}}", 1)
    return text.replace(r"\end{tabular}", "\\end{tabular}}", 1)


def _header(column: Column, cells: Sequence[str]) -> str:
    """Return a header that is no wider than what stands below it, if its words allow."""
    lines = textwrap.wrap(column.title, max(map(len, [*cells, *column.title.split()]))) or [""]
    stacked = r" \\ ".join(map(escaped, lines))
    return rf"\shortstack{{{stacked}}}" if len(lines) > 1 else stacked


def _alignment(column: Column, cells: Sequence[str]) -> str:
    if column.digits is not None:
        return "r"
    return _TEXT_WIDTH if max(map(len, cells), default=0) > _LONG_TEXT else "l"


def _cell(table: Table, row: int, column: Column) -> str:
    text, interval = map(escaped, shown_on_paper(table, row, column))
    return rf"{text} {{\scriptsize {interval}}}" if interval else text
