"""FLAT: feature-level adversarial training (Chen & Ji 2022, AAAI), for named-entity recognition.

The network reads words through masks that it learns (`benchmark.training.word_masks`), and a replaced word should be
masked as likely as the word that stands in for it:

    L = L_pred + γ L_imp,   L_pred = E_D[CE − β H(W | x)] + E_D'[CE − β H(W' | x')],   L_imp = |φ_x − φ_x'|

Differences from the paper: L_imp is the mean over the replaced words of a batch, not their sum, and counts as much as
the attacked sentences do, so that γ means the same whatever share is attacked and replaced. Nothing but replaced words
counts in it, so a name that is replaced by a longer one only with its first words. Its gradient reaches φ, which it
does not in the code released for transformers. Only words are masked, never special pieces, and attention stays whole.
The rounds of attacks are those of `adversarial-rounds`, which is also the paper's control, "-adv".
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from benchmark.alignment import edit_script
from benchmark.defending import Case, defense
from benchmark.errors import BadInput
from benchmark.training.loop import Regimen
from benchmark.types import Operation, Sentence
from defenses.adding import require_number
from defenses.adversarial_rounds import FLAT, InRounds, Rounds

if TYPE_CHECKING:
    import torch

    from benchmark.training.trainee import Trainee
    from benchmark.training.word_masks import WordMasks
    from benchmark.victims.white_box import EmbeddingTable, WhiteBox

__all__ = ["Flat", "MaskedRounds", "floor_loss", "importance_loss", "replaced"]

_TABLE = "pieces"


@defense("flat", version=2, paper=FLAT)
class Flat(InRounds):
    """Learn which words count, and let replaced words count as much as what replaces them.

    Attributes:
        beta: weight of the masks' entropy, which draws φ to 1/2 where a word does not matter.
        gamma: weight of the importance loss.
        floor: what φ of the words of gold mentions should be at least. What they lack of it is added to the loss, so
            that mentions are not masked away; no word is treated otherwise in use. 0 for none.
    """

    beta: float = 0.01
    gamma: float = 1.0
    floor: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        require_number("beta", self.beta, 0)
        require_number("gamma", self.gamma, 0)
        require_number("floor", self.floor, 0, 1)

    def regimen(self, case: Case) -> Regimen:
        """Go on from the base, with masks.

        Raises:
            BadInput: the architecture's embeddings are trained, or its loader knows no masks.
        """
        if not case.architecture.masks_words:
            raise BadInput(f"flat masks the words of transformers, such as minilm/DATASET, not of {case.base}")
        return super().regimen(case)

    def hooks(self, case: Case) -> Rounds:
        """Return the rounds with masks."""
        return MaskedRounds(case, self)


class MaskedRounds(Rounds):
    """The loss of FLAT.

    Args:
        case: the training.
        flat: the weights of its terms.
    """

    _masks: WordMasks
    _pieces: EmbeddingTable

    def __init__(self, case: Case, flat: Flat) -> None:
        super().__init__(case, flat)
        self._flat = flat

    def equip(self, trainee: Trainee) -> None:
        """Put fresh masks on the network."""
        from benchmark.training.word_masks import STORED, mask_words

        self._pieces = cast("WhiteBox", trainee.victim).tables[_TABLE]
        self._masks = mask_words(trainee.network, self._pieces.units)
        trainee.add(STORED, self._masks.inferring)

    def loss(self, trainee: Trainee, sentences: Sequence[Sentence], drawn: random.Random) -> torch.Tensor:
        """Return L_pred + γ L_imp."""
        loss = super().loss(trainee, sentences, drawn)
        pairs = self.pairs(sentences)
        words = [words for one, partner in pairs for words in replaced(one, partner)]
        if not words:
            return loss
        old, new = (self._importance(side) for side in zip(*words, strict=True))
        # As much as the attacked sentences count themselves, whatever share of the batch they are.
        return loss + self._flat.gamma * len(pairs) / len(sentences) * importance_loss(old, new)

    def prediction(self, trainee: Trainee, sentences: Sequence[Sentence]) -> torch.Tensor:
        """Return CE − β H(W | x), and what mentions lack of the floor."""
        batch = trainee.encode(sentences)
        loss = trainee.loss(batch) - self._flat.beta * self._masks.entropy(batch.inputs[0])
        mentions = [s.tokens[i] for s in sentences for i in range(len(s)) if s.inside(i)]
        return loss + floor_loss(self._importance(mentions), self._flat.floor) if mentions else loss

    def _importance(self, words: Sequence[str]) -> torch.Tensor:
        return self._masks.of_words(self._pieces.of(word) for word in words)


def replaced(original: Sentence, adversarial: Sentence) -> list[tuple[str, str]]:
    """Return the words that were replaced, each with what stands in its place; nothing inserted, deleted or merged."""
    edits = edit_script(original, adversarial)
    return [(original.tokens[e.at], e.words[0]) for e in edits if e.operation is Operation.REPLACE]


def importance_loss(originals: torch.Tensor, replacements: torch.Tensor) -> torch.Tensor:
    """Return the mean of |φ_x − φ_x'| over (words,) replaced words (equation 3, divided by their number)."""
    return (originals - replacements).abs().mean()


def floor_loss(importance: torch.Tensor, floor: float) -> torch.Tensor:
    """Return the mean of max(0, floor − φ) over (words,) words of mentions."""
    return (floor - importance).clamp_min(0).mean()
