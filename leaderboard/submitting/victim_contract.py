"""What every victim promises, as checks that say in plain words what is wrong. Checking a victim executes its code."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, cast

import numpy as np

from benchmark.errors import BadInput
from benchmark.threat import Access
from benchmark.types import Prediction, Tokens
from benchmark.victims.label_map import require_iob2_labels
from benchmark.victims.white_box import Gradient, GradientService, WhiteBox
from leaderboard.submitting.checks import Check, first_few
from leaderboard.submitting.trial_sentences import trial_sentences
from leaderboard.verifying.records import fault_in_settings

if TYPE_CHECKING:
    from benchmark.contracts import Victim

__all__ = ["VICTIM_CHECKS", "VictimTrial"]

_LONG = 3000  # tokens
_MOSTLY = 0.9
_ODD = ("😀", "東京", "naïve", "x" * 300, "...", "1,000", "\u00ad", "don't")


@dataclass
class VictimTrial:
    """A victim with what it is tried on.

    Attributes:
        name: as on the command line.
        load: loads it anew.
    """

    name: str
    load: Callable[[], Victim]

    @cached_property
    def victim(self) -> Victim:
        """The victim, loaded once."""
        return self.load()

    @cached_property
    def texts(self) -> list[Tokens]:
        """Texts that it says it can read."""
        texts = [sentence.tokens for sentence in trial_sentences()] + [("Ana", word, "left", ".") for word in _ODD]
        return [text for text in texts if self.victim.fits(text)]

    @cached_property
    def answers(self) -> list[Prediction]:
        """What it says of them, asked all at once."""
        return self.victim.predict(self.texts)


def _identity(trial: VictimTrial) -> Iterator[str]:
    victim = trial.victim
    if victim.name != trial.name:
        yield f"loaded as {trial.name!r} it calls itself {victim.name!r}; results go by its own name"
    if not re.fullmatch(r"[0-9a-f]{64}", victim.fingerprint):
        yield f"its fingerprint is {victim.fingerprint!r}; make it a sha256 over weights, tokenizer and configuration"
    if not victim.unknown_word or len(victim.unknown_word.split()) != 1:
        yield f"its unknown_word is {victim.unknown_word!r}; it has to be one word, [UNK] if it has none of its own"
    settings = dict(victim.settings)
    if fault := fault_in_settings(settings):
        yield f"its settings cannot be stored: {fault}"
    elif json.loads(json.dumps(settings)) != settings:
        yield "its settings come back from JSON as others; use plain numbers and texts"
    if not isinstance(settings.get("backend"), str):
        yield "its settings name no backend (what computes it, with its version, say)"


def _labels(trial: VictimTrial) -> Iterator[str]:
    labels = trial.victim.labels
    try:
        require_iob2_labels(labels, trial.name)
    except BadInput as error:
        yield str(error)
    if len(set(labels)) != len(labels):
        yield "a label stands twice in its labels"


def _answers(trial: VictimTrial) -> Iterator[str]:
    if len(trial.answers) != len(trial.texts):
        yield f"asked about {len(trial.texts)} texts it gives {len(trial.answers)} answers"
        return
    faults = list(first_few(_wrong_answers(trial)))
    yield from faults
    if not faults and trial.victim.access > Access.LABELS:
        yield from _led_astray(trial)


def _led_astray(trial: VictimTrial) -> Iterator[str]:
    """Tags need not be the most probable ones (words of several pieces may vote), but mostly they are."""
    labels = trial.victim.labels
    pairs = [
        (labels[k], tag)
        for answer in trial.answers
        for k, tag in zip(np.asarray(answer.probabilities).argmax(axis=1), answer.tags, strict=True)
    ]
    same = sum(best == tag for best, tag in pairs)
    if same < _MOSTLY * len(pairs):
        yield (
            f"only {same} of {len(pairs)} tags are those with the highest probability; do the columns of the "
            "probabilities stand in the order of its labels?"
        )


def _wrong_answers(trial: VictimTrial) -> Iterator[str]:
    labels, scores = trial.victim.labels, trial.victim.access > Access.LABELS
    for text, answer in zip(trial.texts, trial.answers, strict=True):
        told = f"of {' '.join(text)[:60]!r}"
        if len(answer.tags) != len(text):
            yield f"{told} ({len(text)} tokens) it gives {len(answer.tags)} tags"
        elif strange := sorted({*answer.tags} - {*labels}):
            yield f"{told} it gives {', '.join(map(repr, strange))}, which its labels do not hold"
        elif scores is (answer.probabilities is None):
            yield f"{told} it gives {'no' if scores else ''} probabilities; its access is {trial.victim.access.name}"
        elif answer.probabilities is not None:
            yield from (f"{told} {fault}" for fault in _wrong_probabilities(answer, len(text), labels))


def _wrong_probabilities(answer: Prediction, tokens: int, labels: Sequence[str]) -> Iterator[str]:
    table = np.asarray(answer.probabilities)
    if table.shape != (tokens, len(labels)):
        yield f"its probabilities have the shape {table.shape}, not {(tokens, len(labels))}"
    elif not np.isfinite(table).all() or (table < 0).any() or not np.allclose(table.sum(axis=1), 1, atol=1e-3):
        yield "its probabilities are no distribution for each token; do they want a softmax?"


def _alone(trial: VictimTrial) -> Iterator[str]:
    ways = {
        "alone": [trial.victim.predict([text])[0] for text in trial.texts],
        "asked again": trial.victim.predict(trial.texts),
        "in another order": trial.victim.predict(trial.texts[::-1])[::-1],
    }
    for way, found in ways.items():
        differing = sum(not _same(one, other) for one, other in zip(found, trial.answers, strict=True))
        if differing:
            yield (
                f"{way}, {differing} of {len(trial.texts)} texts get other answers; an answer must not depend on its "
                "neighbours or on chance: batches of one fixed shape, no dropout, no sampling"
            )


def _same(one: Prediction, other: Prediction) -> bool:
    if one.tags != other.tags or (one.probabilities is None) is not (other.probabilities is None):
        return False
    return one.probabilities is None or np.array_equal(one.probabilities, np.asarray(other.probabilities))


def _loaded_twice(trial: VictimTrial) -> Iterator[str]:
    again = trial.load()
    if again.fingerprint != trial.victim.fingerprint:
        yield "loaded twice it has two fingerprints, so no run could be resumed"
    if not all(map(_same, again.predict(trial.texts), trial.answers)):
        yield "loaded twice it gives two answers"


def _fits(trial: VictimTrial) -> Iterator[str]:
    if trial.victim.fits(()):
        yield "it says that it can read an empty text"
    if not trial.victim.fits(("Ana",)):
        yield "it says that it cannot read a single word"
    text = ("Ana", "left") * (_LONG // 2)
    if trial.victim.fits(text):
        (answer,) = trial.victim.predict([text])
        if len(answer.tags) != _LONG:
            told = "`fits` must say no to what is too long"
            yield f"it says that it can read {_LONG} tokens and answers for {len(answer.tags)}; {told}"


def _gradients(trial: VictimTrial) -> Iterator[str]:
    if trial.victim.access is not Access.GRADIENTS:
        return
    inside = cast("WhiteBox", trial.victim)
    text = ("Ana", "Ruiz", "left", ".")
    target = tuple(enumerate(trial.victim.predict([text])[0].tags))
    (answer,) = GradientService(inside).answer([Gradient(text, target)])
    for name, rows in answer.by_table.items():
        if len(rows) != len(text) or not all(np.isfinite(row).all() for row in rows):
            yield f"its gradients of the table {name!r} are not one finite array a word"


VICTIM_CHECKS: tuple[Check[VictimTrial], ...] = (
    Check("says who it is", _identity),
    Check("has IOB2 labels", _labels),
    Check("answers each text in full", _answers),
    Check("says what it can read", _fits),
    Check("answers alone as among others", _alone),
    Check("is the same when loaded again", _loaded_twice),
    Check("gives gradients if it says so", _gradients),
)
