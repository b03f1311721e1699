"""ONNX Runtime on a CPU, in single precision or with eight-bit integers."""

from __future__ import annotations

import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmark.backends.contract import Batch, Forward
from benchmark.backends.tracing import INPUTS, example, silent_tracing
from benchmark.device import ROWS_A_CORE, STEP_A_CORE

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

__all__ = ["OnnxForward"]


class OnnxForward(Forward):
    """As many batches at once as PyTorch would use threads, each on a single core; see `OpenVinoForward`.

    With int8, weights are quantised once and activations at each layer by their largest value in the *batch*: a
    neighbour with a large one would change the answer. So texts go through one by one.

    Args:
        network: takes pieces and mask, on the CPU.
        vocabulary: number of pieces there are.
        device: a CPU.
        precision: float32 or int8.

    Raises:
        ImportError: ONNX or ONNX Runtime is not installed.
    """

    def __init__(self, network: torch.nn.Module, vocabulary: int, device: torch.device, precision: str) -> None:
        import onnxruntime
        import torch

        rows = 1 if precision == "int8" else ROWS_A_CORE
        super().__init__(f"onnxruntime-{device.type}", precision, rows, STEP_A_CORE)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        graph = _graph(network, vocabulary)
        self._session = onnxruntime.InferenceSession(
            _in_eight_bits(graph) if precision == "int8" else graph, options, providers=["CPUExecutionProvider"]
        )
        self._pool = ThreadPoolExecutor(torch.get_num_threads(), thread_name_prefix="onnxruntime")

    def __call__(self, batches: Sequence[Batch]) -> list[NDArray[np.float32]]:
        """See `Forward`."""
        return list(self._pool.map(self._answer, batches))

    def _answer(self, batch: Batch) -> NDArray[np.float32]:
        return self._session.run(None, dict(zip(INPUTS, batch, strict=True)))[0]  # type: ignore[no-any-return]


def _graph(network: torch.nn.Module, vocabulary: int) -> bytes:
    """Return the network in ONNX, for any rows and length."""
    import torch

    file = io.BytesIO()
    free = {0: "rows", 1: "length"}
    with torch.no_grad(), silent_tracing():
        torch.onnx.export(
            network,
            tuple(example(vocabulary).values()),
            file,  # type: ignore[arg-type]  # the exporter that traces takes one; the hint is the newer one's
            input_names=list(INPUTS),
            output_names=["answer"],
            dynamic_axes=dict.fromkeys((*INPUTS, "answer"), free),
            # The exporter that traces takes two seconds, the newer one eleven, for the same graph.
            dynamo=False,
        )
    return file.getvalue()


def _in_eight_bits(graph: bytes) -> bytes:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with TemporaryDirectory() as folder:
        before, after = Path(folder) / "float32.onnx", Path(folder) / "int8.onnx"
        before.write_bytes(graph)
        with silent_tracing():
            quantize_dynamic(before, after, weight_type=QuantType.QInt8)
        return after.read_bytes()
