"""Goals: what counts as breaking a victim, always measured against its clean prediction.

Something that was right on the clean text becomes wrong (for `spurious`: a span that was not there appears), so an
attack that changes nothing scores 0, whatever the victim's clean errors. `perturbed` alone does not ask what the victim
says: it is there to measure a set of attacked texts as a whole.

Each goal has two scores of a candidate. The *label score* decides success: the share of what could be broken that is
broken. The *confidence score* guides the search: the same share, with every item that still holds counted by how little
the victim believes in it. The formulas follow SeqAttack (Simoncini & Spanakis 2021, section 3.2), in the
paper's meaning where paper and code differ.

`E` is the number of gold entity tokens of the candidate.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from benchmark.errors import BadInput
from benchmark.tag_schemes import tags_to_spans
from benchmark.types import Prediction, Sentence, Span, Tags

__all__ = [
    "GOALS",
    "Clean",
    "EntityMiss",
    "Goal",
    "Perturbed",
    "Spurious",
    "TargetedToO",
    "TargetedToType",
    "Untargeted",
    "UntargetedAny",
    "UntargetedStrict",
    "goal_named",
    "kind",
]


@dataclass(frozen=True, slots=True)
class Clean:
    """The text before the attack and what the victim said of it.

    Attributes:
        sentence: the original sentence.
        prediction: the victim's answer.
        labels: the victim's label set, in the order of the probabilities' columns.
        memo: what goals remember about the sentence.
    """

    sentence: Sentence
    prediction: Prediction
    labels: Tags
    memo: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    def was(self, candidate: Sentence, i: int) -> str:
        """Clean prediction of the original token behind token `i` of a candidate; O for a new word."""
        source = candidate.sources[i]
        return self.prediction.tags[source[0]] if source else "O"

    def mass(self, prediction: Prediction, i: int, wanted: Sequence[str]) -> float:
        """Probability that a prediction gives to the `wanted` labels at token `i`."""
        if prediction.probabilities is None:
            return float(prediction.tags[i] in wanted)
        row = prediction.probabilities[i]
        return sum(float(row[k]) for k, label in enumerate(self.labels) if label in wanted)


def kind(tag: str) -> str:
    """Class of a tag without its B-/I- mark; "O" for O."""
    return tag if tag == "O" else tag[2:]


class Goal(ABC):
    """A definition of success."""

    name: str

    @abstractmethod
    def unusable(self, clean: Clean) -> str | None:
        """Return why the sentence offers nothing to break, or None."""

    @abstractmethod
    def label_score(self, clean: Clean, candidate: Sentence, tags: Tags) -> float:
        """Return the broken share of what could be broken; 0 if nothing is."""

    @abstractmethod
    def confidence_score(self, clean: Clean, candidate: Sentence, prediction: Prediction) -> float:
        """Return the search signal; higher is nearer to success. Labels-only victims yield the label score."""


class _Aims(NamedTuple):
    """What a token goal is after in the candidates of one alignment.

    Attributes:
        targets: (position, gold tag, columns of the labels that break it).
        scale: number of tokens that scores are divided by.
    """

    targets: list[tuple[int, str, tuple[int, ...]]]
    scale: int


class TokenGoal(Goal):
    """A goal that looks at each token by itself.

    Subclasses say which tokens count and which tags break one. A token that holds is scored by the probability the
    victim gives to the labels that would break it.
    """

    def unusable(self, clean: Clean) -> str | None:
        """Sentences without gold entity tokens, or with none of them right, offer nothing."""
        if not any(clean.sentence.inside(i) for i in range(len(clean.sentence))):
            return "no entity"
        if not self._aims(clean, clean.sentence).targets:
            return "nothing right to break"
        return None

    def label_score(self, clean: Clean, candidate: Sentence, tags: Tags) -> float:
        """Share of the gold entity tokens that were right and are broken now."""
        aims = self._aims(clean, candidate)
        return sum(self._broken(gold, tags[i]) for i, gold, _ in aims.targets) / aims.scale

    def confidence_score(self, clean: Clean, candidate: Sentence, prediction: Prediction) -> float:
        """The same, with each token that holds counted by the victim's doubt in it."""
        if prediction.probabilities is None:
            return self.label_score(clean, candidate, prediction.tags)
        aims = self._aims(clean, candidate)
        total = 0.0
        for i, gold, columns in aims.targets:
            if self._broken(gold, prediction.tags[i]):
                total += 1.0
            else:
                row = prediction.probabilities[i]
                total += sum(float(row[k]) for k in columns)
        return total / aims.scale

    def _aims(self, clean: Clean, candidate: Sentence) -> _Aims:
        """Tokens the goal is after that were right on the clean text; the same for all candidates of one alignment."""
        key = (self.name, candidate.tags, candidate.sources)
        aims = clean.memo.get(key)
        if aims is None:
            targets = []
            for i, gold in enumerate(candidate.tags):
                # An edit may re-open a mention (I- becomes B-), so "was right" looks at the original's gold.
                before = clean.sentence.tags[candidate.sources[i][0]] if candidate.sources[i] else gold
                if self._watches(gold) and self._right(before, clean.was(candidate, i)):
                    columns = [k for k, label in enumerate(clean.labels) if self._broken(gold, label)]
                    targets.append((i, gold, tuple(columns)))
            aims = _Aims(targets, sum(self._counts(gold) for gold in candidate.tags) or 1)
            clean.memo[key] = aims
        return aims

    def _counts(self, gold: str) -> bool:
        """Whether a token is one of the `E` that scores are divided by."""
        return gold != "O"

    def _watches(self, gold: str) -> bool:
        """Whether the goal is after such a token."""
        return gold != "O"

    def _right(self, gold: str, tag: str) -> bool:
        return kind(gold) == kind(tag)

    @abstractmethod
    def _broken(self, gold: str, tag: str) -> bool: ...


