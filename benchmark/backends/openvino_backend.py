"""OpenVINO, the fastest on a CPU in single precision as far as we measured."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.backends.contract import Batch, Forward
from benchmark.backends.tracing import example, silent_tracing
from benchmark.device import ROWS_A_CORE, STEP_A_CORE, require_bfloat16

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

__all__ = ["OpenVinoForward"]

_PRECISIONS = {"float32": "f32", "bfloat16": "bf16"}


class OpenVinoForward(Forward):
    """As many batches at once as PyTorch would use threads, each on a single core.

    Several threads on one small batch wait for each other more than they compute, and split a sum in other places on
    another machine; one thread a batch does neither.

    Args:
        network: takes pieces and mask, on the CPU.
        vocabulary: number of pieces there are.
        device: a CPU.
        precision: float32 or bfloat16.

    Raises:
        BadInput: the CPU does not multiply bfloat16 in hardware.
        ImportError: OpenVINO is not installed.
    """

    def __init__(self, network: torch.nn.Module, vocabulary: int, device: torch.device, precision: str) -> None:
        import openvino
        import torch
        from openvino.frontend import FrontEndManager
        from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

        if precision == "bfloat16":
            require_bfloat16(device)
        super().__init__(f"openvino-{device.type}", precision, ROWS_A_CORE, STEP_A_CORE)
        # The front end itself: `openvino.convert_model` around it would report its use to the vendor over the network.
        with torch.no_grad(), silent_tracing():
            decoder = TorchScriptPythonDecoder(network, example_input=example(vocabulary))
            front_end = FrontEndManager().load_by_framework("pytorch")
            graph = front_end.convert(front_end.load(decoder))
        self._cores = torch.get_num_threads()
        self._compiled = openvino.Core().compile_model(
            graph,
            "CPU",
            {
                "INFERENCE_PRECISION_HINT": _PRECISIONS[precision],
                "NUM_STREAMS": str(self._cores),
                "INFERENCE_NUM_THREADS": str(self._cores),
            },
        )
        self._queue = self._new_queue()

    def _new_queue(self) -> Any:
        import openvino

        return openvino.AsyncInferQueue(self._compiled, self._cores)

    def __call__(self, batches: Sequence[Batch]) -> list[NDArray[np.float32]]:
        """See `Forward`."""
        answers: dict[int, NDArray[np.float32]] = {}

        def keep(request: Any, k: int) -> None:
            answers[k] = np.array(request.get_output_tensor(0).data, dtype=np.float32)

        self._queue.set_callback(keep)
        try:
            # Long texts first: what remains at the end, when cores run out of work, is short.
            for k in sorted(range(len(batches)), key=lambda k: -batches[k].pieces.shape[1]):
                self._queue.start_async(dict(enumerate(batches[k])), k)
            self._queue.wait_all()
        except BaseException:  # an interruption too: whoever catches it may ask again
            for request in self._queue:  # none may answer any more when its queue is gone
                with contextlib.suppress(Exception):
                    request.wait()
            self._queue = self._new_queue()  # the old one would raise the same error for all that comes
            raise
        return [answers[k] for k in range(len(batches))]
