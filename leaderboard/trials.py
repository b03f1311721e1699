"""Attacks tried on the same sentences: what each won, and the test that tells two apart."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmark.metrics import Example
from benchmark.metrics.metric import clusters_of
from benchmark.statistics.paired import approximate_randomisation, mcnemar
from benchmark.statistics.ranking import PairedTest
from benchmark.statistics.totals import Sums, rate
from benchmark.types import Status
from leaderboard.entries import Entry

__all__ = ["Trials", "succeeded", "trials_of"]


@dataclass(frozen=True)
class Trials:
    """Rows on the sentences that none of them skipped.

    Attributes:
        sentences: ids.
        seeds_won: (rows, sentences) how many seeds succeeded.
        sums: for each row (sentences, 2): the share of the seeds that succeeded, and 1.
        clusters: of the sentences, the document where known.
        exact: whether McNemar's exact test fits.
        test_name: what `test` is.
    """

    sentences: tuple[str, ...]
    seeds_won: tuple[tuple[int, ...], ...]
    sums: tuple[Sums, ...]
    clusters: tuple[Hashable, ...]
    exact: bool
    test_name: str

    def test(self, one: int, other: int, resamples: int) -> PairedTest:
        """Compare the rates of two rows."""
        first, second = self.sums[one], self.sums[other]
        if self.exact:
            return mcnemar(first[:, 0] > 0, second[:, 0] > 0)
        return approximate_randomisation(first, second, rate, self.clusters, resamples=resamples)


def trials_of(rows: Sequence[Entry]) -> Trials:
    """Return the trials of rows that have their sentences in common.

    Over several seeds a sentence may be won in part, and sentences of a document are not independent: then it takes the
    test of which McNemar's is the special case.
    """
    runs = [run for row in rows for run in row.runs]
    sentences = tuple(
        name
        for name in rows[0].spec.sentence_ids
        if all(run.examples[name].outcome.status is not Status.SKIPPED for run in runs)
    )
    won = tuple(tuple(sum(succeeded(run.examples[name]) for run in row.runs) for name in sentences) for row in rows)
    clusters = tuple(clusters_of([rows[0].runs[0].examples[name] for name in sentences]))
    in_documents = len(set(clusters)) < len(clusters)
    exact = not in_documents and len(runs) == len(rows)
    return Trials(
        sentences,
        won,
        tuple(
            np.array([np.array(own) / len(row.runs), np.ones(len(own))]).T for own, row in zip(won, rows, strict=True)
        ),
        clusters,
        exact,
        "McNemar's exact test"
        if exact
        else f"approximate randomisation of {'documents' if in_documents else 'sentences'}",
    )


def succeeded(example: Example) -> bool:
    """Tell whether the attack on a sentence succeeded."""
    return example.outcome.status is Status.SUCCESS
