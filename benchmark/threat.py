"""The threat model: what an attack may see, what it may touch, how often it may ask.

In named-entity recognition these are not details. Whether a mention may be edited decides whether the gold labels of
the adversarial example can be trusted, so the probe checks every candidate against the threat model before the victim
sees it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from benchmark.alignment import changed
from benchmark.errors import BadInput
from benchmark.types import Sentence

__all__ = ["Access", "Budget", "ThreatModel", "Touch", "invalid_word"]


class Access(IntEnum):
    """What the attacker sees of the victim; each level includes the ones before."""

    LABELS = 0
    SCORES = 1
    GRADIENTS = 2


class Touch(StrEnum):
    """Which tokens may be edited."""

    ANY = "any"
    CONTEXT = "context"
    ENTITY = "entity"


@dataclass(frozen=True, slots=True)
class Budget:
    """How many texts the attack may ask the victim about, a sentence."""

    queries: int = 512

    def __post_init__(self) -> None:
        if self.queries < 1:
            raise BadInput(f"the query budget must be at least 1, not {self.queries}")


@dataclass(frozen=True, slots=True)
class ThreatModel:
    """Access and touch together."""

    access: Access = Access.SCORES
    touch: Touch = Touch.ANY

    def objection(self, original: Sentence, candidate: Sentence) -> str | None:
        """Return why a candidate may not be asked, or None."""
        for i in changed(original, candidate):
            if reason := invalid_word(candidate.tokens[i]):
                return reason
        if self.touch is Touch.CONTEXT:
            before, after = _mentions(original), _mentions(candidate)
            if before != after and not (candidate.paraphrased and sorted(before) == sorted(after)):
                return "touches a mention"
        if self.touch is Touch.ENTITY and _context(original) != _context(candidate):
            return "touches the context"
        return None


# Pieces of sub-word vocabularies and special tokens that language models leave behind.
_MODEL_DEBRIS = re.compile(
    r"##|[\u0120\u2581]|(?i:\[(?:UNK|MASK|PAD|CLS|SEP|BLANK)\]|</?(?:s|unk|mask|pad)>|<\|\w+\|>)"
)


def invalid_word(word: str) -> str | None:
    """Return why a word is no valid token of an adversarial example, or None."""
    if not word:
        return "empty word"
    if any(character.isspace() for character in word):
        return "white space in a word"
    if any(unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn"} for character in word):
        return "invisible character in a word"
    if _MODEL_DEBRIS.search(word):
        return "debris of a language model"
    return None


def _mentions(sentence: Sentence) -> Sequence[tuple[str, tuple[str, ...]]]:
    return [(span.type, sentence.tokens[span.start : span.end]) for span in sentence.spans]


def _context(sentence: Sentence) -> list[tuple[str, tuple[int, ...]]]:
    tokens = zip(sentence.tokens, sentence.sources, sentence.tags, strict=True)
    return [(word, source) for word, source, tag in tokens if tag == "O"]
