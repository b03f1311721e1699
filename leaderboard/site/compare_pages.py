"""Any two rows of a table side by side: a page for each table."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from leaderboard.site.addresses import slug
from leaderboard.site.board_pages import TABLES
from leaderboard.site.contests import MOST_ROWS, Contest
from leaderboard.site.heats import Heat, HeatCell
from leaderboard.site.material import Material
from leaderboard.site.pages import Page
from leaderboard.standing import ALPHA
from leaderboard.tables import Column, Table, table

__all__ = ["compare_pages"]

_PAIRS = (
    Column("first", "First", "the row that stands higher"),
    Column("second", "Second", "the row that stands lower"),
    Column("difference", "Difference", "first minus second, in points", 100, 1, headline=True),
    Column("p", "p", "two-sided, of the test named below", 1, 4),
    Column("adjusted", "Holm p", "p after Holm's correction, see below", 1, 4),
    Column("only_first", "More first", "sentences on which the first does more", 1, 0),
    Column("only_second", "More second", "sentences on which the second does more", 1, 0),
)


def compare_pages(material: Material) -> Iterator[Page]:
    """Yield the list of tables whose rows can be compared, and a page for each."""
    listed = [
        (contest.title, path, len(contest.rows), contest.measure)
        for contest, path in zip(material.contests, material.contest_paths, strict=True)
    ]
    yield Page("compare/index.html", "compare-index.html", "Compare", "compare", {"listed": listed})
    for contest, path in zip(material.contests, material.contest_paths, strict=True):
        heading, _, about = contest.title.partition(": ")
        context = {
            "contest": contest,
            "heading": heading,
            "about": about,
            "tables": material.shown([_pairs(contest)]),
            "matrix": _matrix(contest),
            "most": MOST_ROWS,
            "data": _data(contest, material),
        }
        yield Page(path, "compare.html", "Compare two rows", "compare", context, (*TABLES, "compare.js"))


def _pairs(contest: Contest) -> Table:
    records = [
        {
            **pair._asdict(),
            "first": contest.rows[pair.first],
            "second": contest.rows[pair.second],
            "difference.low": _number(pair.low),
            "difference.high": _number(pair.high),
        }
        for pair in contest.pairs
    ]
    ranked, with_control = contest.families
    over = f"{ranked} pairs of ranked rows" if ranked else ""
    over += (
        f"{' and, apart from them, over the ' if ranked else ''}{with_control} with a control" if with_control else ""
    )
    note = (
        f"Difference of {contest.measure} in points, with the paired bootstrap's 95 % interval; p by {contest.test}, "
        f"on {len(contest.sentences)} sentences. Holm p holds the error over the {over}: where it is at most "
        f"{ALPHA}, the two rows are told apart."
    )
    return table(f"All pairs: {contest.measure}", _PAIRS, records, [note])


def _matrix(contest: Contest) -> Heat:
    pairs = {(pair.first, pair.second): pair for pair in contest.pairs}
    widest = max((abs(pair.difference) for pair in contest.pairs), default=0.0) or 1.0

    def cell(row: int, column: int) -> HeatCell | None:
        if row == column:
            return None
        pair, sign = (pairs[row, column], 1) if row < column else (pairs[column, row], -1)
        apart = pair.adjusted <= ALPHA
        told = f"{contest.rows[row]} minus {contest.rows[column]}, Holm p {pair.adjusted:.4f}"
        tint = round(sign * pair.difference / widest, 2) if apart else 0.0
        text = f"{100 * sign * pair.difference:+.1f}".replace("-", "−")
        return HeatCell(text, tint, told, apart, f"#a={row}&b={column}")

    numbers = range(len(contest.rows))
    rows = tuple((contest.rows[row], tuple(cell(row, column) for column in numbers)) for row in numbers)
    return Heat("Who is ahead of whom", contest.rows, rows)


def _data(contest: Contest, material: Material) -> dict[str, Any]:
    """Return what the page looks up: rows with their counts a sentence, and all pairs."""
    return {
        "measure": contest.measure,
        "unit": contest.unit,
        "test": contest.test,
        "sentences": contest.sentences,
        "places": [slug(name) for name in contest.sentences],
        "rows": [
            {"name": name, "value": value, "page": material.addresses.run(run), "counted": counted}
            for name, value, run, counted in zip(
                contest.rows, contest.numbers, contest.runs, contest.counted, strict=True
            )
        ],
        "pairs": [
            [p.first, p.second, p.difference, _number(p.low), _number(p.high), p.p, p.adjusted] for p in contest.pairs
        ],
    }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
