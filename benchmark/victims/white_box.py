"""What a victim shows of its inside to attacks with gradient access: embeddings, gradients, attributions.

Every question has a target: a few words, each with a label. What is differentiated is the target's log-probability

    F(x) = sum over (word, label) of log p(label | x, word)

with respect to the vectors that the victim looks up for the text, in each of its embedding tables (word pieces in a
transformer; words and characters in a CNN-LSTM-CRF). Attributions follow by Captum. Texts go through the network in
the fixed shapes of `word_pieces`, so that no answer depends on its neighbours here either.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

import numpy as np

from benchmark.errors import BadInput
from benchmark.types import Tokens

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    from benchmark.contracts import Victim

__all__ = [
    "Attribution",
    "AttributionService",
    "EmbeddingTable",
    "Gradient",
    "GradientService",
    "Gradients",
    "Method",
    "Target",
    "Units",
    "WhiteBox",
    "identity_of",
]

Target = tuple[tuple[int, str], ...]
"""Words, by index, each with the label whose log-probability counts."""


@dataclass(frozen=True, slots=True)
class EmbeddingTable:
    """One of a victim's embedding tables.

    Attributes:
        vectors: (units, dimensions).
        units: each unit's text: a piece with its mark, a word, a character.
        of: the units that a word is looked up as.
    """

    vectors: NDArray[np.float32]
    units: Sequence[str]
    of: Callable[[str], tuple[int, ...]]

    def factors(self, units: tuple[int, ...]) -> NDArray[np.float32]:
        """Return (units,) by what their vectors are multiplied where they are a word together; 1 in most tables."""
        return np.ones(len(units), np.float32)

    def looked_up(self, word: str) -> NDArray[np.float32]:
        """Return the (units of the word, dimensions) vectors of a word, as a forward pass looks them up."""
        units = self.of(word)
        vectors: NDArray[np.float32] = self.vectors[list(units)] * self.factors(units)[:, None]
        return vectors


class Gradient(NamedTuple):
    """What is F, and which way does it grow, at this text?"""

    tokens: Tokens
    target: Target


class Gradients(NamedTuple):
    """The answer: F, and by table, for each word, ∂F/∂vector of shape (units of the word, dimensions)."""

    value: float
    by_table: Mapping[str, tuple[NDArray[np.float32], ...]]


class Method(StrEnum):
    """How F is spread over the words."""

    INTEGRATED_GRADIENTS = "integrated-gradients"
    GRADIENT_TIMES_INPUT = "gradient-times-input"
    SALIENCY = "saliency"


class Attribution(NamedTuple):
    """How much does each word bear F?

    Attributes:
        tokens: the text.
        target: of F.
        method: see `Method`.
        steps: of the integral (Sundararajan et al. 2017, equation 1), at least one, at the points of the Gauss-Legendre
            rule; the other methods need none. The baseline has zero vectors for all words; special pieces stay.
        table: in which embedding table.
        instead: vectors that stand in for a word's own, as (index, the bytes of its float32 vectors); in order.
    """

    tokens: Tokens
    target: Target
    method: Method = Method.INTEGRATED_GRADIENTS
    steps: int = 32
    table: str = "pieces"
    instead: tuple[tuple[int, bytes], ...] = ()

    @property
    def passes(self) -> int:
        """Forward and backward passes that the answer takes."""
        return self.steps if self.method is Method.INTEGRATED_GRADIENTS else 1


class Units(NamedTuple):
    """A batch of texts as the network looks them up, in one fixed shape.

    Attributes:
        vectors: by table, (rows, units, dimensions).
        inputs: whatever else `log_probabilities` needs.
        places: by table, for each text, for each word, where its units stand.
    """

    vectors: Mapping[str, torch.Tensor]
    inputs: Any
    places: Mapping[str, list[list[tuple[int, ...]]]]


class WhiteBox(Protocol):
    """What a victim with gradient access has besides `Victim`.

    Attributes:
        tables: its embedding tables by name; the one that words are looked up in comes first.
    """

    name: str
    fingerprint: str
    labels: tuple[str, ...]
    settings: Mapping[str, Any]
    tables: Mapping[str, EmbeddingTable]

    @abstractmethod
    def batches(self, texts: Sequence[Tokens]) -> Iterator[tuple[list[int], Units]]:
        """Cut texts into batches of fixed shape; yield the indexes of a batch's texts and their units."""

    @abstractmethod
    def log_probabilities(self, vectors: Mapping[str, torch.Tensor], inputs: Any) -> torch.Tensor:
        """Return (rows, words, labels) log-probabilities as a differentiable function of looked-up vectors."""


def identity_of(victim: Victim | WhiteBox) -> str:
    """Return the weights and settings that a victim's answers follow from."""
    return f"{victim.fingerprint} {sorted(victim.settings.items())}"


