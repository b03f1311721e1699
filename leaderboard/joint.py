"""Several victims side by side: what holds of them under the attacks all were given, on the sentences all share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from benchmark.metrics import Example
from benchmark.metrics.attack_rate import attack_rate
from benchmark.metrics.metric import Value, clusters_of
from benchmark.metrics.span_f1 import SpanCounts, recall_counts, span_counts
from benchmark.spec import RunSpec
from benchmark.statistics.intervals import bootstrap
from benchmark.statistics.paired import approximate_randomisation
from benchmark.statistics.ranking import PairedTest
from benchmark.statistics.robust_f1 import RobustF1, robust_f1
from benchmark.statistics.totals import Sums, micro_f1, rate
from benchmark.suites.ensembles import Ensemble, Member, ensembles
from benchmark.types import TOO_LONG, Outcome, Status
from leaderboard.citations import Citation, of_attacks
from leaderboard.entries import (
    Average,
    Entry,
    average,
    seeds_of,
    shared_protocol,
)
from leaderboard.rows import Run
from leaderboard.standing import Standing, enough_resamples, standings, told

__all__ = ["Joint"]


@dataclass(frozen=True)
class Joint:
    """Victims that were given the same attacks under the same protocol.

    Attributes:
        victims: what to call each.
        attacks: what to call each attack, seeds apart.
        runs: for each victim, for each attack, the runs by seed.
    """

    victims: tuple[str, ...]
    attacks: tuple[str, ...]
    runs: tuple[tuple[tuple[Run, ...], ...], ...]

    @property
    def spec(self) -> RunSpec:
        """Of one of the runs; what the group shares holds for all."""
        return self.runs[0][0][0].spec

    @property
    def shared(self) -> dict[str, Any]:
        """What the rows of a table share, as columns of a file."""
        return {**shared_protocol(self.spec), "sentences": len(self.sentences)}

    @property
    def citations(self) -> tuple[Citation, ...]:
        """Of the attacks."""
        return of_attacks(seeds[0].spec.attack for seeds in self.runs[0])

    @cached_property
    def sentences(self) -> tuple[str, ...]:
        """Those that all victims were selected for, in the order of the first."""
        joint = set.intersection(*(set(own[0][0].spec.sentence_ids) for own in self.runs))
        return tuple(name for name in self.spec.sentence_ids if name in joint)

    def nearly_right(self, victim: int) -> float | None:
        """Share of the sentences with mentions that a victim was selected for, of those that were looked at and read.

        What it loses on clean texts is seen here and not on the joint sentences, which it nearly gets right.
        """
        spec = self.runs[victim][0][0].spec
        missed = spec.selection.get("passed_over", {}).get("victim misses too many mentions")
        return None if missed is None else len(spec.sentence_ids) / (len(spec.sentence_ids) + missed)

    def clean_f1_of_all(self, victim: int) -> float | None:
        """Strict F1 on all sentences with mentions that were looked at; None where no run's provenance tells."""
        for run in (run for seeds in self.runs[victim] for run in seeds):
            counts = [run.clean.get(name, -1) for name in SpanCounts._fields]
            if 0 <= counts[0] <= min(counts[1:]) and max(counts) > 0:
                return float(micro_f1(np.array([counts], dtype=np.float64))[0])
        return None

    @property
    def clusters(self) -> list[Any]:
        """The unit of resampling of each sentence: its document where known."""
        return clusters_of(self._examples(self.runs[0][0][0]))

    def clean(self, victim: int) -> Sums:
        """(sentences, 3) true positives, predicted and gold mentions of a victim on the clean texts."""
        return _counts((o.gold, o.clean) for o in map(_at_worst, self._outcomes(self.runs[victim][0][0])))

    def attacked(self, victim: int, attack: int) -> list[Sums]:
        """For each seed (sentences, 3): the same after an attack; where it broke off no mention counts as found."""
        return [self._after(run) for run in self.runs[victim][attack]]

    def broke_off(self, victim: int) -> tuple[int, int]:
        """Count the attacks on a victim's sentences that ended in an error, over attacks and seeds; and all of them."""
        return self._count(victim, lambda outcome: outcome.status is Status.ERROR)

    def refused(self, victim: int) -> tuple[int, int]:
        """Count the attacks that found nothing while the victim would not read some of their texts; and all of them."""
        return self._count(victim, _was_refused)

    def rate(self, victim: int, attack: int) -> Average:
        """Attack rate on the joint sentences, averaged over seeds."""
        return average([attack_rate(self._examples(run)) for run in self.runs[victim][attack]])

    def f1(self, counts: Sequence[Sums]) -> Average:
        """F1 of counts, averaged over seeds, with bootstrap intervals."""
        return average([self._f1(own) for own in counts])

    @cached_property
    def ensemble(self) -> Ensemble | None:
        """The first frozen ensemble of which every attack is here, under its protocol; None where there is none."""
        return next((one for one in ensembles() if not self._lacks(one)), None)

    @cached_property
    def counted(self) -> tuple[int, ...]:
        """The attacks that robust F1 is the worst case over: those of the ensemble, or all where none is complete."""
        if self.ensemble is None:
            return tuple(range(len(self.attacks)))
        members = self.ensemble.members
        return tuple(a for a, own in enumerate(self.runs[0]) if any(_is_member(m, own[0].spec) for m in members))

    @cached_property
    def robust(self) -> tuple[RobustF1, ...]:
        """For each victim the worst case over the attacks counted and their seeds; the clean text is an option too."""
        return tuple(self._worst(v, self._counted_runs(v)) for v in range(len(self.victims)))

    def robust_over_all(self, victim: int) -> RobustF1:
        """Return the worst case over every attack and seed, frozen or not: an attack more never raises it."""
        return self._worst(victim, [run for seeds in self.runs[victim] for run in seeds])

    def unseen_recall(self, victim: int, *, worst: bool) -> Value:
        """Recall of the gold mentions that the training split does not have, of clean texts or of those robust F1 took.

        Args:
            victim: number.
            worst: of the texts chosen for robust F1.
        """
        sides = [(self.runs[victim][0][0], "before")]
        sides += [(run, "after") for run in self._counted_runs(victim)]
        chosen = self.robust[victim].chosen if worst else np.zeros(len(self.sentences), dtype=np.intp)
        taken = [(sides[k], name) for k, name in zip(chosen, self.sentences, strict=True)]
        counts = np.array(
            [recall_counts(_at_worst(run.examples[s].outcome), when, unseen=True) for (run, when), s in taken], float
        )
        mentions = int(counts[:, 1].sum())
        if not mentions:
            return Value(None, reason="no unseen mention, or no training split to tell")
        return Value(counts[:, 0].sum() / mentions, *bootstrap(counts, rate, self.clusters), n=mentions)

    @cached_property
    def standings(self) -> list[Standing]:
        """Of the victims by robust F1; tests exchange the outcomes chosen for two victims."""
        resamples = enough_resamples(len(self.victims) * (len(self.victims) - 1) // 2)
        return standings(
            [own.value for own in self.robust],
            lambda one, other: self.test(one, other, resamples),
        )

    def test(self, one: int, other: int, resamples: int) -> PairedTest:
        """Compare the robust F1 of two victims on the outcomes chosen for each."""
        first, second = self.robust[one].counts, self.robust[other].counts
        return approximate_randomisation(first, second, micro_f1, self.clusters, resamples=resamples)

    @property
    def notes(self) -> list[str]:
        """What the numbers stand on."""
        seeds = seeds_of([Entry(own) for own in self.runs[0]])
        attacks = ", ".join(self.attacks[a] for a in self.counted)
        pairs = len(self.victims) * (len(self.victims) - 1) // 2
        return [
            f"{len(self.sentences)} sentences that all of them were selected for; {seeds}. Intervals: 95 %, bootstrap.",
            f"Robust F1: strict, the lowest that clean text or attack, by sentence, gives. {self._over} {attacks}.",
            told("approximate randomisation of the outcomes chosen", pairs),
            self._withheld,
        ]

    @property
    def _withheld(self) -> str:
        """Say where victims gave attacks no answer, which is nothing that they withstood."""
        ends = [
            f"{what}: {', '.join(told)}"
            for what, counted in (
                ("broke off in an error", self.broke_off),
                ("found nothing and had texts that the victim would not read", self.refused),
            )
            if (told := [f"{v} {n} of {of}" for k, v in enumerate(self.victims) for n, of in [counted(k)] if n])
        ]
        if not ends:
            return ""
        return (
            f"Attacks on a sentence that {'; that '.join(ends)}. F1 after an attack and robust F1 take all mentions of "
            "such a sentence for missed; the attack rate takes it for a failure of the attack."
        )

    @property
    def _over(self) -> str:
        """Say over what robust F1 is the worst case."""
        if self.ensemble is not None:
            return f"Attacks of the frozen ensemble {self.ensemble.name}:"
        lacking = {one.name: self._lacks(one) for one in ensembles()}
        nearest = min(lacking, key=lambda name: len(lacking[name]))
        lacks = f"{nearest}, with its parameters and seeds, lacks {', '.join(lacking[nearest])}"
        return f"Over what there is, no frozen ensemble ({lacks}). Attacks:"

    def _lacks(self, ensemble: Ensemble) -> list[str]:
        """Return what of an ensemble is not here: its protocol, or attacks in its version, parameters and seeds."""
        spec = self.spec
        given = {
            f"goal {ensemble.goal}": spec.goal == ensemble.goal,
            f"mode {ensemble.mode}": spec.mode == ensemble.mode,
            f"{ensemble.queries} queries": spec.queries == ensemble.queries,
            "to be without constraints": spec.constraints is None,
        }
        for member in ensemble.members:
            seeds = {run.spec.seed for own in self.runs[0] for run in own if _is_member(member, run.spec)}
            given[f"{member.attack} {member.version}"] = seeds >= set(ensemble.seeds)
        return [name for name, is_here in given.items() if not is_here]

    def _counted_runs(self, victim: int) -> list[Run]:
        """Return the runs that robust F1 is the worst case over: of an ensemble those with its seeds only."""
        seeds = None if self.ensemble is None else self.ensemble.seeds
        runs = [run for attack in self.counted for run in self.runs[victim][attack]]
        return [run for run in runs if seeds is None or run.spec.seed in seeds]

    def _worst(self, victim: int, runs: Sequence[Run]) -> RobustF1:
        return robust_f1(np.stack([self.clean(victim), *map(self._after, runs)]))

    def _count(self, victim: int, counts: Callable[[Outcome], bool]) -> tuple[int, int]:
        ends = [outcome for seeds in self.runs[victim] for run in seeds for outcome in self._outcomes(run)]
        return sum(map(counts, ends)), len(ends)

    def _after(self, run: Run) -> Sums:
        return _counts((o.adversarial_gold, o.adversarial_prediction) for o in map(_at_worst, self._outcomes(run)))

    def _f1(self, counts: Sums) -> Value:
        value = float(micro_f1(counts.sum(axis=0, keepdims=True))[0])
        return Value(value, *bootstrap(counts, micro_f1, self.clusters), n=len(counts))

    def _examples(self, run: Run) -> list[Example]:
        return [run.examples[name] for name in self.sentences]

    def _outcomes(self, run: Run) -> list[Outcome]:
        return [example.outcome for example in self._examples(run)]


def _is_member(member: Member, spec: RunSpec) -> bool:
    return Member(spec.attack, spec.attack_version, spec.parameters) == member


def _was_refused(outcome: Outcome) -> bool:
    return outcome.status is Status.FAILED and TOO_LONG in outcome.rejected


def _at_worst(outcome: Outcome) -> Outcome:
    """Take mentions for missed where the victim gave no answer: not to answer must not pay.

    So it is on a clean text on which it failed, after an attack that broke off, and after one that found nothing while
    the victim would not read some of its texts.
    """
    nothing = ("O",) * len(outcome.gold)
    told = replace(outcome, clean=outcome.clean or nothing)
    if outcome.status is not Status.ERROR and not _was_refused(outcome):
        return told
    return replace(told, adversarial_gold=outcome.gold, adversarial_prediction=nothing)


def _counts(pairs: Any) -> Sums:
    return np.array([span_counts(gold, predicted) for gold, predicted in pairs], dtype=np.float64)
