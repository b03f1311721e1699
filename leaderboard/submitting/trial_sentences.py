"""Sentences that attacks and victims are tried on: usual ones, and those on which code breaks."""

from __future__ import annotations

from benchmark.types import Sentence

__all__ = ["NAMES", "trial_sentences"]

# What is a name in them.
NAMES = {
    "Ana": "B-PER",
    "ANA": "B-PER",
    "Bo": "B-PER",
    "Zoë": "B-PER",
    "Ruiz": "I-PER",
    "RUIZ": "I-PER",
    "Rome": "B-LOC",
    "ROME": "B-LOC",
    "São": "B-LOC",
    "Paulo": "I-LOC",
    "Köln": "B-LOC",
    "Tallinn": "B-ORG",
    "Water": "I-ORG",
}
_FILLER = "they said the market fell quickly and later 17 traders left before noon , it was added"
_TEXTS = {
    "usual": "Ana Ruiz left Tallinn Water on Friday and later told reporters the car had stopped .",
    "start": "Rome traders quickly added 3 markets .",
    "end": "yesterday the visitors liked roads near Rome",
    "adjacent": "later traders met Ana Bo Rome runners visited",
    "apart": "cars carried Ana reporters while makers of Rome bicycles told traders Bo visitors liked roads",
    "numbers": "Ana sold 1,000 shares at 7.5 , 12:30 and 3-4 on 5 monday",
    "non-ASCII": "Zoë besuchte später São Paulo und Köln — naïve “ Größe ” 東京 .",
    "capitals": "ANA RUIZ SOLD PAINT IN ROME ON FRIDAY .",
    "long": " ".join([*["Ana", *_FILLER.split() * 6, "in", "Rome", *_FILLER.split(), "."][:119], "again"]),
    "one name": "Ana",
    "one word": "market",
    "one mark": ".",
    "punctuation": "( ! ) - .",
    "a name among marks": "( Ana ) .",
    "function words": "the of and it was",
    "a name among function words": "it was the Ana of these",
    "nothing but a mention": "Ana Ruiz",
    "two mentions and nothing else": "Ana Ruiz Rome",
    "numbers only": "17 3.5 - 4 %",
}


def trial_sentences() -> list[Sentence]:
    """Return the sentences, each named for what is special about it."""
    return [
        Sentence(name, tuple(text.split()), tuple(NAMES.get(word, "O") for word in text.split()))
        for name, text in _TEXTS.items()
    ]
