"""The papers' numbers: `results/published/*.toml`, one file a paper, as printed.

A file holds the paper's citation, and for each of its tables what is known of the protocol, and the rows:

    [paper]             key, title, authors, year, venue
    [[tables]]          name, about; dataset: ours of that name stand beside
    [tables.protocol]   fields of `PROTOCOL`; one that is missing was not stated
    [[tables.rows]]     name, numbers by column (`NUMBERS`), ours: the attacks of ours that stand beside, on victims
                        without a defense unless one is named, trained on so many sentences if that is said
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from benchmark.errors import CorruptResult, GauntletError
from benchmark.metrics import METRICS
from leaderboard.citations import Citation
from leaderboard.entries import Entry
from leaderboard.tables import Column

__all__ = [
    "NUMBERS",
    "PROTOCOL",
    "Number",
    "Ours",
    "Paper",
    "PublishedRow",
    "PublishedTable",
    "differences",
    "not_stated",
    "read_published",
]


@dataclass(frozen=True, slots=True)
class Number:
    """A column of published rows.

    Attributes:
        column: how it is shown; its key is the field's name.
        ours: the metric of ours that stands beside; None for none.
    """

    column: Column
    ours: str | None = None


def _percent(key: str, title: str, description: str, ours: str | None = None) -> Number:
    return Number(Column(key, title, description, 100, 1), ours)


# What a row of a paper may tell. Percentages are stored as printed and become shares when they are read.
NUMBERS = (
    _percent("precision", "P", "precision after the attack (SeqAttack's tables head it Acc)", "precision.strict.after"),
    _percent("recall", "R", "recall after the attack", "recall.strict.after"),
    _percent("f1", "F1 after", "F1 after the attack", "f1.strict.after"),
    _percent("attack_rate", "Attack rate %", "share of the attacked sentences that were broken", "attack_rate"),
    _percent("modification_rate", "Mod %", "share of the tokens that were modified", "modification_rate"),
    _percent("l_score", "L-Score %", "share of the entities of a broken sentence that are wrong", "l_score.tokens"),
    _percent("similarity", "Sim %", "cosine of the two texts", "similarity"),
    Number(Column("grammar_errors", "ΔGErr", "grammar errors after minus before", 1, 2), "grammar_errors"),
    _percent("f1_clean", "Clean F1", "F1 on the clean test set", "f1.strict.before"),
    _percent("f1_clean_sd", "± F1", "its standard deviation over seeds"),
    _percent(
        "precision_clean",
        "Clean P",
        "precision on the clean test set (SeqAttack's tables head it Acc)",
        "precision.strict.before",
    ),
    _percent("recall_clean", "Clean R", "recall on the clean test set", "recall.strict.before"),
    _percent("f1_context", "F1 context", "F1 after an attack on the context only"),
    _percent("f1_entity", "F1 entity", "F1 after an attack on the mentions only"),
    _percent("f1_both", "F1 both", "F1 after an attack on both"),
    _percent("f1_gain", "F1 gained", "points of F1 under attack that adversarial training gained"),
    _percent("rate_lost", "Rate lost", "points of attack rate lost"),
    _percent("chunking_f1", "Chunk F1", "F1 of chunking, CoNLL-2000"),
    _percent("chunking_f1_sd", "± Chunk", "its standard deviation over seeds"),
    _percent(
        "context_share", "Context %", "share of context words among the most important words", "context_share.top1"
    ),
    _percent("accuracy", "Accuracy", "accuracy of classification on the clean test set"),
    _percent("after_attack_accuracy", "After attack", "accuracy of classification on adversarial examples"),
    _percent("error", "Error %", "misclassified clean test texts"),
    _percent("characters_changed", "Chars %", "share of the characters that were changed"),
    Number(Column("kendall_tau", "KT", "Kendall's tau of word attributions before and after", 1, 2)),
    Number(Column("top_5_shared", "TI", "share of the five most important words that stay the same", 1, 2)),
)

_MEANINGS = {metric.name: metric.description.partition(";")[0] for metric in METRICS}

# What a protocol may state, with what ours is: a difference is told where the two are not equal.
PROTOCOL: dict[str, tuple[str, Callable[[Entry], Any]]] = {
    "dataset": ("data set", lambda row: row.spec.dataset),
    "split": ("split", lambda row: row.spec.split),
    "victim": ("victim", lambda row: row.spec.victim),
    "sentences": ("sentences", lambda row: len(row.spec.sentence_ids)),
    "max_missed": (
        "share of mentions missed on clean texts, at most",
        lambda row: row.spec.selection.get("max_missed"),
    ),
    "goal": ("goal", lambda row: row.spec.goal),
    "mode": ("escalation", lambda row: row.spec.mode),
    "queries": ("query budget", lambda row: row.spec.queries),
    "seconds": ("seconds a sentence", lambda _: "any number"),
    "pooling": ("pooling of word pieces", lambda row: row.spec.victim_settings.get("pooling", "none")),
    "constraints": ("constraints on top of the attack's", lambda row: row.spec.constraints or "none"),
    "seeds": ("seeds", lambda row: len(row.runs)),
    "similarity": ("similarity", lambda row: row.runs[0].judges.get("similarity", "nobody")),
    "grammar": ("grammar", lambda row: row.runs[0].judges.get("grammar_errors", "nobody")),
    "modification": ("modification", lambda _: _meaning("modification_rate")),
    "l_score": ("L-Score", lambda _: _meaning("l_score.tokens")),
    "f1": ("F1", lambda _: _meaning("f1.strict.after")),
}

_WORDS = {
    "escalate": "up to the worst case",
    "first-success": "none, the first success ends it",
}


class Ours(NamedTuple):
    """Rows of ours that stand beside a paper's.

    Attributes:
        attack: name.
        parameters: where they differ from the defaults.
        defense: of the victim, perhaps with parameters; empty for none.
        sentences: that the victim was trained on; 0 for any number.
    """

    attack: str
    parameters: Mapping[str, Any]
    defense: str = ""
    sentences: int = 0


@dataclass(frozen=True)
class PublishedRow:
    """One row of a paper's table.

    Attributes:
        name: as the paper names it.
        numbers: on their natural scale, by key.
        ours: those of ours that stand beside.
    """

    name: str
    numbers: Mapping[str, float]
    ours: tuple[Ours, ...] = ()


@dataclass(frozen=True)
class PublishedTable:
    """One table of a paper.

    Attributes:
        name: "table 1", or where else it stands.
        about: what it shows, in one line.
        dataset: whose runs of ours stand beside; None for none.
        protocol: what the paper states, by field of `PROTOCOL`.
        rows: in order.
    """

    name: str
    about: str
    dataset: str | None
    protocol: Mapping[str, Any]
    rows: tuple[PublishedRow, ...]


@dataclass(frozen=True)
class Paper:
    """A paper with its tables.

    Attributes:
        key: for citations.
        title: of the paper.
        authors: "Given Family" each.
        year: of publication.
        venue: where it appeared.
        tables: as printed.
    """

    key: str
    title: str
    authors: tuple[str, ...]
    year: int
    venue: str
    tables: tuple[PublishedTable, ...]

    @property
    def citation(self) -> Citation:
        """How to cite it."""
        return Citation("inproceedings", self.authors, self.year, self.title, {"booktitle": self.venue}, self.key)


def _meaning(metric: str) -> str:
    """Say what a metric of ours is, without what it is averaged over."""
    return _MEANINGS[metric]


def differences(protocol: Mapping[str, Any], row: Entry) -> list[str]:
    """Say in words how a row of ours was made otherwise than a paper's, a text for each field that it states."""
    told = []
    for key, (name, of) in PROTOCOL.items():
        if key in protocol and protocol[key] != (ours := of(row)):
            told.append(f"{name}: {_WORDS.get(protocol[key], protocol[key])} (here {_WORDS.get(ours, ours)})")
    return told


