"""PyTorch itself, on a CPU or on CUDA."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from benchmark.backends.contract import Batch, Forward
from benchmark.device import require_bfloat16, rows_per_forward
from benchmark.word_pieces import LENGTH_STEP

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

__all__ = ["TorchForward"]


class TorchForward(Forward):
    """One batch after the other; bfloat16 is PyTorch's autocast.

    Args:
        network: takes pieces and mask, on the device.
        vocabulary: number of pieces there are.
        device: a CPU or CUDA.
        precision: float32 or bfloat16.
        compiled: let `torch.compile` fuse it, for all shapes at once: a graph that is specialised for the first shape
            it meets would make answers depend on the order of the questions.

    Raises:
        BadInput: the device does not multiply bfloat16 in hardware.
    """

    def __init__(
        self,
        network: torch.nn.Module,
        vocabulary: int,  # noqa: ARG002 - others trace the network and need it
        device: torch.device,
        precision: str,
        *,
        compiled: bool = False,
    ) -> None:
        if precision == "bfloat16":
            require_bfloat16(device)
        name = "torch-compile" if compiled else "torch"
        super().__init__(f"{name}-{device.type}", precision, rows_per_forward(device), LENGTH_STEP)
        self._device = device
        self._network = _compiled(network) if compiled else network

    def __call__(self, batches: Sequence[Batch]) -> list[NDArray[np.float32]]:
        """See `Forward`."""
        import torch

        with (
            torch.inference_mode(),
            torch.autocast(self._device.type, torch.bfloat16, enabled=self.settings["precision"] == "bfloat16"),
        ):
            return [self._answer(torch.from_numpy(b.pieces), torch.from_numpy(b.mask)) for b in batches]

    def _answer(self, pieces: torch.Tensor, mask: torch.Tensor) -> NDArray[np.float32]:
        return self._network(pieces.to(self._device), mask.to(self._device)).float().cpu().numpy()  # type: ignore[no-any-return]


def _compiled(network: torch.nn.Module) -> Any:
    import torch

    def forward(pieces: torch.Tensor, mask: torch.Tensor) -> Any:
        return network(pieces, mask)

    # Graphs are kept by code object, eight of them: with one code for all, the ninth network would silently not be
    # compiled, so that its answers would depend on what was loaded before it.
    forward.__code__ = forward.__code__.replace()
    return torch.compile(forward, dynamic=True)
