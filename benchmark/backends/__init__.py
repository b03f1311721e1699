"""Back ends: what computes a transformer's forward pass, and how exactly.

A back end and its precision decide the last bits of an answer, now and then a label, so both stand in the victim's
settings and with them in every run's specification. Gradients always come from PyTorch in single precision.

| back end | device | precisions |
|---|---|---|
| openvino | CPU | float32, bfloat16 |
| onnxruntime | CPU | float32, int8 |
| torch | CPU, CUDA | float32, bfloat16 |
| torch-compile | CPU, CUDA | float32, bfloat16 |

`auto` is openvino on a CPU, if it can read the model, and torch elsewhere.
"""

from __future__ import annotations

from benchmark.backends.choosing import AUTO, BACKENDS, FASTEST, PRECISIONS, forward_of, require_backend
from benchmark.backends.contract import Batch, Forward
from benchmark.backends.tracing import network_of

__all__ = [
    "AUTO",
    "BACKENDS",
    "FASTEST",
    "PRECISIONS",
    "Batch",
    "Forward",
    "forward_of",
    "network_of",
    "require_backend",
]
