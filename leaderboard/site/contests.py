"""Any two rows of a table compared: difference, interval, p, and the sentences on which they differ.

All of it is computed here, by the functions that the boards use, so that a browser only looks it up.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from benchmark.statistics.multiplicity import holm
from benchmark.statistics.paired import difference_interval
from benchmark.statistics.ranking import PairedTest
from benchmark.statistics.totals import Statistic, Sums, micro_f1, rate
from leaderboard.boards.attacks import attacks_of_groups
from leaderboard.boards.victims import joint_title
from leaderboard.entries import Entry, labels
from leaderboard.joining import joint_groups
from leaderboard.joint import Joint
from leaderboard.rows import Reading
from leaderboard.standing import enough_resamples
from leaderboard.trials import trials_of
from leaderboard.victim_names import base_of

__all__ = ["MOST_ROWS", "Contest", "Pair", "contests"]

# A table's pairs grow with the square of its rows; of more rows, the best ones are compared.
MOST_ROWS = 40


class Pair(NamedTuple):
    """Two rows compared.

    Attributes:
        first: number of a row.
        second: number of another one.
        difference: first minus second.
        low: lower end of its 95 % interval; NaN where nothing can be said.
        high: upper end.
        p: two-sided.
        adjusted: p after Holm's correction: over the pairs that are ranked, or over those with a control.
        only_first: sentences on which only the first breaks the victim, or more of it.
        only_second: the other way round.
    """

    first: int
    second: int
    difference: float
    low: float
    high: float
    p: float
    adjusted: float
    only_first: int
    only_second: int


@dataclass(frozen=True)
class Contest:
    """Rows that were tested on the same sentences.

    Attributes:
        title: of the board's table.
        measure: what is compared.
        unit: what is counted of a row on one sentence.
        test: by which p is found.
        rows: names, the highest number first.
        controls: for each row whether it is one.
        numbers: (rows,) what is compared.
        runs: for each row the first run's id.
        sentences: ids.
        counted: (rows, sentences) whole numbers by `unit`; where they differ, a sentence is discordant.
        left_out: how many rows more the table has.
        sums: for each row (sentences, quantities) what each sentence adds.
        statistic: of the totals of such sums.
        clusters: of the sentences.
        compare: tests two rows, given how often a randomisation test exchanges.
    """

    title: str
    measure: str
    unit: str
    test: str
    rows: tuple[str, ...]
    controls: tuple[bool, ...]
    numbers: tuple[float, ...]
    runs: tuple[str, ...]
    sentences: tuple[str, ...]
    counted: tuple[tuple[int, ...], ...]
    left_out: int
    sums: tuple[Sums, ...]
    statistic: Statistic
    clusters: tuple[Hashable, ...]
    compare: Callable[[int, int, int], PairedTest]

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """All pairs, the first row of which stands above the second."""
        pairs = list(itertools.combinations(range(len(self.rows)), 2))
        # As on the board, where controls are not ranked: comparing with them must not cost the others their ranks.
        ranked = [pair for pair in pairs if not self._with_control(pair)]
        families = (ranked, [pair for pair in pairs if self._with_control(pair)])
        found = {pair: compared for family in families for pair, compared in self._family(family).items()}
        return tuple(found[pair] for pair in pairs)

    @property
    def families(self) -> tuple[int, int]:
        """Number of pairs that Holm's correction is over: ranked ones, and those with a control."""
        with_control = sum(self._with_control(pair) for pair in itertools.combinations(range(len(self.rows)), 2))
        return len(self.pairs) - with_control, with_control

    def _with_control(self, pair: tuple[int, int]) -> bool:
        return any(self.controls[k] for k in pair)

    def _family(self, numbers: Sequence[tuple[int, int]]) -> dict[tuple[int, int], Pair]:
        tests = [self.compare(*pair, enough_resamples(len(numbers))) for pair in numbers]
        adjusted = holm([test.p for test in tests])
        return {
            pair: Pair(*pair, test.difference, *self._interval(*pair), test.p, float(p), *self._discordant(*pair))
            for pair, test, p in zip(numbers, tests, adjusted, strict=True)
        }

    def _interval(self, one: int, other: int) -> tuple[float, float]:
        return difference_interval(self.sums[one], self.sums[other], self.statistic, self.clusters)

    def _discordant(self, one: int, other: int) -> tuple[int, int]:
        first, second = np.array(self.counted[one]), np.array(self.counted[other])
        return int((first > second).sum()), int((second > first).sum())


def contests(reading: Reading) -> Iterator[Contest]:
    """Yield one contest for each table of the attacks, victims and defenses boards that has two rows."""
    for title, rows in attacks_of_groups(reading.runs):
        names = labels(rows)
        if found := _of_attacks(title, [*zip(names, rows, strict=True)]):
            yield found
    for base, what in ((False, lambda _: "Victims"), (True, lambda joint: base_of(joint.spec.victim))):
        yield from (_of_victims(joint, what) for joint in joint_groups(reading, base=base))


def _of_attacks(title: str, named: Sequence[tuple[str, Entry]]) -> Contest | None:
    """Compare attack rates, controls too: an attack that does not beat its control has found nothing."""
    rates = {name: row.average("attack_rate").value for name, row in named}
    order = sorted((k for k, (name, _) in enumerate(named) if rates[name] is not None), key=lambda k: _high(named, k))
    kept = [named[k] for k in order[:MOST_ROWS]]
    rows = [row for _, row in kept]
    if len(rows) < 2:  # noqa: PLR2004
        return None
    trials = trials_of(rows)
    return Contest(
        title,
        "attack rate",
        "seeds won" if any(len(row.runs) > 1 for row in rows) else "won",
        trials.test_name,
        tuple(name for name, _ in kept),
        tuple(row.is_control for row in rows),
        tuple(rates[name] or 0.0 for name, _ in kept),
        tuple(row.runs[0].run_id for row in rows),
        trials.sentences,
        trials.seeds_won,
        len(order) - len(kept),
        trials.sums,
        rate,
        trials.clusters,
        trials.test,
    )


def _high(named: Sequence[tuple[str, Entry]], k: int) -> tuple[float, str]:
    return -(named[k][1].average("attack_rate").value or 0.0), named[k][0]


def _of_victims(joint: Joint, what: Callable[[Joint], str]) -> Contest:
    """Compare robust F1, on the outcomes chosen for each victim."""
    robust = joint.robust
    order = sorted(range(len(robust)), key=lambda k: (-robust[k].value, joint.victims[k]))
    kept = order[:MOST_ROWS]
    sums = tuple(robust[k].counts for k in kept)
    return Contest(
        joint_title(joint, what(joint)),
        "robust F1",
        "mentions wrong",
        "approximate randomisation of the outcomes chosen",
        tuple(joint.victims[k] for k in kept),
        (False,) * len(kept),
        tuple(robust[k].value for k in kept),
        tuple(joint.runs[k][0][0].run_id for k in kept),
        joint.sentences,
        tuple(tuple((own[:, 1] + own[:, 2] - 2 * own[:, 0]).astype(int).tolist()) for own in sums),
        len(order) - len(kept),
        sums,
        micro_f1,
        tuple(joint.clusters),
        lambda one, other, resamples: joint.test(kept[one], kept[other], resamples),
    )
