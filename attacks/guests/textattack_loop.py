"""Attacks of ours in TextAttack's own loop: its search, its goal function, cache and budget, sentence by sentence.

What decides the outcome is ours: the words that may be swapped, the candidates, the constraints, the goal's scores. So
is the text: its words are the sentence's tokens, which also spares TextAttack the cutting of each candidate into words.
A victim's answer that a constraint of ours objects to costs no question of its own, as it does in SeqAttack.

Where outcomes differ from our engine's, it is for one of these reasons. TextAttack asks whether the candidate that
scores best succeeds, we ask it of all. It sorts candidates by the alphabet, so that of equal ones another is kept.
Other shapes of a forward round otherwise, and a near tie between two words or candidates can fall the other way.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from textattack import Attack as TextAttack
from textattack.attack_results import SkippedAttackResult, SuccessfulAttackResult
from textattack.constraints import Constraint, PreTransformationConstraint
from textattack.goal_functions import GoalFunction
from textattack.models.wrappers import ModelWrapper
from textattack.search_methods import GreedyWordSwapWIR
from textattack.shared import AttackedText
from textattack.transformations import WordSwap

from attacks.guests.textattack_goal import ProbedResult, only_ranks
from attacks.guests.textattack_import import quiet_textattack
from attacks.guests.word_swaps import SWAPS, answered
from benchmark.comparing.ways import Attacked
from benchmark.goals import Clean
from benchmark.probe import Probe, VictimService, rng_for
from benchmark.threat import ThreatModel
from benchmark.types import Status

if TYPE_CHECKING:
    from benchmark.attacking import Assault
    from benchmark.contracts import Victim
    from benchmark.types import Prediction, Sentence, Tokens

__all__ = ["attack_in_textattack"]

_log = logging.getLogger(__name__)


def attack_in_textattack(
    assault: Assault, sentences: Sequence[Sentence], tick: Callable[[], None]
) -> dict[str, Attacked]:
    """Attack sentences in TextAttack's loop; see the module's text.

    Args:
        assault: with an attack that `SWAPS` knows.
        sentences: to attack.
        tick: called after each.

    Returns:
        How each ended, by id.
    """
    with quiet_textattack():
        goal = VictimGoal(assault)
    search = GreedyWordSwapWIR(wir_method="unk", unk_token=assault.victim.unknown_word)
    loop = TextAttack(goal, [Places(goal), Allowed(goal)], Swaps(goal), search)
    attacked = {}
    for sentence in sentences:
        try:
            result = loop.attack(SentenceText(sentence), "")
        except Exception:  # noqa: BLE001 - as with our engine, the other sentences go on
            _log.exception("sentence %s", sentence.id)
            attacked[sentence.id] = Attacked(Status.ERROR, 0)
        else:
            attacked[sentence.id] = Attacked(_status(result), result.num_queries - 1)
        tick()
    return attacked


class SentenceText(AttackedText):  # type: ignore[misc]  # TextAttack is not typed
    """A sentence as TextAttack's text; its words are the tokens."""

    def __init__(self, sentence: Sentence, attack_attrs: dict[str, Any] | None = None) -> None:
        self.sentence = sentence
        self._tokens = list(sentence.tokens)
        super().__init__(sentence.text, attack_attrs)

    @property
    def words(self) -> list[str]:
        """The tokens, punctuation included."""
        return self._tokens

    @property
    def tokenizer_input(self) -> Tokens:
        """What the victim is given."""
        return self.sentence.tokens

    def generate_new_attacked_text(self, new_words: Iterable[str]) -> SentenceText:
        """Return the text with other words, of which there are as many, and the attributes that TextAttack keeps."""
        sentence, changed = self.sentence, set()
        for i, (old, new) in enumerate(zip(self._tokens, new_words, strict=True)):
            if new != old:
                sentence = sentence.replace(i, new)
                changed.add(i)
        attributes = {
            "newly_modified_indices": changed,
            "previous_attacked_text": self,
            "modified_indices": self.attack_attrs["modified_indices"] | changed,
            "original_index_map": self.attack_attrs["original_index_map"].copy(),
        }
        return SentenceText(sentence, attributes)


class VictimWrapper(ModelWrapper):  # type: ignore[misc]  # TextAttack is not typed
    """A victim as TextAttack's model.

    Args:
        victim: cuts what it is given into forwards of its own.
    """

    def __init__(self, victim: Victim) -> None:
        self.model = victim

    def __call__(self, text_input_list: Sequence[Tokens], **_: Any) -> list[Prediction]:
        """Tag the texts."""
        return self.model.predict(text_input_list)


