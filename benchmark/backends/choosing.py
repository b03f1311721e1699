"""From a back end's name to a forward pass."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from benchmark.backends.contract import Batch, Forward
from benchmark.backends.onnx_backend import OnnxForward
from benchmark.backends.openvino_backend import OpenVinoForward
from benchmark.backends.torch_backend import TorchForward
from benchmark.errors import BadInput, MissingResource, first_line

if TYPE_CHECKING:
    import torch

__all__ = ["AUTO", "BACKENDS", "FASTEST", "PRECISIONS", "forward_of", "require_backend"]

AUTO = "auto"
PRECISIONS = ("float32", "bfloat16", "int8")


class _Known(NamedTuple):
    """A back end: what makes it of a network, and its precisions by type of device."""

    make: Callable[[torch.nn.Module, int, torch.device, str], Forward]
    precisions: Mapping[str, tuple[str, ...]]


BACKENDS: Mapping[str, _Known] = {
    "openvino": _Known(OpenVinoForward, {"cpu": ("float32", "bfloat16")}),
    "onnxruntime": _Known(OnnxForward, {"cpu": ("float32", "int8")}),
    "torch": _Known(TorchForward, {"cpu": ("float32", "bfloat16"), "cuda": ("float32", "bfloat16")}),
    "torch-compile": _Known(
        partial(TorchForward, compiled=True), {"cpu": ("float32", "bfloat16"), "cuda": ("float32", "bfloat16")}
    ),
}
# What "auto" is, by type of device.
FASTEST = {"cpu": "openvino", "cuda": "torch"}
_PACKAGES = {"onnxruntime": "'ner-gauntlet[onnx]'", "openvino": "openvino"}

# How far a back end's numbers may lie from PyTorch's in single precision, relative to their size, on average.
_TOLERANCE = {"float32": 1e-4, "bfloat16": 0.1, "int8": 0.5}


def require_backend(backend: str, precision: str) -> None:
    """Refuse names that do not exist.

    Raises:
        BadInput: no such back end or precision.
    """
    if backend not in {AUTO, *BACKENDS}:
        raise BadInput(f"unknown back end {backend!r}; known: {', '.join((AUTO, *BACKENDS))}")
    if precision not in PRECISIONS:
        raise BadInput(f"unknown precision {precision!r}; known: {', '.join(PRECISIONS)}")


def forward_of(
    network: torch.nn.Module,
    vocabulary: int,
    longest: int,
    device: torch.device,
    backend: str = AUTO,
    precision: str = "float32",
) -> Forward:
    """Return the forward pass of a network.

    Args:
        network: takes pieces and mask of shape (rows, length), gives (rows, length, width); in evaluation mode, in
            single precision, on the device. See `tracing.network_of`.
        vocabulary: number of pieces there are.
        longest: how many of them a text may have.
        device: where it is.
        backend: one of `BACKENDS`; "auto" is openvino on a CPU if it can read the network, else torch.
        precision: one of `PRECISIONS`.

    Raises:
        BadInput: no such back end or precision, not on this device, or the back end cannot compute what PyTorch does.
        MissingResource: the back end's package is not installed.
    """
    require_backend(backend, precision)
    if backend != AUTO:
        return _forward_of(network, vocabulary, longest, device, backend, precision)
    with contextlib.suppress(_CannotRead):
        return _forward_of(network, vocabulary, longest, device, FASTEST[device.type], precision)
    return _forward_of(network, vocabulary, longest, device, "torch", precision)


class _CannotRead(BadInput):
    """A library cannot compute this network."""


def _forward_of(
    network: torch.nn.Module, vocabulary: int, longest: int, device: torch.device, name: str, precision: str
) -> Forward:
    known = BACKENDS[name]
    if precision not in known.precisions.get(device.type, ()):
        there = [f"{other} {p}" for other in BACKENDS for p in BACKENDS[other].precisions.get(device.type, ())]
        raise BadInput(f"there is no {name} in {precision} on {device.type}; there are: {', '.join(there)}")
    try:
        forward = known.make(network, vocabulary, device, precision)
        away = _distance(network, vocabulary, longest, device, forward)
    except ImportError as error:
        package = _PACKAGES.get(name, name)
        raise MissingResource(f"{name} is not installed: pip install {package}, or take --backend torch") from error
    except BadInput:
        raise
    except Exception as error:
        told = f"{type(error).__name__}: {first_line(error)}"
        raise _CannotRead(f"{name} cannot read this model ({told}); --backend torch can") from error
    if not away <= _TOLERANCE[precision]:
        raise _CannotRead(
            f"{name} in {precision} does not compute what PyTorch does for this model (off by {away:.2g} of the "
            "numbers' size); --backend torch does"
        )
    return forward


def _distance(network: torch.nn.Module, vocabulary: int, longest: int, device: torch.device, forward: Forward) -> float:
    """Return how far a forward pass is from PyTorch's, as a share of the numbers' size.

    Tracing freezes whatever the model's code does with a shape; such a network would be right for one length only, so
    several are tried, shorter and longer than the one that was traced.
    """
    import torch

    rng = np.random.default_rng(0)
    batches = []
    for length in (forward.length_step, 3 * forward.length_step, min(12 * forward.length_step, longest)):
        pieces = rng.integers(0, vocabulary, (forward.rows, length))
        mask = np.ones_like(pieces)
        mask[-1, length // 2 :] = 0
        batches.append(Batch(pieces, mask))
    away = size = 0.0
    for batch, found in zip(batches, forward(batches), strict=True):
        with torch.inference_mode():
            wanted = network(*(torch.from_numpy(part).to(device) for part in batch)).float().cpu().numpy()
        there = batch.mask.astype(bool)
        away += float(np.abs(found - wanted)[there].sum())
        size += float(np.abs(wanted)[there].sum())
    return away / size
