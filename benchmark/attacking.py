"""The attack on one sentence, from the clean prediction to the outcome.

Two search modes. `first-success` stops at the first success: few edits, the headline. `escalate` runs the attack again
and again from the original text for a rising share of the entity tokens (SeqAttack's worst-case loop: 0.1, 0.2, … 0.8)
within one budget, and keeps the most harmful success.
"""

from __future__ import annotations

import contextlib
import logging
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.alignment import edit_script
from benchmark.contracts import Attack, ConstraintProfile
from benchmark.engine import Ask, Job
from benchmark.errors import BadInput, VictimLacks
from benchmark.goals import Clean, Goal
from benchmark.probe import AttackOver, Probe, VictimService, rng_for
from benchmark.resources.loading import Resources
from benchmark.threat import Budget, ThreatModel
from benchmark.types import TOO_LONG, Outcome, Sentence, Status, Tokens
from benchmark.victims.label_map import types_of

if TYPE_CHECKING:
    from benchmark.contracts import Victim

__all__ = ["Assault", "Mode", "mentions_of", "mode_named"]

_log = logging.getLogger(__name__)

# Six digits are far above the noise of single precision and keep journals short.
_DIGITS = 6


class Mode(StrEnum):
    """When to stop."""

    FIRST_SUCCESS = "first-success"
    ESCALATE = "escalate"


def mode_named(name: str) -> Mode:
    """Return a search mode.

    Raises:
        BadInput: no such mode.
    """
    try:
        return Mode(name)
    except ValueError:
        raise BadInput(f"unknown mode {name!r}; known: {', '.join(mode.value for mode in Mode)}") from None


