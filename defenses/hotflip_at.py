"""HotFlip adversarial training (Ebrahimi, Rao, Lowd & Dou 2018, ACL, section 6), for sequence labelling.

To the loss of each batch comes that of the batch with flips, all of them found by one backward pass: no beam, and no
question whether they fool the network. A flip a → b of what is looked up raises the loss by g·(E[b] − E[a]), as far as
the gradient g tells (section 3.2, equation 1); none is made that promises to lower it. Labels stay.

A network that reads characters gets flips of characters, mentions included: letters to letters of the same casing, at
most one a word, so that no training word comes out. Where words are looked up, too, a flipped word is unknown there,
and what that is worth is added. A network that reads word pieces gets flips of words, the paper's SEM adversary:
context words to near training words of as many pieces. Parts of speech and forms of one word, which the attack
`hotflip-word` compares with a tagger, are not looked at in training.
"""

from __future__ import annotations

import random
import string
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from benchmark.casing import cased_like
from benchmark.defending import Case, TrainedDefense, defense
from benchmark.resources.stop_words import is_stop_word
from benchmark.resources.word_vectors import DEFAULT_WORD_VECTORS, word_vectors_named
from benchmark.training.hooks import Hooks
from benchmark.training.loop import Regimen
from benchmark.types import Sentence, Tokens
from defenses.adding import require_number

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    from benchmark.resources.word_vectors import WordVectors
    from benchmark.training.trainee import Batch, Trainee
    from benchmark.victims.white_box import WhiteBox

__all__ = ["CharacterFlips", "Flipping", "HotFlipAt", "WordFlips"]

PAPER = "Ebrahimi et al. 2018, HotFlip: White-Box Adversarial Examples for Text Classification"

_LETTERS = string.ascii_letters
_CASE = len(string.ascii_lowercase)

Vectors = Mapping[str, "torch.Tensor"]
Changes = dict[tuple[int, int], str | None]
"""Words by their place (row, word), as `Trainee.with_words` takes them."""


@defense("hotflip-at", paper=PAPER)
class HotFlipAt(TrainedDefense):
    """Train also on the character or word flips that promise the highest loss, found by one backward pass a batch.

    Attributes:
        weight: of the adversarial loss.
        share: of a sentence's characters that are flipped, for networks that read characters.
        flips: context words of a sentence that are flipped, for networks that read word pieces.
        min_cosine: of the two words' vectors (the paper's α).
        k: near words of a word that are looked at.
        word_vectors: where near words come from.
    """

    weight: float = 1.0
    share: float = 0.2
    flips: int = 1
    min_cosine: float = 0.8
    k: int = 100
    word_vectors: str = DEFAULT_WORD_VECTORS

    def __post_init__(self) -> None:
        require_number("weight", self.weight, 0)
        require_number("share", self.share, 0, 1)
        require_number("flips", self.flips, 0)
        require_number("k", self.k, 1)

    @property
    def leans_on(self) -> Mapping[str, Any]:
        """The word vectors and their version."""
        return {"resources": {"word_vectors": word_vectors_named(self.word_vectors).identity}}

    def regimen(self, case: Case) -> Regimen:
        """Train on what there is, with the adversarial loss."""
        return Regimen(case.sentences, Flipping(self, case.sentences))


class Flipping(Hooks):
    """The loss with that of the flipped sentences.

    Args:
        settings: how much is flipped.
        sentences: of the training; a flip of characters makes no word of theirs.
    """

    def __init__(self, settings: HotFlipAt, sentences: Sequence[Sentence]) -> None:
        self._weight = settings.weight
        self._characters = CharacterFlips(settings.share, {w.lower() for s in sentences for w in s.tokens})
        self._words = WordFlips(
            settings.flips, word_vectors_named(settings.word_vectors), settings.k, settings.min_cosine
        )

    def loss(self, trainee: Trainee, sentences: Sequence[Sentence], drawn: random.Random) -> torch.Tensor:  # noqa: ARG002
        """Return the clean loss and the weighted adversarial loss."""
        import torch

        batch = trainee.encode(sentences)
        vectors = trainee.vectors(batch)
        plain = trainee.loss(batch, vectors)
        slopes = torch.autograd.grad(plain, list(vectors.values()), retain_graph=True)
        flips: CharacterFlips | WordFlips = self._characters if "characters" in vectors else self._words
        fixed = {table: looked_up.detach() for table, looked_up in vectors.items()}
        changes = flips.of(trainee, batch, fixed, dict(zip(vectors, slopes, strict=True)))
        return plain + self._weight * trainee.loss(trainee.with_words(batch, changes))


