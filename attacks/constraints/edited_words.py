"""An edited context word must not itself be taken for an entity."""

from __future__ import annotations

from dataclasses import dataclass

from benchmark.alignment import changed
from benchmark.types import Prediction, Sentence

__all__ = ["EditedWordsStayOutside"]


@dataclass(frozen=True, slots=True)
class EditedWordsStayOutside:
    """The victim tags every edited context word O (SeqAttack, "AvoidNamedEntity"), by token index.

    It looks at the answer the attack has paid for already, so it costs no query of its own.
    """

    def objection(self, original: Sentence, candidate: Sentence, prediction: Prediction) -> str | None:
        """Object if any edited context word is predicted as part of an entity."""
        if any(prediction.tags[i] != "O" and not candidate.inside(i) for i in changed(original, candidate)):
            return "edited word predicted as an entity"
        return None