@dataclass(frozen=True)
class Assault:
    """One attack with everything that is the same for all sentences.

    Attributes:
        attack: what proposes.
        victim: what is asked.
        goal: what counts as success.
        mode: when to stop.
        budget: queries a sentence.
        seed: of the attack's random numbers.
        known_mentions: lower-cased mentions of the training split, to tell seen from unseen ones; None if unknown.
        resources: what attack and profile lean on besides the victim.
        profile: constraints on top of the attack's own; None for none.
    """

    attack: Attack
    victim: Victim
    goal: Goal
    mode: Mode
    budget: Budget
    seed: int
    known_mentions: frozenset[Tokens] | None = None
    resources: Resources = field(default_factory=Resources)
    profile: ConstraintProfile | None = None

    def __post_init__(self) -> None:
        card = self.attack.card
        if card.access > self.victim.access:
            raise VictimLacks(
                f"attack {card.name} needs the victim's {card.access.name.lower()}, but {self.victim.name} gives "
                f"{self.victim.access.name.lower()} only; `gauntlet list attacks` tells which attacks need less"
            )
        self.attack.require(self.victim)
        wanted = getattr(self.goal, "type", None)
        if wanted is not None and self.victim.labels and wanted not in types_of(self.victim.labels):
            known = ", ".join(sorted(types_of(self.victim.labels)))
            raise BadInput(f"goal {self.goal.name}: {self.victim.name} has no type {wanted}; it has: {known}")

    def job(self, sentence: Sentence) -> Job:
        """Return the engine job that attacks a sentence; its result is an `Outcome`."""
        return Job(sentence.id, lambda: self.run(sentence))

    async def run(self, sentence: Sentence) -> Outcome:
        """Attack one sentence; whatever goes wrong becomes its error row."""
        try:
            return await self._attack(sentence)
        except Exception as error:  # noqa: BLE001 - the run goes on
            return _outcome_of_error(sentence, _told(error, sentence))

    async def _attack(self, sentence: Sentence) -> Outcome:
        if not self.victim.fits(sentence.tokens):
            return self._not_attacked(sentence, TOO_LONG)
        service = VictimService(self.victim)
        (prediction,) = await Ask(service, [sentence.tokens])
        clean = Clean(sentence, prediction, self.victim.labels)
        reason = self.goal.unusable(clean)
        if reason is not None:
            return self._not_attacked(sentence, reason, clean)
        probe = Probe(
            service,
            clean,
            self.goal,
            ThreatModel(self.attack.card.access, self.attack.card.touch),
            self.budget,
            rng_for(self.seed, self.attack.card.name, sentence.id),
            (*self.attack.constraints, *(self.profile.constraints if self.profile else ())),
            self.attack.prediction_constraints,
            (*self.attack.model_constraints, *(self.profile.model_constraints if self.profile else ())),
            self.resources,
        )
        error: str | None = None
        try:
            for threshold in self._thresholds(probe):
                probe.aim(threshold)
                with contextlib.suppress(AttackOver):
                    await self.attack.run(sentence, probe)
        except Exception as failure:  # noqa: BLE001 - a success found before it is kept
            error = _told(failure, sentence)
        return self._outcome(probe, error)

    def _thresholds(self, probe: Probe) -> Iterator[float | None]:
        """Yield the label scores to aim at, one pass each, as long as passes succeed and queries are left."""
        if self.mode is Mode.FIRST_SUCCESS:
            yield None
            return
        for step in range(1, 9):
            threshold = step / 10
            reached = probe.found.score if probe.found else 0.0
            if reached >= threshold:
                continue
            if probe.queries_left <= 0:
                return
            yield threshold
            if probe.found is None or probe.found.score < threshold:
                return

    def _outcome(self, probe: Probe, error: str | None) -> Outcome:
        clean, found = probe.clean, probe.found
        sentence = clean.sentence
        status = Status.SUCCESS if found else Status.ERROR if error else Status.FAILED
        return Outcome(
            sentence_id=sentence.id,
            document=sentence.document,
            length=len(sentence),
            status=status,
            reason=error,
            gold=sentence.tags,
            clean=clean.prediction.tags,
            unseen=self._unseen(sentence),
            edits=edit_script(sentence, found.sentence) if found else (),
            adversarial_gold=found.sentence.tags if found else (),
            adversarial_prediction=found.prediction.tags if found else (),
            score=round(found.score, _DIGITS) if found else 0.0,
            search_queries=probe.search_queries,
            constraint_queries=probe.constraint_queries,
            gradient_queries=probe.gradient_queries,
            queries_to_success=probe.queries_to_success,
            forwards=len(probe.distinct),
            trajectory=tuple((query, round(score, _DIGITS)) for query, score in probe.trajectory),
            rejected=dict(sorted(probe.rejected.items())),
            attributions=None if probe.attributed is None else tuple(round(x, _DIGITS) for x in probe.attributed),
            chosen=tuple(probe.chosen_for_found if found else probe.chosen),
        )

    def _not_attacked(self, sentence: Sentence, reason: str, clean: Clean | None = None) -> Outcome:
        return Outcome(
            sentence_id=sentence.id,
            document=sentence.document,
            length=len(sentence),
            status=Status.SKIPPED,
            reason=reason,
            gold=sentence.tags,
            # A text that cannot be read gets no tags: all its mentions count as missed.
            clean=clean.prediction.tags if clean else ("O",) * len(sentence),
            unseen=self._unseen(sentence),
            forwards=1 if clean else 0,
        )

    def _unseen(self, sentence: Sentence) -> tuple[bool, ...] | None:
        if self.known_mentions is None:
            return None
        return tuple(mention not in self.known_mentions for mention in mentions_of(sentence))


def mentions_of(sentence: Sentence) -> list[Tokens]:
    """Return the lower-cased gold mentions of a sentence."""
    return [tuple(word.lower() for word in sentence.tokens[s.start : s.end]) for s in sentence.spans]


def _outcome_of_error(sentence: Sentence, reason: str) -> Outcome:
    """Return the error row of a sentence whose clean prediction failed; it has no clean tags."""
    return Outcome(
        sentence_id=sentence.id,
        document=sentence.document,
        length=len(sentence),
        status=Status.ERROR,
        reason=reason,
        gold=sentence.tags,
        clean=(),
    )


def _told(error: Exception, sentence: Sentence) -> str:
    """Return the traceback of an error as it is stored: where and which, but not its message, which may quote the text.

    The message goes to the log (`gauntlet run` keeps it as errors.log in the run's folder).
    """
    _log.error("sentence %s", sentence.id, exc_info=error)
    frames = [
        f"{Path(frame.filename).parent.name}/{Path(frame.filename).name}:{frame.lineno} in {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).name != "engine.py"  # how a question was batched is not part of what happened
    ]
    cause = f" ({type(error.__cause__).__name__})" if error.__cause__ else ""
    return "\n".join(["Traceback, innermost last:", *frames, type(error).__name__ + cause])
