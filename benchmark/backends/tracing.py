"""Handing a PyTorch model to another library: by tracing it once."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from benchmark.quiet import silent_transformers

if TYPE_CHECKING:
    import torch

__all__ = ["INPUTS", "example", "network_of", "silent_tracing"]

INPUTS = ("input_ids", "attention_mask")


def network_of(model: Any, output: str) -> torch.nn.Module:
    """Return a module that takes pieces and mask and gives one tensor.

    Args:
        model: of transformers.
        output: which of its outputs, "logits" or "last_hidden_state".
    """
    import torch

    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            found: torch.Tensor = getattr(self.model(input_ids=input_ids, attention_mask=attention_mask), output)
            return found

    return Network().eval()


def example(vocabulary: int) -> dict[str, torch.Tensor]:
    """Return inputs to trace with; some padding among them, as models skip the mask where there is none."""
    import torch

    pieces = torch.arange(2 * 16).reshape(2, 16) % vocabulary
    mask = torch.ones_like(pieces)
    mask[0, 12:] = 0
    return dict(zip(INPUTS, (pieces, mask), strict=True))


@contextmanager
def silent_tracing() -> Iterator[None]:
    """Tracing warns of every branch of the model's code, and quantising of every layer it leaves alone."""
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), silent_transformers():
            warnings.simplefilter("ignore")
            yield
    finally:
        root.setLevel(before)
