"""Execute a stored run again: the victim is asked again, and the attack runs again on a random slice.

This executes code: the attack's, if it is installed, and the victim's. `gauntlet verify` comes first and executes none.
What is compared is what the stored numbers rest on: tags, edits, statuses and counts. A run agrees if all of it does;
on another kind of machine a text at the edge may fall the other way, and then the badge is not given there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from benchmark.alignment import adversarial_sentence
from benchmark.errors import BadInput
from benchmark.executors import Executor
from benchmark.executors.local import LocalExecutor
from benchmark.metrics import Example
from benchmark.plan import EngineOptions, Plan
from benchmark.probe import rng_for
from benchmark.spec import RunSpec
from benchmark.store import RunFolder
from benchmark.types import Outcome, Sentence, Status, Tags, Tokens
from benchmark.workshop import PreparedAttack, Workshop
from leaderboard.ledger_lines import RE_EXECUTED, VERIFIED
from leaderboard.plain_text import shown

__all__ = ["Disagreement", "Replay", "replay"]

# What must be the same when a sentence is attacked again; confidences may differ in their last digits.
_COMPARED = (
    "status",
    "gold",
    "clean",
    "edits",
    "adversarial_gold",
    "adversarial_prediction",
    "search_queries",
    "constraint_queries",
    "gradient_queries",
    "queries_to_success",
)


@dataclass(frozen=True)
class Disagreement:
    """Something that came out otherwise.

    Attributes:
        what: the sentence's id, or a field of the specification.
        field: which part of it.
        stored: as in the run.
        found: as it came out now.
    """

    what: str
    field: str
    stored: str
    found: str

    @property
    def line(self) -> str:
        """The disagreement as one line."""
        return f"{self.what}: {self.field}: stored {self.stored}, now {self.found}"


@dataclass(frozen=True)
class Replay:
    """What came out.

    Attributes:
        run_id: of the run.
        seed: of the slice.
        sentences: of the run.
        sampled: sentences attacked again.
        sampled_agree: how many of these ended as stored.
        texts: originals and adversarial examples the victim was asked about again.
        texts_agree: how many of these got the stored tags.
        disagreements: all of them.
    """

    run_id: str
    seed: int
    sentences: int
    sampled: int = 0
    sampled_agree: int = 0
    texts: int = 0
    texts_agree: int = 0
    disagreements: tuple[Disagreement, ...] = ()

    @property
    def agrees(self) -> bool:
        """Whether all came out as stored."""
        return self.sampled > 0 and not self.disagreements

    @property
    def badge(self) -> str | None:
        """What the run has earned; None where something disagrees."""
        if not self.agrees:
            return None
        return VERIFIED if self.sampled == self.sentences else RE_EXECUTED

    @property
    def figures(self) -> dict[str, int]:
        """What the ledger keeps."""
        return {
            "seed": self.seed,
            "sentences": self.sentences,
            "sampled": self.sampled,
            "sampled_agree": self.sampled_agree,
            "texts": self.texts,
            "texts_agree": self.texts_agree,
        }

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return {
            "run_id": self.run_id,
            **self.figures,
            "badge": self.badge,
            "disagreements": [vars(one) for one in self.disagreements],
        }


def replay(
    folder: RunFolder,
    plan: Plan,
    sample: int,
    seed: int,
    workshop: Workshop | None = None,
    executor: Executor | None = None,
) -> Replay:
    """Execute a run again.

    Args:
        folder: the run's.
        plan: see `recorded_plans.recorded_plan`.
        sample: how many sentences are attacked again; as many as there are give `verified`.
        seed: of the draw.
        workshop: what is loaded already.
        executor: where sentences are attacked; None for this process.

    Raises:
        GauntletError: the data set, the attack or the victim is not here.
    """
    if sample < 1:
        raise BadInput(f"--sample must be at least 1, not {sample}")
    spec, (examples, _) = folder.read_spec(), folder.read_examples()
    workshop = workshop or Workshop()
    prepared = PreparedAttack(plan, workshop)
    if others := tuple(_identity_disagreements(spec, prepared, workshop)):
        return Replay(folder.run_id, seed, len(examples), disagreements=others)
    sentences = {sentence.id: sentence for sentence in workshop.dataset(plan).split(plan.split)}
    selection = tuple(sentence.id for sentence in workshop.selection(plan).sentences)
    found = list(_selection_disagreements(spec, selection))
    texts = _texts(examples, sentences)
    wrong_texts = list(_wrong_texts(texts, prepared))
    names = [example.outcome.sentence_id for example in examples]
    drawn = set(rng_for(seed, "replay", folder.run_id).sample(names, min(sample, len(names))))
    todo = [sentences[name] for name in names if name in drawn]
    stored = {example.outcome.sentence_id: example.outcome for example in examples}
    wrong = [
        one
        for outcome in (executor or LocalExecutor()).outcomes(prepared, todo, EngineOptions())
        for one in _outcome_disagreements(stored[outcome.sentence_id], outcome)
    ]
    return Replay(
        folder.run_id,
        seed,
        len(examples),
        sampled=len(drawn),
        sampled_agree=len(drawn) - len({one.what for one in wrong}),
        texts=len(texts),
        texts_agree=len(texts) - len(wrong_texts),
        disagreements=(*found, *wrong_texts, *wrong),
    )


def _identity_disagreements(spec: RunSpec, prepared: PreparedAttack, workshop: Workshop) -> Iterator[Disagreement]:
    """Yield what is here under the same name and is something else."""
    plan = prepared.plan
    here = {
        **prepared.identity,
        "dataset_hash": workshop.dataset(plan).hash(plan.split),
        "parameters": prepared.assault.attack.parameters,
        "touch": prepared.assault.attack.card.touch.value,
        "access": prepared.assault.attack.card.access.name.lower(),
    }
    for name, value in here.items():
        if getattr(spec, name) != value:
            yield Disagreement("spec.json", name, shown(getattr(spec, name)), shown(value))


def _selection_disagreements(spec: RunSpec, chosen: tuple[str, ...]) -> Iterator[Disagreement]:
    if chosen != spec.sentence_ids:
        other = sorted({*chosen} ^ {*spec.sentence_ids})
        told = f"{len(chosen)} sentences; in one of the two only: {', '.join(other[:5])}"
        yield Disagreement("spec.json", "sentence_ids", f"{len(spec.sentence_ids)} sentences", told)


class _Text(NamedTuple):
    """A text the victim is asked about again, with the tags that are stored."""

    sentence_id: str
    field: str
    tokens: Tokens
    tags: Tags


def _texts(examples: Sequence[Example], sentences: Mapping[str, Sentence]) -> list[_Text]:
    texts = []
    for example in examples:
        outcome = example.outcome
        original = sentences[outcome.sentence_id]
        if outcome.clean:
            texts.append(_Text(outcome.sentence_id, "clean", original.tokens, outcome.clean))
        if outcome.status is Status.SUCCESS:
            adversarial = adversarial_sentence(original, outcome.edits, outcome.adversarial_gold)
            tags = outcome.adversarial_prediction
            texts.append(_Text(outcome.sentence_id, "adversarial_prediction", adversarial.tokens, tags))
    return texts


def _wrong_texts(texts: Sequence[_Text], prepared: PreparedAttack) -> Iterator[Disagreement]:
    answers = prepared.assault.victim.predict([text.tokens for text in texts])
    for text, answer in zip(texts, answers, strict=True):
        if answer.tags != text.tags:
            yield Disagreement(text.sentence_id, text.field, " ".join(text.tags), " ".join(answer.tags))


def _outcome_disagreements(stored: Outcome, found: Outcome) -> Iterator[Disagreement]:
    for name in _COMPARED:
        if getattr(stored, name) != getattr(found, name):
            yield Disagreement(stored.sentence_id, name, shown(getattr(stored, name)), shown(getattr(found, name)))
