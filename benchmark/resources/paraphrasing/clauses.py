"""Clauses: subordinate ones to the front and to the end, coordinated ones in another order."""

from __future__ import annotations

from collections.abc import Iterator

from benchmark.resources.paraphrasing.clause import FINITE, Clause, main_clause
from benchmark.resources.paraphrasing.parse import SUBJECTS, Arrangement, Parse
from benchmark.resources.paraphrasing.vocabulary import ASKING, SUBORDINATORS

__all__ = [
    "clause_first",
    "clause_last",
    "clauses_swapped",
    "participle_first",
    "participle_last",
    "predicates_swapped",
]

_WHEN = frozenset(["when", "whenever"])


def _subordinator(parse: Parse, verb: int) -> int | None:
    """Return the word that opens an adverbial clause, which must be its first one."""
    phrase = parse.phrase(verb)
    if phrase is None:
        return None
    first = phrase.start
    opens = (parse[first].dep == "mark" and parse[first].word in SUBORDINATORS) or (
        parse[first].dep == "advmod" and parse[first].word in _WHEN
    )
    return first if opens and parse[first].head == verb and _has_subject(parse, verb) else None


def _has_subject(parse: Parse, verb: int) -> bool:
    return any(k < verb for k in parse.children(verb, *SUBJECTS))


def clause_first(parse: Parse) -> Iterator[Arrangement]:
    """S-SBAR-,-NP-VP: "Ruiz left because it rained ." becomes "Because it rained , Ruiz left ."."""
    clause = main_clause(parse)
    if clause is None or not clause.opens_with_subject:
        return
    for k in parse.children(clause.verb, "advcl"):
        phrase = parse.phrase(k)
        if (
            k > clause.verb
            and phrase is not None
            and phrase.stop <= clause.stop
            and _subordinator(parse, k) is not None
        ):
            yield clause.rebuilt((*phrase, ",", *clause.without(phrase)))


def clause_last(parse: Parse) -> Iterator[Arrangement]:
    """S-NP-VP: "When it rained , Ruiz left ." becomes "Ruiz left when it rained ."."""
    clause = main_clause(parse)
    if clause is None:
        return
    for k in parse.children(clause.verb, "advcl"):
        phrase = parse.phrase(k)
        if phrase is None or phrase.start != clause.start or phrase.stop > clause.subject:
            continue
        rest = clause.without(phrase)
        if _subordinator(parse, k) is not None and rest and rest[0] == clause.subject_phrase.start:
            yield clause.rebuilt((*rest, *phrase))


def participle_first(parse: Parse) -> Iterator[Arrangement]:
    """S-VP: "Ruiz left , citing the weather ." becomes "Citing the weather , Ruiz left ."."""
    clause = main_clause(parse)
    if clause is None or not clause.opens_with_subject:
        return
    for k in parse.children(clause.verb, "advcl"):
        phrase = parse.phrase(k)
        if phrase is None or phrase.start <= clause.verb or phrase.stop != clause.stop:
            continue
        participle = phrase.start == k and parse[k].tag in {"VBG", "VBN"} and parse.is_comma(k - 1)
        # "The coach shouted to wake them up ."
        # Not "He asked the coach to wake them up ."
        purpose = (
            clause.lemma not in ASKING
            and parse[k].tag == "VB"
            and parse[phrase.start].word == "to"
            and parse[phrase.start].head == k
        )
        if participle or purpose:
            yield clause.rebuilt((*phrase, ",", *clause.without(phrase)))


def participle_last(parse: Parse) -> Iterator[Arrangement]:
    """S-NP-VP: "Citing the weather , Ruiz left ." becomes "Ruiz left , citing the weather ."."""
    clause = main_clause(parse)
    if clause is None or clause.opens_with_subject:
        return
    for k in parse.children(clause.verb, "advcl"):
        phrase = parse.phrase(k)
        if phrase is not None and phrase.start == k == clause.start and parse[k].tag in {"VBG", "VBN"}:
            rest = clause.without(phrase)
            if rest and rest[0] == clause.subject_phrase.start:
                yield clause.rebuilt((*rest, ",", *phrase))


def clauses_swapped(parse: Parse) -> Iterator[Arrangement]:
    """S-,-CC-S: "It rained , and Ruiz left ." becomes "Ruiz left , and it rained ."."""
    clause = main_clause(parse)
    found = _coordinated(parse, clause) if clause is not None else None
    if clause is None or found is None:
        return
    second, between, stop = found
    other = parse.children(clause.verb, "conj")[0]
    if _has_subject(parse, other) and parse[second.start].dep != "mark":
        yield clause.rebuilt((*second, ",", between, *range(clause.start, stop)))


def predicates_swapped(parse: Parse) -> Iterator[Arrangement]:
    """S-VP: "Ruiz left Tallinn and joined Leeds ." becomes "Ruiz joined Leeds and left Tallinn ."."""
    clause = main_clause(parse)
    found = _coordinated(parse, clause) if clause is not None else None
    if clause is None or found is None or clause.auxiliaries:
        return
    second, between, stop = found
    other = parse.children(clause.verb, "conj")[0]
    same = parse[other].tag == parse[clause.verb].tag in FINITE and parse[between].word == "and"
    if same and not parse.children(other, "aux", "auxpass", *SUBJECTS):
        first = range(clause.verb, stop)
        yield clause.rebuilt((*range(clause.start, clause.verb), *second, between, *first))


def _coordinated(parse: Parse, clause: Clause) -> tuple[range, int, int] | None:
    """Return the predicate coordinated with a clause, the conjunction before it, and where the first predicate ends."""
    others = parse.children(clause.verb, "conj")
    if len(others) != 1 or parse.children(others[0], "conj"):
        return None
    second = parse.phrase(others[0])
    conjunctions = [k for k in parse.children(clause.verb, "cc") if clause.verb < k < others[0]]
    if second is None or len(conjunctions) != 1 or parse[conjunctions[0]].word not in {"and", "but", "or"}:
        return None
    between = conjunctions[0]
    if second.start != between + 1 or second.stop != clause.stop:
        return None
    return second, between, between - 1 if parse.is_comma(between - 1) else between
