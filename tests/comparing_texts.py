"""What tests look at in the texts that attacks make."""

from __future__ import annotations

from benchmark.types import Sentence


def edited(text: Sentence, original: Sentence) -> list[int]:
    """Where two texts of the same length differ."""
    return [i for i, (a, b) in enumerate(zip(original.tokens, text.tokens, strict=True)) if a != b]


def new_words(text: Sentence, original: Sentence) -> list[int]:
    """Where a text of any length has words that were put in or put in the place of others."""
    words = enumerate(zip(text.tokens, text.sources, strict=True))
    return [i for i, (word, source) in words if not source or word != original.tokens[source[0]]]


def names(text: Sentence) -> list[tuple[str, str]]:
    """Types and words of the mentions."""
    return [(span.type, " ".join(text.tokens[span.start : span.end])) for span in text.spans]


def context(text: Sentence) -> list[str]:
    """The words outside mentions."""
    return [word for word, tag in zip(text.tokens, text.tags, strict=True) if tag == "O"]
