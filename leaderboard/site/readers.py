"""What people said of adversarial examples, beside what rules and taggers say of them."""

from __future__ import annotations

from typing import NamedTuple

from benchmark.metrics import Value
from leaderboard.rows import Run

__all__ = ["Readers", "readers_of"]


class Readers(NamedTuple):
    """What the readers of a run's texts said.

    Attributes:
        people: how many.
        right: share of the adversarial texts whose labels most of them found right.
        right_clean: the same of originals mixed in.
        natural: mean from 1 to 5, of adversarial texts.
        natural_clean: the same of originals.
        agreement: Cohen's kappa on labels; None for one reader.
        rate: attack rate times `right`.
    """

    people: int
    right: Value
    right_clean: Value
    natural: float | None
    natural_clean: float | None
    agreement: float | None
    rate: float | None


def readers_of(run: Run) -> Readers | None:
    """Return what people said of a run; None where nobody was asked."""
    if run.audit is None:
        return None
    return Readers(
        run.audit["annotators"],
        Value(**run.audit["label_preservation"]),
        Value(**run.audit["label_preservation.clean"]),
        run.audit["natural"],
        run.audit["natural.clean"],
        run.audit["agreement"]["labels_right"],
        run.audit["attack_rate.audited"],
    )
