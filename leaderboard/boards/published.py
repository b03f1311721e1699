"""The published board: the papers' tables as printed, ours beside, and in words what was done otherwise."""

from __future__ import annotations

import string
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from leaderboard.entries import Entry, attack_label, entries, labels, not_default, told_apart
from leaderboard.published import NUMBERS, Ours, Paper, PublishedTable, differences, not_stated, read_published
from leaderboard.rows import Reading
from leaderboard.tables import Column, Table, table
from leaderboard.victim_names import defenses_of, training_settings, victim_details

__all__ = ["published_board"]

COLUMNS = (
    Column("name", "Row", "as the paper names it; of ours attack, parameters and victim"),
    Column("source", "Source", "paper, or ours"),
    Column("protocol", "Differs", "in what ours was made otherwise: see the letters below"),
    *(number.column for number in NUMBERS),
)

_ROUNDING = 1e-9


def published_board(reading: Reading) -> list[Table]:
    """Return the papers' tables; under a row stand ours on the same data with the same attack, of each victim one.

    Which one: that with the fewest differences from what the paper states, of these that on the most sentences, with
    the most seeds, with the most queries.
    """
    papers, damage = read_published(reading.results)
    reading.damage.extend(damage)
    ours = entries(reading.runs)
    datasets = reading.wanted.datasets
    return [
        _table(paper, printed, ours)
        for paper in papers
        for printed in paper.tables
        if not datasets or printed.dataset in datasets
    ]


def _table(paper: Paper, printed: PublishedTable, ours: Sequence[Entry]) -> Table:
    rows = [row for row in ours if row.spec.dataset == printed.dataset and _as_many(row, printed)]
    alike = [[row for row in rows if any(_is_like(row, like) for like in theirs.ours)] for theirs in printed.rows]
    beside = [_nearest(candidates, printed) for candidates in alike]
    differing = [[differences(printed.protocol, row) for row in nearest] for nearest in beside]
    every = [own for of_row in differing for own in of_row]
    shared = [words for words in every[0] if all(words in own for own in every)] if every else []
    records: list[dict[str, Any]] = []
    letters: dict[str, str] = {}
    for theirs, nearest, of_row in zip(printed.rows, beside, differing, strict=True):
        records.append({"name": theirs.name, "source": "paper", **theirs.numbers})
        for row, name, told in zip(nearest, _names(nearest), of_row, strict=True):
            own = "; ".join(words for words in told if words not in shared)
            letter = letters.setdefault(own, _letter(len(letters))) if own else None
            record = {"name": name, "source": "ours", "protocol": letter}
            records.append({**record, **_numbers(row)})
    unstated = not_stated(printed.protocol) if every else []
    left_out = sum(map(len, alike)) - sum(map(len, beside))
    notes = [
        f"{printed.about}. Rows marked paper: {_cited(paper)}, as printed.",
        f"Ours, so not comparable: {'; '.join(shared)}." if shared else "",
        *(f"Ours, {letter}{'' if shared else ', so not comparable'}: {own}." for own, letter in letters.items()),
        f"The paper does not state: {', '.join(unstated)}." if unstated else "",
        f"Of a victim's runs of an attack the nearest stands here; left out: {left_out}." if left_out else "",
    ]
    used = {key for row in printed.rows for key in row.numbers}
    columns = [_as_printed(column, printed) for column in COLUMNS if column.digits is None or column.key in used]
    of_paper = {"paper": paper.key, "table": printed.name}
    return table(f"{paper.title} ({paper.year}), {printed.name}", columns, records, notes, [paper.citation], of_paper)


def _as_printed(column: Column, printed: PublishedTable) -> Column:
    """Show as many digits as the paper does where that is more."""
    numbers = [row.numbers[column.key] * column.scale for row in printed.rows if column.key in row.numbers]
    if column.digits is None or all(abs(number - round(number, column.digits)) < _ROUNDING for number in numbers):
        return column
    return replace(column, digits=column.digits + 1)


def _names(rows: Sequence[Entry]) -> list[str]:
    """Name rows by attack and victim; victims of one name are told apart by their weights."""
    names = [f"{name} on {row.spec.victim}" for row, name in zip(rows, labels(rows), strict=True)]
    return told_apart(names, [victim_details(row.spec.victim_fingerprint, row.spec.victim_settings) for row in rows])


def _nearest(rows: Sequence[Entry], printed: PublishedTable) -> list[Entry]:
    """Keep of each victim and attack the row made most as the paper made its own."""

    def distance(row: Entry) -> tuple[int, ...]:
        return len(differences(printed.protocol, row)), -len(row.spec.sentence_ids), -len(row.runs), -row.spec.queries

    groups: dict[tuple[str, ...], list[Entry]] = defaultdict(list)
    for row in rows:
        spec = row.spec
        groups[attack_label(spec.attack, spec.parameters), spec.victim, spec.victim_fingerprint].append(row)
    return [min(group, key=distance) for group in groups.values()]


def _as_many(row: Entry, printed: PublishedTable) -> bool:
    """Where a paper's F1 is that of all sentences, refuse runs on some, or on those the victim nearly gets right."""
    if printed.protocol.get("max_missed") != 1:
        return True
    rule, spec = row.spec.selection, row.spec
    return rule.get("max_missed") == 1 and len(spec.sentence_ids) < rule.get("limit", 0)


def _is_like(row: Entry, like: Ours) -> bool:
    """Tell whether a row of ours is that attack with those parameters, else its defaults, on a victim so defended."""
    given = {k: v for k, v in row.spec.parameters.items() if not isinstance(v, dict)}
    same = row.spec.attack == like.attack and not_default(like.attack, given) == not_default(
        like.attack, like.parameters
    )
    if like.sentences and training_settings(row.spec.victim).get("sentences") != like.sentences:
        return False
    return same and like.defense == "+".join(defenses_of(row.spec.victim))


def _numbers(row: Entry) -> dict[str, Any]:
    cells: dict[str, Any] = {}
    for number in NUMBERS:
        if number.ours is not None:
            cells |= row.average(number.ours).cells(number.column.key)
    return cells


def _cited(paper: Paper) -> str:
    families = [author.rsplit(" ", 1)[-1] for author in paper.authors]
    return f"{f'{families[0]} et al.' if len(families) > 2 else ' & '.join(families)} {paper.year}"  # noqa: PLR2004


def _letter(number: int) -> str:
    return string.ascii_lowercase[number % 26] + (str(number // 26 + 1) if number >= 26 else "")  # noqa: PLR2004
