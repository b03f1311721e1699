"""A spell-checker in front of a victim, the plainest answer to misspellings."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from benchmark.casing import cased_like
from benchmark.defending import FrontEnd, defense
from benchmark.resources.encoders import minilm_folder
from benchmark.threat import Access
from defenses.adding import require_number

if TYPE_CHECKING:
    from benchmark.contracts import Victim
    from benchmark.types import Prediction, Sentence, Tags, Tokens


@defense("spell-check")
class SpellCheck(FrontEnd):
    """Put known words in the place of unknown ones that look like misspellings, then ask the victim.

    Known are the words of the victim's training split and those that are one piece in MiniLM's vocabulary. A name that
    is new is corrected like any other word: what that costs is part of what is measured.

    Attributes:
        edits: how many characters a known word may be away (insertions, deletions, substitutions, swaps of neighbours).
        shortest: words of fewer characters are left alone.
        access: see `FrontEnd`; no gradient goes through a spell checker.
    """

    access: ClassVar[Access] = Access.SCORES

    edits: int = 1
    shortest: int = 4

    def __post_init__(self) -> None:
        require_number("edits", self.edits, 1, 3)
        require_number("shortest", self.shortest, 2)

    def before(self, victim: Victim, training: Sequence[Sentence]) -> Victim:
        """See `FrontEnd`."""
        from benchmark.defending.finding import name_of

        speller = Speller([word for sentence in training for word in sentence.tokens], self.edits, self.shortest)
        return SpellCheckedVictim(victim, speller, name_of(self), self.card.version)


class Speller:
    """Corrects words one by one.

    Args:
        words: of the training split, repeats included; of candidates equally near, the one that occurs most is taken,
            then the one that comes first in MiniLM's vocabulary, which goes roughly by frequency.
        edits: see `SpellCheck`.
        shortest: see `SpellCheck`.

    Attributes:
        identity: what its answers depend on.
    """

    def __init__(self, words: Iterable[str], edits: int, shortest: int) -> None:
        counts = Counter(word.lower() for word in words if word.isalpha())
        listed = _common_words()
        frequent = sorted(counts, key=lambda word: (-counts[word], word))
        self._rank = {word: k for k, word in enumerate(dict.fromkeys([*frequent, *listed]))}
        self._by_length: dict[int, list[str]] = {}
        for word in self._rank:
            self._by_length.setdefault(len(word), []).append(word)
        self._edits, self._shortest = edits, shortest
        self._corrected: dict[str, str] = {}
        digest = hashlib.sha256("\n".join(self._rank).encode()).hexdigest()
        self.identity = f"{digest[:32]} {edits} {shortest}"

    def __call__(self, word: str) -> str:
        """Return the word, or the known word that it is taken for, in the same casing."""
        if len(word) < self._shortest or not word.isalpha() or word.lower() in self._rank:
            return word
        if word not in self._corrected:
            self._corrected[word] = cased_like(self._nearest(word.lower()), word)
        return self._corrected[word]

    def _nearest(self, word: str) -> str:
        from rapidfuzz.distance import OSA
        from rapidfuzz.process import extract

        lengths = range(len(word) - self._edits, len(word) + self._edits + 1)
        near = [known for length in lengths for known in self._by_length.get(length, ())]
        found = extract(word, near, scorer=OSA.distance, score_cutoff=self._edits, limit=None)
        return min(found, key=lambda item: (item[1], self._rank[item[0]]))[0] if found else word


class SpellCheckedVictim:
    """A victim that reads corrected texts."""

    def __init__(self, victim: Victim, speller: Speller, defense: str, version: int) -> None:
        self.name = f"{victim.name}+{defense}"
        self.labels: Tags = victim.labels
        self.access = min(victim.access, SpellCheck.access)
        told = f"{victim.fingerprint} {defense} {version} {speller.identity}"
        self.fingerprint = hashlib.sha256(told.encode()).hexdigest()
        self.unknown_word = victim.unknown_word
        self.settings: Mapping[str, Any] = {**victim.settings, "front_end": f"{defense} {version}"}
        self._victim, self._speller = victim, speller

    def fits(self, tokens: Tokens) -> bool:
        """Tell whether the victim can read the corrected text."""
        return self._victim.fits(self._correct(tokens))

    def predict(self, batch: Sequence[Tokens]) -> list[Prediction]:
        """Tag each text as it reads when it is corrected; every word stays in its place."""
        return self._victim.predict([self._correct(tokens) for tokens in batch])

    def _correct(self, tokens: Tokens) -> Tokens:
        return tuple(map(self._speller, tokens))


@cache
def _common_words() -> tuple[str, ...]:
    """Return the words that are one piece in MiniLM's vocabulary, in its order."""
    from transformers import AutoTokenizer

    pieces = AutoTokenizer.from_pretrained(minilm_folder()).get_vocab()
    return tuple(piece for piece in sorted(pieces, key=pieces.__getitem__) if piece.isalpha() and len(piece) > 1)
