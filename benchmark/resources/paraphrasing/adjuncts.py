"""Adverbs, prepositional phrases and expressions of time: to the front, to the end, past one another, into a cleft."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from benchmark.resources.paraphrasing.clause import Clause, clauses, main_clause
from benchmark.resources.paraphrasing.dates import is_time
from benchmark.resources.paraphrasing.parse import Arrangement, Parse
from benchmark.resources.paraphrasing.vocabulary import (
    ADVERBS,
    ASKS_FOR_AT,
    ASKS_FOR_IN,
    FREE,
    FREE_WITH_TIME,
    NO_SENTENCE_ADVERBS,
    PARENTHETIC,
    PLACES,
    SAYING,
)

__all__ = ["adverb_first", "adverb_last", "fronted_last", "neighbours_swapped", "phrase_first", "time_phrases"]

_SHORTEST_REST = 3
_ALONE = frozenset(["also", "still", "again", "then", "once"])


def _free_phrases(parse: Parse, clause: Clause) -> Iterator[int]:
    """Yield the prepositional phrases of a clause that do not depend on what its verb asks for."""
    for k in parse.children(clause.verb, "prep"):
        objects = parse.children(k, "pobj")
        if not objects and parse[k].word not in {"because", "according"} and not parse.children(k, "pcomp"):
            continue
        # "in place", "wave after wave"
        if parse.words(objects) == ["place"] or (objects and k and parse[k - 1].word == parse[objects[0]].word):
            continue
        # "for the third time" counts, it does not say when.
        time = bool(objects) and is_time(parse, objects[0]) and parse[objects[0]].word != "time"
        if parse[k].word in (FREE | FREE_WITH_TIME if time else FREE) and not _asked_for(parse, clause, k, time=time):
            yield k


def _asked_for(parse: Parse, clause: Clause, k: int, *, time: bool) -> bool:
    """Tell whether a verb is incomplete without a phrase: "lives in Rome", "was without rivals"."""
    if clause.lemma == "be":
        return k == clause.verb + 1 or not parse.children(clause.verb, "attr", "acomp", "oprd")
    asks = ASKS_FOR_AT if parse[k].word == "at" else ASKS_FOR_IN if parse[k].word in PLACES else ()
    return not time and clause.lemma in asks


def _free_adverbs(parse: Parse, clause: Clause) -> Iterator[int]:
    """Yield adverbs and bare expressions of time that can open a sentence."""
    for k in parse.children(clause.verb, "advmod", "npadvmod"):
        if parse[k].dep == "npadvmod":
            free = is_time(parse, k)
        else:
            known = parse[k].word in ADVERBS or (k < clause.verb and _is_manner(parse, k))
            # "now that it rains"
            free = known and not parse.is_word(k + 1, "that") and not _opens_a_clause(parse, k)
        if free and (clause.is_main or parse[k].word != "also"):
            yield k


def _opens_a_clause(parse: Parse, k: int) -> bool:
    """Tell whether more than a degree ("very early") or a measure ("a day later") hangs on an adverb."""
    allowed = set() if parse[k].word in _ALONE else {"advmod", "npadvmod"}
    return any(parse[m].dep not in allowed for m in parse.children(k))


def _is_manner(parse: Parse, k: int) -> bool:
    word = parse[k].word
    return word.endswith("ly") and len(word) > len("early") and word not in NO_SENTENCE_ADVERBS and parse[k].tag == "RB"


def time_phrases(parse: Parse, clause: Clause) -> list[range]:
    """Return the phrases and nouns of a clause that say when."""
    found = []
    for k in (*_free_phrases(parse, clause), *_free_adverbs(parse, clause)):
        phrase = parse.phrase(k)
        noun = next(iter(parse.children(k, "pobj")), k)
        if (
            phrase is not None and is_time(parse, noun) and parse[k].word in {"on", "in", *parse[noun].tokens[-1:]}
        ) or (phrase is not None and parse[k].dep == "npadvmod"):
            found.append(phrase)
    return found


def _to_front(parse: Parse, clause: Clause, i: int) -> Arrangement | None:
    phrase = parse.phrase(i)
    if phrase is None or phrase.start < clause.start or phrase.stop > clause.stop or not clause.opens_with_subject:
        return None
    # "said at the end of a visit that it rained": what was said may hang on the visit in the parse.
    if clause.lemma in SAYING and "that" in parse.words(phrase):
        return None
    rest = clause.without(phrase)
    return clause.rebuilt((*clause.opening, *phrase, ",", *rest)) if len(rest) >= _SHORTEST_REST else None


def phrase_first(parse: Parse) -> Iterator[Arrangement]:
    """S-PP-,-NP-VP: "Ruiz left on Friday ." becomes "On Friday , Ruiz left ."."""
    for clause in clauses(parse):
        for k in reversed(list(_free_phrases(parse, clause))):
            if k > clause.subject and (found := _to_front(parse, clause, k)):
                yield found


def adverb_first(parse: Parse) -> Iterator[Arrangement]:
    """S-ADVP-NP-VP: "Ruiz left last year ." becomes "Last year , Ruiz left ."."""
    for clause in clauses(parse):
        for k in _free_adverbs(parse, clause):
            if k > clause.subject and (found := _to_front(parse, clause, k)):
                yield found


def fronted_last(parse: Parse) -> Iterator[Arrangement]:
    """S-NP-VP: "On Friday , Ruiz left ." becomes "Ruiz left on Friday .", behind the verb where a clause follows."""
    clause = main_clause(parse)
    if clause is None or clause.opens_with_subject:
        return
    phrases = [parse.phrase(k) for k in (*_free_phrases(parse, clause), *_free_adverbs(parse, clause))]
    for phrase in phrases:
        if phrase is None or phrase.start != clause.start or phrase.stop > clause.subject_phrase.start:
            continue
        rest = clause.without(phrase)
        if not rest or rest[0] != clause.subject_phrase.start:
            continue
        if parse[phrase.start].word in PARENTHETIC:
            at = rest.index(clause.subject_phrase.stop - 1) + 1
            yield clause.rebuilt((*rest[:at], ",", *phrase, ",", *rest[at:]))
            continue
        at = rest.index(clause.core_end - 1) + 1
        tail = rest[at:]
        if tail and len(phrase) > _SHORTEST_REST and not parse.is_comma(tail[0]) and parse[tail[0]].dep != "mark":
            continue
        yield clause.rebuilt((*rest[:at], *phrase, *tail))


def adverb_last(parse: Parse) -> Iterator[Arrangement]:
    """S-NP-VP: "Ruiz quickly left Tallinn ." becomes "Ruiz left Tallinn quickly ."."""
    for clause in clauses(parse):
        for k in parse.children(clause.verb, "advmod"):
            objects = parse.children(clause.verb, "dobj")
            phrase = parse.phrase(objects[0]) if len(objects) == 1 else None
            if k == clause.verb - 1 and _is_manner(parse, k) and phrase is not None and phrase.start > clause.verb:
                before = [i for i in range(clause.start, phrase.stop) if i != k]
                yield clause.rebuilt((*before, k, *range(phrase.stop, clause.stop)))


def neighbours_swapped(parse: Parse) -> Iterator[Arrangement]:
    """S-NP-VP: "left in Paris on Friday" becomes "left on Friday in Paris"."""
    clause = main_clause(parse)
    if clause is None:
        return
    movable = [*_free_phrases(parse, clause), *_free_adverbs(parse, clause)]
    phrases = sorted(
        (p for p in map(parse.phrase, movable) if p is not None and p.start > clause.verb), key=lambda p: p.start
    )
    for one, other in pairwise(phrases):
        # A phrase with a verb in it would take what follows it for its own.
        plain = not any(parse[k].tag.startswith("VB") for k in other)
        if one.stop == other.start and other.stop <= clause.stop and plain:
            yield (*range(one.start), *other, *one, *range(other.stop, len(parse)))
