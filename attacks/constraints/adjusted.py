"""The profile `adjusted`: constraints tight enough that people seldom see the edit.

Morris, Lifland, Lanchantin, Ji & Qi (2020, Findings of EMNLP, "Reevaluating Adversarial Examples in Natural Language")
found that with the published thresholds more than a third of word substitutions introduce grammatical errors, and that
thresholds aligned with human judgement take most of the success away. Theirs are 0.9 for the cosine of the two words
(counter-fitted vectors), 0.98 for the sentences (USE) and no new error found by LanguageTool. Ours are the last two of
these, with the sentence threshold carried over to our encoder (see `SimilarityAtLeast`); the word threshold has no
counterpart without counter-fitted vectors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from attacks.constraints.similarity import SimilarityAtLeast
from benchmark.contracts import Constraint, ModelConstraint
from benchmark.resources.detokenizing import detokenize
from benchmark.resources.encoders import DEFAULT_ENCODER
from benchmark.resources.grammar import DEFAULT_CHECKER
from benchmark.types import Sentence

if TYPE_CHECKING:
    from benchmark.resources.loading import Resources

__all__ = ["Adjusted", "NoNewGrammarErrors"]


class NoNewGrammarErrors:
    """The grammar checker finds no more in the candidate than in the original."""

    async def objections(
        self, original: Sentence, candidates: Sequence[Sentence], resources: Resources
    ) -> list[str | None]:
        """Object to candidates with more errors."""
        texts = [detokenize(original.tokens), *(detokenize(candidate.tokens) for candidate in candidates)]
        before, *after = await resources.grammar.errors(texts)
        return ["grammar error" if errors > before else None for errors in after]


class Adjusted:
    """See the module's text."""

    name = "adjusted"
    version = 1
    resources: Mapping[str, str] = {"encoder": DEFAULT_ENCODER, "grammar": DEFAULT_CHECKER}
    constraints: Sequence[Constraint] = ()
    model_constraints: Sequence[ModelConstraint] = (SimilarityAtLeast(0.986), NoNewGrammarErrors())
