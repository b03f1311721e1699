"""Active to passive and back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmark.resources.paraphrasing.clause import FINITE, Clause, clauses
from benchmark.resources.paraphrasing.dates import is_time
from benchmark.resources.paraphrasing.forms import be, form, is_plural, lemma, object_form, subject_form
from benchmark.resources.paraphrasing.parse import SUBJECTS, Arrangement, Parse
from benchmark.resources.paraphrasing.vocabulary import ADVERBS, LIGHT, NO_PASSIVE, NO_SUBJECT

__all__ = ["active", "passive"]

_NO_PASSIVE_WITH = ("auxpass", "ccomp", "xcomp", "dative", "oprd", "acomp", "attr", "expl", "agent")
# Units in a noun phrase that may still change its role.
_LONGEST = 12
_PASSIVE_BE = {"VB": "be", "VBN": "been", "VBG": "being"}
_AGREEING = {("has", "have"), ("was", "were"), ("is", "are"), ("had", "had")}


def passive(parse: Parse) -> Iterator[Arrangement]:
    """S-NP-VP: "A defender injured Ruiz on Monday ." becomes "Ruiz was injured by a defender on Monday ."."""
    for clause in clauses(parse):
        objects = parse.children(clause.verb, "dobj")
        place = parse.phrase(objects[0]) if len(objects) == 1 else None
        if place is None or not _may_be_passive(parse, clause, objects[0], place):
            continue
        patient, agent = _noun_phrase(parse, objects[0], as_object=False), _subject(parse, clause, as_object=True)
        verbs = _passive_verbs(parse, clause, objects[0])
        if patient and agent and verbs:
            particles, rest = range(clause.verb + 1, place.start), range(place.stop, clause.stop)
            yield clause.rebuilt([*clause.before_subject, *patient, *verbs, *particles, "by", *agent, *rest])


def active(parse: Parse) -> Iterator[Arrangement]:
    """S-NP-VP: "Ruiz was injured by a defender ." becomes "A defender injured Ruiz ."."""
    for clause in clauses(parse):
        whole, doer = _agent(parse, clause)
        if whole is None or is_time(parse, doer) or not _no_other_subject(parse, clause):
            continue
        agent, patient = _noun_phrase(parse, doer, as_object=False), _subject(parse, clause, as_object=True)
        verbs = _active_verbs(parse, clause, doer)
        if agent and patient and verbs and len(agent) == len(whole) - 1:
            after = [i for i in range(clause.verb + 1, clause.stop) if i not in whole]
            particles = [i for i in after if parse[i].dep == "prt"]
            rest = [i for i in after if i not in particles]
            # "held it up", but "held up the match"
            objects = [*patient, *particles] if isinstance(patient[0], str) else [*particles, *patient]
            yield clause.rebuilt([*clause.before_subject, *agent, *verbs, *objects, *rest])


def _noun_phrase(parse: Parse, i: int, *, as_object: bool) -> Sequence[int | str]:
    """Return a noun phrase in its new role, nothing where it cannot have one."""
    phrase, unit = parse.phrase(i), parse[i]
    if phrase is None or len(phrase) > _LONGEST or unit.word in NO_SUBJECT:
        return ()
    if unit.mention is None and unit.tag == "JJ":
        return ()
    if unit.tag in {"WP", "WDT", "EX", "IN", "VBG", "CD", "$"} or unit.word.endswith(("self", "selves")):
        return ()
    # A score behind a name ("beat Chad 2-0") is no part of it, whatever the parser says.
    if any(parse[k].word[:1].isdigit() or parse[k].word in {"(", "-LRB-"} for k in phrase if k > i):
        return ()
    if unit.tag == "PRP" and len(phrase) == 1 and unit.mention is None:
        return (object_form(unit.word) if as_object else subject_form(unit.word),)
    return phrase


def _subject(parse: Parse, clause: Clause, *, as_object: bool) -> Sequence[int | str]:
    return _noun_phrase(parse, clause.subject, as_object=as_object)


def _may_be_passive(parse: Parse, clause: Clause, thing: int, place: range) -> bool:
    if clause.lemma in NO_PASSIVE or parse.children(clause.verb, *_NO_PASSIVE_WITH):
        return False
    if place.start <= clause.verb or parse[thing].word in LIGHT or is_time(parse, thing):
        return False
    between, rest = range(clause.verb + 1, place.start), range(place.stop, clause.stop)
    # "thanked Ana , aged ten , for ..."
    if parse.is_comma(place.stop) and rest and parse[min(place.stop + 1, len(parse) - 1)].dep != "cc":
        return False
    # "hit his shot wide"
    if rest and parse[rest.start].dep in {"advmod", "acomp"} and parse[rest.start].word not in ADVERBS:
        return False
    particles_first = all(parse[k].dep == "prt" for k in between) and all(parse[k].dep != "prt" for k in rest)
    return particles_first and _no_other_subject(parse, clause)


def _no_other_subject(parse: Parse, clause: Clause) -> bool:
    """Tell whether no verb of the sentence would lose its subject to another one: "left , citing the weather"."""
    dependent = [m for k in parse.children(clause.verb, "prep") for m in parse.children(k, "pcomp")]
    dependent += parse.children(clause.verb, "advcl", "conj", "xcomp")
    dependent += [k for k in range(clause.verb + 1, clause.stop) if parse[k].tag in FINITE and parse[k].dep != "aux"]
    return all(
        parse[k].dep in {"auxpass", "relcl"} or any(m < k for m in parse.children(k, *SUBJECTS)) for k in dependent
    )


def _passive_verbs(parse: Parse, clause: Clause, thing: int) -> Sequence[int | str]:
    """Return the verb group in the passive, with the adverbs that stand in it; nothing where it cannot be told."""
    inside = range(clause.subject_phrase.stop, clause.verb)
    plural = is_plural(parse, thing)
    participle = form(clause.lemma, "VBN")
    if any(parse[k].dep not in {"aux", "advmod", "neg"} for k in inside):
        return ()
    if not clause.auxiliaries:
        return _known(be(clause.tag, plural=plural), *inside, participle)
    first = clause.auxiliaries[0]
    others: list[int | str] = [k for k in inside if k != first]
    if lemma(parse[first].word) == "do":
        others = ["not" if parse[k].word == "n't" else k for k in inside if k != first]
        return _known(be(clause.tag, plural=plural), *others, participle)
    return _known(_agreeing(parse, first, plural=plural), *others, _PASSIVE_BE.get(parse[clause.verb].tag), participle)


def _agent(parse: Parse, clause: Clause) -> tuple[range | None, int]:
    """Return "by a defender" and "defender"; None where there is no such thing."""
    agents = [k for k in parse.children(clause.verb, "agent") if k > clause.verb]
    if parse[clause.verb].tag != "VBN" or parse[clause.subject].dep != "nsubjpass" or len(agents) != 1:
        return None, 0
    doers = parse.children(agents[0], "pobj")
    return (parse.phrase(agents[0]), doers[0]) if len(doers) == 1 else (None, 0)


def _active_verbs(parse: Parse, clause: Clause, doer: int) -> Sequence[int | str]:
    """Return the verb group in the active, with the adverbs that stand in it; nothing where it cannot be told."""
    inside = range(clause.subject_phrase.stop, clause.verb)
    passives = [k for k in parse.children(clause.verb, "auxpass") if parse[k].word != "got"]
    if len(passives) != 1 or any(parse[k].dep not in {"aux", "auxpass", "advmod"} for k in inside):
        return ()
    plural, tag, verb = is_plural(parse, doer), parse[passives[0]].tag, clause.lemma
    others = [k for k in inside if k not in {passives[0], clause.auxiliaries[0]}]
    if passives[0] != clause.auxiliaries[0]:
        return _known(_agreeing(parse, clause.auxiliaries[0], plural=plural), *others, form(verb, tag))
    if tag == "VBD":
        return _known(*others, form(verb, "VBD"))
    return _known(*others, None if plural is None else form(verb, "VBP" if plural else "VBZ"))


def _agreeing(parse: Parse, auxiliary: int, *, plural: bool | None) -> int | str | None:
    """Return an auxiliary as it agrees with its new subject."""
    if parse[auxiliary].tag == "MD":
        return auxiliary
    pair = next((pair for pair in _AGREEING if parse[auxiliary].word in pair), None)
    return None if pair is None or plural is None else pair[plural]


def _known(*parts: int | str | None) -> Sequence[int | str]:
    """Return the parts of a verb group, nothing if one of them is unknown."""
    known = [part for part in parts if part is not None]
    return known if len(known) == len(parts) else ()
