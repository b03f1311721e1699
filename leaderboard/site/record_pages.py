"""The front page, the ledger, the method, how to submit."""

from __future__ import annotations

from collections.abc import Iterator

from leaderboard.ledger_lines import Entry
from leaderboard.site.board_pages import ABOUT, TABLES, board_path
from leaderboard.site.material import Material
from leaderboard.site.pages import Page
from leaderboard.tables import Column, Table, table

__all__ = ["record_pages"]

_LEDGER = (
    Column("number", "No.", "line of the ledger", 1, 0),
    Column("date", "Date", "as recorded"),
    Column("verb", "What", "added, replayed, superseded or retracted"),
    Column("runs", "Run", "the run it speaks of"),
    Column("earned", "Earned", "of a replay: re-executed or verified"),
    Column("by", "By", "of a superseded run: the one in its place"),
    Column("reason", "Why", "in plain words"),
)


def record_pages(material: Material) -> Iterator[Page]:
    """Yield the pages that there is one of."""
    yield _front(material)
    tables = material.shown([_ledger(material.ledger)] if material.ledger else [])
    damage = sorted({str(error) for error in material.reading.damage})
    yield Page("ledger.html", "ledger.html", "Ledger", "ledger", {"tables": tables, "damage": damage}, TABLES)
    yield Page("method.html", "method.html", "Method", "method")
    yield Page("submit.html", "submit.html", "Submit", "submit")


def _front(material: Material) -> Page:
    """Show the table in which most rows are ranked."""
    tables = material.boards["attacks"].tables
    ranked = [len(table.frame) - sum(table.controls) for table in tables]
    featured = [tables[ranked.index(max(ranked))]] if tables else []
    specs = [run.spec for run in material.runs]
    counts = {
        "runs": len(specs),
        "attacks": len({spec.attack for spec in specs}),
        "victims": len({spec.victim for spec in specs}),
        "data sets": len({spec.dataset for spec in specs}),
        "attacked sentences": sum(len(spec.sentence_ids) for spec in specs),
    }
    boards = [
        (ABOUT[name].title if name in ABOUT else name, board_path(name), ABOUT[name].text if name in ABOUT else "")
        for name in material.boards
    ]
    context = {"counts": counts, "tables": material.shown(featured), "boards": boards}
    return Page("index.html", "index.html", "How robust is named-entity recognition?", "", context, TABLES)


def _ledger(entries: tuple[Entry, ...]) -> Table:
    records = [
        {
            "number": number,
            "date": entry.date,
            "verb": entry.verb,
            "runs": entry.run_id,
            "earned": entry.badge,
            "by": entry.by,
            "reason": entry.reason,
        }
        for number, entry in enumerate(entries, 1)
    ]
    records.reverse()
    note = "Each line carries the checksum of the line before, so nothing is changed or taken out unseen."
    return table("What was recorded, the newest first", _LEDGER, records, [note])
