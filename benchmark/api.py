"""Attack a model from Python, in one call."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Mapping, Sequence, Sized
from typing import Any, cast

import numpy as np

from benchmark.attacking import Assault, Mode, mode_named
from benchmark.contracts import Victim
from benchmark.device import choose_device
from benchmark.engine import Engine
from benchmark.errors import BadInput
from benchmark.finding import attack_named, profile_named, resources_wanted
from benchmark.goals import goal_named
from benchmark.resources.loading import Circumstances, Resources
from benchmark.tag_schemes import is_iob2, to_iob2
from benchmark.threat import Access, Budget
from benchmark.types import Outcome, Prediction, Sentence, Tags, Tokens
from benchmark.victims.label_map import require_iob2_labels

__all__ = ["CallableVictim", "attack"]

# A sentence as (tokens, tags).
Labelled = tuple[Sequence[str], Sequence[str]]
# Takes texts as lists of tokens; returns for each a list of tags, or a (tokens, labels) array of probabilities.
Tagger = Callable[[list[list[str]]], Sequence[Any]]


class CallableVictim:
    """Any callable as a victim.

    Args:
        tag: maps a list of texts (lists of tokens) to a list of answers: tags, or arrays (tokens, labels).
        labels: the label set in the order of the arrays' columns; may be left out for a callable that returns tags.
        name: for messages.
    """

    def __init__(self, tag: Tagger, labels: Sequence[str] = (), name: str = "callable") -> None:
        self.name = name
        self.labels: Tags = tuple(labels)
        if labels:
            require_iob2_labels(self.labels, name)
        self.access = Access.SCORES if labels else Access.LABELS
        # The best that can be done for code: its text where there is one. Results from callables are not stored.
        try:
            source = inspect.getsource(tag)
        except (OSError, TypeError):
            source = repr(tag)
        self.fingerprint = hashlib.sha256(source.encode()).hexdigest()
        self.settings: Mapping[str, Any] = {"backend": "callable"}
        self.unknown_word = "[UNK]"
        self._tag = tag

    def fits(self, tokens: Tokens) -> bool:
        """Assume that a callable reads any text."""
        return len(tokens) > 0

    def predict(self, batch: Sequence[Tokens]) -> list[Prediction]:
        """Call the callable once for the batch.

        Raises:
            BadInput: an answer has the wrong length or shape.
        """
        answers = self._tag([list(tokens) for tokens in batch])
        if not isinstance(answers, Sized) or not all(isinstance(answer, Sized) for answer in answers):
            raise BadInput(
                f"{self.name} did not return a list with the answer to each text; return one list of tags, or one "
                "array of probabilities, for each"
            )
        if len(answers) != len(batch):
            raise BadInput(f"{self.name} answered {len(answers)} texts of {len(batch)}")
        return [self._prediction(tokens, answer) for tokens, answer in zip(batch, answers, strict=True)]

    def _prediction(self, tokens: Tokens, answer: Any) -> Prediction:
        if not self.labels:
            if len(answer) != len(tokens):
                raise BadInput(f"{self.name} gave {len(answer)} tags for {len(tokens)} tokens")
            tags = tuple(str(tag) for tag in answer)
            odd = next((tag for tag in tags if not is_iob2(tag)), None)
            if odd is not None:
                kind = odd.partition("-")[2] or odd or "TYPE"
                raise BadInput(f"{self.name} gave the tag {odd!r}, which is not IOB2; return B-{kind}, I-{kind} or O")
            return Prediction(tags)
        probabilities = np.asarray(answer, dtype=np.float32)
        if probabilities.shape != (len(tokens), len(self.labels)):
            raise BadInput(
                f"{self.name} gave an array of shape {probabilities.shape}, wanted ({len(tokens)}, {len(self.labels)})"
            )
        if not np.allclose(probabilities.sum(axis=-1), 1.0, atol=1e-3):
            raise BadInput(f"{self.name} gave rows that do not sum to 1; return probabilities, not logits")
        return Prediction(tuple(self.labels[k] for k in probabilities.argmax(axis=-1)), probabilities)


def attack(
    victim: Victim | Tagger,
    sentences: Sequence[Sentence | Labelled],
    attack: str = "deepwordbug-i",
    *,
    labels: Sequence[str] = (),
    goal: str = "untargeted-strict",
    mode: str = Mode.FIRST_SUCCESS.value,
    queries: int = 512,
    seed: int = 0,
    parameters: Mapping[str, Any] | None = None,
    constraints: str | None = None,
    device: str = "auto",
    resources: Resources | None = None,
    training: Sequence[Sentence | Labelled] = (),
) -> list[Outcome]:
    """Attack sentences and return one outcome for each, in order. Nothing is stored.

    Args:
        victim: a victim (`benchmark.find_victim`), or a callable; see `CallableVictim`.
        sentences: `Sentence`s, or pairs of tokens and IOB2 tags.
        attack: name of a registered attack.
        labels: label set of a callable that returns probabilities.
        goal: what counts as success.
        mode: "first-success" or "escalate".
        queries: budget a sentence.
        seed: of the attack's random numbers.
        parameters: of the attack.
        constraints: a profile of constraints on top of the attack's own.
        device: where language models and encoders run.
        resources: what the attack leans on, loaded already; None loads what it names.
        training: labelled sentences for the resources that learn from some (knowledge base, disentangler).

    Returns:
        Outcomes; `benchmark.apply_edits(tokens, outcome.edits)` gives the adversarial tokens.

    Raises:
        BadInput: unknown names, tags that are not IOB2, a victim that gives less than the attack needs. What goes wrong
            while a sentence is attacked, a wrong answer of the victim too, becomes that sentence's error outcome.

    Example:
        >>> from benchmark import attack
        >>> outcomes = attack(lambda texts: [["O"] * len(text) for text in texts], [(["Hello"], ["O"])], "identity")
        >>> outcomes[0].status.value, outcomes[0].reason
        ('skipped', 'no entity')
    """
    chosen, profile = attack_named(attack, parameters or {}), profile_named(constraints)
    attacked = _as_victim(victim, labels)
    if resources is None:
        wanted = resources_wanted(chosen, profile)
        learnt_from = [_as_sentence(k, given) for k, given in enumerate(training)]
        circumstances = Circumstances(choose_device(device), learnt_from, attacked)
        resources = Resources.load(wanted, circumstances) if wanted else Resources()
    assault = Assault(
        chosen,
        attacked,
        goal_named(goal),
        mode_named(mode),
        Budget(queries),
        seed,
        resources=resources,
        profile=profile,
    )
    prepared = [_as_sentence(k, given) for k, given in enumerate(sentences)]
    # Jobs are named by position: a caller's sentence ids need not be unique.
    jobs = (assault.job(sentence)._replace(name=str(k)) for k, sentence in enumerate(prepared))
    finished = {done.name: done.result for done in Engine().run(jobs)}
    return [finished[str(k)] for k in range(len(prepared))]


def _as_victim(given: Victim | Tagger, labels: Sequence[str]) -> Victim:
    if all(hasattr(given, name) for name in ("predict", "labels", "access", "fits")):
        return cast("Victim", given)
    if not callable(given):
        raise BadInput(f"{given!r} is neither a victim nor a callable")
    return CallableVictim(given, labels)


def _as_sentence(number: int, given: Sentence | Labelled) -> Sentence:
    if isinstance(given, Sentence):
        return given
    tokens, tags = given
    if not tokens:
        raise BadInput(f"sentence {number} has no tokens")
    return Sentence(str(number), tuple(tokens), to_iob2(tags))
