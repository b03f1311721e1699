"""Where tensors live. All device-dependent choices are made here."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from benchmark.errors import BadInput

if TYPE_CHECKING:
    import torch

__all__ = [
    "ROWS_A_CORE",
    "STEP_A_CORE",
    "choose_device",
    "has_native_bfloat16",
    "require_bfloat16",
    "rows_per_forward",
]

# A fixed number of rows a forward keeps answers independent of their neighbours (see victims.transformer). Measured on
# two CPU cores: 1 row 70, 8 rows 164, 16 rows 200, 32 rows 230 sentences a second, but the fewer rows, the less is
# spent on filling up the last batch. A GPU wants more rows to be busy.
_ROWS = {"cpu": 8, "cuda": 128}

# For back ends that compute several batches at once, each on one core. Texts of 16, 24 and 40 pieces a second on two
# cores, OpenVINO: 1 row 214, 164, 125; 2 rows 276, 224, 165; 4 rows 400, 290, 197; 8 rows 453, 304, 164.
ROWS_A_CORE = 4
# Lengths are rounded up to this many pieces: the finer, the less padding but the more batches that are not full.
STEP_A_CORE = 4


def choose_device(name: str = "auto") -> torch.device:
    """Return the torch device of that name; `auto` is CUDA where there is one, else the CPU.

    Raises:
        BadInput: an unknown device, or one that is not there.
    """
    import torch

    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise BadInput(f"unknown device {name!r}; use auto, cpu, cuda or cuda:N") from None
    if device.type not in _ROWS:
        raise BadInput(f"device {name!r} is not supported; use auto, cpu, cuda or cuda:N")
    if device.type == "cuda":
        # torch keeps an index in eight bits: cuda:256 would be cuda:0 without a word.
        index = device.index or 0
        there = str(device) == name and 0 <= index < torch.cuda.device_count()
        if not torch.cuda.is_available() or not there:
            raise BadInput(f"device {name!r} is not there; --device auto takes what is")
        # Without a fixed workspace cuBLAS may add up in another order from call to call.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        # Single precision is what it says, whatever the environment allows.
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
    return device


def rows_per_forward(device: torch.device) -> int:
    """Return how many texts go through a network at once on this device."""
    return _ROWS[device.type]


def has_native_bfloat16(device: torch.device) -> bool:
    """Tell whether the device multiplies bfloat16 in hardware; elsewhere it is slower than single precision."""
    import torch

    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu._is_avx512_bf16_supported())  # noqa: SLF001 - there is no public way to ask


def require_bfloat16(device: torch.device) -> None:
    """Refuse bfloat16 where it would be emulated.

    Raises:
        BadInput: the device has no such hardware.
    """
    if not has_native_bfloat16(device):
        raise BadInput(f"this {device.type} does not multiply bfloat16 in hardware; --precision float32 is faster")
