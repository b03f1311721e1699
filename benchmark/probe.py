"""The probe: an attack's only way to the victim.

It counts every text that is asked (repeats too, the clean text not), stops at the budget, turns away what lies outside
the threat model, scores what comes back under the goal, and remembers the best adversarial example and the trajectory.
An attack ends when the probe raises one of the `AttackOver` exceptions or when it returns by itself; attacks need not
catch anything.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np

from benchmark.alignment import edit_script, modification_rate
from benchmark.engine import Ask
from benchmark.resources.loading import Resources
from benchmark.threat import Access
from benchmark.types import TOO_LONG, Prediction, Sentence, Tokens
from benchmark.victims.white_box import AttributionService, GradientService, identity_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmark.contracts import Constraint, ModelConstraint, PredictionConstraint, Victim
    from benchmark.goals import Clean, Goal
    from benchmark.threat import Budget, ThreatModel
    from benchmark.victims.white_box import Attribution, EmbeddingTable, Gradient, Gradients, WhiteBox

__all__ = ["AttackOver", "BudgetSpent", "GoalReached", "Probe", "Verdict", "VictimService", "best", "rng_for"]


class AttackOver(Exception):  # noqa: N818 - not an error: it ends an attack
    """The attack on this sentence has ended."""


class BudgetSpent(AttackOver):
    """No query is left."""


class GoalReached(AttackOver):
    """The goal's threshold is reached."""


class Verdict(NamedTuple):
    """What the victim said of a candidate, and how near that is to the goal.

    Attributes:
        sentence: the candidate.
        prediction: the victim's answer.
        confidence: the goal's confidence score; guides searches.
        score: the goal's label score; decides success.
        success: the threshold is reached.
    """

    sentence: Sentence
    prediction: Prediction
    confidence: float
    score: float
    success: bool


def best(verdicts: Sequence[Verdict]) -> Verdict:
    """Return the verdict with the highest confidence score, the first of equals."""
    return max(verdicts, key=lambda verdict: verdict.confidence)


def rng_for(seed: int, *names: str) -> random.Random:
    """Return a generator that depends on nothing but its arguments, so never on the order of execution."""
    digest = hashlib.sha256("\x1f".join([str(seed), *names]).encode()).digest()
    return random.Random(int.from_bytes(digest[:16], "big"))  # noqa: S311 - reproducible on purpose


@dataclass(frozen=True, slots=True)
class VictimService:
    """A victim as the engine sees it."""

    victim: Victim

    @property
    def identity(self) -> str:
        """Weights and settings."""
        return f"victim {identity_of(self.victim)}"

    def answer(self, questions: Sequence[Tokens]) -> list[Prediction]:
        """Tag each text; what comes back is shared by all that ask the same, so nobody can write to it.

        Raises:
            ValueError: the victim answered with something that is no number, which would count as broken or as sound
                by the accident of its first label.
        """
        answers = self.victim.predict(questions)
        if not all(answer.probabilities is None or np.isfinite(answer.probabilities).all() for answer in answers):
            raise ValueError(f"{self.victim.name} gives probabilities that are no numbers")
        return [_for_keeps(answer) for answer in answers]


