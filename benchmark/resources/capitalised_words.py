"""Words that English writes with a capital: names of people and places, days, months, nationalities.

Language models and word vectors are often trained on lower-cased text, so they offer "jackson" or "friday" like any
other word. Put into a sentence as it comes, such a word is a name all the same, and the gold label O is wrong for it.
The list tells.

It holds single words that are one entry in the vocabulary of MiniLM or among the 60,000 most frequent of GloVe, and
that are written with a capital in at least nine of ten places within a sentence, or that WordNet knows with a capital
only. `capitalised_words` is the recipe; the text read is the training text of `minilm-mlm`, the lemmas are WordNet's.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

__all__ = ["capitalised_words", "usually_capitalised"]

_TOKEN = re.compile(r"[^\W\d_]+|[^\w\s]")
# After these a capital says nothing.
_BEGINNINGS = frozenset(".!?:;\"'()\u2018\u2019\u201c\u201d-")
_OFTEN, _SHARE = 2, 0.9


def usually_capitalised(word: str) -> bool:
    """Tell whether a word, however it is written here, is one that English writes with a capital."""
    return word.lower() in _listed()


def capitalised_words(texts: Iterable[str], lemmas: Iterable[str]) -> list[str]:
    """Return in lower case, sorted, the words that texts, or else a dictionary, write with a capital.

    Args:
        texts: ordinary prose; the first word of a sentence and words in capitals throughout are passed over.
        lemmas: a dictionary's entries, as it writes them.
    """
    capital: Counter[str] = Counter()
    small: Counter[str] = Counter()
    for text in texts:
        before = "."
        for token in _TOKEN.findall(text):
            if before not in _BEGINNINGS and token.isalpha():
                if token.islower():
                    small[token] += 1
                elif token.istitle():
                    capital[token.lower()] += 1
            before = token
    entries = [lemma for lemma in lemmas if lemma.isalpha()]
    plain = {entry for entry in entries if entry.islower()}
    named = {entry.lower() for entry in entries if entry[:1].isupper()} - plain - set(small)
    often = {word for word, n in capital.items() if n >= _OFTEN and n >= _SHARE * (n + small[word])}
    return sorted(word for word in often | named if len(word) > 1)


@cache
def _listed() -> frozenset[str]:
    text = files(__package__).joinpath("capitalised_words.txt").read_text(encoding="utf-8")
    return frozenset(line for line in text.splitlines() if not line.startswith("#"))
