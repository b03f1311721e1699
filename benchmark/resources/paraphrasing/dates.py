"""Expressions of time, and what they belong to."""

from __future__ import annotations

import re
from dataclasses import replace

from benchmark.resources.paraphrasing.parse import Parse
from benchmark.resources.paraphrasing.vocabulary import DAYS, TIME_NOUNS

__all__ = ["TIME_NOUNS", "dates_with_verbs", "is_time"]

_YEAR = re.compile(r"1\d{3}|20\d{2}")


def is_time(parse: Parse, i: int) -> bool:
    """Tell whether a noun is an expression of time."""
    last = parse[i].tokens[-1].lower()
    return last in TIME_NOUNS or (parse[i].tag == "CD" and _YEAR.fullmatch(last) is not None)


def dates_with_verbs(parse: Parse) -> Parse:
    """Hang "on Friday" on the verb before it, not on the noun before it, as a parser likes to do in long sentences."""
    units = list(parse.units)
    for k, unit in enumerate(units):
        if unit.word != "on" or unit.dep != "prep" or not any(parse[m].word in DAYS for m in parse.children(k, "pobj")):
            continue
        head = unit.head
        while not units[head].tag.startswith("VB") and units[head].head != head:
            head = units[head].head
        if head < k and units[head].tag.startswith("VB"):
            units[k] = replace(unit, head=head)
    return Parse(tuple(units))
