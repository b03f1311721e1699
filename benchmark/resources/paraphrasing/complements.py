"""What verbs take: "gave the fans a shirt", "said that it rained"."""

from __future__ import annotations

from collections.abc import Iterator

from benchmark.resources.paraphrasing.clause import main_clause
from benchmark.resources.paraphrasing.forms import lemma
from benchmark.resources.paraphrasing.parse import SUBJECTS, Arrangement, Parse
from benchmark.resources.paraphrasing.vocabulary import GIVING, REPORTING

__all__ = ["object_shifted", "that_added", "that_dropped"]


def object_shifted(parse: Parse) -> Iterator[Arrangement]:
    """S-NP-VP: "Ruiz gave the fans a shirt ." becomes "Ruiz gave a shirt to the fans ."."""
    clause = main_clause(parse)
    if clause is None or clause.lemma not in GIVING:
        return
    receivers, things = parse.children(clause.verb, "dative"), parse.children(clause.verb, "dobj")
    if len(receivers) != 1 or len(things) != 1:
        return
    receiver, thing = parse.phrase(receivers[0]), parse.phrase(things[0])
    if receiver is None or thing is None or parse[receivers[0]].tag in {"IN", "TO"} or parse[things[0]].tag == "PRP":
        return
    if receiver.start == clause.verb + 1 and receiver.stop == thing.start:
        rest = range(thing.stop, clause.stop)
        yield clause.rebuilt((*range(clause.start, receiver.start), *thing, "to", *receiver, *rest))


def that_added(parse: Parse) -> Iterator[Arrangement]:
    """S-NP-VP: "Ruiz said it rained ." becomes "Ruiz said that it rained ."."""
    for verb in range(len(parse)):
        for k in _reported(parse, verb):
            start = parse.subtree(k)[0]
            spoken = parse[verb].tag == "VBG" or any(m < verb for m in parse.children(verb, "nsubj"))
            opened = parse.children(k, "mark") or parse[start].tag in {"WP", "WRB", "WDT"}
            if start == verb + 1 and spoken and not opened:
                yield (*range(start), "that", *range(start, len(parse)))


def that_dropped(parse: Parse) -> Iterator[Arrangement]:
    """S-NP-VP: "Ruiz said that it rained ." becomes "Ruiz said it rained ."."""
    for verb in range(len(parse)):
        for k in _reported(parse, verb):
            start = parse.subtree(k)[0]
            if start == verb + 1 and parse[start].word == "that" and parse[start].dep == "mark":
                yield tuple(i for i in range(len(parse)) if i != start)


def _reported(parse: Parse, verb: int) -> list[int]:
    """Return the clauses that a verb of saying reports, behind it and with a subject of their own."""
    if not parse[verb].tag.startswith("VB") or lemma(parse[verb].word) not in REPORTING:
        return []
    return [
        k
        for k in parse.children(verb, "ccomp")
        if k > verb and parse[parse.subtree(k)[0]].dep != "punct" and any(parse.children(k, *SUBJECTS))
    ]
