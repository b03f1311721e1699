"""Noun phrases: appositions change places, "the capital of Chad" and "Chad 's capital"."""

from __future__ import annotations

from collections.abc import Iterator

from benchmark.resources.paraphrasing.dates import is_time
from benchmark.resources.paraphrasing.parse import Arrangement, Parse
from benchmark.resources.paraphrasing.vocabulary import NOT_POSSESSED

__all__ = ["apposition_turned", "genitive_turned", "of_turned"]

_COMMON = frozenset(["NN", "NNS"])
_NAMES = frozenset(["NNP", "NNPS"])


def apposition_turned(parse: Parse) -> Iterator[Arrangement]:
    """NP-NP: "Ana Ruiz , the director , left ." becomes "The director , Ana Ruiz , left ."."""
    for head in range(len(parse)):
        for other in parse.children(head, "appos"):
            second = parse.phrase(other)
            if second is None or not parse.is_comma(second.start - 1) or other < head:
                continue
            start, comma = min(k for k in parse.subtree(head) if k <= head), second.start - 1
            first = range(start, comma)
            common = parse[other].tag in _COMMON and parse[other].mention is None
            named = parse[head].tag in _NAMES and parse[head].mention is not None
            closed = second.stop >= parse.end or parse.is_comma(second.stop)
            whole = comma == head + 1 and not any(parse.is_comma(k) for k in (*first, *second))
            opened = any(parse[k].dep in {"det", "poss"} for k in parse.children(other))
            coordinated = parse.children(head, "cc", "conj") or parse.children(other, "cc", "conj")
            if common and named and closed and whole and opened and not coordinated and parse[head].dep != "poss":
                yield (*range(start), *second, comma, *first, *range(second.stop, len(parse)))


def genitive_turned(parse: Parse) -> Iterator[Arrangement]:
    """NP-NP: "Chad 's capital" becomes "the capital of Chad"."""
    for owner in range(len(parse)):
        marks = parse.children(owner, "case")
        if parse[owner].dep != "poss" or len(marks) != 1 or is_time(parse, owner):
            continue
        if parse[marks[0]].word not in {"'s", "'", "\u2019s", "\u2019"} or parse[owner].tag not in _NAMES | _COMMON:
            continue
        owned = parse[owner].head
        left, named = parse.phrase(owner), _simple_noun(parse, owned, marks[0] + 1)
        if left is None or not named or left.stop != marks[0] + 1 or parse[owned].word in NOT_POSSESSED:
            continue
        if (
            left.start != min(parse.subtree(owned))
            or parse.children(owner, "poss")
            or parse.children(owned, "prep", "cc", "conj", "nummod")
        ):
            continue
        name = range(left.start, marks[0])
        yield (*range(left.start), "the", *range(marks[0] + 1, owned + 1), "of", *name, *range(owned + 1, len(parse)))


def of_turned(parse: Parse) -> Iterator[Arrangement]:
    """NP-NP: "the capital of Chad" becomes "Chad 's capital"."""
    for of in range(len(parse)):
        owners = parse.children(of, "pobj")
        if parse[of].word != "of" or parse[of].dep != "prep" or len(owners) != 1 or owners[0] != of + 1:
            continue
        (owner,) = owners
        owned = parse[of].head
        articles = [k for k in parse.children(owned, "det") if parse[k].word == "the"]
        if owned != of - 1 or len(articles) != 1 or parse[owner].mention is None or parse[owner].tag not in _NAMES:
            continue
        start = articles[0]
        if parse[owned].word in NOT_POSSESSED or not _simple_noun(parse, owned, start + 1) or is_time(parse, owner):
            continue
        if parse.children(owner) or parse.children(owned, "cc", "conj") or start != min(parse.subtree(owned)):
            continue
        yield (*range(start), owner, "'s", *range(start + 1, owned + 1), *range(owner + 1, len(parse)))


def _simple_noun(parse: Parse, noun: int, start: int) -> bool:
    """Tell whether from `start` on there are only adjectives and nouns up to a common noun."""
    return (
        parse[noun].tag in _COMMON
        and parse[noun].mention is None
        and start <= noun
        and all(parse[k].dep in {"amod", "compound"} and parse[k].head == noun for k in range(start, noun))
        and not any(parse[k].tag in {"JJS", "CD"} or parse[k].word in {"first", "last"} for k in range(start, noun))
    )
