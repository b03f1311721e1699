"""SCPN (Iyyer, Wieting, Gimpel & Zettlemoyer 2018, NAACL), as SeqAttack runs it on named-entity recognition.

What the published runs did otherwise, and ours does not: paraphrases were in lower case, which alone fools a cased
model; names that the paraphraser does not know were dropped; labels were looked up by token, which makes tags that are
no IOB2; and one mention had to survive (the paper), or all tokens of mentions (the code), wherever they stood. Here a
paraphrase keeps every gold mention exactly once, in one piece and in its casing, and its labels are those of the spans.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from attacks.constraints.similarity import SimilarityAtLeast
from attacks.search.beam import beam_search
from benchmark.contracts import Attack, ModelConstraint, attack
from benchmark.errors import BadInput
from benchmark.resources.encoders import DEFAULT_ENCODER
from benchmark.resources.paraphrasing import DEFAULT_PARAPHRASER
from benchmark.threat import Access, Touch

if TYPE_CHECKING:
    from benchmark.probe import Probe
    from benchmark.types import Sentence, Tokens


@attack(
    "scpn",
    access=Access.SCORES,
    touch=Touch.CONTEXT,
    paper="Iyyer et al. 2018, Adversarial Example Generation with Syntactically Controlled Paraphrase Networks",
)
class Scpn(Attack):
    """Say the sentence with other syntax, and what comes nearest to the goal again, mentions kept as they are.

    Attributes:
        templates: paraphrases asked in a step.
        similarity: smallest cosine between the two texts; 0 asks for none.
        paraphraser: makes them.
        encoder: of the similarity.
    """

    templates: int = 10
    similarity: float = 0.0
    paraphraser: str = DEFAULT_PARAPHRASER
    encoder: str = DEFAULT_ENCODER

    def __post_init__(self) -> None:
        if self.templates < 1:
            raise BadInput(f"templates must be at least 1, not {self.templates}")
        if not 0 <= self.similarity <= 1:
            raise BadInput(f"similarity must be between 0 (not asked for) and 1, not {self.similarity}")

    @property
    def resources(self) -> Mapping[str, str]:
        """Paraphraser, and encoder if a similarity is asked for."""
        encoder = {"encoder": self.encoder} if self.similarity > 0 else {}
        return {"paraphraser": self.paraphraser, **encoder}

    @property
    def model_constraints(self) -> Sequence[ModelConstraint]:
        """The text stays similar."""
        return (SimilarityAtLeast(self.similarity),) if self.similarity > 0 else ()

    async def run(self, sentence: Sentence, probe: Probe) -> None:
        """Paraphrase, keep the best, paraphrase it again, as long as that leads nearer to the goal."""
        asked = {sentence.tokens}
        await beam_search(sentence, lambda current: self.paraphrased(current, asked, probe), probe)

    async def paraphrased(self, sentence: Sentence, asked: set[Tokens], probe: Probe) -> list[Sentence]:
        """Return paraphrases of a sentence, without those that earlier steps have asked about."""
        found = await probe.resources.paraphraser.paraphrase(sentence.tokens, sentence.spans)
        new = [paraphrase for paraphrase in found if paraphrase.tokens not in asked][: self.templates]
        asked.update(paraphrase.tokens for paraphrase in new)
        return [sentence.paraphrase(paraphrase.tokens, paraphrase.spans) for paraphrase in new]
