"""Which sentences are attacked: a seeded choice among those the victim gets nearly right.

SeqAttack's rule (Simoncini & Spanakis 2021, section 4.1): sentences with at least one gold mention of which the victim
misses at most one in ten. The ids are part of the run's specification, so they are published with every result.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from benchmark.errors import BadInput
from benchmark.tag_schemes import tags_to_spans
from benchmark.types import TOO_LONG, Prediction, Sentence

if TYPE_CHECKING:
    from benchmark.contracts import Victim

__all__ = ["Selection", "SelectionRule", "select"]

# How many sentences are tagged at a time while enough are looked for. The choice does not depend on it.
_CHUNK = 64


@dataclass(frozen=True)
class SelectionRule:
    """How sentences are chosen.

    Attributes:
        limit: how many at most; None for all that qualify.
        max_missed: largest share of gold mentions that the victim may miss on the clean text.
        seed: of the shuffle.
    """

    limit: int | None = 256
    max_missed: float = 0.10
    seed: int = 0

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 1:
            raise BadInput(f"the number of sentences must be at least 1, not {self.limit}")
        if not 0 <= self.max_missed <= 1:
            raise BadInput(f"max_missed is a share between 0 and 1, not {self.max_missed}")

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return {"rule": "at-least-one-mention, few-missed", **asdict(self)}


@dataclass(frozen=True)
class Selection:
    """Chosen sentences, and what was found on the way.

    Attributes:
        sentences: those chosen.
        passed_over: how many were not, by reason.
        clean: how many `sentences` with mentions were looked at, chosen or not, and their `true_positives`, `predicted`
            and `gold` mentions (strict). Those chosen are nearly right by definition, all of them tell a victim's F1.
    """

    sentences: tuple[Sentence, ...]
    passed_over: Mapping[str, int]
    clean: Mapping[str, int]


def select(
    sentences: Sequence[Sentence],
    victim: Victim,
    rule: SelectionRule,
    progress: Callable[[int, int], None] = lambda done, total: None,  # noqa: ARG005
) -> Selection:
    """Choose sentences for a victim.

    Args:
        sentences: a split.
        victim: tags sentences in a seeded order until `rule.limit` qualify.
        rule: see `SelectionRule`.
        progress: called with (sentences looked at, sentences there are).

    Raises:
        BadInput: none qualifies.
    """
    from benchmark.metrics.span_f1 import SpanCounts, span_counts

    order = list(sentences)
    random.Random(rule.seed).shuffle(order)  # noqa: S311 - reproducible on purpose
    chosen: list[Sentence] = []
    passed_over = {"no mention": 0, TOO_LONG: 0, "victim misses too many mentions": 0}
    counts: list[SpanCounts] = []
    limit = rule.limit or len(order)
    for start in range(0, len(order), _CHUNK):
        chunk = order[start : start + _CHUNK]
        readable = [s for s in chunk if s.spans and victim.fits(s.tokens)]
        answers = dict(zip(map(id, readable), victim.predict([s.tokens for s in readable]), strict=True))
        for sentence in chunk:
            if len(chosen) == limit:
                break
            answer = answers.get(id(sentence))
            if sentence.spans:  # all mentions of a text that cannot be read are missed
                counts.append(span_counts(sentence.tags, answer.tags if answer else ("O",) * len(sentence)))
            if answer is None:
                passed_over[TOO_LONG if sentence.spans else "no mention"] += 1
            elif _missed(sentence, answer) > rule.max_missed:
                passed_over["victim misses too many mentions"] += 1
            else:
                chosen.append(sentence)
        progress(min(start + _CHUNK, len(order)), len(order))
        if len(chosen) == limit:
            break
    if not chosen:
        told = ", ".join(f"{reason}: {count}" for reason, count in passed_over.items() if count) or "the split is empty"
        raise BadInput(f"no sentence qualifies for {victim.name} ({told})")
    totals = {name: sum(getattr(count, name) for count in counts) for name in SpanCounts._fields}
    return Selection(tuple(chosen), passed_over, {"sentences": len(counts), **totals})


def _missed(sentence: Sentence, answer: Prediction) -> float:
    found = set(tags_to_spans(answer.tags))
    return sum(span not in found for span in sentence.spans) / len(sentence.spans)
