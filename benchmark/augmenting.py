"""Three ways to make training sentences for a sturdier recogniser (Lin et al. 2021, RockNER, data augmentation).

They look at no victim. The results are new sentences, not edited ones: train on them beside the originals.
"""

from __future__ import annotations

import random
import string
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from benchmark.resources.stop_words import is_stop_word
from benchmark.types import Sentence, Tokens

__all__ = ["ends_by_type", "entity_switching", "mentions_by_type", "mix_up", "random_characters"]


def mentions_by_type(sentences: Iterable[Sentence]) -> dict[str, list[Tokens]]:
    """Return the mentions of a training split, repeats included, so that common ones are drawn more often."""
    found: dict[str, list[Tokens]] = defaultdict(list)
    for sentence in sentences:
        for span in sentence.spans:
            found[span.type].append(sentence.tokens[span.start : span.end])
    return dict(found)


def ends_by_type(sentences: Iterable[Sentence]) -> dict[str, list[tuple[Sentence, int]]]:
    """Return where mentions end, as sentences with the index of the token behind."""
    found: dict[str, list[tuple[Sentence, int]]] = defaultdict(list)
    for sentence in sentences:
        for span in sentence.spans:
            found[span.type].append((sentence, span.end))
    return dict(found)


def entity_switching(sentence: Sentence, mentions: Mapping[str, Sequence[Tokens]], rng: random.Random) -> Sentence:
    """Put a random mention of the same type in the place of every mention.

    Args:
        sentence: of the training split.
        mentions: by type, see `mentions_by_type`; a type that is not there keeps its mentions.
        rng: of the augmentation.
    """
    for k in range(len(sentence.spans)):
        span = sentence.spans[k]
        if known := mentions.get(span.type):
            sentence = sentence.replace_span(span, rng.choice(known))
    return sentence


def random_characters(sentence: Sentence, rng: random.Random) -> Sentence:
    """Put a random letter of the same casing in the place of each letter of the mentions; function words stay."""
    for i, word in enumerate(sentence.tokens):
        if sentence.inside(i) and not is_stop_word(word):
            sentence = sentence.replace(i, "".join(_random_letter(letter, rng) for letter in word))
    return sentence


def _random_letter(letter: str, rng: random.Random) -> str:
    if not letter.isalpha():
        return letter
    return rng.choice(string.ascii_uppercase if letter.isupper() else string.ascii_lowercase)


def mix_up(
    sentence: Sentence, ends: Mapping[str, Sequence[tuple[Sentence, int]]], rng: random.Random
) -> Sentence | None:
    """Join the sentence, up to one of its mentions, to what follows a mention of the same type in another sentence.

    The mention is the sentence's own. The published code takes the others in the order of the file; here a random one
    of those that fit is taken.

    Args:
        sentence: that begins.
        ends: of the mentions of others, see `ends_by_type`.
        rng: of the augmentation.

    Returns:
        The new sentence, with no alignment to the old one; None if no other sentence has a mention of one of its types.
    """
    pairs = [
        (own.end, other, end)
        for own in sentence.spans
        for other, end in ends.get(own.type, ())
        if other.tokens != sentence.tokens
    ]
    if not pairs:
        return None
    end, other, start = rng.choice(pairs)
    tokens = (*sentence.tokens[:end], *other.tokens[start:])
    return Sentence(f"{sentence.id}+{other.id}", tokens, (*sentence.tags[:end], *other.tags[start:]))
