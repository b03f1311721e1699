"""What a defense withstands: attacks run again on the defended victim, and those that broke its base.

A defense may merely hide: attacks no longer find what is still there (Athalye, Carlini & Wagner 2018; Carlini et al.
2019, section 3). Signs of that are flags here. A flag takes nothing away from a row, it says that its attack rates may
be too low.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.metrics import Value
from benchmark.statistics.intervals import wilson
from benchmark.statistics.paired import mcnemar
from benchmark.threat import Access
from benchmark.types import Status
from leaderboard.entries import Average, average
from leaderboard.joint import Joint
from leaderboard.rows import Run
from leaderboard.standing import ALPHA
from leaderboard.transferring import Transfer, target_of
from leaderboard.victim_names import base_of

__all__ = ["Defended"]

Broken = NDArray[np.bool_]
"""(sentences,) whether each joint sentence is broken."""


@dataclass(frozen=True)
class Defended:
    """A base victim and its defended ones.

    Attributes:
        joint: all of them.
        transfers: by run, what other victims make of the adversarial examples.
    """

    joint: Joint
    transfers: Mapping[str, Sequence[Transfer]]

    @cached_property
    def base(self) -> int | None:
        """Number of the victim without defenses; None where it is not among them, or several go by its name."""
        return self._bases[0] if len(self._bases) == 1 else None

    @cached_property
    def _bases(self) -> list[int]:
        names = [own[0][0].spec.victim for own in self.joint.runs]
        return [k for k, name in enumerate(names) if base_of(name) == name]

    def transfer_rate(self, victim: int, attack: int) -> Average | None:
        """Share of the sentences on which what broke the base breaks the victim; None where it was not asked.

        Averaged over seeds, with Wilson's intervals; the sentences are those of the attack rate on the base.
        """
        asked = self._transferred(victim, attack)
        values = []
        for run, broken in asked:
            tried = np.array([self._status(run, name) is not Status.SKIPPED for name in self.joint.sentences])
            hits, sentences = int(broken[tried].sum()), int(tried.sum())
            values.append(Value(hits / max(sentences, 1), *wilson(hits, sentences), n=sentences))
        return average(values) if values else None

    def flags(self, victim: int) -> list[str]:
        """Return the signs that attack rates on a victim may be too low, in a few words each."""
        found = [
            f"{told} ({n} of {attacked})"
            for told, counted in (("attacks broke off", self.joint.broke_off), ("texts refused", self.joint.refused))
            for n, attacked in [counted(victim)]
            if n
        ]
        found += [
            f"{told} ({signs:g} of {asked:g} texts)"
            for told, sign, texts in (
                ("answers vary", "answered_otherwise", "asked_twice"),
                ("zero gradients", "zero_gradient", "differentiated"),
            )
            for signs, asked in self._worst(victim, sign, texts)
            if signs
        ]
        found += [
            f"transfer beats {name}" for attack, name in enumerate(self.joint.attacks) if self._hides(victim, attack)
        ]
        return [*found, "white-box below black-box"] if self._blinds(victim) else found

    @property
    def notes(self) -> list[str]:
        """What flags mean, and what could not be looked at."""
        told = (
            "Flags, each a sign that attack rates are too low: attacks on a sentence broke off in an error; attacks "
            "found nothing and the victim would not read some of their texts; a text asked twice gets two answers; "
            "gradients are zero; what broke the base breaks more than an attack on the victim itself; white-box "
            "attacks fall below black-box ones, as they do not on the base (both by McNemar's exact test, p < 0.05)."
        )
        victims = range(len(self.joint.victims))
        attacks = range(len(self.joint.attacks))
        looked_at: dict[str, list[list[Any]]] = {
            "answers that vary": [self._worst(v, "answered_otherwise", "asked_twice") for v in victims],
            "zero gradients": [self._worst(v, "zero_gradient", "differentiated") for v in victims],
            "transfer (gauntlet transfer VICTIM)": [
                self._transferred(v, a) for v in victims if v != self.base for a in attacks
            ],
            "white-box attacks": [self._best(0, white=True)],
            "black-box attacks": [self._best(0, white=False)],
            "whether white-box attacks fall below black-box ones as they do not on the base": [
                [self.base] if self.base is not None else []
            ],
        }
        unknown = ", ".join(
            f"partly {name}" if any(found) else name for name, found in looked_at.items() if not all(found)
        )
        notes = [told + (f" Not looked at: {unknown}." if unknown else "")]
        if len(self._bases) > 1:
            several = ", ".join(self.joint.victims[k] for k in self._bases)
            notes.append(f"No gain and no transfer: several victims go by the base's name ({several}).")
        return notes

    def _worst(self, victim: int, sign: str, texts: str) -> list[tuple[float, float]]:
        """Return a sign's count and that of the texts asked, of the run against a victim with the largest share.

        Runs ask about the same texts, so their counts do not add up. Nothing where no run tells.
        """
        told = [run.soundness for seeds in self.joint.runs[victim] for run in seeds if run.soundness.get(texts, 0) > 0]
        counts = [(count.get(sign, 0), count[texts]) for count in told]
        return [max(counts, key=lambda count: count[0] / count[1])] if counts else []

    def _transferred(self, victim: int, attack: int) -> list[tuple[Run, Broken]]:
        """Return the base's runs whose examples were put to a victim, with what they break."""
        if self.base is None or victim == self.base:
            return []
        spec = self.joint.runs[victim][attack][0].spec
        target = target_of(spec.victim, spec.victim_fingerprint, spec.victim_settings)
        found = []
        for run in self.joint.runs[self.base][attack]:
            for transfer in self.transfers.get(run.run_id, ()):
                if transfer.target == target:
                    breaks = {answer.sentence_id for answer in transfer.answers if answer.score > 0}
                    found.append((run, np.array([name in breaks for name in self.joint.sentences])))
        return found

    def _hides(self, victim: int, attack: int) -> bool:
        """Tell whether an attack on a victim finds less than the base's examples break; by the first seed asked."""
        asked = self._transferred(victim, attack)
        if not asked:
            return False
        run, transferred = asked[0]
        adaptive = next(own for own in self.joint.runs[victim][attack] if own.spec.seed == run.spec.seed)
        return _clearly_more(transferred, self._broken(adaptive))

    def _blinds(self, victim: int) -> bool:
        """Tell whether the best white-box attack falls below the best black-box one, as it does not on the base."""
        white, black = self._best(victim, white=True), self._best(victim, white=False)
        if self.base is None or victim == self.base or not white or not black:
            return False
        own, others = self._best(self.base, white=True), self._best(self.base, white=False)
        before = self._broken(own[0]).sum() >= self._broken(others[0]).sum()
        return bool(before) and _clearly_more(self._broken(black[0]), self._broken(white[0]))

    def _best(self, victim: int, *, white: bool) -> list[Run]:
        """Return the run, by the first seed, of the strongest attack that sees gradients, or of those that do not."""
        runs = [seeds[0] for seeds in self.joint.runs[victim]]
        name = Access.GRADIENTS.name.lower()
        those = [run for run in runs if (run.spec.access == name) == white]
        return [max(those, key=lambda run: self._broken(run).sum())] if those else []

    def _broken(self, run: Run) -> Broken:
        return np.array([self._status(run, name) is Status.SUCCESS for name in self.joint.sentences])

    def _status(self, run: Run, sentence: str) -> Status:
        return run.examples[sentence].outcome.status


def _clearly_more(more: Broken, fewer: Broken) -> bool:
    test = mcnemar(more, fewer)
    return test.difference > 0 and test.p < ALPHA
