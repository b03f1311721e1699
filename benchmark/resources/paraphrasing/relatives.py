"""Relative clauses and appositions: one becomes the other, or goes."""

from __future__ import annotations

from collections.abc import Iterator

from benchmark.resources.paraphrasing.dates import is_time
from benchmark.resources.paraphrasing.forms import be, form, is_plural, lemma
from benchmark.resources.paraphrasing.parse import Arrangement, Parse
from benchmark.resources.paraphrasing.vocabulary import PEOPLE, STATIVE

__all__ = ["relative_dropped", "relative_made", "relative_reduced"]

_COMMON = frozenset(["NN", "NNS"])
# After a relative clause a comma may also be the one before these.
_OWN_COMMA = frozenset(["advcl", "acl", "cc", "mark"])


def relative_dropped(parse: Parse) -> Iterator[Arrangement]:
    """FRAG-SBAR: "Ruiz , who is injured , left ." becomes "Ruiz left .", likewise an apposition; no mention goes."""
    for k in range(len(parse)):
        phrase = parse.phrase(k) if parse[k].dep in {"relcl", "appos"} else None
        if phrase is None or any(parse[i].mention is not None for i in phrase) or not _set_off(parse, phrase):
            continue
        if parse[k].dep == "appos" and (parse[k].tag not in _COMMON or parse.children(k, "conj")):
            continue
        if parse[k].dep == "relcl" and parse[phrase.start].tag not in {"WP", "WDT", "WP$"}:
            continue
        if parse[parse[k].head].tag == "CD" or parse.children(parse[k].head, "cc", "conj"):
            continue
        gone = {phrase.start - 1, *phrase}
        if parse.is_comma(phrase.stop) and parse[phrase.stop + 1].dep not in _OWN_COMMA:
            gone.add(phrase.stop)
        yield tuple(i for i in range(len(parse)) if i not in gone)


def relative_made(parse: Parse) -> Iterator[Arrangement]:
    """FRAG-SBAR: "the men arrested here" becomes "the men who were arrested here", an apposition "who is ..."."""
    for k in range(len(parse)):
        phrase = parse.phrase(k) if parse[k].dep in {"acl", "appos"} else None
        head = parse[k].head
        plural = is_plural(parse, head) if head != k else None
        if phrase is None or plural is None or head > k or parse[head].tag not in _COMMON | {"NNP"}:
            continue
        comma = _set_off(parse, phrase)
        if not comma and (phrase.start != head + 1 or parse[k].dep == "appos"):
            continue
        verb = _finite(parse, k, plural=plural) if phrase.start == k or parse[k].dep == "appos" else None
        if verb is None or (comma and phrase.start != head + 2):
            continue
        # Only a name tells its type.
        person = (parse[head].mention or "").upper() in PEOPLE
        pronoun = "who" if person else "which" if comma else "that"
        rest = range(phrase.start + (parse[k].tag == "VBG"), len(parse))
        yield (*range(phrase.start), pronoun, verb, *rest)


def _finite(parse: Parse, k: int, *, plural: bool) -> str | None:
    """Return the verb a relative clause needs in place of a participle, or before it."""
    root = parse[parse.root].tag
    # "has sold a house built in 1990", but "will pay the taxes expected next year"
    past = root in {"VBD", "VBN"} or (root != "VB" and any(is_time(parse, m) for m in parse.subtree(k)))
    tag = "VBD" if past else "VBP" if plural else "VBZ"
    if parse[k].dep == "appos":
        opened = any(parse[m].dep in {"det", "poss"} for m in parse.children(k))
        plain = parse[k].tag in _COMMON and parse[k].mention is None and not parse.children(k, "cc", "conj", "nummod")
        return be("VBZ", plural=plural) if opened and plain else None
    if parse[k].tag == "VBN":
        return be(tag, plural=plural)
    if parse[k].tag == "VBG" and lemma(parse[k].word) not in STATIVE:
        return form(lemma(parse[k].word), tag)
    return None


def relative_reduced(parse: Parse) -> Iterator[Arrangement]:
    """NP-NP: "the men who were arrested" becomes "the men arrested", "Ruiz , who is a doctor ," "Ruiz , a doctor ,"."""
    for k in range(len(parse)):
        phrase = parse.phrase(k) if parse[k].dep == "relcl" else None
        if phrase is None or parse[phrase.start].word not in {"who", "which", "that"} or phrase.start + 1 > k:
            continue
        verb = phrase.start + 1
        if parse[verb].word not in {"is", "are", "was", "were"} or parse[phrase.start].head != k:
            continue
        passive = parse[k].tag == "VBN" and parse[verb].dep == "auxpass" and k == verb + 1
        noun = verb == k and bool(parse.children(k, "attr")) and _set_off(parse, phrase)
        if passive or noun:
            yield tuple(i for i in range(len(parse)) if i not in {phrase.start, verb})


def _set_off(parse: Parse, phrase: range) -> bool:
    """Tell whether a phrase stands between commas, or behind one at the end."""
    return parse.is_comma(phrase.start - 1) and (parse.is_comma(phrase.stop) or phrase.stop >= parse.end)
