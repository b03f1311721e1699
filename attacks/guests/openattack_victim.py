"""Our goal as one of OpenAttack's classifiers, and tokens as they are.

OpenAttack attacks a classifier of whole texts. It is shown two classes: the goal is not reached (`HOLDS`) or it is.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from OpenAttack import Classifier, DataManager
from OpenAttack.attack_assist.goal import ClassifierGoal
from OpenAttack.tags import TAG_English
from OpenAttack.text_process.tokenizer import Tokenizer

from attacks.guests.realigning import words_of
from benchmark.threat import invalid_word

if TYPE_CHECKING:
    from attacks.guests.interview import Interview

__all__ = ["HOLDS", "GivenTokens", "ProbedClassifier", "attack_text"]

HOLDS = 0

# Parts of speech by the first two letters of the Penn Treebank's tags, as OpenAttack names them.
_PARTS_OF_SPEECH = {"JJ": "adj", "VB": "verb", "NN": "noun", "RB": "adv"}


def attack_text(attacker: Any, interview: Interview) -> None:
    """Run one of OpenAttack's attackers on a sentence; called inside a guest.

    The attacker is copied first: some keep what they learnt of one text, and sentences attacked at once must not see
    each other. What it returns it holds for adversarial, so that is asked in the end.
    """
    found = copy.copy(attacker).attack(
        ProbedClassifier(interview), interview.sentence.text, ClassifierGoal(HOLDS, targeted=False)
    )
    if isinstance(found, str):
        interview.candidates([found])


class ProbedClassifier(Classifier):  # type: ignore[misc]  # OpenAttack is not typed
    """Answers by the goal's confidence score.

    A prediction is always "holds": if it were not, the probe would have ended the attack. The probability of the other
    class is half the confidence score, so that it orders texts as the score does and never contradicts the prediction.

    What OpenAttack wants predicted is a candidate. What it wants probabilities of is one as well, since some attackers
    return it without another look, unless it cannot be meant as one: with a word missing or a place holder in it, it
    ranks words, and is measured.

    Args:
        interview: with the probe.
    """

    def __init__(self, interview: Interview) -> None:
        self._interview = interview

    def get_pred(self, input_: list[str]) -> NDArray[np.int64]:
        """Return the class of each text."""
        self._interview.candidates(input_)
        return np.full(len(input_), HOLDS)

    def get_prob(self, input_: list[str]) -> NDArray[np.float64]:
        """Return the probabilities of the two classes for each text; one that is turned away holds for certain."""
        rankings = [k for k, text in enumerate(input_) if self._only_ranks(text)]
        candidates = [k for k in range(len(input_)) if k not in set(rankings)]
        broken = np.zeros(len(input_))
        broken[rankings] = _told(self._interview.measurements([input_[k] for k in rankings]))
        broken[candidates] = _told(self._interview.candidates([input_[k] for k in candidates]))
        return np.stack([1 - broken / 2, broken / 2], axis=1)

    def _only_ranks(self, text: str) -> bool:
        words = words_of(text)
        return len(words) < len(self._interview.sentence) or any(invalid_word(word) for word in words)


class GivenTokens(Tokenizer):  # type: ignore[misc]  # OpenAttack is not typed
    """Takes the tokens as they are given instead of cutting the text anew.

    Args:
        tags: also tell parts of speech, by the tagger that OpenAttack brings.
    """

    TAGS = frozenset({TAG_English})

    def __init__(self, *, tags: bool) -> None:
        self._tag = DataManager.load("TProcess.NLTKPerceptronPosTagger") if tags else None

    def do_tokenize(self, x: str, pos_tagging: bool) -> list[str] | list[tuple[str, str]]:
        """Return the tokens, with their parts of speech if asked for."""
        words = list(words_of(x))
        if not pos_tagging or self._tag is None:
            return words
        return [(word, _PARTS_OF_SPEECH.get(tag[:2], "other")) for word, tag in self._tag(words)]

    def do_detokenize(self, x: Sequence[str]) -> str:
        """Join tokens by spaces."""
        return " ".join(x)


def _told(scores: Sequence[float | None]) -> list[float]:
    return [0.0 if score is None else score for score in scores]
