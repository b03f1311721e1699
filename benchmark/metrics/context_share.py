"""Which words an attack by attributions leans on: mentions, or what stands around them (the flagship's table 2)."""

from __future__ import annotations

from collections.abc import Sequence

from benchmark.metrics.metric import Example, Metric, Value, ratio

__all__ = ["CONTEXT_SHARES"]

NO_ATTRIBUTIONS = "the attack attributes nothing"


def _share_among_top(examples: Sequence[Example], k: int) -> Value:
    def parts(example: Example) -> tuple[float, float]:
        shares = example.outcome.attributions or ()
        top = sorted(range(len(shares)), key=lambda i: -shares[i])[:k]
        return sum(example.outcome.gold[i] == "O" for i in top), len(top)

    return ratio(_attributed(examples), parts, NO_ATTRIBUTIONS)


def _share_of_all(examples: Sequence[Example]) -> Value:
    return ratio(
        _attributed(examples),
        lambda example: (example.outcome.gold.count("O"), len(example.outcome.gold)),
        NO_ATTRIBUTIONS,
    )


def _attributed(examples: Sequence[Example]) -> list[Example]:
    return [example for example in examples if example.outcome.attributions is not None]


CONTEXT_SHARES = (
    *(
        Metric(
            f"context_share.top{k}",
            f"Context top {k}",
            f"share of context words among each sentence's {k} most attributed words; over attributed sentences",
            lambda examples, k=k: _share_among_top(examples, k),  # type: ignore[misc]
        )
        for k in (1, 3)
    ),
    Metric(
        "context_share.all",
        "Context words",
        "share of context words among all words of the same sentences",
        _share_of_all,
    ),
)