class Untargeted(TokenGoal):
    """A gold entity token gets another tag; B-/I- flips count."""

    name = "untargeted"

    def _right(self, gold: str, tag: str) -> bool:
        return gold == tag

    def _broken(self, gold: str, tag: str) -> bool:
        return gold != tag


class UntargetedStrict(TokenGoal):
    """A gold entity token gets another class. The headline goal: the paper's meaning of "strict"."""

    name = "untargeted-strict"

    def _broken(self, gold: str, tag: str) -> bool:
        return kind(gold) != kind(tag)


class UntargetedAny(UntargetedStrict):
    """Any token gets another class, O tokens included.

    This is what SeqAttack's code does under the name "strict"; the score is still divided by E and can exceed 1.
    """

    name = "untargeted-any"

    def _watches(self, gold: str) -> bool:  # noqa: ARG002 - all tokens are watched
        return True


class TargetedToO(TokenGoal):
    """A gold entity token is no longer seen: it gets O."""

    name = "targeted-to-O"

    def _broken(self, gold: str, tag: str) -> bool:  # noqa: ARG002 - only O is wanted
        return tag == "O"


class TargetedToType(TokenGoal):
    """A gold entity token of another type gets the wanted type."""

    def __init__(self, type: str) -> None:  # noqa: A002
        self.type = type
        self.name = f"targeted({type})"

    def unusable(self, clean: Clean) -> str | None:
        """Sentences whose entities all have the wanted type already offer nothing."""
        if not any(self._watches(tag) for tag in clean.sentence.tags):
            return f"no entity of another type than {self.type}"
        return super().unusable(clean)

    def _counts(self, gold: str) -> bool:
        return self._watches(gold)

    def _watches(self, gold: str) -> bool:
        return kind(gold) not in {"O", self.type}

    def _broken(self, gold: str, tag: str) -> bool:  # noqa: ARG002 - only one type is wanted
        return kind(tag) == self.type