def not_stated(protocol: Mapping[str, Any]) -> list[str]:
    """Name what a paper does not state of its protocol."""
    return [name for key, (name, _) in PROTOCOL.items() if key not in protocol]


def read_published(results: Path) -> tuple[list[Paper], list[GauntletError]]:
    """Read the papers' files of a results folder; a damaged one is noted and does not hide the others."""
    papers, damage = [], []
    for path in sorted((results / "published").glob("*.toml")):
        try:
            papers.append(_paper(path))
        except GauntletError as error:
            damage.append(error)
    # Those that ours can stand beside come first.
    beside = {paper.key: any(table.dataset for table in paper.tables) for paper in papers}
    return sorted(papers, key=lambda paper: (not beside[paper.key], paper.year, paper.key)), damage


def _paper(path: Path) -> Paper:
    try:
        record = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise CorruptResult(f"{path} cannot be read ({error})") from error
    reader = _Reader(path)
    try:
        paper = reader.field(record, "paper", dict)
        return Paper(
            reader.field(paper, "key", str),
            reader.field(paper, "title", str),
            reader.authors(paper),
            reader.field(paper, "year", int),
            reader.field(paper, "venue", str),
            tuple(reader.table(table) for table in reader.field(record, "tables", list)),
        )
    except (AttributeError, TypeError, ValueError) as error:
        raise CorruptResult(f"{path}: a value is of another kind than it should be ({error})") from error


