"""The choice of a device; no tensor is ever put there."""

from __future__ import annotations

import os

import pytest
import torch

from benchmark.device import choose_device, rows_per_forward
from benchmark.errors import BadInput


@pytest.fixture(autouse=True)
def workspace_setting(monkeypatch):
    """Choosing CUDA sets it; put it back afterwards."""
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", "unset by the test")
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG")


def pretend(monkeypatch, devices):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: devices > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: devices)


def test_auto_without_cuda_is_the_cpu(monkeypatch):
    pretend(monkeypatch, 0)
    assert choose_device() == choose_device("auto") == torch.device("cpu")
    assert "CUBLAS_WORKSPACE_CONFIG" not in os.environ


def test_auto_with_cuda_is_cuda_with_a_fixed_workspace(monkeypatch):
    pretend(monkeypatch, 1)
    assert choose_device("auto").type == "cuda"
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"


def test_the_users_own_workspace_setting_is_kept(monkeypatch):
    pretend(monkeypatch, 1)
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")
    choose_device("cuda")
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":16:8"


def test_the_cpu_can_be_asked_for_where_there_is_cuda(monkeypatch):
    pretend(monkeypatch, 2)
    assert choose_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize(("name", "index"), [("cuda", None), ("cuda:0", 0), ("cuda:1", 1)])
def test_devices_that_are_there_can_be_named(monkeypatch, name, index):
    pretend(monkeypatch, 2)
    device = choose_device(name)
    assert (device.type, device.index) == ("cuda", index)


@pytest.mark.parametrize("name", ["", "gpu", "cuda:x", "cuda:-1", "cuda:1:2", "CUDA", "Auto", "mps", "meta", "xpu"])
def test_unknown_devices_are_refused_by_name(monkeypatch, name):
    pretend(monkeypatch, 2)
    with pytest.raises(BadInput) as refused:
        choose_device(name)
    assert repr(name) in str(refused.value)
    assert "auto" in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize(("name", "there"), [("cuda", 0), ("cuda:0", 0), ("cuda:1", 1), ("cuda:2", 2), ("cuda:7", 2)])
def test_absent_devices_are_refused_by_name(monkeypatch, name, there):
    pretend(monkeypatch, there)
    with pytest.raises(BadInput) as refused:
        choose_device(name)
    assert repr(name) in str(refused.value)
    assert "auto" in str(refused.value)


@pytest.mark.parametrize("name", ["cuda:128", "cuda:200", "cuda:256"])
def test_an_index_that_overflows_in_torch_is_refused_and_not_taken_for_another_device(monkeypatch, name):
    pretend(monkeypatch, 2)
    with pytest.raises(BadInput):
        choose_device(name)


def test_the_real_machine_has_what_auto_chooses():
    assert choose_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


def test_rows_of_a_forward_are_fixed_for_each_kind_of_device():
    assert rows_per_forward(torch.device("cuda:1")) == rows_per_forward(torch.device("cuda"))
    assert rows_per_forward(torch.device("cuda")) > rows_per_forward(torch.device("cpu")) >= 1
