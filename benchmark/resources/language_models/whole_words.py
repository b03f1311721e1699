"""Which pieces of a vocabulary are whole words."""

from __future__ import annotations

import re

from benchmark.word_pieces import WordPieces

__all__ = ["whole_words"]

# What joins the parts of a word (co-operate, o'clock, U.S), and numbers.
_JOINT = re.compile(r"['.\u2019-]")
_NUMBER = re.compile(r"[0-9]+(?:[.,:/-][0-9]+)*%?")


def whole_words(pieces: WordPieces) -> dict[int, str]:
    """Return the vocabulary's entries that are whole words, by piece.

    The tokenizer itself is asked: the text of a piece, cut again, must give the same piece. So it holds for WordPiece,
    BPE and SentencePiece alike, and needs to know none of their marks.
    """
    tokenizer = pieces.tokenizer
    special = set(tokenizer.all_special_ids)
    texts = {k: tokenizer.decode([k], skip_special_tokens=False).strip() for k in range(len(tokenizer))}
    likely = {k: text for k, text in texts.items() if k not in special and _is_word(text)}
    cut = tokenizer([[text] for text in likely.values()], is_split_into_words=True, add_special_tokens=False)
    return {
        k: "I" if text == "i" else text
        for (k, text), own in zip(likely.items(), cut["input_ids"], strict=True)
        if own == [k]
    }


def _is_word(text: str) -> bool:
    """Single letters other than "a" and "I" are debris of the vocabulary."""
    if _NUMBER.fullmatch(text):
        return True
    return all(part.isalpha() for part in _JOINT.split(text)) and (len(text) > 1 or text in {"a", "A", "i", "I"})