@dataclass(frozen=True)
class _Reader:
    """Reads one file's parts; what is wrong is told with the file and the field."""

    path: Path

    def authors(self, record: Mapping[str, Any]) -> tuple[str, ...]:
        names = self.field(record, "authors", list)
        if not names or not all(isinstance(name, str) and name.strip() for name in names):
            raise CorruptResult(f"{self.path}: authors must be names, at least one")
        return tuple(names)

    def table(self, record: Mapping[str, Any]) -> PublishedTable:
        protocol = self.field(record, "protocol", dict)
        if unknown := set(protocol) - set(PROTOCOL):
            raise CorruptResult(f"{self.path}: protocol has unknown fields {', '.join(sorted(unknown))}")
        for key, value in protocol.items():
            if isinstance(value, bool) or not isinstance(value, str | int | float):
                raise CorruptResult(f"{self.path}: {key} of a protocol must be a text or a number, not {value!r}")
        return PublishedTable(
            self.field(record, "name", str),
            self.field(record, "about", str),
            self.field(record, "dataset", str) if "dataset" in record else None,
            protocol,
            tuple(self._row(row) for row in self.field(record, "rows", list)),
        )

    def field(self, record: Any, name: str, kind: type) -> Any:
        value = record.get(name) if isinstance(record, dict) else None
        if not isinstance(value, kind):
            raise CorruptResult(f"{self.path}: {name} must be there, as a {kind.__name__}")
        return value

    def _row(self, record: Any) -> PublishedRow:
        columns = {number.column.key: number.column for number in NUMBERS}
        numbers = {key: value for key, value in dict(record).items() if key not in {"name", "ours"}}
        for key, value in numbers.items():
            if key not in columns:
                raise CorruptResult(f"{self.path}: rows have no field {key}; known: name, ours, {', '.join(columns)}")
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                raise CorruptResult(f"{self.path}: {key} must be a number, not {value!r}")
        shares = {key: value / columns[key].scale for key, value in numbers.items()}
        ours = [
            Ours(
                self.field(attack, "attack", str),
                self.field(attack, "parameters", dict) if "parameters" in attack else {},
                self.field(attack, "defense", str) if "defense" in attack else "",
                self.field(attack, "sentences", int) if "sentences" in attack else 0,
            )
            for attack in record.get("ours", [])
        ]
        return PublishedRow(self.field(record, "name", str), shares, tuple(ours))
