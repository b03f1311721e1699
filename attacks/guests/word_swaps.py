"""Attacks of ours that swap words one by one, taken apart for a loop that is not ours: which words, and by what."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

from attacks.bert_attack import BertAttack
from attacks.candidates.misspellings import misspellings
from attacks.deepwordbug import DeepWordBug

if TYPE_CHECKING:
    from benchmark.contracts import Attack
    from benchmark.engine import Ask
    from benchmark.probe import Probe
    from benchmark.types import Sentence

__all__ = ["SWAPS", "Swap", "answered"]

T = TypeVar("T")


class Swap(NamedTuple):
    """How an attack swaps words.

    Attributes:
        places: given the attack and a probe, the words of the clean text that may be swapped.
        words: given the attack, the text as it is by now, a place and the probe, what to put there.
    """

    places: Callable[[Attack, Probe], Sequence[int]]
    words: Callable[[Attack, Sentence, int, Probe], Sequence[str]]


def answered(coroutine: Coroutine[Ask[Any, Any], list[Any], T]) -> T:
    """Run a coroutine without an engine: what it asks of a model is put to the model at once."""
    answers: Any = None
    try:
        while True:
            ask = coroutine.send(answers)
            answers = list(ask.service.answer(ask.questions))
    except StopIteration as end:
        return cast("T", end.value)


def _misspellable(attack: Attack, probe: Probe) -> list[int]:
    sentence = probe.clean.sentence
    return [i for i in range(len(sentence)) if cast("DeepWordBug", attack).may_edit(i, sentence, probe)]


def _misspelt(attack: Attack, sentence: Sentence, i: int, probe: Probe) -> list[str]:  # noqa: ARG001 - as all swaps
    return misspellings(sentence.tokens[i], probe.rng)


def _replaceable(attack: Attack, probe: Probe) -> list[int]:
    return cast("BertAttack", attack).places(probe.clean.sentence, probe)


def _infilled(attack: Attack, sentence: Sentence, i: int, probe: Probe) -> list[str]:
    (candidates,) = answered(cast("BertAttack", attack).edits(sentence, [i], probe))
    return [candidate.tokens[i] for candidate in candidates]


# By the attack's name.
SWAPS: Mapping[str, Swap] = MappingProxyType(
    {"deepwordbug-i": Swap(_misspellable, _misspelt), "bert-attack": Swap(_replaceable, _infilled)}
)
