"""One page an attack, a victim, a data set, a defense: what it is, and how it fared everywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, NamedTuple

from benchmark.defending.finding import DEFENSES
from benchmark.errors import GauntletError
from benchmark.finding import ATTACKS
from benchmark.label_risk import FLAGS
from benchmark.tag_schemes import strict_spans
from leaderboard.boards.attacks import METRICS
from leaderboard.cards import read_card
from leaderboard.entries import average, entries, labels
from leaderboard.rows import Run
from leaderboard.site.board_pages import TABLES
from leaderboard.site.example_pages import runs_table
from leaderboard.site.material import Material
from leaderboard.site.pages import Page
from leaderboard.tables import Column, Table, table
from leaderboard.victim_names import base_of, defense_names

__all__ = ["component_pages"]

_FARED = (
    Column("attack", "Attack", "name, and parameters that are not its defaults"),
    Column("victim", "Victim", "model attacked"),
    Column("dataset", "Data", "data set"),
    # Rows of many protocols: there is no best among them.
    *(replace(column, better=None) for column in METRICS),
    Column("goal", "Goal", "what counts as success", extra=True),
    Column("budget", "Budget", "queries a sentence", 1, 0, extra=True),
    Column("sentences", "Sentences", "attacked", 1, 0, extra=True),
    Column("runs", "Runs", "run ids"),
)

_TYPES = (
    Column("attack", "Attack", "name, and parameters that are not its defaults"),
    Column("victim", "Victim", "model attacked"),
    Column("type", "Type", "of entity"),
    Column("mentions", "Mentions", "gold mentions in the sentences attacked", 1, 0),
    Column("before", "F1 before", "strict F1 on the clean texts", 100, 1),
    Column("after", "F1 after", "strict F1 after the attack; the mentions of sentences that held count too", 100, 1),
)

_SIGNS = (
    Column("attack", "Attack", "name, and parameters that are not its defaults"),
    Column("victim", "Victim", "model attacked"),
    *(
        Column(f"label_risk.{name}", f"{name} %", f"share of the successes: {flag.meaning}", 100, 0)
        for name, flag in FLAGS.items()
    ),
    Column("runs", "Runs", "run ids"),
)


class Kind(NamedTuple):
    """A kind of component.

    Attributes:
        folder: of its pages, and its place in the navigation.
        title: of the list.
        lead: what the list holds.
        names: which there are.
        page: where one is.
        of: which runs are about one.
        facts: what is known of one.
    """

    folder: str
    title: str
    lead: str
    names: Sequence[str]
    page: Callable[[str], str | None]
    of: Callable[[Run, str], bool]
    facts: Callable[[Material, str, Sequence[Run]], Mapping[str, str]]


def component_pages(material: Material) -> Iterator[Page]:
    """Yield for each kind its list and a page for each component."""
    for kind in _kinds(material):
        by_name = {name: [run for run in material.runs if kind.of(run, name)] for name in kind.names}
        facts = {name: kind.facts(material, name, runs) for name, runs in by_name.items()}
        listed = [(name, kind.page(name), facts[name].get("Summary", ""), len(runs)) for name, runs in by_name.items()]
        listed.sort(key=lambda item: item[3] == 0)
        context = {"lead": kind.lead, "listed": listed}
        yield Page(f"{kind.folder}/index.html", "components.html", kind.title, kind.folder, context)
        for name, runs in by_name.items():
            told = {key: value for key, value in facts[name].items() if key != "Summary"}
            tables = material.shown(_tables(material, runs))
            own = {"summary": facts[name].get("Summary", ""), "facts": told, "tables": tables}
            yield Page(kind.page(name) or "", "component.html", name, kind.folder, own, TABLES)


def _kinds(material: Material) -> tuple[Kind, ...]:
    to = material.addresses
    return (
        Kind(
            "attacks",
            "Attacks",
            "What searches for the smallest change that breaks a model. Those without runs are installed and waiting.",
            to.attacks,
            to.attack,
            lambda run, name: run.spec.attack == name,
            _attack_facts,
        ),
        Kind(
            "defenses",
            "Defenses",
            "What is done to a model so that it holds.",
            to.defenses,
            to.defense,
            lambda run, name: name in defense_names(run.spec.victim),
            _defense_facts,
        ),
        Kind(
            "victims",
            "Victims",
            "The recognisers that were attacked.",
            to.victims,
            to.victim,
            lambda run, name: run.spec.victim == name,
            _victim_facts,
        ),
        Kind(
            "data",
            "Data",
            "The data sets whose sentences were attacked.",
            to.datasets,
            to.dataset,
            lambda run, name: run.spec.dataset == name,
            _dataset_facts,
        ),
    )


def _tables(material: Material, runs: Sequence[Run]) -> list[Table]:
    if not runs:
        return []
    return [_fared(runs), _by_type(runs), _signs(runs), runs_table(material, runs, "Runs")]


def _fared(runs: Sequence[Run]) -> Table:
    rows = entries(runs)
    records = [
        {
            "attack": name,
            "victim": row.spec.victim,
            "dataset": row.spec.dataset,
            "goal": row.spec.goal,
            "budget": row.spec.queries,
            "sentences": len(row.spec.sentence_ids),
            "runs": " ".join(run.run_id for run in row.runs),
            "control": row.is_control,
            **{key: cell for column in METRICS for key, cell in row.average(column.key).cells(column.key).items()},
        }
        for name, row in zip(labels(rows), rows, strict=True)
    ]
    records.sort(key=lambda record: (record["control"], -(record["attack_rate"] or 0.0)))
    note = (
        "Means over seeds. Rows under another goal, budget or choice of sentences are not comparable; boards part them."
    )
    return table("How it fared", _FARED, records, [note])


def _by_type(runs: Sequence[Run]) -> Table:
    rows = [row for row in entries(runs) if not row.is_control]
    records: list[dict[str, Any]] = []
    for name, row in zip(labels(rows), rows, strict=True):
        for kind, numbers in row.runs[0].per_type.items():
            told: dict[str, Any] = {"attack": name, "victim": row.spec.victim, "type": kind}
            for when in ("before", "after"):
                if f1 := numbers.get(f"f1.strict.{when}"):
                    told |= average([f1]).cells(when)
            if before := numbers.get("f1.strict.before"):
                told["mentions"] = before.n
            records.append(told)
    return table("By entity type", _TYPES, records, ["Of each row the first seed. Intervals: 95 %, bootstrap."])


def _signs(runs: Sequence[Run]) -> Table:
    """Tell which flags the successes show."""
    rows = [row for row in entries(runs) if not row.is_control]
    records = [
        {
            "attack": name,
            "victim": row.spec.victim,
            **{f"label_risk.{flag}": row.average(f"label_risk.{flag}").value for flag in FLAGS},
            "runs": " ".join(run.run_id for run in row.runs),
        }
        for name, row in zip(labels(rows), rows, strict=True)
    ]
    grave = ", ".join(name for name, flag in FLAGS.items() if flag.invalidates)
    note = f"Of the successes, means over seeds. One with any of these is not counted as valid: {grave}."
    return table("Signs that labels are no longer right", _SIGNS, records, [note])


def _attack_facts(material: Material, name: str, runs: Sequence[Run]) -> dict[str, str]:
    facts = _card_facts(material, name, {run.spec.attack_version for run in runs})
    try:
        card = ATTACKS.get(name).card
    except GauntletError:
        return {**facts, "Installed": "no"}
    parameters = ATTACKS.get(name).configured({}).parameters
    return {
        "Summary": card.summary,
        "Paper": card.paper or "",
        "Sees of the victim": card.access.name.lower(),
        "May touch": card.touch.value,
        "Version": str(card.version),
        "Parameters": ", ".join(f"{key} = {value}" for key, value in parameters.items()),
        **facts,
    }


def _defense_facts(material: Material, name: str, runs: Sequence[Run]) -> dict[str, str]:
    facts = _card_facts(material, name, set())
    try:
        card = DEFENSES.get(name).card
    except GauntletError:
        return {**facts, "Installed": "no"}
    victims = sorted({run.spec.victim for run in runs})
    told = {
        "Summary": card.summary,
        "Paper": card.paper or "",
        "Version": str(card.version),
        # A text that is empty by default has to be given.
        "Parameters": ", ".join(
            f"{field.name} = {'(to be given)' if field.default == '' else field.default}"
            for field in fields(DEFENSES.get(name))  # type: ignore[arg-type]  # every defense is made a dataclass
        ),
    }
    return {**told, **({"Victims": ", ".join(victims)} if victims else {}), **facts}


def _victim_facts(material: Material, name: str, runs: Sequence[Run]) -> dict[str, str]:
    settings = {f"{key} {value}" for run in runs for key, value in run.spec.victim_settings.items()}
    base = base_of(name)
    return {
        **({"Base": base, "Defenses": ", ".join(defense_names(name))} if base != name else {}),
        # The end of it: where many share a base, the first half is that of the base.
        "Weights": ", ".join(sorted({run.spec.victim_fingerprint[-12:] for run in runs})),
        "Settings": ", ".join(sorted(settings)),
        **_card_facts(material, name, set()),
    }


def _dataset_facts(material: Material, name: str, runs: Sequence[Run]) -> dict[str, str]:
    seen = {e.outcome.sentence_id: e.outcome for run in runs for e in run.examples.values()}
    types = sorted({span.type for outcome in seen.values() for span in strict_spans(outcome.gold)})
    facts = {
        "Splits attacked": ", ".join(sorted({run.spec.split for run in runs})),
        "Sentences attacked": str(len(seen)),
        "Entity types": ", ".join(types),
        "Content": ", ".join(sorted({run.spec.dataset_hash[:12] for run in runs})),
    }
    at_hand = material.texts.dataset(name)
    if at_hand is not None:
        splits = ", ".join(f"{split} {len(sentences)}" for split, sentences in at_hand.splits.items())
        facts["Sentences"] = splits
    return {**facts, "Text at hand": "yes" if at_hand is not None else "no: places stand for words"}


def _card_facts(material: Material, name: str, versions: set[int]) -> dict[str, str]:
    """Return what a submitted card says: who made it, and under which licence."""
    facts: dict[str, str] = {}
    for path in sorted((material.reading.results / "cards").glob("*.toml")):
        try:
            card = read_card(path)
        except GauntletError:
            continue  # `gauntlet verify` tells what is wrong with it
        if card["name"] == name and (not versions or card["version"] in versions):
            facts = {key.capitalize(): str(card[key]) for key in ("authors", "licence", "code", "notes") if key in card}
    return facts
