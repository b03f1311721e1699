"""The main clause of a sentence: where it begins and ends, its subject and verb."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmark.resources.paraphrasing.forms import lemma
from benchmark.resources.paraphrasing.parse import QUOTES, Arrangement, Parse

__all__ = ["FINITE", "Clause", "clauses", "main_clause"]

FINITE = frozenset(["VBD", "VBZ", "VBP", "MD"])
_SHORTEST = 4
_CLAUSAL = ("ccomp", "advcl", "xcomp", "conj", "cc", "parataxis")


@dataclass(frozen=True)
class Clause:
    """A clause with a subject before its verb.

    Attributes:
        parse: the sentence.
        verb: its main verb.
        subject: head of its subject.
        subject_phrase: the whole subject.
        start: first unit; a conjunction that opens the sentence and quotation marks stand before it.
        stop: one behind the last unit; the final punctuation stands behind it.
        tag: of the finite verb.
        auxiliaries: positions of auxiliary verbs, in order.
    """

    parse: Parse
    verb: int
    subject: int
    subject_phrase: range
    start: int
    stop: int
    tag: str
    auxiliaries: tuple[int, ...]

    @property
    def lemma(self) -> str:
        """The main verb's dictionary form."""
        return lemma(self.parse[self.verb].word)

    @property
    def before_subject(self) -> range:
        """What stands before the subject."""
        return range(self.start, self.subject_phrase.start)

    @property
    def is_main(self) -> bool:
        """Tell whether it is the main clause."""
        return self.verb == self.parse.root

    @property
    def opening(self) -> tuple[str, ...]:
        """The "that" a clause needs in front if it is reported without one and is not to begin with its subject."""
        reported = self.parse[self.verb].dep == "ccomp" and self.start > self.parse[self.verb].head
        before = self.parse[self.start - 1].word if self.start else ""
        return ("that",) if reported and before not in QUOTES | {"that", ":"} else ()

    @property
    def opens_with_subject(self) -> bool:
        """Tell whether nothing stands before the subject."""
        return self.subject_phrase.start == self.start

    @property
    def core_end(self) -> int:
        """Where the verb and its objects end and the first clause that depends on it, or a comma, begins."""
        parse = self.parse
        dependent = [k for k in parse.children(self.verb, *_CLAUSAL) if k > self.verb]
        end = min([self.stop, *(parse.subtree(k)[0] for k in dependent)])
        while end - 1 > self.verb and (parse.is_comma(end - 1) or parse[end - 1].dep in {"mark", "punct"}):
            end -= 1
        return max(end, self.verb + 1)

    def without(self, phrase: range) -> list[int]:
        """Return the clause's units without a phrase and without the commas that set it off."""
        parse = self.parse
        before, after = phrase.start - 1, phrase.stop
        gone = set(phrase)
        closed = parse.is_comma(after) or after >= self.stop
        if parse.is_comma(before) and closed and before >= self.start:
            gone.add(before)
        if parse.is_comma(after) and (before in gone or phrase.start == self.start):
            gone.add(after)
        return [i for i in range(self.start, self.stop) if i not in gone]

    def rebuilt(self, inside: Sequence[int | str]) -> Arrangement:
        """Return the sentence with other contents of the clause."""
        return (*range(self.start), *inside, *range(self.stop, len(self.parse)))


def main_clause(parse: Parse) -> Clause | None:
    """Return the main clause, None where there is none with a finite verb and a subject in front of it."""
    start = 0
    while start < parse.end and (
        parse[start].word in QUOTES or (parse[start].dep == "cc" and not parse.is_comma(start + 1))
    ):
        start += 1
    if parse.end == len(parse) or parse.end < _SHORTEST or "?" in parse.words(parse.final):
        return None
    return _clause(parse, parse.root, start, parse.end)


def clauses(parse: Parse) -> list[Clause]:
    """Return the main clause, those it reports ("said that ...") and those coordinated with it, all with subjects."""
    main = main_clause(parse)
    found = [main] if main is not None else []
    for k in range(len(parse)):
        if parse[k].dep not in {"ccomp", "conj"} or not parse[parse[k].head].tag.startswith("VB"):
            continue
        phrase = parse.phrase(k)
        if phrase is None or phrase.stop > parse.end or len(phrase) < _SHORTEST:
            continue
        that = parse[phrase.start].word == "that" and parse[phrase.start].dep == "mark"
        before = phrase.start - 1
        directly = before in {-1, parse[k].head} or parse[before].word in QUOTES or parse[before].dep == "cc"
        clause = _clause(parse, k, phrase.start + that, phrase.stop) if directly else None
        if clause is not None and not any(parse[m].dep == "mark" for m in clause.before_subject):
            found.append(clause)
    return found


def _clause(parse: Parse, verb: int, start: int, stop: int) -> Clause | None:
    subject = parse.subject(verb)
    if subject is None:
        return None
    phrase = parse.phrase(subject)
    auxiliaries = tuple(k for k in parse.children(verb, "aux", "auxpass") if k < verb)
    first = auxiliaries[0] if auxiliaries else verb
    tag = parse[first].tag
    if phrase is None or tag not in FINITE or phrase.stop > first or parse[subject].tag in {"WP", "WDT", "EX"}:
        return None
    # "1986 - Bishop Ruiz was ...": what stands before the dash is no part of the sentence.
    if phrase.start < start or {"-", "--", ":"} & set(parse.words(range(start, phrase.stop))):
        return None
    return Clause(parse, verb, subject, phrase, start, stop, tag, auxiliaries)
