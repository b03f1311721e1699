"""Our goal as one of TextAttack's goal functions.

TextAttack's own count of queries, its budget and its idea of success are out of play: the probe counts, and ends the
attack when the goal is reached. What is left to its search is the score.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from textattack import Attack
from textattack.goal_function_results import GoalFunctionResult, GoalFunctionResultStatus
from textattack.goal_functions import GoalFunction
from textattack.search_methods import GreedyWordSwapWIR
from textattack.shared import AttackedText

from benchmark.errors import BadInput

if TYPE_CHECKING:
    from attacks.guests.interview import Interview

__all__ = ["Ingredients", "ProbedGoal", "ProbedResult", "only_ranks", "search"]


class Ingredients(NamedTuple):
    """What makes an attack of TextAttack, but for the goal.

    Attributes:
        transformation: gives candidates.
        constraints: on them; those on what may be modified at all among them.
        search_method: chooses among them.
    """

    transformation: Any
    constraints: Sequence[Any]
    search_method: Any

    def require_fitting(self, attack: str) -> None:
        """Make sure that the parts fit together and need no text classifier.

        Args:
            attack: whose parts they are, for the message.

        Raises:
            BadInput: the search cannot use the transformation, or a part reads gradients.
        """
        if not (getattr(self.transformation, "is_black_box", True) and self.search_method.is_black_box):
            raise BadInput(f"{attack} reads the gradients of a text classifier, which no recogniser has")
        if not self.search_method.check_transformation_compatibility(self.transformation):
            names = type(self.search_method).__name__, type(self.transformation).__name__
            raise BadInput(f"{attack}: {names[0]} cannot search with {names[1]}")


def search(ingredients: Ingredients, interview: Interview) -> None:
    """Run TextAttack's search on a sentence; called inside a guest.

    Each sentence has a goal, caches and a search method of its own, so that sentences attacked at once do not see each
    other.
    """
    search_method = copy.copy(ingredients.search_method)
    goal = ProbedGoal(interview, ranks_words=isinstance(search_method, GreedyWordSwapWIR))
    attack = Attack(goal, list(ingredients.constraints), ingredients.transformation, search_method)
    clean = AttackedText(interview.sentence.text)
    # The gold labels only have to be something that TextAttack accepts; nothing looks at them.
    start, _ = goal.init_attack_example(clean, " ".join(interview.sentence.tags))
    attack.search_method(start)


class ProbedResult(GoalFunctionResult):  # type: ignore[misc]  # TextAttack is not typed
    """A text and its score. It is never shown, so it has no colours."""

    def get_text_color_input(self) -> str:
        """Return no colour."""
        return ""

    def get_text_color_perturbed(self) -> str:
        """Return no colour."""
        return ""

    def get_colored_output(self, color_method: str | None = None) -> str:  # noqa: ARG002 - TextAttack's signature
        """Return no output."""
        return ""


class ProbedGoal(GoalFunction):  # type: ignore[misc]  # TextAttack is not typed
    """Scores texts by the goal's confidence score.

    A text that came out of the transformation, or that the search put together from such texts, is a candidate. The
    greedy search by word importance also asks about texts it made itself by masking or deleting a word, to rank words;
    these are measured: they were never meant as adversarial examples, whether or not the threat model would allow them.

    A text that is turned away scores 0, the worst there is, and the search passes it over. As in TextAttack, a text
    is asked once a sentence; the answer is remembered.

    Args:
        interview: with the probe.
        ranks_words: the search ranks words by texts of its own making.
    """

    def __init__(self, interview: Interview, *, ranks_words: bool) -> None:
        # Not GoalFunction's: it wants a model and complains that it does not know ours.
        self.model = None
        self.maximizable = False
        self.use_cache = False
        self.query_budget = float("inf")
        self.batch_size = 0
        self.allow_skip = False
        self.num_queries = 0
        self._interview = interview
        self._ranks_words = ranks_words
        self._candidates: dict[str, float] = {interview.sentence.text: interview.start}
        self._measured: dict[str, float] = dict(self._candidates)

    def get_results(
        self,
        attacked_text_list: Sequence[AttackedText],
        check_skip: bool = False,  # noqa: ARG002 - TextAttack's signature
    ) -> tuple[list[ProbedResult], bool]:
        """Score texts.

        Args:
            attacked_text_list: the texts.
            check_skip: of no use; sentences that offer nothing were sorted out before.

        Returns:
            A result for each text, and whether the search is over, which it never is: the probe ends it.
        """
        rankings = [text.text for text in attacked_text_list if self._only_ranks(text)]
        candidates = [text.text for text in attacked_text_list if not self._only_ranks(text)]
        new = [text for text in dict.fromkeys(rankings) if text not in self._measured]
        self._measured.update(zip(new, map(_told, self._interview.measurements(new)), strict=True))
        new = [text for text in dict.fromkeys(candidates) if text not in self._candidates]
        self._candidates.update(zip(new, map(_told, self._interview.candidates(new)), strict=True))
        self.num_queries += len(attacked_text_list)
        return [self._result(text) for text in attacked_text_list], False

    def _only_ranks(self, text: AttackedText) -> bool:
        return self._ranks_words and only_ranks(text)

    def _result(self, text: AttackedText) -> ProbedResult:
        known = self._measured if self._only_ranks(text) else self._candidates
        score = known[text.text]
        return ProbedResult(
            text, score, score, GoalFunctionResultStatus.SEARCHING, score, self.num_queries, self.ground_truth_output
        )

    def _is_goal_complete(self, model_output: Any, attacked_text: AttackedText) -> bool:  # noqa: ARG002
        return False

    def _get_score(self, model_output: float, attacked_text: AttackedText) -> float:  # noqa: ARG002
        return model_output

    def _goal_function_result_type(self) -> type[ProbedResult]:
        return ProbedResult

    def _process_model_outputs(self, inputs: Sequence[AttackedText], outputs: Any) -> Any:  # noqa: ARG002
        return outputs


def only_ranks(text: AttackedText) -> bool:
    """Tell whether a greedy search made a text itself, to rank words; what may be adversarial is transformed."""
    return "last_transformation" not in text.attack_attrs


def _told(score: float | None) -> float:
    return 0.0 if score is None else score
