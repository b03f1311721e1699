"""Judging finished attacks by their texts: similarity, grammar, fluency, label risk. Nothing here asks the victim."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from benchmark.alignment import adversarial_sentence
from benchmark.independent_taggers import independent_taggers
from benchmark.label_risk import RULES_VERSION, label_risk
from benchmark.metrics import Example
from benchmark.resources.detokenizing import detokenize
from benchmark.resources.encoders import SentenceEncoder
from benchmark.resources.grammar import GrammarChecker, checker_named
from benchmark.resources.language_models import LanguageModel, LogProbability, language_model_named
from benchmark.types import Outcome, Sentence, Status, Tags, Tokens

if TYPE_CHECKING:
    import torch

    from benchmark.contracts import Victim

__all__ = ["Judges"]

_DIGITS = 6
_REMEMBERED = 50_000

T = TypeVar("T", bound=Hashable)
R = TypeVar("R")
_Pairs = Mapping[str, tuple[Sentence, Sentence]]
KnownTypes = Mapping[Tokens, frozenset[str]]


@dataclass(frozen=True)
class Judges:
    """The judges of a run.

    Attributes:
        encoder: of sentences, for similarity.
        grammar: counts grammar errors.
        taggers: read the texts beside the victim, for label risk.
        fluency: a language model that tells how likely a text is; None where nobody asked for one.
    """

    encoder: SentenceEncoder
    grammar: GrammarChecker
    taggers: tuple[Victim, ...]
    fluency: LanguageModel | None = None
    # What was judged before: the runs of a suite share most of their original sentences.
    _counted: dict[str, Counter[str]] = field(default_factory=dict, init=False, repr=False)
    _tagged: dict[str, dict[Tokens, Tags]] = field(default_factory=dict, init=False, repr=False)

    @classmethod
    def named(cls, encoder: str, grammar: str, fluency: str | None, victim: Victim, device: torch.device) -> Judges:
        """Return judges by name; see `resources.encoders`, `resources.grammar`, `resources.language_models`.

        Args:
            encoder: of sentences.
            grammar: checker.
            fluency: language model, or None.
            victim: cannot be its own judge.
            device: torch device.
        """
        return cls(
            SentenceEncoder(encoder, str(device)),
            checker_named(grammar),
            independent_taggers(victim, str(device)),
            None if fluency is None else language_model_named(fluency, device),
        )

    @property
    def identity(self) -> dict[str, str]:
        """Names and versions."""
        taggers = ", ".join(f"{t.name} {t.fingerprint[-8:]} ({t.settings['backend']})" for t in self.taggers)
        names = {
            "similarity": self.encoder.identity,
            "grammar_errors": self.grammar.identity,
            "label_risk": f"rules {RULES_VERSION}, {taggers}",
        }
        return names if self.fluency is None else {**names, "fluency": self.fluency.identity}

    def judge(
        self,
        outcomes: Sequence[Outcome],
        sentences: Mapping[str, Sentence],
        known_types: KnownTypes | None = None,
    ) -> list[Example]:
        """Judge the successes among outcomes.

        Args:
            outcomes: in the order wanted.
            sentences: the original sentences by id.
            known_types: types of each lower-cased mention of the training split; None where there is none.
        """
        pairs = {
            outcome.sentence_id: (
                sentences[outcome.sentence_id],
                adversarial_sentence(sentences[outcome.sentence_id], outcome.edits, outcome.adversarial_gold),
            )
            for outcome in outcomes
            if outcome.status is Status.SUCCESS
        }
        # The checker lets go of Python's lock, and the back ends do: they work side by side.
        with ThreadPoolExecutor(1) as beside:
            counting = beside.submit(self._grammar_errors, pairs)
            similarity = self._similarity(pairs)
            tags = [(_tags(tagger, known, pairs, 0), _tags(tagger, known, pairs, 1)) for tagger, known in self._panel]
            errors = counting.result()
        risk = _label_risk(pairs, tags, errors, known_types)
        fluency = self._fluency(pairs)
        return [
            Example(
                outcome,
                similarity.get(outcome.sentence_id),
                errors.get(outcome.sentence_id),
                fluency.get(outcome.sentence_id),
                risk.get(outcome.sentence_id),
            )
            for outcome in outcomes
        ]

    @property
    def _panel(self) -> list[tuple[Victim, dict[Tokens, Tags]]]:
        """The taggers, each with what it said before."""
        return [(tagger, self._tagged.setdefault(tagger.name, {})) for tagger in self.taggers]

    def _similarity(self, pairs: _Pairs) -> dict[str, float]:
        cosines = self.encoder.cosines([(a.text, b.text) for a, b in pairs.values()])
        return {name: round(cosine, _DIGITS) for name, cosine in zip(pairs, cosines, strict=True)}

    def _grammar_errors(self, pairs: _Pairs) -> dict[str, dict[str, int]]:
        texts = [[detokenize(pair[which].tokens) for pair in pairs.values()] for which in (0, 1)]
        before, after = (_once(self._counted, self.grammar.count, some) for some in texts)
        return {name: _difference(b, a) for name, a, b in zip(pairs, before, after, strict=True)}

    def _fluency(self, pairs: _Pairs) -> dict[str, float]:
        """Return the change of the log-probability a token (nats); texts the model cannot read have none."""
        if self.fluency is None:
            return {}
        readable = {name: pair for name, pair in pairs.items() if all(self.fluency.fits(text.tokens) for text in pair)}
        questions = [LogProbability(text.tokens) for pair in readable.values() for text in pair]
        answers = iter(self.fluency.answer(questions))
        change = {}
        for name, (original, adversarial) in readable.items():
            before, after = float(next(answers)), float(next(answers))  # type: ignore[arg-type]
            change[name] = round(after / len(adversarial) - before / len(original), _DIGITS)
        return change


def _label_risk(
    pairs: _Pairs,
    tags: Sequence[tuple[Mapping[str, Tags], Mapping[str, Tags]]],
    errors: Mapping[str, Mapping[str, int]],
    known_types: KnownTypes | None,
) -> dict[str, tuple[str, ...]]:
    return {
        name: label_risk(
            original,
            adversarial,
            [(before[name], after[name]) for before, after in tags if name in before and name in after],
            errors[name].get("typos", 0),
            known_types,
        )
        for name, (original, adversarial) in pairs.items()
    }


def _tags(tagger: Victim, known: dict[Tokens, Tags], pairs: _Pairs, which: int) -> dict[str, Tags]:
    """Return a tagger's tags of the texts it can read."""
    texts = {name: pair[which].tokens for name, pair in pairs.items() if tagger.fits(pair[which].tokens)}
    answers = _once(known, lambda new: [answer.tags for answer in tagger.predict(new)], list(texts.values()))
    return dict(zip(texts, answers, strict=True))


def _once(known: dict[T, R], ask: Callable[[list[T]], Sequence[R]], texts: Sequence[T]) -> list[R]:
    """Return the answer to each text; only those that are not known yet are asked for."""
    if len(known) > _REMEMBERED:
        known.clear()
    new = [text for text in dict.fromkeys(texts) if text not in known]
    known.update(zip(new, ask(new), strict=True))
    return [known[text] for text in texts]


def _difference(after: Counter[str], before: Counter[str]) -> dict[str, int]:
    return {category: after[category] - before[category] for category in sorted({*after, *before})}
