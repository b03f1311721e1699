"""Stored results held against other gold labels of the same sentences: how many successes were annotation errors?

A victim that is taken for right where the gold labels are wrong is broken by any edit that lets it see what is there.
So each stored answer, on the clean text and on the adversarial one, is judged again by the goal, with the other labels
carried through the same edits. No model is asked. What failed stays a failure: whether the attack would have ended
elsewhere, had it known the other labels, is not known, so a rate by other labels is a lower bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from benchmark.alignment import adversarial_sentence
from benchmark.datasets import Dataset
from benchmark.errors import BadInput
from benchmark.goals import Clean, Goal, goal_named
from benchmark.metrics import Value
from benchmark.metrics.attack_rate import attack_rate
from benchmark.tag_schemes import spans_to_tags, tags_to_spans
from benchmark.types import Outcome, Prediction, Sentence, Status, Tags
from leaderboard.boards.attacks import protocol_title, shared
from leaderboard.citations import of_attacks
from leaderboard.entries import Entry, average, entries, grouped, labels, protocol, seeds_of
from leaderboard.rows import Run
from leaderboard.tables import Column, Table, table

__all__ = ["Regolded", "regolded", "regolded_table", "same_protocol"]


@dataclass(frozen=True)
class Regolded:
    """A run by its own gold labels and by others.

    Attributes:
        rate: attack rate by its own.
        rate_by_other: attack rate by the others; sentences that offer nothing to break by them are left out.
        relabelled: how many of its sentences have other labels.
        successes: how many there are by its own labels.
        annotation_errors: how many of these are none by the others.
    """

    rate: Value
    rate_by_other: Value
    relabelled: int
    successes: int
    annotation_errors: int


def same_protocol(runs: Sequence[Run]) -> list[list[Entry]]:
    """Put together what makes one table: attacks on the same sentences of one victim under one protocol."""
    return [entries(group) for group in grouped(runs, protocol)]


def regolded_table(rows: Sequence[Entry], own: Dataset, other: Dataset) -> Table:
    """Return the table of some attacks by two gold standards; seeds are averaged, their successes put together.

    Raises:
        BadInput: as `regolded`.
    """
    records: list[dict[str, Any]] = []
    relabelled = 0
    for label, row in zip(labels(rows), rows, strict=True):
        seeds = [regolded(run, own, other) for run in row.runs]
        relabelled = seeds[0].relabelled  # all rows have the same sentences
        records.append(
            {
                "attack": label,
                **average([one.rate for one in seeds]).cells("rate"),
                **average([one.rate_by_other for one in seeds]).cells("rate_by_other"),
                "successes": sum(one.successes for one in seeds),
                "annotation_errors": sum(one.annotation_errors for one in seeds),
                "control": row.is_control,
            }
        )
    records.sort(key=lambda record: (record["control"], -(record["rate"] or 0.0), record["attack"]))
    told = f"a success by {own.name} that is none by {other.name}"
    columns = (
        Column("attack", "Attack", "name, and parameters that are not its defaults"),
        Column("rate", "Attack rate %", f"by the gold labels of {own.name}", 100, 1, "high", headline=True),
        Column("rate_by_other", f"by {other.name} %", f"by the gold labels of {other.name}", 100, 1, "high"),
        Column("successes", "Successes", f"by {own.name}, over all seeds", 1, 0),
        Column("annotation_errors", "Annotation errors", told, 1, 0, "low"),
    )
    sentences = len(rows[0].spec.sentence_ids)
    notes = (
        f"{relabelled} of {sentences} sentences are labelled otherwise in {other.name}; {seeds_of(rows)}.",
        f"Annotation errors: {told}. What failed counts as failed by both: by {other.name} the rate is a lower bound.",
        "Intervals: 95 %, Wilson's.",
    )
    citations = of_attacks(row.spec.attack for row in rows)
    return table(protocol_title(rows[0].spec), columns, records, notes, citations, shared(rows))


def regolded(run: Run, own: Dataset, other: Dataset) -> Regolded:
    """Judge a run's answers by other gold labels.

    Args:
        run: finished.
        own: its data set.
        other: the same sentences under the same ids, labelled otherwise.

    Raises:
        BadInput: the run was made on another version of its data set, or the two have not the same sentences.
    """
    spec = run.spec
    originals = run.sentences_of(own)
    others = {sentence.id: sentence for sentence in other.split(spec.split)}
    for name in spec.sentence_ids:
        if name not in others or others[name].tokens != originals[name].tokens:
            raise BadInput(f"{other.name} ({spec.split}) has not the sentence {name} of {spec.dataset}")
    goal = goal_named(spec.goal)
    before = list(run.examples.values())
    after = [
        replace(example, outcome=_judged(example.outcome, originals[name], others[name].tags, goal))
        for name, example in run.examples.items()
    ]
    won = [example.outcome.status is Status.SUCCESS for example in before]
    still = [example.outcome.status is Status.SUCCESS for example in after]
    return Regolded(
        attack_rate(before),
        attack_rate(after),
        sum(originals[name].tags != others[name].tags for name in spec.sentence_ids),
        sum(won),
        sum(won) - sum(still),
    )


def _judged(outcome: Outcome, original: Sentence, tags: Tags, goal: Goal) -> Outcome:
    """Return an outcome with the status that other gold tags of the original give it; only that is right in it."""
    if tags == original.tags or outcome.status in {Status.SKIPPED, Status.ERROR}:
        return outcome
    clean = Clean(replace(original, tags=tags), Prediction(outcome.clean), ())
    if goal.unusable(clean):
        return replace(outcome, status=Status.SKIPPED)
    if outcome.status is not Status.SUCCESS:
        return outcome
    adversarial = adversarial_sentence(original, outcome.edits, outcome.adversarial_gold)
    adversarial = replace(adversarial, tags=_carried(original.tags, tags, adversarial))
    score = goal.label_score(clean, adversarial, outcome.adversarial_prediction)
    return replace(outcome, status=Status.SUCCESS if score > 0 else Status.FAILED)


def _carried(own: Tags, other: Sequence[str], adversarial: Sentence) -> Tags:
    """Return the other tags of an adversarial text: where the two agree on a token, its tags are what they were."""
    tags = list(adversarial.tags)
    for i, sources in enumerate(adversarial.sources):
        differing = [k for k in sources if own[k] != other[k]]
        if differing:
            tags[i] = other[differing[0]]
    # A mention that begins or ends elsewhere may leave an I- with nothing to continue.
    return spans_to_tags(tags_to_spans(tags), len(tags))
