"""A paraphraser by rules: the ten templates of SCPN (Iyyer et al. 2018, section 4), each by what English does for it.

The network was trained to give a sentence the shape of a template. Here a sentence is parsed, and a template is a list
of rearrangements that lead to its shape and keep what was said. Two shapes are read freely: a list item (S-LST-VP) is a
list in another order, and a fragment with a clause (FRAG-SBAR) is a cleft, or a relative clause that comes or goes.
The question (SBARQ-WHADVP-SQ) asks for what the sentence says, as the network does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import zip_longest

from benchmark.resources.paraphrasing.adjuncts import (
    adverb_first,
    adverb_last,
    fronted_last,
    neighbours_swapped,
    phrase_first,
)
from benchmark.resources.paraphrasing.clauses import (
    clause_first,
    clause_last,
    clauses_swapped,
    participle_first,
    participle_last,
    predicates_swapped,
)
from benchmark.resources.paraphrasing.complements import object_shifted, that_added, that_dropped
from benchmark.resources.paraphrasing.contract import Paraphrase, Paraphraser, Question, without_flaws
from benchmark.resources.paraphrasing.dates import dates_with_verbs
from benchmark.resources.paraphrasing.forms import require_forms
from benchmark.resources.paraphrasing.lists import list_rotated
from benchmark.resources.paraphrasing.noun_phrases import apposition_turned, genitive_turned, of_turned
from benchmark.resources.paraphrasing.parse import Arrangement, Parse
from benchmark.resources.paraphrasing.parsing import Parser
from benchmark.resources.paraphrasing.questions import object_cleft, question, subject_cleft, time_cleft
from benchmark.resources.paraphrasing.quotation import speaker_first, speaker_inside, speaker_last, speech_verb_first
from benchmark.resources.paraphrasing.relatives import relative_dropped, relative_made, relative_reduced
from benchmark.resources.paraphrasing.surface import written
from benchmark.resources.paraphrasing.voice import active, passive
from benchmark.types import Span, Tokens

__all__ = ["TEMPLATES", "TemplateParaphraser", "rewritten"]

Rule = Callable[[Parse], Iterator[Arrangement]]

# Raised when a rule changes: outcomes depend on it.
_RULES_VERSION = 1

TEMPLATES: Mapping[str, Sequence[Rule]] = {
    "S-NP-VP": (
        passive,
        active,
        fronted_last,
        clause_last,
        participle_last,
        speaker_first,
        speaker_inside,
        adverb_last,
        object_shifted,
        neighbours_swapped,
        that_added,
        that_dropped,
    ),
    "S-PP-,-NP-VP": (phrase_first,),
    "S-ADVP-NP-VP": (adverb_first,),
    "S-SBAR-,-NP-VP": (clause_first, speaker_last),
    "S-,-CC-S": (clauses_swapped,),
    "S-VP": (participle_first, predicates_swapped, speech_verb_first),
    "NP-NP": (apposition_turned, genitive_turned, of_turned, relative_reduced),
    "S-LST-VP": (list_rotated,),
    "FRAG-SBAR": (relative_dropped, time_cleft, relative_made, subject_cleft, object_cleft),
    "SBARQ-WHADVP-SQ": (question,),
}


class TemplateParaphraser(Paraphraser):
    """Ten templates over a dependency parse.

    Attributes:
        identity: versions of the rules, the parser and the inflections.

    Raises:
        MissingResource: the spaCy pipeline or lemminflect is not installed.
    """

    def __init__(self) -> None:
        self._parser = Parser()
        self.identity = f"templates {_RULES_VERSION}, {self._parser.identity}, {require_forms()}"

    def answer(self, questions: Sequence[Question]) -> list[tuple[Paraphrase, ...]]:
        """Return for each text what every template makes of it, one of each in turn."""
        return [tuple(rewritten(question, self._parser.parse(question))) for question in questions]


def rewritten(question: Question, parse: Parse) -> list[Paraphrase]:
    """Return what the templates make of a parsed text: the first of each, then the second of each, and so on."""
    parse = dates_with_verbs(parse)
    # Headlines and table rows are parsed as anything.
    if parse.end == len(parse) or sum(token.isupper() for token in question.tokens) * 2 > len(question.tokens):
        return []
    order = sorted(range(len(question.mentions)), key=lambda k: question.mentions[k])
    by_template = [
        [Paraphrase(tokens, _as_asked(spans, order), name) for tokens, spans in _distinct(parse, rules)]
        for name, rules in TEMPLATES.items()
    ]
    in_turn = [found for group in zip_longest(*by_template) for found in group if found is not None]
    return without_flaws(question, in_turn)


def _distinct(parse: Parse, rules: Sequence[Rule]) -> Iterator[tuple[Tokens, tuple[Span, ...]]]:
    for rule in rules:
        for arrangement in rule(parse):
            if (text := written(parse, arrangement)) is not None:
                yield text


def _as_asked(spans: Sequence[Span], order: Sequence[int]) -> tuple[Span, ...]:
    """Put spans in the order of the text into the order in which the mentions were named."""
    named = dict(zip(order, spans, strict=True))
    return tuple(named[k] for k in range(len(order)))
