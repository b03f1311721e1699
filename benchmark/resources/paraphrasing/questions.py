"""Sentences around a clause: clefts and questions."""

from __future__ import annotations

from collections.abc import Iterator

from benchmark.resources.paraphrasing.adjuncts import time_phrases
from benchmark.resources.paraphrasing.clause import FINITE, Clause, main_clause
from benchmark.resources.paraphrasing.parse import QUOTES, Arrangement, Parse
from benchmark.resources.paraphrasing.vocabulary import NO_CLEFT, PEOPLE

__all__ = ["object_cleft", "question", "subject_cleft", "time_cleft"]

_LONGEST_CLEFT = 8
_SHORT = 4


def _plain(clause: Clause | None) -> bool:
    """Tell whether a clause is a whole sentence without quotation marks that begins with its subject."""
    return (
        clause is not None
        and clause.opens_with_subject
        and clause.start == 0
        and clause.parse.words(clause.parse.final) == ["."]
        and not any(unit.word in QUOTES for unit in clause.parse.units)
        and not _goes_on(clause.parse)
    )


def _goes_on(parse: Parse) -> bool:
    """Tell whether another finite verb is coordinated: it would not be part of the question."""
    others = [k for k, unit in enumerate(parse.units) if unit.dep in {"conj", "parataxis"}]
    return any(parse[m].tag in FINITE for k in others for m in (k, *parse.children(k, "aux", "auxpass")))


def _it(clause: Clause) -> tuple[str, str]:
    return "it", "was" if clause.tag == "VBD" else "is"


def subject_cleft(parse: Parse) -> Iterator[Arrangement]:
    """FRAG-SBAR: "Ruiz left on Friday ." becomes "It was Ruiz who left on Friday ."."""
    clause = main_clause(parse)
    if clause is None or not _plain(clause) or parse[clause.subject].word in NO_CLEFT:
        return
    if any(parse[k].word in {"all", "both", "each"} for k in clause.subject_phrase):
        return
    if parse[clause.subject].tag not in {"NN", "NNS", "NNP", "NNPS"} or len(clause.subject_phrase) > _LONGEST_CLEFT:
        return
    person = (parse[clause.subject].mention or "").upper() in PEOPLE
    rest = range(clause.subject_phrase.stop, clause.stop)
    if parse.is_comma(rest.start) or parse[clause.verb].word in {"said", "says"}:
        return
    yield clause.rebuilt((*_it(clause), *clause.subject_phrase, "who" if person else "that", *rest))


def object_cleft(parse: Parse) -> Iterator[Arrangement]:
    """FRAG-SBAR: "Ruiz left Tallinn on Friday ." becomes "It was Tallinn that Ruiz left on Friday ."."""
    clause = main_clause(parse)
    if clause is None or not _plain(clause) or clause.lemma in {"have", "take", "make"}:
        return
    if parse.children(clause.verb, "ccomp", "xcomp", "dative", "oprd") or len(clause.subject_phrase) > _SHORT:
        return
    for k in parse.children(clause.verb, "dobj"):
        phrase = parse.phrase(k)
        named = parse[k].mention is not None or any(
            parse[m].word in {"the", "a", "an"} for m in parse.children(k, "det")
        )
        if phrase is None or not named or phrase.start != clause.verb + 1 or len(phrase) > _LONGEST_CLEFT:
            continue
        if any(parse[m].tag in {"CD", "NFP"} for m in parse.children(k) if m > k) or parse.is_comma(phrase.stop):
            continue
        rest = [i for i in range(clause.stop) if i not in phrase]
        yield clause.rebuilt((*_it(clause), *phrase, "that", *rest))


def time_cleft(parse: Parse) -> Iterator[Arrangement]:
    """FRAG-SBAR: "Ruiz left on Friday ." becomes "It was on Friday that Ruiz left ."."""
    clause = main_clause(parse)
    if clause is None or not _plain(clause) or clause.tag == "MD":
        return
    for phrase in time_phrases(parse, clause):
        if phrase.start > clause.verb and phrase.stop <= clause.stop:
            yield clause.rebuilt((*_it(clause), *phrase, "that", *clause.without(phrase)))


def question(parse: Parse) -> Iterator[Arrangement]:
    """SBARQ-WHADVP-SQ: "Ruiz left last week ." becomes "When did Ruiz leave ?" and "Why did Ruiz leave last week ?"."""
    clause = main_clause(parse)
    if clause is None or not _plain(clause) or parse[clause.subject].word in {"it", "this", "that", "these", "those"}:
        return
    inverted = _inverted(clause)
    if inverted is None:
        return
    auxiliary, moved, verb = inverted
    for phrase in time_phrases(parse, clause):
        if phrase.start > clause.verb and not any(parse[i].mention is not None for i in phrase):
            rest = [verb if i == clause.verb else i for i in clause.without(phrase) if i != moved]
            yield ("when", auxiliary, *rest, "?")
    rest = [verb if i == clause.verb else i for i in range(clause.stop) if i != moved]
    yield ("why", auxiliary, *rest, "?")


def _inverted(clause: Clause) -> tuple[int | str, int | None, int | str] | None:
    """Return the auxiliary before the subject, the position it leaves, and the verb as it is then."""
    verb = clause.parse[clause.verb]
    if clause.auxiliaries:
        first = clause.auxiliaries[0]
        contracted = clause.parse[first].word.startswith("'") or clause.parse.is_word(first + 1, "n't")
        return None if contracted else (first, first, clause.verb)
    if clause.parse.is_word(clause.verb + 1, "n't"):
        return None
    if verb.word in {"was", "were", "is", "are", "am"}:
        return clause.verb, clause.verb, clause.verb
    if clause.lemma == "be" or verb.word.startswith("'"):
        return None
    do = {"VBD": "did", "VBZ": "does", "VBP": "do"}.get(clause.tag)
    return (do, None, clause.lemma) if do else None