class Probe:
    """See the module's text. Made by `benchmark.attacking`, one for each sentence.

    Attributes:
        clean: the original sentence and the victim's clean prediction, free to look at.
        start: confidence score of the clean text; a candidate below it leads away from the goal.
        rng: the attack's own random numbers, from seed, attack and sentence id.
        resources: what the attack leans on besides the victim.
        found: the best successful verdict so far.
        attributed: for each original token the share of the victim's answer that the attack thinks it bears; an attack
            that reckons so leaves it here for the record.
        chosen: the original tokens it picks at present, the most important first.
        chosen_for_found: those it had picked when the best success was found.
    """

    def __init__(
        self,
        service: VictimService,
        clean: Clean,
        goal: Goal,
        threat: ThreatModel,
        budget: Budget,
        rng: random.Random,
        constraints: Sequence[Constraint] = (),
        prediction_constraints: Sequence[PredictionConstraint] = (),
        model_constraints: Sequence[ModelConstraint] = (),
        resources: Resources | None = None,
    ) -> None:
        if threat.access is Access.LABELS:
            clean = replace(clean, prediction=_without_scores(clean.prediction))
        self.clean = clean
        self.start = goal.confidence_score(clean, clean.sentence, clean.prediction)
        self.rng = rng
        self.resources = resources or Resources()
        self.found: Verdict | None = None
        self.attributed: Sequence[float] | None = None
        self.chosen: Sequence[int] = ()
        self.chosen_for_found: Sequence[int] = ()
        self.search_queries = 0
        self.constraint_queries = 0
        self.gradient_queries = 0
        self.queries_to_success: int | None = None
        self.rejected: Counter[str] = Counter()
        self.trajectory: list[tuple[int, float]] = []
        self.distinct: set[Tokens] = {clean.sentence.tokens}
        self._service = service
        self._goal = goal
        self._threat = threat
        self._budget = budget
        self._constraints = constraints
        self._prediction_constraints = prediction_constraints
        self._model_constraints = model_constraints
        self._threshold: float | None = None

    @property
    def queries_left(self) -> int:
        """How many texts may still be asked."""
        return self._budget.queries - self.search_queries - self.constraint_queries - self.gradient_queries

    @property
    def unknown_word(self) -> str:
        """The victim's own word for "unknown", one piece in its vocabulary."""
        return self._service.victim.unknown_word

    def aim(self, threshold: float | None) -> None:
        """Set the label score at which the attack succeeds; None means any above zero."""
        self._threshold = threshold

    async def __call__(self, candidates: Iterable[Sentence]) -> list[Verdict]:
        """Ask the victim about candidates and return their verdicts, in order, without the ones turned away.

        Turned away are, unasked, candidates outside the threat model or against a constraint; and, asked and paid for,
        those to whose prediction a constraint objects: no descendant of theirs could count either.

        Raises:
            GoalReached: one of them succeeded. All of them were asked and counted; of several successes the one with
                the fewest edits is kept, then the one that scores highest, then the first.
            BudgetSpent: not all of them could be asked; those that could are counted and scored.
        """
        if self.queries_left <= 0:
            raise BudgetSpent
        allowed = await self.allowed(candidates)
        asked = allowed[: self.queries_left]
        before = self._budget.queries - self.queries_left  # gradients are queries as well
        predictions = await self._ask([candidate.tokens for candidate in asked])
        verdicts = []
        for k, (candidate, answer) in enumerate(zip(asked, predictions, strict=True), before + 1):
            if self._counts(candidate, answer):
                verdicts.append(self._judge(candidate, answer))
                self._remember(k, verdicts[-1])
        successes = [verdict for verdict in verdicts if verdict.success]
        if successes:
            self._keep(successes)
            raise GoalReached
        if len(asked) < len(allowed):
            raise BudgetSpent
        return verdicts

    async def measure(self, variants: Sequence[Sentence]) -> list[float]:
        """Ask about texts that are no candidates (a word masked out, say) and return their confidence scores.

        They are counted like any other text, but they can never be the adversarial example.

        Raises:
            BudgetSpent: not all of them could be asked.
        """
        asked = variants[: self.queries_left]
        predictions = await self._ask([variant.tokens for variant in asked])
        if len(asked) < len(variants):
            raise BudgetSpent
        return [
            self._goal.confidence_score(self.clean, variant, prediction)
            for variant, prediction in zip(asked, predictions, strict=True)
        ]

    async def gradients(self, questions: Sequence[Gradient]) -> list[Gradients]:
        """Differentiate the victim; a forward and backward pass is one gradient query.

        Raises:
            BudgetSpent: fewer queries are left than there are questions; nothing was asked.
        """
        self._pay_for_gradients(len(questions))
        return await Ask(GradientService(self._white_box), questions)

    async def attributions(self, questions: Sequence[Attribution]) -> list[NDArray[np.float64]]:
        """Attribute the victim's answer to words, at the price that each question names; see `AttributionService`.

        Raises:
            BudgetSpent: fewer queries are left than that; nothing was asked.
        """
        self._pay_for_gradients(sum(question.passes for question in questions))
        return await Ask(AttributionService(self._white_box), questions)

    @property
    def embedding_tables(self) -> Mapping[str, EmbeddingTable]:
        """The victim's embedding tables, for attacks with gradient access."""
        return self._white_box.tables

    @property
    def _white_box(self) -> WhiteBox:
        if self._threat.access is not Access.GRADIENTS:
            raise LookupError("the attack's card does not ask for gradients")
        return cast("WhiteBox", self._service.victim)

    def _pay_for_gradients(self, passes: int) -> None:
        if passes > self.queries_left:
            raise BudgetSpent
        self.gradient_queries += passes

    async def _ask(self, texts: Sequence[Tokens]) -> list[Prediction]:
        self.search_queries += len(texts)
        self.distinct.update(texts)
        predictions = await Ask(self._service, texts) if texts else []
        if self._threat.access is Access.LABELS:
            return [_without_scores(prediction) for prediction in predictions]
        return predictions

    async def allowed(self, candidates: Iterable[Sentence]) -> list[Sentence]:
        """Leave out what breaks the threat model or a constraint; what a model must judge comes last.

        Candidates that are asked about go through this anyway; an attack that picks a few of many may do so before.
        """
        allowed = [candidate for candidate in candidates if self._admits(candidate)]
        for constraint in self._model_constraints:
            if not allowed:
                break
            reasons = await constraint.objections(self.clean.sentence, allowed, self.resources)
            self.rejected.update(reason for reason in reasons if reason is not None)
            allowed = [candidate for candidate, reason in zip(allowed, reasons, strict=True) if reason is None]
        return allowed

    def _admits(self, candidate: Sentence) -> bool:
        original = self.clean.sentence
        reason = self._threat.objection(original, candidate)
        for constraint in self._constraints:
            reason = reason or constraint.objection(original, candidate)
        if reason is None and not self._service.victim.fits(candidate.tokens):
            reason = TOO_LONG
        if reason is not None:
            self.rejected[reason] += 1
        return reason is None

    def _counts(self, candidate: Sentence, prediction: Prediction) -> bool:
        """Tell whether no constraint objects to the victim's answer."""
        for constraint in self._prediction_constraints:
            if reason := constraint.objection(self.clean.sentence, candidate, prediction):
                self.rejected[reason] += 1
                return False
        return True

    def _judge(self, candidate: Sentence, prediction: Prediction) -> Verdict:
        score = self._goal.label_score(self.clean, candidate, prediction.tags)
        confidence = self._goal.confidence_score(self.clean, candidate, prediction)
        success = score > 0 if self._threshold is None else score >= self._threshold
        return Verdict(candidate, prediction, confidence, score, success)

    def _remember(self, query: int, verdict: Verdict) -> None:
        if not self.trajectory or verdict.confidence > self.trajectory[-1][1]:
            self.trajectory.append((query, verdict.confidence))
        if verdict.success and self.queries_to_success is None:
            self.queries_to_success = query

    def _keep(self, successes: Sequence[Verdict]) -> None:
        original = self.clean.sentence

        def merit(verdict: Verdict) -> tuple[float, ...]:
            edits = modification_rate(edit_script(original, verdict.sentence), len(original))
            # A rising threshold looks for damage first, the plain goal for few edits.
            return (-edits, verdict.confidence) if self._threshold is None else (verdict.score, -edits)

        kept = max(successes, key=merit)
        if self.found is None or kept.score > self.found.score:
            self.found = kept
            self.chosen_for_found = tuple(self.chosen)


def _for_keeps(prediction: Prediction) -> Prediction:
    """Part the numbers from the victim's own, which may be a buffer that it fills anew, or a view of a whole batch."""
    if prediction.probabilities is None:
        return prediction
    probabilities = np.array(prediction.probabilities)
    probabilities.flags.writeable = False
    return Prediction(prediction.tags, probabilities)


def _without_scores(prediction: Prediction) -> Prediction:
    """What an attack sees that has asked for labels only, whatever the victim could give."""
    return Prediction(prediction.tags)
