"""What people said of adversarial examples, beside what rules and taggers say of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import NamedTuple

from benchmark.metrics import Value
from leaderboard.rows import Run
from leaderboard.tables import Column, Table

__all__ = ["Readers", "readers_of", "with_readers"]

_RATE = Column(
    "attack_rate.audited",
    "Audited rate %",
    "attack rate times the share of its texts whose labels most readers found right",
    100,
    1,
    "high",
)
_BESIDE = "valid_attack_rate"


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


def with_readers(table: Table, said: Mapping[str, Readers]) -> Table:
    """Return a table of runs with the audited rate beside the valid rate, where people read some of its runs."""
    import pandas as pd

    if not said or not {"runs", _BESIDE} <= {*table.frame}:
        return table
    rates = [_mean([said[run].rate for run in str(runs).split() if run in said]) for runs in table.frame["runs"]]
    if not any(rate is not None for rate in rates):
        return table
    columns = [*table.columns]
    at = next((k for k, column in enumerate(columns, 1) if column.key == _BESIDE), len(columns))
    frame = table.frame.copy()
    frame[_RATE.key] = pd.Series(rates, index=frame.index, dtype=float)
    return dataclasses.replace(table, columns=(*columns[:at], _RATE, *columns[at:]), frame=frame)


def _mean(rates: list[float | None]) -> float | None:
    known = [rate for rate in rates if rate is not None]
    return sum(known) / len(known) if known else None
