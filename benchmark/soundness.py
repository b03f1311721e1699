"""Signs that an attack on a victim says little about it: answers that vary, gradients that are zero.

A search that follows scores loses its way where the same text is answered otherwise the next time, and one that follows
gradients where there are none; then a low attack rate is no robustness (Athalye, Carlini & Wagner 2018, section 3).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np

from benchmark.contracts import Victim
from benchmark.types import Prediction, Sentence, Tokens
from benchmark.victims.white_box import Gradient, GradientService, WhiteBox

__all__ = ["soundness"]

_TEXTS = 16
# Answers of equal shape differ by rounding at most, if at all.
_NOISE = 1e-4


def soundness(victim: Victim, sentences: Sequence[Sentence], *, gradients: bool) -> dict[str, int]:
    """Ask a victim about its first sentences twice, and for the gradients of their gold mentions; no query is counted.

    Each text is asked alone, then all together in reverse order: an answer may depend neither on chance nor on the
    texts beside it.

    Args:
        victim: to ask.
        sentences: that it can read.
        gradients: whether the attack asks for them.

    Returns:
        How many texts were `asked_twice` and how many of these `answered_otherwise`; where gradients are wanted, how
        many were `differentiated` and for how many each gradient is a `zero_gradient`. A text on which the victim fails
        is left out; that is told of the attack on it.
    """
    asked = sentences[:_TEXTS]
    alone = [(s.tokens, answer) for s in asked if (answer := _answer(victim, s.tokens)) is not None]
    together = _together(victim, [tokens for tokens, _ in alone])
    same = [_alike(answer, again) for (_, answer), again in zip(alone, together, strict=True)]
    found = {"asked_twice": len(same), "answered_otherwise": same.count(False)}
    if gradients:
        zero = [is_zero for sentence in asked if (is_zero := _has_no_gradient(victim, sentence)) is not None]
        found |= {"differentiated": len(zero), "zero_gradient": zero.count(True)}
    return found


def _answer(victim: Victim, tokens: Tokens) -> Prediction | None:
    """Return the answer to one text; None where the victim fails on it."""
    try:
        return victim.predict([tokens])[0]
    except Exception:  # noqa: BLE001 - told where the sentence is attacked
        return None


def _together(victim: Victim, texts: list[Tokens]) -> Sequence[Prediction | None]:
    try:
        return victim.predict(texts[::-1])[::-1]
    except Exception:  # noqa: BLE001 - it may be that they are too many
        return [_answer(victim, tokens) for tokens in texts]


def _alike(first: Prediction, second: Prediction | None) -> bool:
    return second is not None and first.tags == second.tags and _near(first, second)


def _near(first: Prediction, second: Prediction) -> bool:
    one, other = first.probabilities, second.probabilities
    if one is None or other is None:
        return one is other
    return one.shape == other.shape and bool(np.allclose(one, other, rtol=0, atol=_NOISE))


def _has_no_gradient(victim: Victim, sentence: Sentence) -> bool | None:
    """Tell whether the log-probability of the gold mentions has gradient 0 everywhere; None where it has none."""
    target = tuple((i, tag) for i, tag in enumerate(sentence.tags) if sentence.inside(i) and tag in victim.labels)
    if not target:
        return None
    try:
        (answer,) = GradientService(cast("WhiteBox", victim)).answer([Gradient(sentence.tokens, target)])
    except Exception:  # noqa: BLE001 - told where the sentence is attacked
        return None
    # A gradient that is no number leads an attack nowhere either.
    return not any(np.nan_to_num(of_word).any() for table in answer.by_table.values() for of_word in table)
