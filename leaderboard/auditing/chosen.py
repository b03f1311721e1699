"""The examples to be read: few edits, labels likely still right, from all attacks in turn, each sentence once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from benchmark.alignment import adversarial_sentence, modification_rate
from leaderboard.auditing.fates import told
from leaderboard.auditing.findings import Findings, Success
from leaderboard.site.marking import Line, lines

__all__ = ["MOST", "Shown", "chosen", "shown"]

MOST = 20


class Shown(NamedTuple):
    """An example as it is shown.

    Attributes:
        attack: name.
        sentence_id: which sentence.
        kinds: of its edits.
        lines: its readings: gold and predicted, before and after.
        wrong: what the model gets wrong after the attack, in words.
        types: entity types that occur in it.
    """

    attack: str
    sentence_id: str
    kinds: tuple[str, ...]
    lines: Sequence[Line]
    wrong: Sequence[str]
    types: frozenset[str]


def chosen(findings: Findings) -> list[Success]:
    """Choose the successes to show: attack by attack in turn, of each the one that changes least of a new sentence."""
    queues = [
        sorted(
            (own for own in findings.successes if own.run is run and own.valid),
            key=lambda own: (modification_rate(own.outcome.edits, own.outcome.length), own.outcome.sentence_id),
        )
        for run in findings.audit.runs
    ]
    found: list[Success] = []
    taken: set[str] = set()
    while any(queues) and len(found) < MOST:
        for queue in queues:
            while queue and queue[0].outcome.sentence_id in taken:
                queue.pop(0)
            if queue and len(found) < MOST:
                found.append(queue.pop(0))
                taken.add(found[-1].outcome.sentence_id)
    return found


def shown(success: Success) -> Shown:
    """Return an example ready to be printed."""
    outcome = success.outcome
    text = adversarial_sentence(success.sentence, outcome.edits, outcome.adversarial_gold)
    readings = lines(outcome, success.sentence)
    return Shown(
        success.run.spec.attack,
        outcome.sentence_id,
        success.kinds,
        readings,
        told(text, outcome.adversarial_prediction),
        frozenset(piece.type for line in readings for piece in line.pieces if piece.type),
    )
