"""A parsed sentence as the rules see it: units with heads, no objects of a parsing library.

A unit is a word or a whole mention, so that no rule can tear one. Labels are those of spaCy's English pipelines: Penn
Treebank tags and ClearNLP dependencies.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from benchmark.types import Span, Tokens

__all__ = ["Arrangement", "Parse", "Unit", "group_mentions"]

# A rearranged sentence: indices of the units that are kept, and new words.
Arrangement = tuple[int | str, ...]

QUOTES = frozenset(['"', "``", "''", "\u201c", "\u201d"])
_OPENING, _CLOSING = frozenset(["(", "[", "-LRB-"]), frozenset([")", "]", "-RRB-"])
_FINAL = frozenset([".", "!", "?", "..."])
SUBJECTS = frozenset(["nsubj", "nsubjpass", "csubj", "csubjpass", "expl"])


@dataclass(frozen=True, slots=True)
class Unit:
    """A word or a mention.

    Attributes:
        tokens: its words.
        tag: Penn Treebank tag; of a mention that of its head.
        dep: relation to its head.
        head: the head's index among the units; the root's is its own.
        mention: type of the mention, None for a word.
    """

    tokens: Tokens
    tag: str
    dep: str
    head: int
    mention: str | None = None

    @property
    def word(self) -> str:
        """Lower-cased, for comparisons."""
        return " ".join(self.tokens).lower()


@dataclass(frozen=True)
class Parse:
    """Units in the order of the text, one tree over all of them."""

    units: tuple[Unit, ...]

    def __getitem__(self, i: int) -> Unit:
        return self.units[i]

    def __len__(self) -> int:
        return len(self.units)

    @cached_property
    def root(self) -> int:
        """Index of the root."""
        return next((i for i, unit in enumerate(self.units) if unit.head == i), 0)

    @cached_property
    def _children(self) -> list[list[int]]:
        children: list[list[int]] = [[] for _ in self.units]
        for i, unit in enumerate(self.units):
            if unit.head != i:
                children[unit.head].append(i)
        return children

    def children(self, i: int, *deps: str) -> list[int]:
        """Return the dependents of a unit, those of some relations only if any are named."""
        return [k for k in self._children[i] if not deps or self.units[k].dep in deps]

    def subtree(self, i: int) -> list[int]:
        """Return a unit and all below it, in the order of the text."""
        out = [i]
        for k in out:
            out += self._children[k]
        return sorted(out)

    def phrase(self, i: int) -> range | None:
        """Return the stretch of text a unit and all below it take up, without commas at its ends.

        None where something else stands in between.
        """
        below = self._without_loose_ends(self.subtree(i))
        if not below or below[-1] - below[0] + 1 != len(below):
            return None
        return range(below[0], below[-1] + 1)

    def _without_loose_ends(self, below: list[int]) -> list[int]:
        while True:
            while below and self.units[below[-1]].dep == "punct" and below[-1] not in self.enclosed:
                below = below[:-1]
            while below and self.units[below[0]].dep == "punct" and below[0] not in self.enclosed:
                below = below[1:]
            # One of a pair of quotation marks; the other one hangs elsewhere in the tree.
            if sum(self.units[k].word in QUOTES for k in below) % 2 == 0:
                return below
            if self.units[below[0]].word in QUOTES:
                below = below[1:]
            elif self.units[below[-1]].word in QUOTES:
                below = below[:-1]
            else:
                return below

    @cached_property
    def levels(self) -> list[tuple[bool, int]]:
        """Of each unit, whether it stands in quotation marks and in how many brackets; marks count as outside."""
        quoted, depth, out = False, 0, []
        for unit in self.units:
            if unit.word in QUOTES:
                quoted = not quoted
                out.append((False, depth))
                continue
            if unit.word in _CLOSING:
                depth -= 1
            out.append((quoted, depth))
            if unit.word in _OPENING:
                depth += 1
        return out

    @cached_property
    def enclosed(self) -> frozenset[int]:
        """Quotation marks and brackets: they belong to what they enclose and never count as loose punctuation."""
        return frozenset(i for i, unit in enumerate(self.units) if unit.word in QUOTES | _OPENING | _CLOSING)

    @cached_property
    def end(self) -> int:
        """Where the final punctuation begins (a closing quotation mark counts to it); the length if there is none."""
        end = len(self.units)
        while end > 0 and (self.units[end - 1].word in _FINAL or self.units[end - 1].word in QUOTES):
            end -= 1
        return end if end < len(self.units) and any(u.word in _FINAL for u in self.units[end:]) else len(self.units)

    @property
    def final(self) -> range:
        """The final punctuation."""
        return range(self.end, len(self))

    def is_word(self, i: int, word: str) -> bool:
        """Tell whether a word, in lower case, stands at `i`."""
        return 0 <= i < len(self) and self.units[i].word == word

    def is_comma(self, i: int) -> bool:
        """Tell whether there is a comma at `i`."""
        return self.is_word(i, ",")

    def subject(self, verb: int) -> int | None:
        """Return the subject that stands before a verb."""
        return next((k for k in self.children(verb, *SUBJECTS) if k < verb), None)

    def words(self, where: Iterable[int]) -> list[str]:
        """Return the lower-cased words of some units."""
        return [self.units[i].word for i in where]


def group_mentions(
    tokens: Tokens, tags: Sequence[str], deps: Sequence[str], heads: Sequence[int], mentions: Sequence[Span]
) -> Parse:
    """Make a parse over words one over units, each mention one of them.

    A mention takes the place of its highest word in the tree, so that the result is a tree again.

    Args:
        tokens: the words.
        tags: a Penn Treebank tag a word.
        deps: a relation a word.
        heads: the head's index a word; the root's is its own.
        mentions: not overlapping.
    """
    mentions = sorted(mentions)
    starts = {span.start: span for span in mentions}
    unit_of: list[int] = []
    spans: list[Span | None] = []
    while len(unit_of) < len(tokens):
        span = starts.get(len(unit_of))
        unit_of += [len(spans)] * (span.end - span.start if span else 1)
        spans.append(span)
    firsts = [unit_of.index(k) for k in range(len(spans))]
    units = []
    for k, span in enumerate(spans):
        words = range(span.start, span.end) if span else range(firsts[k], firsts[k] + 1)
        top = min(words, key=lambda i: (_depth(heads, i), i))
        units.append(
            Unit(
                tuple(tokens[i] for i in words),
                tags[top],
                deps[top],
                unit_of[heads[top]],
                span.type if span else None,
            )
        )
    return Parse(tuple(units))


def _depth(heads: Sequence[int], i: int) -> int:
    depth = 0
    while heads[i] != i:
        i, depth = heads[i], depth + 1
    return depth