@dataclass(frozen=True, slots=True)
class GradientService:
    """A victim's gradients, as the engine sees them."""

    victim: WhiteBox
    remembered: ClassVar[bool] = False

    @property
    def identity(self) -> str:
        """Weights and settings."""
        return f"gradients {identity_of(self.victim)}"

    def answer(self, questions: Sequence[Gradient]) -> list[Gradients]:
        """Differentiate F at each text."""
        import torch

        answers: dict[int, Gradients] = {}
        for group, units in self.victim.batches([question.tokens for question in questions]):
            vectors = {name: table.detach().requires_grad_() for name, table in units.vectors.items()}
            target = _target(self.victim, [questions[k].target for k in group], len(next(iter(vectors.values()))))
            values = target(self.victim.log_probabilities(vectors, units.inputs))
            slopes = torch.autograd.grad(values.sum(), list(vectors.values()))
            grown = {name: _array(slope) for name, slope in zip(vectors, slopes, strict=True)}
            for row, k in enumerate(group):
                by_table = {
                    name: tuple(grown[name][row][list(place)] for place in places[row])
                    for name, places in units.places.items()
                }
                answers[k] = Gradients(float(values.detach()[row]), by_table)
        return [answers[k] for k in range(len(questions))]


@dataclass(frozen=True, slots=True)
class AttributionService:
    """A victim's word attributions, as the engine sees them."""

    victim: WhiteBox

    @property
    def identity(self) -> str:
        """Weights and settings."""
        return f"attributions {identity_of(self.victim)}"

    def answer(self, questions: Sequence[Attribution]) -> list[NDArray[np.float64]]:
        """Attribute F to the words of each text; questions alike in method, steps and table share forwards.

        Returns:
            For each text the (words,) shares of F, summed over a word's units and dimensions; shared by all that ask
            the same, so nobody can write to them.
        """
        answers: dict[int, NDArray[np.float64]] = {}
        alike: dict[tuple[Method, int, str], list[int]] = {}
        for k, question in enumerate(questions):
            if question.table not in self.victim.tables:
                known = ", ".join(self.victim.tables)
                raise BadInput(f"{self.victim.name} has no embedding table {question.table!r}; it has: {known}")
            alike.setdefault((question.method, question.steps, question.table), []).append(k)
        for (method, steps, table), members in alike.items():
            for group, units in self.victim.batches([questions[k].tokens for k in members]):
                asked = [questions[members[k]] for k in group]
                found = self._attributed(asked, units, method, steps, table)
                answers |= {members[k]: answer for k, answer in zip(group, found, strict=True)}
        return [answers[k] for k in range(len(questions))]

    def _attributed(
        self, questions: Sequence[Attribution], units: Units, method: Method, steps: int, table: str
    ) -> list[NDArray[np.float64]]:
        import torch
        from captum.attr import InputXGradient, IntegratedGradients, Saliency

        places = units.places[table]
        given = units.vectors[table].detach().clone()
        zero = given.clone()
        given.requires_grad_()
        for row, question in enumerate(questions):
            for word, vectors in question.instead:
                own = np.frombuffer(vectors, dtype=np.float32).reshape(len(places[row][word]), -1)
                given.data[row, list(places[row][word])] = torch.from_numpy(own.copy()).to(given.device)
            zero[row, [unit for place in places[row] for unit in place]] = 0
        rows = len(given)
        target = _target(self.victim, [question.target for question in questions], rows)
        others = {name: vectors.detach() for name, vectors in units.vectors.items() if name != table}

        def value(vectors: torch.Tensor) -> torch.Tensor:
            return target(self.victim.log_probabilities({table: vectors, **others}, units.inputs))

        if method is Method.INTEGRATED_GRADIENTS:
            # One point of the path at a time for all rows: the shape of every forward stays the same.
            shares = IntegratedGradients(value).attribute(given, zero, n_steps=steps, internal_batch_size=rows)
        elif method is Method.GRADIENT_TIMES_INPUT:
            shares = InputXGradient(value).attribute(given)
        else:
            shares = Saliency(value).attribute(given, abs=True)
        by_unit = _array(shares.sum(-1)).astype(np.float64)
        if not np.isfinite(by_unit).all():
            raise ValueError(f"{self.victim.name} gives gradients that are no numbers")
        answers = [
            np.array([by_unit[row, list(place)].sum() for place in places[row]]) for row in range(len(questions))
        ]
        for answer in answers:
            answer.flags.writeable = False
        return answers


def _target(victim: WhiteBox, targets: Sequence[Target], rows: int) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return F as a function of (rows, words, labels) log-probabilities; rows that only fill up have none."""
    import torch

    column = {label: k for k, label in enumerate(victim.labels)}
    try:
        chosen = [(row, word, column[label]) for row, target in enumerate(targets) for word, label in target]
    except KeyError as unknown:
        raise BadInput(f"{victim.name} has no label {unknown}; it has: {', '.join(victim.labels)}") from None
    row, word, label = torch.tensor(chosen, dtype=torch.long).reshape(-1, 3).T  # also of nothing at all

    def value(log_probabilities: torch.Tensor) -> torch.Tensor:
        picked = log_probabilities[row, word, label]
        return torch.zeros(rows, device=picked.device).index_add(0, row.to(picked.device), picked)

    return value


def _array(tensor: torch.Tensor) -> NDArray[np.float32]:
    return tensor.detach().float().cpu().numpy()
