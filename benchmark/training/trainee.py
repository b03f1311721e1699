"""What the loop and the defenses see of a network under training."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmark.training.schedules import Schedule
from benchmark.types import Sentence

if TYPE_CHECKING:
    import torch

    from benchmark.contracts import Victim

__all__ = ["Alternatives", "Batch", "Trainee"]


class Batch(NamedTuple):
    """Sentences as the network reads them.

    Attributes:
        sentences: in the order of the rows.
        inputs: what the network reads, in the architecture's own form.
        tags: label indexes, in the architecture's own layout.
    """

    sentences: Sequence[Sentence]
    inputs: Any
    tags: torch.Tensor


class Alternatives(NamedTuple):
    """Words that could stand in a word's place without changing the shape of a batch.

    Attributes:
        words: their texts.
        vectors: (words, dimensions), not normalised; the mean over a word's units.
        own: (dimensions,) of the word itself.
        itself: the word's index among the others, if it is there.
    """

    words: Sequence[str]
    vectors: torch.Tensor
    own: torch.Tensor
    itself: int | None


class Trainee(ABC):
    """A fresh network, seeded by its recipe, and all that training needs to know of its architecture.

    Attributes:
        network: what is trained; in training or evaluation mode as the loop puts it.
        victim: answers with the weights as they are now.
        device: where the network is.
        schedule: the learning rate's course.
        longest_gradient: norm to which gradients are cut.
        patience: epochs without a better dev F1 after which training ends; None for none.
        normalised: embeddings are normalised (see the architecture), so that a perturbation's norm means the same
            throughout training; False where they are taken as they are.
    """

    network: torch.nn.Module
    victim: Victim
    device: torch.device
    schedule: Schedule
    longest_gradient: float
    patience: int | None = None
    normalised: bool = False

    @property
    def trained(self) -> dict[str, torch.Tensor]:
        """The parameters that training changes, by name."""
        return {name: parameter for name, parameter in self.network.named_parameters() if parameter.requires_grad}

    @cached_property
    def additions(self) -> dict[str, torch.nn.Module]:
        """What a defense put into the network and trains with it, by name."""
        return {}

    def add(self, name: str, module: torch.nn.Module) -> None:
        """Let a module that a defense has put into the network be stored with the victim, in NAME.safetensors."""
        self.additions[name] = module

    @abstractmethod
    def optimizer(self, rate: float) -> torch.optim.Optimizer:
        """Return the optimizer of the trained parameters at a peak learning rate."""

    def begin_epoch(self, rng: random.Random) -> None:  # noqa: B027 - most networks draw on from where they were
        """Seed what an epoch draws besides the order of its sentences, where that is seeded anew each epoch."""

    def is_dead(self, sentences: Sequence[Sentence]) -> bool:  # noqa: ARG002 - most networks do not die
        """Tell whether the network learns no more whatever comes, so that it must be trained again at a lower rate."""
        return False

    @abstractmethod
    def encode(self, sentences: Sequence[Sentence], room_for: Iterable[str] = ()) -> Batch:
        """Return a batch in which the words of `room_for` could stand anywhere without changing its shape."""

    @abstractmethod
    def vectors(self, batch: Batch) -> dict[str, torch.Tensor]:
        """Return by table the (rows, units, dimensions) vectors that are looked up, open to differentiation."""

    @abstractmethod
    def present(self, batch: Batch) -> dict[str, torch.Tensor]:
        """Return by table (rows, units): True where a unit belongs to the text, False at padding."""

    @abstractmethod
    def loss(self, batch: Batch, vectors: Mapping[str, torch.Tensor] | None = None) -> torch.Tensor:
        """Return the mean loss of a batch, at other vectors than those looked up if they are given."""

    @abstractmethod
    def with_words(self, batch: Batch, words: Mapping[tuple[int, int], str | None]) -> Batch:
        """Return the batch with other words in its places (row, word); None hides what stood there.

        Labels stay, and so does the shape: the words must be `alternatives`, and room was made for them in `encode`.
        """

    @abstractmethod
    def alternatives(self, word: str) -> Alternatives:
        """Return the words of the training split that could stand in a word's place."""

    @abstractmethod
    def scale(self, table: str) -> float:
        """Return the root mean square of a table's numbers."""

    @abstractmethod
    def state(self) -> dict[str, torch.Tensor]:
        """Return a copy, on the CPU, of what will be stored of the network as it is now."""

    @abstractmethod
    def continue_from(self, folder: Path) -> None:
        """Take the weights of a stored victim of the same architecture and labels.

        Raises:
            BadInput: they do not fit.
        """

    @abstractmethod
    def save(self, state: Mapping[str, torch.Tensor], folder: Path) -> None:
        """Write a state into a folder as a victim is read from it, all but its card."""

    def whole_state(self) -> dict[str, torch.Tensor]:
        """Return the `state` and that of all additions, as ADDITION:NAME."""
        whole = self.state()
        for name, module in self.additions.items():
            whole |= {f"{name}:{key}": tensor.detach().cpu().clone() for key, tensor in module.state_dict().items()}
        return whole

    def save_whole(self, state: Mapping[str, torch.Tensor], folder: Path) -> None:
        """Write a `whole_state` into a folder."""
        from safetensors.torch import save_file

        rest = dict(state)
        for name, module in self.additions.items():
            save_file({key: rest.pop(f"{name}:{key}") for key in module.state_dict()}, folder / f"{name}.safetensors")
        self.save(rest, folder)
