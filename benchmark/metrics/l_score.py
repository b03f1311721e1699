"""L-Score: how much of a broken sentence is broken (SeqAttack, section 4.2)."""

from __future__ import annotations

from benchmark.goals import kind
from benchmark.metrics.metric import Example, Metric, mean, successes
from benchmark.tag_schemes import strict_spans, tags_to_spans

__all__ = ["L_SCORES"]


def _tokens(example: Example) -> float:
    pairs = zip(example.outcome.adversarial_gold, example.outcome.adversarial_prediction, strict=True)
    entity = [kind(gold) != kind(tag) for gold, tag in pairs if gold != "O"]
    return sum(entity) / len(entity) if entity else 0.0


def _spans(example: Example) -> float:
    gold = strict_spans(example.outcome.adversarial_gold)
    found = set(tags_to_spans(example.outcome.adversarial_prediction))
    return sum(span not in found for span in gold) / len(gold) if gold else 0.0


L_SCORES = (
    Metric(
        "l_score.tokens",
        "L-Score",
        "share of the gold entity tokens whose class is wrong; mean over successes",
        lambda examples: mean(successes(examples), _tokens),
    ),
    Metric(
        "l_score.spans",
        "L-Score spans",
        "share of the gold mentions not predicted exactly; mean over successes",
        lambda examples: mean(successes(examples), _spans),
    ),
)
