"""Signs that the gold labels of an adversarial example may no longer be right.

Nothing here decides alone: a reader does. But a success that shows one of the graver signs is not counted in the valid
attack rate. The table:

    flag             sign                                                                        invalidates
    mention-edited   a word of a gold mention was edited                                         no
    misspelt         the spelling checker finds more misspelt words than before                  no
    new-capital      an edited context word is capitalised, or is one that English writes with   yes
                     a capital ("friday"), and the word it replaced was not
    new-entity       two taggers other than the victim both take an edited context word for      yes
                     an entity, and did not take the word it replaced for one
    mention-split    a gold mention is in two parts now                                          yes
    mention-lost     a gold mention is gone                                                      yes
    type-confusable  an edited mention is known from the training data as another type only      yes

Why a mention's edit alone does not: an entity stays one under another name, and a misspelt name is mostly still read as
the name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from benchmark.alignment import changed
from benchmark.resources.capitalised_words import usually_capitalised
from benchmark.types import Sentence, Span, Tags, Tokens

__all__ = ["FLAGS", "RULES_VERSION", "Flag", "invalidates", "label_risk", "newly_a_name"]

# Raised when a rule changes.
RULES_VERSION = 2


class Flag(NamedTuple):
    """A sign, and whether it makes a success invalid."""

    meaning: str
    invalidates: bool


FLAGS: Mapping[str, Flag] = {
    "mention-edited": Flag("a word of a gold mention was edited", False),
    "misspelt": Flag("more misspelt words than before", False),
    "new-capital": Flag("an edited context word is written like a name now", True),
    "new-entity": Flag("two taggers take an edited context word for an entity", True),
    "mention-split": Flag("a gold mention is in two parts", True),
    "mention-lost": Flag("a gold mention is gone", True),
    "type-confusable": Flag("an edited mention is known as another type only", True),
}


def invalidates(flags: Sequence[str]) -> bool:
    """Tell whether any of the flags makes a success invalid."""
    return any(FLAGS[flag].invalidates for flag in flags)


def label_risk(
    original: Sentence,
    adversarial: Sentence,
    taggers: Sequence[tuple[Tags, Tags]],
    misspelt: int,
    known_types: Mapping[Tokens, frozenset[str]] | None,
) -> tuple[str, ...]:
    """Return the flags of one adversarial example, in the order of `FLAGS`.

    Args:
        original: before the attack.
        adversarial: after it.
        taggers: what each independent tagger that could read both texts said before and after; entities of any type
            count, and one tagger alone decides nothing.
        misspelt: misspelt words after minus before.
        known_types: types of each lower-cased mention of the training data; None where there is none.
    """
    edited = changed(original, adversarial)
    context = [i for i in sorted(edited) if not adversarial.inside(i)]
    places = [_places(span, adversarial) for span in original.spans]
    missing = [len(found) < span.end - span.start for found, span in zip(places, original.spans, strict=True)]
    found = {
        "mention-edited": any(adversarial.inside(i) for i in edited) or any(missing),
        "misspelt": misspelt > 0,
        "new-capital": any(newly_a_name(original, adversarial, i) for i in context),
        "new-entity": any(_newly_an_entity(adversarial, i, taggers) for i in context),
        "mention-split": any(_in_parts(found, adversarial) for found in places),
        "mention-lost": not all(places),
        "type-confusable": known_types is not None and _confusable(original, adversarial, known_types),
    }
    return tuple(flag for flag in FLAGS if found[flag])


def _places(span: Span, adversarial: Sentence) -> list[int]:
    """Return where the words of an original mention stand now."""
    return [i for i, source in enumerate(adversarial.sources) if any(span.start <= k < span.end for k in source)]


def _in_parts(places: Sequence[int], adversarial: Sentence) -> bool:
    """Tell whether something else stands between the words of a mention; added words of the mention do not count."""
    return (
        any(not adversarial.tags[i].startswith("I-") for i in range(places[0] + 1, places[-1] + 1)) if places else False
    )


def newly_a_name(original: Sentence, adversarial: Sentence, i: int) -> bool:
    """Tell whether token `i` is written like a name, and the words it came from were not.

    A capital at the start of a sentence says nothing; that a word is usually written with one, says so everywhere.
    """
    word, before = adversarial.tokens[i], [original.tokens[source] for source in adversarial.sources[i]]
    capital = i > 0 and word[:1].isupper() and not any(old[:1].isupper() for old in before)
    listed = usually_capitalised(word) and not any(usually_capitalised(old) for old in before)
    return capital or listed


def _newly_an_entity(adversarial: Sentence, i: int, taggers: Sequence[tuple[Tags, Tags]]) -> bool:
    def newly(before: Tags, after: Tags) -> bool:
        return after[i] != "O" and all(before[source] == "O" for source in adversarial.sources[i])

    return len(taggers) > 1 and all(newly(before, after) for before, after in taggers)


def _confusable(original: Sentence, adversarial: Sentence, known_types: Mapping[Tokens, frozenset[str]]) -> bool:
    before = {_surface(original, span) for span in original.spans}
    for span in adversarial.spans:
        surface = _surface(adversarial, span)
        if surface not in before and surface in known_types and span.type not in known_types[surface]:
            return True
    return False


def _surface(sentence: Sentence, span: Span) -> Tokens:
    return tuple(word.lower() for word in sentence.tokens[span.start : span.end])
