"""Textual similarity: cosine of the two texts' embeddings; the encoder is named in the result."""

from __future__ import annotations

from collections.abc import Sequence

from benchmark.metrics.metric import NOT_JUDGED, Example, Metric, Value, mean, successes

__all__ = ["SIMILARITY"]


def _similarity(examples: Sequence[Example]) -> Value:
    judged = [(e, e.similarity) for e in successes(examples) if e.similarity is not None]
    values = {id(example): value for example, value in judged}
    return mean([example for example, _ in judged], lambda e: values[id(e)], NOT_JUDGED)


SIMILARITY = Metric("similarity", "Sim", "cosine of the two texts; mean over successes", _similarity)
