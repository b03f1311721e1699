"""Precision, recall and F1 of mentions, before and after the attack, by seqeval.

All sentences count, failed attacks with their original text. `strict` is seqeval's strict IOB2 mode, `default` its
default one (conlleval's reading). Micro averages; intervals resample documents.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from seqeval.metrics import f1_score, precision_score, recall_score
from seqeval.scheme import IOB2

from benchmark.metrics.metric import Example, Metric, Value, clusters_of, ratio
from benchmark.statistics.intervals import bootstrap
from benchmark.statistics.totals import micro_f1
from benchmark.tag_schemes import strict_spans, tags_to_spans
from benchmark.types import Outcome, Tags

__all__ = ["SPAN_METRICS", "SpanCounts", "per_type", "recall_counts", "span_counts"]

Sums = NDArray[np.float64]


class SpanCounts(NamedTuple):
    """Mentions of one sentence."""

    true_positives: int
    predicted: int
    gold: int


def span_counts(gold: Tags, predicted: Tags, mode: str = "strict", type: str | None = None) -> SpanCounts:  # noqa: A002
    """Count mentions of one sentence, all or of one type.

    Agrees with seqeval (a test compares them); needed a sentence at a time for intervals.
    """
    read = strict_spans if mode == "strict" else tags_to_spans
    wanted, found = set(read(gold)), set(read(predicted))
    if type is not None:
        wanted, found = ({span for span in spans if span.type == type} for spans in (wanted, found))
    return SpanCounts(len(wanted & found), len(found), len(wanted))


def tagged(examples: Sequence[Example]) -> list[Example]:
    """Leave out sentences that the victim failed on: there is no prediction to score."""
    return [example for example in examples if example.outcome.clean]


def _sides(outcome: Outcome, when: str) -> tuple[Tags, Tags]:
    if when == "before":
        return outcome.gold, outcome.clean
    return outcome.adversarial_gold, outcome.adversarial_prediction


def _seqeval(examples: Sequence[Example], when: str, mode: str, score: Callable[..., Any]) -> float:
    gold, predicted = zip(*(map(list, _sides(e.outcome, when)) for e in examples), strict=True)
    settings = {"mode": "strict", "scheme": IOB2} if mode == "strict" else {}
    return float(score(list(gold), list(predicted), zero_division=0, **settings))


def _interval(
    examples: Sequence[Example],
    when: str,
    mode: str,
    statistic: Callable[[Sums], Sums],
    type: str | None = None,  # noqa: A002
) -> tuple[float, float]:
    sums = np.array([span_counts(*_sides(e.outcome, when), mode, type) for e in examples], dtype=np.float64)
    return bootstrap(sums, statistic, clusters_of(examples))


def _quotient(top: Sums, bottom: Sums) -> Sums:
    return np.divide(top, bottom, out=np.zeros_like(top), where=bottom > 0)


_SCORES: dict[str, tuple[Callable[..., Any], Callable[[Sums], Sums]]] = {
    "precision": (precision_score, lambda totals: _quotient(totals[:, 0], totals[:, 1])),
    "recall": (recall_score, lambda totals: _quotient(totals[:, 0], totals[:, 2])),
    "f1": (f1_score, micro_f1),
}


def _metric(score: str, when: str, mode: str) -> Metric:
    seqeval_score, statistic = _SCORES[score]

    def compute(all_examples: Sequence[Example]) -> Value:
        examples = tagged(all_examples)
        if not examples:
            return Value(None, reason="no sentence")
        low, high = _interval(examples, when, mode, statistic)
        return Value(_seqeval(examples, when, mode, seqeval_score), low, high, len(examples))

    return Metric(
        f"{score}.{mode}.{when}",
        f"{score} {when}",
        f"{mode} {score} of mentions {when} the attack, all sentences",
        compute,
    )


def recall_counts(outcome: Outcome, when: str, *, unseen: bool) -> tuple[int, int]:
    """Count the gold mentions of a sentence that are, or are not, unseen in the training split.

    There is no F1 of them: a wrong mention that a victim predicts is neither seen nor unseen.

    Args:
        outcome: of the sentence; nothing is counted where it is not known what is unseen.
        when: "before" the attack or "after" it.
        unseen: which of them are counted. After the attack a mention is what it was before, whatever its words are now.

    Returns:
        How many of them the victim finds, and how many there are.
    """
    gold, predicted = _sides(outcome, when)
    found = set(tags_to_spans(predicted))
    # Mentions keep their order under every edit; a split one ends the pairing, so such examples are left out.
    spans, flags = strict_spans(gold), outcome.unseen or ()
    if len(spans) != len(flags):
        return 0, 0
    mine = [span for span, flag in zip(spans, flags, strict=True) if flag is unseen]
    return sum(span in found for span in mine), len(mine)


def _recall_of_mentions(when: str, unseen: bool) -> Metric:
    """Recall of the gold mentions that do, or do not, occur in the training split."""

    def compute(examples: Sequence[Example]) -> Value:
        known = [e for e in tagged(examples) if e.outcome.unseen is not None]
        if not known:
            return Value(None, reason="the data set has no training split")
        kind = "unseen" if unseen else "seen"
        return ratio(known, lambda e: recall_counts(e.outcome, when, unseen=unseen), f"no {kind} mention")

    name = "unseen" if unseen else "seen"
    return Metric(
        f"recall.{name}.{when}",
        f"recall {name} {when}",
        f"recall {when} the attack of gold mentions {name} in training (surface in lower case)",
        compute,
    )


SPAN_METRICS = (
    *(
        _metric(score, when, mode)
        for mode in ("strict", "default")
        for when in ("before", "after")
        for score in _SCORES
    ),
    *(_recall_of_mentions(when, unseen) for when in ("before", "after") for unseen in (False, True)),
)


def per_type(examples: Sequence[Example]) -> dict[str, dict[str, Any]]:
    """Return strict F1 before and after the attack for each entity type, with the number of gold mentions."""
    examples = tagged(examples)
    types = sorted({span.type for e in examples for span in strict_spans(e.outcome.gold)})
    _, statistic = _SCORES["f1"]
    table: dict[str, dict[str, Any]] = {}
    for name in types:
        row: dict[str, Any] = {}
        for when in ("before", "after"):
            counts = np.array(
                [span_counts(*_sides(e.outcome, when), "strict", name) for e in examples], dtype=np.float64
            )
            low, high = bootstrap(counts, statistic, clusters_of(examples))
            value = float(statistic(counts.sum(axis=0, keepdims=True))[0])
            row[f"f1.strict.{when}"] = Value(value, low, high, int(counts[:, 2].sum())).to_json()
        table[name] = row
    return table
