"""What a run says of its machine."""

from __future__ import annotations

import os
import subprocess
import sys

from benchmark.provenance import machine

ASK = "from benchmark.provenance import machine; print(machine('cpu')['instructions'], machine('cpu')['threads'])"


def test_a_machine_is_told_by_kind_and_not_by_name():
    assert set(machine("cpu")) == {"system", "architecture", "instructions", "device", "threads"}
    assert machine("openvino-cpu")["device"] == "openvino-cpu"


def test_instructions_and_threads_are_those_that_pytorch_uses():
    told = subprocess.run(
        [sys.executable, "-c", ASK],
        env={**os.environ, "ATEN_CPU_CAPABILITY": "default", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert told.split() == ["DEFAULT", "1"]
