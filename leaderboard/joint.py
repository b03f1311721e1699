"""Several victims side by side: the attacks all of them were given, on the sentences all of them were selected for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from benchmark.errors import GauntletError
from benchmark.metrics import Example
from benchmark.metrics.attack_rate import attack_rate
from benchmark.metrics.metric import Value, clusters_of
from benchmark.metrics.span_f1 import SpanCounts, recall_counts, span_counts
from benchmark.resources.loading import LEARNING
from benchmark.spec import RunSpec, canonical_json
from benchmark.statistics.intervals import bootstrap
from benchmark.statistics.paired import approximate_randomisation
from benchmark.statistics.ranking import PairedTest
from benchmark.statistics.robust_f1 import RobustF1, robust_f1
from benchmark.statistics.totals import Sums, micro_f1, rate
from benchmark.suites.ensembles import Ensemble, Member, ensembles
from benchmark.types import Outcome, Status
from benchmark.victims.finding import parse_name
from leaderboard.citations import Citation, of_attacks
from leaderboard.entries import (
    CONTROLS,
    OF_THE_ATTACK,
    Average,
    Entry,
    average,
    grouped,
    labels,
    seeds_of,
    shared_protocol,
    told_apart,
)
from leaderboard.rows import Reading, Run
from leaderboard.standing import Standing, enough_resamples, standings, told

__all__ = ["Joint", "base_of", "joint_groups"]

# What belongs to a victim, or follows from it: which sentences it nearly gets right.
_OF_THE_VICTIM = ("victim", "victim_fingerprint", "victim_settings", "selection", "sentence_ids")


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
        """Those that all victims were selected for and answered, in the order of the first."""
        joint = set.intersection(*(self.answered(victim) for victim in range(len(self.victims))))
        return tuple(name for name in self.spec.sentence_ids if name in joint)

    def answered(self, victim: int) -> set[str]:
        """Return the sentences that a victim was selected for and answered in all of its runs."""
        runs = [run for seeds in self.runs[victim] for run in seeds]
        return set.intersection(*({name for name, e in run.examples.items() if e.outcome.clean} for run in runs))

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
        return _counts((e.outcome.gold, e.outcome.clean) for e in self._examples(self.runs[victim][0][0]))

    def attacked(self, victim: int, attack: int) -> list[Sums]:
        """For each seed (sentences, 3): the same after an attack; where it broke off no mention counts as found."""
        return [self._after(run) for run in self.runs[victim][attack]]

    def broke_off(self, victim: int) -> tuple[int, int]:
        """Count the attacks on a victim's sentences that ended in an error, over attacks and seeds; and all of them."""
        ends = [o.status for seeds in self.runs[victim] for run in seeds for o in self._outcomes(run)]
        return ends.count(Status.ERROR), len(ends)

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
            self._broken_off,
        ]

    @property
    def _broken_off(self) -> str:
        """Say on which victims attacks broke off, which is nothing that a victim withstood."""
        counts = [(name, *self.broke_off(victim)) for victim, name in enumerate(self.victims)]
        ends = ", ".join(f"{name} {broken} of {attacked}" for name, broken, attacked in counts if broken)
        return ends and (
            f"Attacks on a sentence that broke off in an error: {ends}. F1 after an attack and robust F1 take all "
            "mentions of such a sentence for missed; the attack rate takes it for a failure of the attack."
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

    def _after(self, run: Run) -> Sums:
        return _counts((o.adversarial_gold, o.adversarial_prediction) for o in map(_at_worst, self._outcomes(run)))

    def _f1(self, counts: Sums) -> Value:
        value = float(micro_f1(counts.sum(axis=0, keepdims=True))[0])
        return Value(value, *bootstrap(counts, micro_f1, self.clusters), n=len(counts))

    def _examples(self, run: Run) -> list[Example]:
        return [run.examples[name] for name in self.sentences]

    def _outcomes(self, run: Run) -> list[Outcome]:
        return [example.outcome for example in self._examples(run)]


def joint_groups(reading: Reading, *, base: bool) -> list[Joint]:
    """Group the victims that can be compared; why others cannot be is remarked.

    Args:
        reading: of finished runs; controls are passed over.
        base: keep apart the families of a base victim and its defended ones, named BASE+DEFENSE.

    Returns:
        Groups of at least two victims with an attack and a sentence in common.
    """
    usable = [run for run in reading.runs if run.spec.attack not in CONTROLS]
    found = []
    for group in grouped(usable, lambda run: _shared(run.spec, base=base)):
        victims = grouped(group, lambda run: {name: getattr(run.spec, name) for name in _OF_THE_VICTIM})
        if len(victims) < 2:  # noqa: PLR2004 - one victim alone is compared with nothing
            continue
        joint = _joint(victims)
        names = ", ".join(sorted({own[0].spec.victim for own in victims}))
        where = f"{names} on {group[0].spec.dataset} ({group[0].spec.goal}, {group[0].spec.queries} queries)"
        if joint is not None and (spoiling := _spoiling(joint, base=base)):
            without = _joint([own for victim, own in enumerate(victims) if victim not in spoiling])
            reading.remarks.append(
                f"{where}: left out {', '.join(joint.victims[victim] for victim in spoiling)}, nearly right on so few "
                f"sentences of the others that {len(joint.sentences)} would be joint instead of "
                f"{len(without.sentences) if without else 0}"
            )
            joint = without
        if joint is None:
            reading.remarks.append(f"{where}: not compared, there is no attack that all of them were given")
        elif not joint.sentences:
            reading.remarks.append(f"{where}: not compared, there is no sentence that all were selected for")
        else:
            found.append(joint)
    return found


def _spoiling(joint: Joint, *, base: bool) -> list[int]:
    """Return the victims to leave out: without one of them at least twice as many sentences are joint.

    Where two lack the same sentences nothing is won unless both go; so k go where that doubles the number k times. Two
    victims always stay, and so does the base of defended ones.
    """
    left = {victim: joint.answered(victim) for victim in range(len(joint.victims))}
    names = [own[0][0].spec.victim for own in joint.runs]
    loose = [victim for victim in left if not (base and base_of(names[victim]) == names[victim])]
    gone: list[int] = []
    tried: list[int] = []
    now = len(set.intersection(*left.values()))
    while loose and len(left) > 2:  # noqa: PLR2004 - one victim alone is compared with nothing
        least = min(loose, key=lambda victim: sum(len(left[victim] & left[k]) for k in left if k != victim))
        loose.remove(least)
        del left[least]
        tried.append(least)
        if (then := len(set.intersection(*left.values()))) >= max(1, 2 ** len(tried) * now):
            gone, tried, now = [*gone, *tried], [], then
    return gone


def base_of(victim: str) -> str:
    """Return the name of a victim without its defenses; a name of a form that is not known here is its own base."""
    try:
        parts = parse_name(victim)
    except GauntletError:
        return victim
    return base_of(parts.base) if parts.defense else victim


def _shared(spec: RunSpec, *, base: bool) -> dict[str, Any]:
    fields = {k: v for k, v in asdict(spec).items() if k not in {*OF_THE_ATTACK, *_OF_THE_VICTIM, "seed"}}
    rule = {k: v for k, v in spec.selection.items() if k != "passed_over"}
    return {**fields, "rule": rule, "base": base_of(spec.victim) if base else None}


def _joint(victims: Sequence[Sequence[Run]]) -> Joint | None:
    """Keep what all victims were given: attacks, and of each the seeds that all have."""
    given = [{_given(run): run for run in own} for own in victims]
    common = sorted(set.intersection(*(set(own) for own in given)))
    if not common:
        return None
    attacks = [[key for key in common if key[0] == attack] for attack in dict.fromkeys(key[0] for key in common)]
    names = labels([Entry(tuple(given[0][key] for key in keys)) for keys in attacks])
    order = sorted(range(len(names)), key=lambda k: names[k])
    return Joint(
        tuple(told_apart([own[0].spec.victim for own in victims], [_details(own[0].spec) for own in victims])),
        tuple(names[k] for k in order),
        tuple(tuple(tuple(own[key] for key in attacks[k]) for k in order) for own in given),
    )


def _given(run: Run) -> tuple[str, int]:
    """Which attack a run is, whoever the victim: what an attack learns from the victim cannot be the same for two."""
    own = {name: getattr(run.spec, name) for name in OF_THE_ATTACK}
    resources = {kind: name for kind, name in run.spec.resources.items() if kind not in LEARNING}
    return canonical_json({**own, "resources": resources}), run.spec.seed


def _is_member(member: Member, spec: RunSpec) -> bool:
    return Member(spec.attack, spec.attack_version, spec.parameters) == member


def _details(spec: RunSpec) -> Mapping[str, Any]:
    # Its end: the beginning is that of the network beneath, the same for all adapters on it.
    return {"weights": spec.victim_fingerprint[-8:], **spec.victim_settings}


def _at_worst(outcome: Outcome) -> Outcome:
    """Let an attack that broke off count as if it had hidden every mention: to make attacks fail must not pay."""
    if outcome.status is not Status.ERROR:
        return outcome
    return replace(outcome, adversarial_gold=outcome.gold, adversarial_prediction=("O",) * len(outcome.gold))


def _counts(pairs: Any) -> Sums:
    return np.array([span_counts(gold, predicted) for gold, predicted in pairs], dtype=np.float64)
