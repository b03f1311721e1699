"""What may differ between two runs of the same specification: machine, versions, times, costs."""

from __future__ import annotations

import platform
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from typing import Any

__all__ = ["Stopwatch", "machine", "versions"]

_PACKAGES = (
    "ner-gauntlet",
    "torch",
    "openvino",
    "onnxruntime",
    "transformers",
    "tokenizers",
    "peft",
    "numpy",
    "sentence-transformers",
    "lingotweaker",
    "lingotweaker-data-en",
    "seqeval",
    "pyarrow",
)


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that matter."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def machine(device: str) -> dict[str, Any]:
    """Return the kind of machine, without its name.

    On a CPU, the last bits of what PyTorch computes depend on its threads and on the processor's instructions: weights
    trained with others are other weights.
    """
    import torch

    return {
        "system": sys.platform,
        "architecture": platform.machine(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "device": device,
        "threads": torch.get_num_threads(),
    }


class Stopwatch:
    """Wall time, and when it began (UTC, ISO 8601)."""

    def __init__(self) -> None:
        self.began = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self._start = time.perf_counter()

    def seconds(self) -> float:
        """Return the seconds since the start."""
        return round(time.perf_counter() - self._start, 3)

    def record(self, **more: Any) -> dict[str, Any]:
        """Return a provenance entry."""
        return {"began": self.began, "seconds": self.seconds(), **more}
