"""Models as other projects run them give the answers that ours give, in forwards of other shapes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.models import Pooling, WordEmbeddings
from stubs import LABELS
from tiny_models import save_masked
from transformers import AutoTokenizer, BertConfig, BertForTokenClassification

from attacks.guests.plain_models import PlainLanguageModel, PlainVictim
from benchmark.comparing.reference import TorchEncoder, on_reference
from benchmark.resources.encoders import SentenceEncoder
from benchmark.resources.language_models import Gap, Seen
from benchmark.resources.language_models.masked import masked_model_from_folder
from benchmark.resources.loading import Resources
from benchmark.victims.transformer import TransformerVictim

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A victim and a language model with random weights, of one vocabulary."""
    folder = save_masked(tmp_path_factory.mktemp("mlm"), "wordpiece")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    torch.manual_seed(0)
    sizes = {"num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 48, "hidden_size": 32}
    config = BertConfig(
        vocab_size=len(tokenizer), max_position_embeddings=48, initializer_range=0.5, **sizes,
        id2label=dict(enumerate(LABELS)), label2id={label: k for k, label in enumerate(LABELS)},
    )  # fmt: skip
    victim = TransformerVictim(BertForTokenClassification(config), tokenizer, "tiny", "tiny", CPU, backend="torch")
    return victim, masked_model_from_folder(str(folder), CPU)


TEXTS = [
    ("The", "harbour", "master", "closed", "the", "market", "before", "the", "storm", "."),
    ("Fish", "prices", "rose"),
    ("Old", "boats", "sold", "well", ";", "new", "boats", "sold", "badly", "."),
    ("Unhappily", ",", "xylophones", "were", "unsold", "."),
]


def shapes_of(forward, batches):
    """Wrap a back end; the shapes it is given are noted."""

    def spying(given):
        batches.extend(tuple(batch.pieces.shape) for batch in given)
        return forward(given)

    return spying


@pytest.mark.parametrize(("batch", "wanted"), [(1, 4), (2, 2), (32, 1)])
def test_a_plain_victim_says_the_same_in_forwards_of_the_size_asked_for(models, batch, wanted):
    victim, _ = models
    plain, given = PlainVictim(victim, batch), []
    plain._forward = shapes_of(victim._forward, given)
    for mine, theirs in zip(plain.predict(TEXTS), victim.predict(TEXTS), strict=True):
        assert mine.tags == theirs.tags
        assert np.abs(mine.probabilities - theirs.probabilities).max() < 1e-5
    lengths = [len(victim.encode(text)[0]) for text in TEXTS]
    longest = [max(lengths[k : k + batch]) for k in range(0, 4, batch)]
    rows = [len(lengths[k : k + batch]) for k in range(0, 4, batch)]
    assert given == list(zip(rows, longest, strict=True))
    assert len(given) == wanted


def test_a_batch_is_shared_out_to_cores_where_the_back_end_keeps_one_core_busy(models, monkeypatch):
    victim, _ = models
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    monkeypatch.setattr(victim, "settings", {**victim.settings, "backend": "openvino-cpu"})
    plain, given = PlainVictim(victim, 32), []
    plain._forward = shapes_of(victim._forward, given)
    answers = plain.predict(TEXTS[:3])
    assert [rows for rows, _ in given] == [2, 1]
    assert len({length for _, length in given}) == 1
    assert [answer.tags for answer in answers] == [answer.tags for answer in victim.predict(TEXTS[:3])]


def test_a_plain_language_model_proposes_the_same_words(models):
    _, language_model = models
    plain = PlainLanguageModel(language_model)
    gaps = [Gap(text, at, 12, seen) for text in TEXTS for at in range(len(text)) for seen in Seen]
    for mine, theirs in zip([plain.answer([gap])[0] for gap in gaps], language_model.answer(gaps), strict=True):
        assert [proposal.word for proposal in mine] == [proposal.word for proposal in theirs]
        assert np.allclose([p.probability for p in mine], [p.probability for p in theirs], atol=1e-5)


def test_the_encoder_on_pytorch_gives_the_same_vectors():
    encoder = SentenceEncoder()
    on_torch = on_reference(Resources({"encoder": encoder})).encoder
    assert isinstance(on_torch, TorchEncoder)
    assert on_torch.identity != encoder.identity
    texts = [" ".join(text) for text in TEXTS]
    for mine, theirs in zip(on_torch.answer(texts), encoder.answer(texts), strict=True):
        assert np.abs(mine - theirs).max() < 1e-4


def test_another_encoder_on_pytorch_is_that_encoder(tmp_path):
    (tmp_path / "v.txt").write_text("3 2\nred 1 0\nblue 0 1\ngreen 1 1\n")
    words = WordEmbeddings.from_text_file(str(tmp_path / "v.txt"))
    SentenceTransformer(modules=[words, Pooling(2)]).save(str(tmp_path / "average"))
    encoder = SentenceEncoder(str(tmp_path / "average"))
    on_torch = on_reference(Resources({"encoder": encoder})).encoder
    for mine, theirs in zip(on_torch.answer(["red blue", "green"]), encoder.answer(["red blue", "green"]), strict=True):
        assert mine == pytest.approx(theirs)