class EntityMiss(Goal):
    """A gold mention that was predicted exactly no longer is: other borders, another type, or gone."""

    name = "entity-miss"

    def unusable(self, clean: Clean) -> str | None:
        """Sentences without an exactly predicted mention offer nothing."""
        if not clean.sentence.spans:
            return "no entity"
        if not self._held(clean, clean.sentence):
            return "nothing right to break"
        return None

    def label_score(self, clean: Clean, candidate: Sentence, tags: Tags) -> float:
        """Share of the gold mentions that were found and are missed now."""
        found = set(tags_to_spans(tags))
        return sum(span not in found for span in self._held(clean, candidate)) / (len(candidate.spans) or 1)

    def confidence_score(self, clean: Clean, candidate: Sentence, prediction: Prediction) -> float:
        """The same; a mention that holds counts by the doubt in its weakest token."""
        if prediction.probabilities is None:
            return self.label_score(clean, candidate, prediction.tags)
        found = set(tags_to_spans(prediction.tags))
        total = 0.0
        for span in self._held(clean, candidate):
            if span not in found:
                total += 1.0
                continue
            total += max(1.0 - clean.mass(prediction, i, [candidate.tags[i]]) for i in range(span.start, span.end))
        return total / (len(candidate.spans) or 1)

    def _held(self, clean: Clean, candidate: Sentence) -> list[Span]:
        """Gold mentions of the candidate whose original was predicted exactly on the clean text.

        Mentions keep their order and number under every edit (a split one excepted, whose parts stand for it), so the
        first token that has a source tells which original mention it was.
        """
        found = set(tags_to_spans(clean.prediction.tags))
        exact = {i for span in clean.sentence.spans if span in found for i in range(span.start, span.end)}
        held = []
        for span in candidate.spans:
            sources = [s for source in candidate.sources[span.start : span.end] for s in source]
            if sources and sources[0] in exact:
                held.append(span)
        return held


class Spurious(Goal):
    """The victim sees a mention where there is none and where it saw none before."""

    name = "spurious"

    def unusable(self, clean: Clean) -> str | None:
        """Sentences that are all mention offer no room."""
        return None if "O" in clean.sentence.tags else "no token outside mentions"

    def label_score(self, clean: Clean, candidate: Sentence, tags: Tags) -> float:
        """New spans over the number of gold mentions (over 1 if there is none); can exceed 1."""
        new = 0
        for span in tags_to_spans(tags):
            tokens = range(span.start, span.end)
            new += all(candidate.tags[i] == "O" and clean.was(candidate, i) == "O" for i in tokens)
        return new / max(1, len(candidate.spans))

    def confidence_score(self, clean: Clean, candidate: Sentence, prediction: Prediction) -> float:
        """The label score where a span appeared, else the greatest doubt in an O token (below 1)."""
        reached = self.label_score(clean, candidate, prediction.tags)
        if prediction.probabilities is None or reached:
            return reached
        return max(
            (
                1.0 - clean.mass(prediction, i, ["O"])
                for i, gold in enumerate(candidate.tags)
                if gold == "O" and clean.was(candidate, i) == "O"
            ),
            default=0.0,
        ) / max(1, len(candidate.spans))


class Perturbed(Goal):
    """The text is another one, whatever the victim says of it.

    Under it every attacked text is kept, so that F1 after the attack is F1 on the attacked texts of all sentences. That
    is what papers report whose attacks make one text a sentence without asking (RockNER, TextFlint). The attack
    rate is then no more than the share of the sentences that the attack could change.
    """

    name = "perturbed"

    def unusable(self, clean: Clean) -> str | None:  # noqa: ARG002 - every sentence has a text
        """No sentence is: those without mentions show false positives."""
        return None

    def label_score(self, clean: Clean, candidate: Sentence, tags: Tags) -> float:  # noqa: ARG002
        """One, or zero for the original text."""
        return float(candidate.tokens != clean.sentence.tokens)

    def confidence_score(self, clean: Clean, candidate: Sentence, prediction: Prediction) -> float:
        """As the label score."""
        return self.label_score(clean, candidate, prediction.tags)


GOALS: tuple[str, ...] = (
    "untargeted",
    "untargeted-strict",
    "untargeted-any",
    "targeted-to-O",
    "targeted(TYPE)",
    "entity-miss",
    "spurious",
    "perturbed",
)


def goal_named(name: str) -> Goal:
    """Return the goal of that name; `targeted(PER)` wants the type PER.

    Raises:
        BadInput: no such goal.
    """
    plain: dict[str, type[Goal]] = {
        g.name: g for g in (Untargeted, UntargetedStrict, UntargetedAny, TargetedToO, EntityMiss, Spurious, Perturbed)
    }
    if name in plain:
        return plain[name]()
    if name.startswith("targeted(") and name.endswith(")") and name not in {"targeted(TYPE)", "targeted()"}:
        return TargetedToType(name[len("targeted(") : -1])
    raise BadInput(f"unknown goal {name!r}; known: {', '.join(GOALS)}")
