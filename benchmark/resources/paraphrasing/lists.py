"""Lists: their members in another order."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from benchmark.resources.paraphrasing.parse import Arrangement, Parse

__all__ = ["list_rotated"]

_LISTABLE = frozenset(["NN", "NNS", "NNP", "NNPS", "JJ"])
_LEFT_MODIFIERS = ("det", "poss", "amod", "nummod", "compound", "nmod", "predet", "quantmod", "advmod")
_OPENING = ("det", "poss", "nummod")
# Units behind the head of the last member, where it has an article of its own ("a walk and the end of an era").
_LONGEST_COMPLEMENT = 4


def list_rotated(parse: Parse) -> Iterator[Arrangement]:
    """S-LST-VP, where a list stands in: "Ruiz and Okafor left ." becomes "Okafor and Ruiz left ."."""
    for head in range(len(parse)):
        members = _members(parse, head)
        if not members:
            continue
        gaps = [range(one.stop, other.start) for one, other in pairwise(members)]
        out = [*range(members[0].start), *members[-1]]
        for gap, member in zip(gaps, members, strict=False):
            out += [*gap, *member]
        yield (*out, *range(members[-1].stop, len(parse)))


def _members(parse: Parse, head: int) -> list[range]:
    """Return the members of the list that begins with a noun, name or adjective; none where they cannot be told."""
    heads = _heads(parse, head)
    if len(heads) < 2 or not _alike(parse, heads):  # noqa: PLR2004 - a list has two members
        return []
    whole = all(any(parse.children(h, *_OPENING)) for h in heads)
    # "the men and women": the article is the first one's only in the parse, and stays where it is.
    shared = parse.words(parse.children(heads[0], *_LEFT_MODIFIERS)) == ["the"]
    bare = shared and not any(_modified(parse, h) for h in heads[1:])
    if not (whole or bare or not _modified(parse, heads[0])):
        return []
    members = [_own_phrase(parse, h, last=h == heads[-1] and not whole, bare=bare) for h in heads]
    found = [member for member in members if member is not None and not any(map(parse.is_comma, member))]
    joints = [parse.words(range(one.stop, other.start)) for one, other in pairwise(found)]
    regular = all(joint == [","] for joint in joints[:-1]) and joints[-1:] in ([["and"]], [[",", "and"]])
    return found if len(found) == len(heads) and regular else []


def _heads(parse: Parse, head: int) -> list[int]:
    """Return the heads of the members: each hangs on the one before."""
    if parse[head].dep in {"conj", "poss"} or parse[head].tag not in _LISTABLE:
        return []
    heads = [head]
    while following := parse.children(heads[-1], "conj"):
        if len(following) > 1:
            return []
        heads += following
    return heads


def _own_phrase(parse: Parse, i: int, *, last: bool, bare: bool) -> range | None:
    """Return a member of a list without the members after it."""
    after = [parse.subtree(k)[0] for k in parse.children(i, "conj", "cc")]
    below = [k for k in parse.subtree(i) if (not after or k < min(after)) and (not bare or k >= i)]
    while below and parse.is_comma(below[-1]):
        below.pop()
    if last:
        # What follows the last member may belong to all of them and stays.
        below = [k for k in below if k <= i]
    elif not after and below[-1] - i > _LONGEST_COMPLEMENT:
        return None
    if below[-1] - below[0] + 1 != len(below) or below[-1] < i:
        return None
    return range(below[0], below[-1] + 1)


def _alike(parse: Parse, heads: list[int]) -> bool:
    """Tell whether members are of one kind: all nouns or all adjectives, all mentions of one type or none."""
    if any(parse[k].tag not in _LISTABLE or parse.children(k, "case") for k in heads):
        return False
    kinds = {(parse[k].tag == "JJ" and parse[k].mention is None, parse[k].mention) for k in heads}
    return len(kinds) == 1


def _modified(parse: Parse, i: int) -> bool:
    return bool(parse.children(i, *_LEFT_MODIFIERS))
