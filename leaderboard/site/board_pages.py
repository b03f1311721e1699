"""One page for each board, with its charts and its tables to take away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from leaderboard.boards import BOARDS
from leaderboard.export import FORMATS
from leaderboard.site.charts import Chart
from leaderboard.site.heats import HEATS
from leaderboard.site.material import Material
from leaderboard.site.pages import Page
from leaderboard.tables import printable

__all__ = ["ABOUT", "ENDINGS", "TABLES", "About", "board_files", "board_pages", "board_path"]

TABLES = ("tables.js",)

ENDINGS: Mapping[str, str] = {"bibtex": "bib", "csv": "csv", "json": "json", "latex": "tex", "markdown": "md"}
_FORMAT_NAMES: Mapping[str, str] = {"bibtex": "BibTeX", "csv": "CSV", "json": "JSON", "latex": "LaTeX"}


class About(NamedTuple):
    """A board's name on the site, and what it is."""

    title: str
    text: str


ABOUT: Mapping[str, About] = {
    "attacks": About(
        "Attacks",
        "How often each attack breaks the model, what it costs the text, and which ranks the sentences can tell apart. "
        "Rows of a table share victim, data, sentences, threat model, goal and budget.",
    ),
    "victims": About(
        "Victims", "Models under the same attacks on the same sentences, by the F1 that is left in the worst case."
    ),
    "defenses": About(
        "Defenses", "A model and what defenses made of it, under the same attacks on the same sentences."
    ),
    "curves": About("Budgets", "Attack rate against the number of queries: what an attack reaches with less."),
    "pareto": About("Trade-offs", "What an attack reaches, and how much of the text it spends on that."),
    "transfer": About("Transfer", "Adversarial examples made against one model, put to another."),
    "published": About(
        "Published", "The papers' numbers as printed, ours beside them, and in words what was done otherwise."
    ),
}


def board_pages(material: Material) -> Iterator[Page]:
    """Yield a page for each board."""
    names = [(_about(name).title, board_path(name)) for name in sorted(BOARDS, key=_place)]
    by_title = {
        printable(contest.title): path for contest, path in zip(material.contests, material.contest_paths, strict=True)
    }
    for name in BOARDS:
        about = _about(name)
        tables = material.boards[name].tables
        shown = material.shown(tables)
        drawn = _charts(material, name)
        context = {
            "about": about.text,
            "needs": material.boards[name].needs,
            "remarks": material.boards[name].remarks,
            "boards": names,
            "tables": shown,
            "charts": {t.id: drawn.get(t.id) for t in shown},
            "heats": {s.id: HEATS[name](t) if name in HEATS else None for s, t in zip(shown, tables, strict=True)},
            "compared": {s.id: by_title.get(t.title) for s, t in zip(shown, tables, strict=True)},
            "exports": [(_FORMAT_NAMES.get(f, f.capitalize()), _export(name, f)) for f in FORMATS],
        }
        yield Page(board_path(name), "board.html", about.title, "boards", context, TABLES)


def board_files(material: Material) -> Iterator[tuple[str, str]]:
    """Yield path and content of what can be taken away: boards in each format, charts."""
    for name, board in material.boards.items():
        if board.tables:
            yield from ((_export(name, format_name), write(board.tables)) for format_name, write in FORMATS.items())
        for chart, path in _charts(material, name).values():
            yield path, chart.svg["wide"]


def _charts(material: Material, name: str) -> dict[str, tuple[Chart, str]]:
    """Return the charts of a board by the id of their table."""
    drawn = material.charts.get(name, [])
    return {f"t{k}": (chart, f"charts/{name}-{k}.svg") for k, chart in enumerate(drawn, 1) if chart}


def _about(name: str) -> About:
    return ABOUT.get(name, About(name.capitalize(), ""))


def _place(name: str) -> int:
    known = list(ABOUT)
    return known.index(name) if name in known else len(known)


def board_path(name: str) -> str:
    """Return the page of a board."""
    return f"boards/{name}.html"


def _export(name: str, format_name: str) -> str:
    return f"exports/{name}.{ENDINGS.get(format_name, format_name)}"
