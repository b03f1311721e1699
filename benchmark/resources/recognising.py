"""A recogniser that an attack may ask besides the victim: the surrogate of attacks that have one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from benchmark.engine import Ask
from benchmark.errors import BadInput
from benchmark.types import Tags, Tokens
from benchmark.victims.label_map import types_of

if TYPE_CHECKING:
    import torch

    from benchmark.contracts import Victim

__all__ = ["DEFAULT_RECOGNISER", "Recogniser", "recogniser_named"]

DEFAULT_RECOGNISER = "minilm/encyclopedia"


class Recogniser:
    """A recogniser as a service. What it is asked costs no query: it is not the victim.

    Args:
        model: any that could be a victim.

    Attributes:
        identity: weights and settings.
    """

    def __init__(self, model: Victim) -> None:
        self.identity = f"recogniser {model.name} {model.fingerprint} {sorted(model.settings.items())}"
        self._model = model

    def answer(self, questions: Sequence[Tokens]) -> list[Tags]:
        """Tag each text; one that is too long has no entities."""
        fitting = [tokens for tokens in questions if self._model.fits(tokens)]
        found = iter(self._model.predict(fitting) if fitting else ())
        return [next(found).tags if self._model.fits(tokens) else ("O",) * len(tokens) for tokens in questions]

    async def tag(self, texts: Sequence[Tokens]) -> list[Tags]:
        """Tag texts."""
        return await Ask(self, texts)


def recogniser_named(name: str, device: torch.device, victim: Victim | None = None) -> Recogniser:
    """Load a recogniser, by a name such as victims have.

    Args:
        name: which one.
        device: where it runs.
        victim: the one under attack, where it is known.

    Raises:
        BadInput: no such recogniser, it is the victim itself, or it lacks one of the victim's types.
    """
    from benchmark.victims import VictimOptions, find_victim

    model = find_victim(name, VictimOptions(device=str(device)))
    if victim is not None:
        if model.fingerprint == victim.fingerprint:
            raise BadInput(
                f"the surrogate {name} is the victim itself, whose answers are to be paid for; name another one"
            )
        if lacking := types_of(victim.labels) - types_of(model.labels):
            raise BadInput(
                f"the surrogate {name} does not know the victim's types {', '.join(sorted(lacking))}; name another one"
            )
    return Recogniser(model)