class VictimGoal(GoalFunction):  # type: ignore[misc]  # TextAttack is not typed
    """A goal of ours as TextAttack's, with its own count of queries, budget, cache and batches of 32.

    Args:
        assault: the attack, the victim and the goal.

    Attributes:
        assault: the same.
        probe: of the sentence under attack. Nothing is asked through it: it knows the clean text, and what our attacks
            look up there.
        places: of the words that may be swapped in it.
    """

    probe: Probe
    places: Sequence[int]

    def __init__(self, assault: Assault) -> None:
        # TextAttack counts the clean text as a query, we do not.
        super().__init__(VictimWrapper(assault.victim), query_budget=assault.budget.queries + 1)
        self.assault = assault

    def _should_skip(self, model_output: Prediction, attacked_text: SentenceText) -> bool:
        """Begin a sentence, of which this is the clean prediction; TextAttack asks whether it is worth an attack."""
        assault, sentence = self.assault, attacked_text.sentence
        card = assault.attack.card
        clean = Clean(sentence, model_output, assault.victim.labels)
        self.probe = Probe(
            VictimService(assault.victim),
            clean,
            assault.goal,
            ThreatModel(card.access, card.touch),
            assault.budget,
            rng_for(assault.seed, card.name, sentence.id),
            resources=assault.resources,
        )
        self.places = SWAPS[card.name].places(assault.attack, self.probe)
        return assault.goal.unusable(clean) is not None

    def _is_goal_complete(self, model_output: Prediction, attacked_text: SentenceText) -> bool:
        if only_ranks(attacked_text) or self._refused(model_output, attacked_text):
            return False
        goal, candidate = self.assault.goal, attacked_text.sentence
        return goal.label_score(self.probe.clean, candidate, model_output.tags) > 0

    def _get_score(self, model_output: Prediction, attacked_text: SentenceText) -> float:
        if not only_ranks(attacked_text) and self._refused(model_output, attacked_text):
            return 0.0
        return self.assault.goal.confidence_score(self.probe.clean, attacked_text.sentence, model_output)

    def _refused(self, prediction: Prediction, candidate: SentenceText) -> bool:
        """Tell whether a constraint of ours objects to the victim's answer; the search passes such a text over."""
        original = self.probe.clean.sentence
        constraints = self.assault.attack.prediction_constraints
        return any(each.objection(original, candidate.sentence, prediction) for each in constraints)

    def _goal_function_result_type(self) -> type[ProbedResult]:
        return ProbedResult

    def _process_model_outputs(self, inputs: Sequence[AttackedText], scores: Any) -> Any:  # noqa: ARG002
        return scores


class Places(PreTransformationConstraint):  # type: ignore[misc]  # TextAttack is not typed
    """Only the words may be swapped that our attack would."""

    def __init__(self, goal: VictimGoal) -> None:
        self._goal = goal

    def _get_modifiable_indices(self, current_text: SentenceText) -> set[int]:  # noqa: ARG002 - words keep their places
        return set(self._goal.places)


class Swaps(WordSwap):  # type: ignore[misc]  # TextAttack is not typed
    """The candidates of our attack."""

    def __init__(self, goal: VictimGoal) -> None:
        super().__init__()
        self._goal = goal

    @property
    def deterministic(self) -> bool:
        """Misspellings are drawn."""
        return False

    def _get_transformations(self, current_text: SentenceText, indices_to_modify: Iterable[int]) -> list[SentenceText]:
        attack, probe = self._goal.assault.attack, self._goal.probe
        swap = SWAPS[attack.card.name]
        return [
            current_text.replace_word_at_index(i, word)
            for i in indices_to_modify
            for word in swap.words(attack, current_text.sentence, int(i), probe)
        ]


class Allowed(Constraint):  # type: ignore[misc]  # TextAttack is not typed
    """The threat model and the constraints of our attack."""

    def __init__(self, goal: VictimGoal) -> None:
        super().__init__(compare_against_original=True)
        self._goal = goal

    def _check_constraint_many(
        self, transformed_texts: Sequence[SentenceText], reference_text: SentenceText
    ) -> list[SentenceText]:
        attack, resources = self._goal.assault.attack, self._goal.assault.resources
        allowed = [text for text in transformed_texts if self._check_constraint(text, reference_text)]
        for constraint in attack.model_constraints if allowed else ():
            candidates = [text.sentence for text in allowed]
            reasons = answered(constraint.objections(reference_text.sentence, candidates, resources))
            allowed = [text for text, reason in zip(allowed, reasons, strict=True) if reason is None]
        return allowed

    def _check_constraint(self, transformed_text: SentenceText, reference_text: SentenceText) -> bool:
        original, candidate, assault = reference_text.sentence, transformed_text.sentence, self._goal.assault
        threat = ThreatModel(assault.attack.card.access, assault.attack.card.touch)
        return (
            threat.objection(original, candidate) is None
            and not any(each.objection(original, candidate) for each in assault.attack.constraints)
            and assault.victim.fits(candidate.tokens)
        )


def _status(result: Any) -> Status:
    if isinstance(result, SkippedAttackResult):
        return Status.SKIPPED
    return Status.SUCCESS if isinstance(result, SuccessfulAttackResult) else Status.FAILED
