"""An edit may not bring a name into the context."""

from __future__ import annotations

from dataclasses import dataclass

from benchmark.alignment import changed
from benchmark.label_risk import newly_a_name
from benchmark.types import Sentence

__all__ = ["NoNewNames"]


@dataclass(frozen=True, slots=True)
class NoNewNames:
    """No edited context word is written like a name that was none: its gold label could not be O.

    SeqAttack leaves this to the victim's own answer (see `EditedWordsStayOutside`), which misses whatever the victim
    misses.
    """

    def objection(self, original: Sentence, candidate: Sentence) -> str | None:
        """Object if a name has come into the context."""
        edited = (i for i in changed(original, candidate) if not candidate.inside(i))
        return "new name" if any(newly_a_name(original, candidate, i) for i in edited) else None
