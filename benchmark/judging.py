"""Judging finished attacks by their texts: similarity and grammar. Nothing here asks the victim."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmark.alignment import apply_edits
from benchmark.metrics import Example
from benchmark.resources.detokenizing import detokenize
from benchmark.resources.encoders import SentenceEncoder
from benchmark.resources.grammar import GrammarChecker, checker_named
from benchmark.types import Outcome, Sentence, Status, Tokens

__all__ = ["Judges"]

_DIGITS = 6


@dataclass(frozen=True)
class Judges:
    """The judges of a run.

    Attributes:
        encoder: of sentences, for similarity.
        grammar: counts grammar errors.
    """

    encoder: SentenceEncoder
    grammar: GrammarChecker

    @classmethod
    def named(cls, encoder: str, grammar: str) -> Judges:
        """Return judges by name; see `resources.encoders` and `resources.grammar`."""
        return cls(SentenceEncoder(encoder), checker_named(grammar))

    @property
    def identity(self) -> dict[str, str]:
        """Names and versions."""
        return {"similarity": self.encoder.identity, "grammar_errors": self.grammar.identity}

    def judge(self, outcomes: Sequence[Outcome], sentences: Mapping[str, Sentence]) -> list[Example]:
        """Judge the successes among outcomes.

        Args:
            outcomes: in the order wanted.
            sentences: the original sentences by id.
        """
        pairs: dict[str, tuple[Tokens, Tokens]] = {}
        for outcome in outcomes:
            if outcome.status is Status.SUCCESS:
                original = sentences[outcome.sentence_id].tokens
                pairs[outcome.sentence_id] = (original, apply_edits(original, outcome.edits))
        cosines = self.encoder.cosines([(" ".join(a), " ".join(b)) for a, b in pairs.values()])
        similarity = {name: round(cosine, _DIGITS) for name, cosine in zip(pairs, cosines, strict=True)}
        before = self.grammar.count([detokenize(a) for a, _ in pairs.values()])
        after = self.grammar.count([detokenize(b) for _, b in pairs.values()])
        errors = {name: _difference(b, a) for name, a, b in zip(pairs, before, after, strict=True)}
        return [Example(o, similarity.get(o.sentence_id), errors.get(o.sentence_id)) for o in outcomes]


def _difference(after: Counter[str], before: Counter[str]) -> dict[str, int]:
    return {category: after[category] - before[category] for category in sorted({*after, *before})}
