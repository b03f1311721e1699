"""From an arrangement of units to tokens as they would be written: casing, punctuation, stuttering."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from benchmark.resources.paraphrasing.forms import is_known
from benchmark.resources.paraphrasing.parse import QUOTES, Arrangement, Parse, Unit
from benchmark.resources.paraphrasing.stuttering import without_stuttering
from benchmark.types import Span, Tokens

__all__ = ["written"]

_STOPS = frozenset([".", "!", "?", ";", ":", ")", "-RRB-"])
# Tags of words that may be names the tagger does not know.
_OPEN = frozenset(["JJ", "NN", "NNS", "FW"])
# Adjectives and nouns of peoples are capitalised anywhere, though no tagger calls them names.
_OF_PEOPLES = ("ian", "ians", "ean", "eans", "ese", "tch", "iti", "aeli", "aelis")


@dataclass(slots=True)
class _Item:
    """A unit in its new place, or a new word."""

    tokens: Tokens
    unit: int | None = None
    mention: bool = False

    @property
    def word(self) -> str:
        return " ".join(self.tokens).lower()

    @property
    def is_word(self) -> bool:
        return not self.mention and any(character.isalpha() for character in self.word)


def written(parse: Parse, arrangement: Arrangement) -> tuple[Tokens, tuple[Span, ...]] | None:
    """Write an arrangement down.

    Returns:
        The tokens and the spans of the mentions, in the order in which the parse has them; None where a mention is not
        there exactly once, a word is there twice, or something got into or out of quotation marks or brackets.
    """
    kept = [item for item in arrangement if isinstance(item, int)]
    mentions = [i for i, unit in enumerate(parse.units) if unit.mention is not None]
    if len(set(kept)) != len(kept) or not set(mentions) <= set(kept):
        return None
    if any(_dangles(parse, one, two) for one, two in pairwise(arrangement)):
        return None
    items = without_stuttering(
        _punctuated([_item(parse, element) for element in arrangement]),
        lambda item: item.word if item.is_word else None,
    )
    if not items or not _levels_kept(parse, items):
        return None
    _recase(parse, items)
    tokens: list[str] = []
    spans: dict[int, Span] = {}
    for item in items:
        if item.unit is not None and item.mention:
            spans[item.unit] = Span(len(tokens), len(tokens) + len(item.tokens), str(parse[item.unit].mention))
        tokens += item.tokens
    return tuple(tokens), tuple(spans[i] for i in mentions)


def _dangles(parse: Parse, element: int | str, following: int | str) -> bool:
    """Tell whether a conjunction has lost what it joins."""
    if not isinstance(element, int) or parse[element].tag != "CC":
        return False
    return (following if isinstance(following, str) else parse[following].word) in _STOPS | {","}


def _item(parse: Parse, element: int | str) -> _Item:
    if isinstance(element, str):
        return _Item((element,))
    unit = parse[element]
    return _Item(unit.tokens, element, unit.mention is not None)


def _punctuated(items: list[_Item]) -> list[_Item]:
    """Leave out commas at the beginning, after another one, after an opening mark and before a stop."""
    out: list[_Item] = []
    opening = False  # the item before is an opening quotation mark
    quoted = False
    for at, item in enumerate(items):
        after = items[at + 1].word if at + 1 < len(items) else ""
        if item.word == "," and not item.mention:
            before = out[-1].word if out else ""
            if not out or opening or before in {",", ":", ";", "(", "-LRB-", "--"} or after in _STOPS or not after:
                continue
        opening = item.word in QUOTES and not quoted
        quoted ^= item.word in QUOTES
        out.append(item)
    return out


def _levels_kept(parse: Parse, items: list[_Item]) -> bool:
    """Tell whether every kept word stands inside or outside of quotation marks and brackets as it did."""
    units = [item.unit for item in items]
    levels = Parse(tuple(Unit(item.tokens, "", "", 0) for item in items)).levels
    return (
        all(
            unit is None or parse[unit].dep == "punct" or parse.levels[unit] == level
            for unit, level in zip(units, levels, strict=True)
        )
        and sum(item.word in QUOTES for item in items) % 2 == sum(unit.word in QUOTES for unit in parse.units) % 2
    )


def _recase(parse: Parse, items: list[_Item]) -> None:
    """Give the new first word its capital and take it from the old one; mentions stay as they are."""
    first = next((i for i, unit in enumerate(parse.units) if any(c.isalnum() for c in unit.word)), None)
    if first is None:
        return
    opens = next((k for k, item in enumerate(items) if any(c.isalnum() for c in item.word)), None)
    capital = not parse[first].tokens[0][:1].islower()
    for k, item in enumerate(items):
        if item.mention or not item.is_word:
            continue
        word = item.tokens[0]
        if k == opens:
            if capital:
                item.tokens = (word[:1].upper() + word[1:],)
        elif item.unit == first and not (k and items[k - 1].word in QUOTES) and _may_be_lowered(word, parse[first].tag):
            item.tokens = (word[:1].lower() + word[1:],)


def _may_be_lowered(word: str, tag: str) -> bool:
    """Tell whether a word owes its capital to its place only."""
    if tag in {"NNP", "NNPS"} or word == "I" or word.startswith(("I'", "I\u2019")):
        return False
    if tag in {"JJ", "NN", "NNS"} and word.lower().endswith(_OF_PEOPLES):
        return False
    return len(word) == 1 or (word[1:].islower() and (tag not in _OPEN or is_known(word.partition("-")[0])))
