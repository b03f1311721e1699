"""One page a run with all its sentences, as attacked; and a list of all runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from benchmark.errors import GauntletError
from benchmark.label_risk import FLAGS
from benchmark.metrics import Example
from benchmark.tag_schemes import strict_spans, tags_to_spans
from benchmark.types import Sentence, Status
from leaderboard.entries import Entry, labels, told_apart
from leaderboard.ledger_lines import SELF_REPORTED
from leaderboard.rows import Run
from leaderboard.site.addresses import slug
from leaderboard.site.board_pages import TABLES
from leaderboard.site.marking import Line, after, lines
from leaderboard.site.material import Material
from leaderboard.site.pages import Page
from leaderboard.tables import Column, table

__all__ = ["example_pages", "runs_table", "type_hues"]

# The hues of the style sheet; known types keep theirs on all pages.
_KNOWN = {"PER": 1, "PERSON": 1, "LOC": 2, "GPE": 2, "ORG": 3, "MISC": 4}
_HUES = 6

_RUNS = (
    Column("attack", "Attack", "name, and parameters that are not its defaults"),
    Column("victim", "Victim", "model attacked"),
    Column("dataset", "Data", "data set"),
    Column("goal", "Goal", "what counts as success", extra=True),
    Column("queries", "Budget", "queries a sentence", 1, 0),
    Column("seed", "Seed", "of the attack's random numbers", 1, 0, missing=""),
    Column("sentences", "Sentences", "attacked", 1, 0),
    Column("broken", "Broken", "sentences on which the goal was reached", 1, 0),
    Column("read_right", "Read right %", "texts whose labels most readers found right; people were asked", 100, 0),
    Column("badge", "Trust", "self-reported, re-executed or verified; superseded or retracted"),
    Column("runs", "Examples", "the run's sentences"),
)


class Shown(NamedTuple):
    """One sentence of a run.

    Attributes:
        id: of its place on the page.
        name: of the sentence.
        example: as stored.
        lines: its readings; empty where it cannot be put back.
        fault: why it cannot.
        grave: flags that make a success invalid.
        types: entity types of the gold.
    """

    id: str
    name: str
    example: Example
    lines: Sequence[Line]
    fault: str
    grave: frozenset[str]
    types: tuple[str, ...]


def example_pages(material: Material) -> Iterator[Page]:
    """Yield the list of runs and a page for each."""
    shown = material.shown([runs_table(material, material.runs, "All runs")] if material.runs else [])
    yield Page("examples/index.html", "runs.html", "Examples", "examples", {"tables": shown}, TABLES)
    rivals = _rivals(material.runs)
    names = run_names(material.runs)
    for run in material.runs:
        yield _page(material, run, names, [other for other in rivals[_same_text(run)] if other is not run])


def runs_table(material: Material, runs: Sequence[Run], title: str) -> Any:
    """Return a table of runs, with links to their examples."""
    names = labels([Entry((run,)) for run in runs])
    records = [
        {
            "attack": name,
            "victim": run.spec.victim,
            "dataset": run.spec.dataset,
            "goal": run.spec.goal,
            "queries": run.spec.queries,
            "seed": run.spec.seed,
            "sentences": len(run.spec.sentence_ids),
            "broken": sum(e.outcome.status is Status.SUCCESS for e in run.examples.values()),
            "read_right": material.readers[run.run_id].right.value if run.run_id in material.readers else None,
            "badge": material.badges.get(run.run_id, SELF_REPORTED),
            "runs": run.run_id,
        }
        for name, run in zip(names, runs, strict=True)
    ]
    return table(title, _RUNS, records)


def run_names(runs: Sequence[Run]) -> Mapping[str, str]:
    """Name runs by attack, parameters and victim, by run id; what else tells two apart is added."""
    names = [
        f"{name} on {run.spec.victim}" for name, run in zip(labels([Entry((r,)) for r in runs]), runs, strict=True)
    ]
    told = told_apart(names, [{"seed": run.spec.seed} for run in runs])
    told = told_apart(told, [{"run": run.run_id[:8]} for run in runs])
    return {run.run_id: name for run, name in zip(runs, told, strict=True)}


def type_hues(types: Sequence[str]) -> dict[str, int]:
    """Give each entity type a hue: the known ones theirs, others what is left, in the order of their names."""
    found = {name: _KNOWN[name] for name in types if name in _KNOWN}
    free = [hue for hue in range(1, _HUES + 1) if hue not in found.values()] or [*range(1, _HUES + 1)]
    others = sorted({*types} - {*found})
    return found | {name: free[k % len(free)] for k, name in enumerate(others)}


def _page(material: Material, run: Run, names: Mapping[str, str], others: Sequence[Run]) -> Page:
    texts = material.texts.sentences(run.spec)
    shown = [_shown(example, None if texts is None else texts.get(name)) for name, example in run.examples.items()]
    types = sorted(
        {
            span.type
            for one in shown
            for tags in (one.example.outcome.gold, one.example.outcome.adversarial_prediction)
            for span in tags_to_spans(tags)
        }
    )
    data = {
        # Whether each other run breaks a sentence, in the order of this page: 1, 0, or - where it has none of it.
        "others": {other.run_id: {"name": names[other.run_id], "won": _won(other, run)} for other in others},
        "tokens": _tokens(run, texts) if texts is not None else {},
    }
    context = {
        "run": run,
        "name": names[run.run_id],
        "badge": material.badges.get(run.run_id, SELF_REPORTED),
        "shown": shown,
        "hues": type_hues(types),
        "flags": FLAGS,
        "signs": _signs(run),
        "readers": material.readers.get(run.run_id),
        "data": data,
        "has_text": texts is not None,
        "has_weights": any(e.outcome.attributions for e in run.examples.values()),
        "paths": {
            "attack": material.addresses.attack(run.spec.attack),
            "victim": material.addresses.victim(run.spec.victim),
            "dataset": material.addresses.dataset(run.spec.dataset),
        },
        "counts": {status.value: sum(one.example.outcome.status is status for one in shown) for status in Status},
    }
    return Page(
        f"examples/{run.run_id}.html", "examples.html", names[run.run_id], "examples", context, ("examples.js",)
    )


def _shown(example: Example, sentence: Sentence | None) -> Shown:
    outcome = example.outcome
    try:
        found, fault = lines(outcome, sentence), ""
    except GauntletError as error:
        found, fault = [], str(error)
    grave = frozenset(flag for flag in example.label_risk or () if flag in FLAGS and FLAGS[flag].invalidates)
    types = tuple(sorted({span.type for span in strict_spans(outcome.gold)}))
    return Shown(slug(outcome.sentence_id), outcome.sentence_id, example, found, fault, grave, types)


def _signs(run: Run) -> list[tuple[str, float]]:
    """Return the share of the successes that show each flag, for flags that any shows."""
    shares = {name: run.metrics[f"label_risk.{name}"].value for name in FLAGS if f"label_risk.{name}" in run.metrics}
    return [(name, share) for name, share in shares.items() if share]


def _tokens(run: Run, texts: Mapping[str, Sentence]) -> dict[str, list[list[str]]]:
    """Return tokens and gold tags of each adversarial example, by the place on the page, to be trained on."""
    found = {}
    for name, example in run.examples.items():
        if example.outcome.status is not Status.SUCCESS or name not in texts:
            continue
        try:
            text = after(example.outcome, texts[name], text=True)
        except GauntletError:
            continue
        found[slug(name)] = [list(pair) for pair in zip(text.tokens, text.tags, strict=True)]
    return found


def _same_text(run: Run) -> tuple[str, str]:
    return run.spec.dataset_hash, run.spec.split


def _rivals(runs: Sequence[Run]) -> dict[tuple[str, str], list[Run]]:
    """Put runs on the same text together."""
    found: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        found.setdefault(_same_text(run), []).append(run)
    return found


def _won(other: Run, run: Run) -> str:
    def mark(name: str) -> str:
        example = other.examples.get(name)
        return "-" if example is None else str(int(example.outcome.status is Status.SUCCESS))

    return "".join(mark(name) for name in run.examples)