class CharacterFlips:
    """Flips of letters.

    Args:
        share: of a sentence's characters that are flipped, where as many words have a flip that raises the loss.
        known: lower-cased words that no flip makes.
    """

    def __init__(self, share: float, known: set[str]) -> None:
        self._share, self._known = share, known

    def of(self, trainee: Trainee, batch: Batch, vectors: Vectors, slopes: Vectors) -> Changes:
        """Return the words that are flipped.

        Args:
            trainee: the network.
            batch: that it reads.
            vectors: (rows, words, dimensions) and (rows, words × characters, dimensions) as looked up.
            slopes: of the loss with respect to them.
        """
        letters, unknown = _looked_up(trainee)
        width = vectors["words"].shape[1]
        rises = slopes["characters"] @ letters.T - (slopes["characters"] * vectors["characters"]).sum(-1, keepdim=True)
        by_letter = rises.reshape(len(rises), width, -1, len(_LETTERS)).float().cpu().numpy()
        of_unknown = (slopes["words"] * (unknown - vectors["words"])).sum(-1).float().cpu().numpy()
        changes: Changes = {}
        for row, sentence in enumerate(batch.sentences):
            found = []
            for at, word in enumerate(sentence.tokens):
                rise, flipped = self._steepest(word, by_letter[row, at])
                if rise + of_unknown[row, at] > 0:
                    found.append((rise + of_unknown[row, at], at, flipped))
            most = round(self._share * sum(map(len, sentence.tokens)))
            changes |= {(row, at): flipped for _, at, flipped in sorted(found, key=lambda flip: -flip[0])[:most]}
        return changes

    def _steepest(self, word: str, rises: NDArray[np.float32]) -> tuple[float, str]:
        """Return the flip that promises most, of (characters, letters) rises; minus infinity where there is none."""
        allowed = np.full((len(word), len(_LETTERS)), -np.inf)
        for c, old in enumerate(word):
            if old in _LETTERS:
                own = _LETTERS.index(old)
                start = own // _CASE * _CASE
                allowed[c, start : start + _CASE] = rises[c, start : start + _CASE]
                allowed[c, own] = -np.inf
        while np.isfinite(allowed).any():
            c, letter = divmod(int(allowed.argmax()), len(_LETTERS))
            flipped = word[:c] + _LETTERS[letter] + word[c + 1 :]
            if flipped.lower() not in self._known:
                return float(allowed[c, letter]), flipped
            allowed[c, letter] = -np.inf
        return -np.inf, word


class _Steps(NamedTuple):
    """Words that could stand in a word's place, and the (words, dimensions) ways from its vector to theirs."""

    words: Sequence[str]
    steps: torch.Tensor


class WordFlips:
    """Flips of context words to near ones. The vectors of pieces are frozen, so what is near is looked up once.

    Args:
        most: flips of a sentence.
        near: tells near words.
        k: how many of a word are looked at.
        min_cosine: of the two words' vectors.
    """

    def __init__(self, most: int, near: WordVectors, k: int, min_cosine: float) -> None:
        self._most, self._near, self._k, self._min_cosine = most, near, k, min_cosine
        self._steps: dict[str, _Steps] = {}
        self._places: dict[Tokens, list[tuple[int, ...]]] = {}

    def of(self, trainee: Trainee, batch: Batch, vectors: Vectors, slopes: Vectors) -> Changes:  # noqa: ARG002
        """Return the words that are flipped; between words of several pieces the way is that of their means.

        Args:
            trainee: the network.
            batch: that it reads; sentences that are too long for it get no flips.
            vectors: (rows, pieces, dimensions) as looked up.
            slopes: of the loss with respect to them.
        """
        changes: Changes = {}
        for row, sentence in enumerate(batch.sentences):
            if not trainee.victim.fits(sentence.tokens):
                continue
            found = []
            places = self._places_in(trainee, sentence.tokens)
            for at, word in enumerate(sentence.tokens):
                near = None if sentence.inside(at) or is_stop_word(word) else self._steps_from(trainee, word)
                if near and near.words:
                    rises = near.steps @ slopes["pieces"][row, list(places[at])].sum(0)
                    best = int(rises.argmax())
                    if rises[best] > 0:
                        found.append((float(rises[best]), at, cased_like(near.words[best], word)))
            changes |= {(row, at): flipped for _, at, flipped in sorted(found, key=lambda f: -f[0])[: self._most]}
        return changes

    def _places_in(self, trainee: Trainee, tokens: Tokens) -> list[tuple[int, ...]]:
        if tokens not in self._places:
            ((_, units),) = cast("WhiteBox", trainee.victim).batches([tokens])
            self._places[tokens] = units.places["pieces"][0]
        return self._places[tokens]

    def _steps_from(self, trainee: Trainee, word: str) -> _Steps:
        key = word.lower()
        if key not in self._steps:
            others, vectors, own, _ = trainee.alternatives(word)
            rows = {other.lower(): k for k, other in enumerate(others)}
            near = [
                other
                for other, cosine in self._near.neighbours(word, self._k)
                if cosine >= self._min_cosine and other in rows and not is_stop_word(other)
            ]
            self._steps[key] = _Steps(near, vectors[[rows[other] for other in near]] - own)
        return self._steps[key]


def _looked_up(trainee: Trainee) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the (letters, dimensions) vectors of letters as they are now, and the unknown word's."""
    tokens = (*_LETTERS, trainee.victim.unknown_word)
    vectors = trainee.vectors(trainee.encode([Sentence("letters", tokens, ("O",) * len(tokens))]))
    characters = vectors["characters"].detach()[0].reshape(len(tokens), -1, vectors["characters"].shape[-1])
    return characters[:-1, 0], vectors["words"].detach()[0, -1]
