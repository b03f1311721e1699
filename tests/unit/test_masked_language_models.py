"""Masked language models: enough words, ties, what goes through the network, and log-probabilities."""

from __future__ import annotations

import pytest
import torch
from tiny_models import MASKED, TEXTS, save_masked, watched
from transformers import AutoModelForMaskedLM, BertConfig, BertForMaskedLM, BertTokenizerFast

from benchmark.resources.language_models import Gap, LogProbability
from benchmark.resources.language_models.masked import MaskedLanguageModel

CPU = torch.device("cpu")

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(params=MASKED)
def masked(request, models):
    return models[request.param]


def cased_twins(ranks=12):
    """A model that knows every word in three casings, all three equally likely, and twelve words in all."""
    words = ["red", "blue", "green", "market", "harbour", "storm", "ferry", "fish", "boats", "price", "bank", "club"][
        :ranks
    ]
    casings = [cased for word in words for cased in (word, word.title(), word.upper())]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", *casings]
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 16}
    torch.manual_seed(0)
    plain = BertForMaskedLM(BertConfig(vocab_size=len(pieces), **sizes))
    with torch.no_grad():
        table = plain.bert.embeddings.word_embeddings.weight
        table.normal_()
        for k in range(6, len(pieces), 3):
            table[k : k + 3] = table[k]
    tokenizer = BertTokenizerFast(vocab={piece: k for k, piece in enumerate(pieces)}, do_lower_case=False)
    return MaskedLanguageModel(plain, tokenizer, "twins", "0" * 64, CPU), words


def test_as_many_words_are_proposed_as_were_asked_for_though_casings_fall_together():
    model, words = cased_twins()
    (proposals,) = model.answer([Gap(("the", "red", "the"), 1, 10)])
    assert len(proposals) == 10
    assert {word.lower() for word, _ in proposals} <= {*words, "the"}


def test_words_that_fall_together_do_not_make_an_answer_depend_on_its_neighbours():
    model, _ = cased_twins()
    gap = Gap(("the", "red", "the"), 1, 8)
    assert model.answer([gap, gap._replace(k=60)])[0] == model.answer([gap])[0]


def equally_likely():
    """A model that finds all its words equally likely."""
    words = [f"{a}{b}{c}" for a in "bcdfg" for b in "aeiou" for c in "klmnp"]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words]
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 16}
    plain = BertForMaskedLM(BertConfig(vocab_size=len(pieces), **sizes))
    with torch.no_grad():
        plain.bert.embeddings.word_embeddings.weight[5:] = 0.0
    tokenizer = BertTokenizerFast(vocab={piece: k for k, piece in enumerate(pieces)})
    return MaskedLanguageModel(plain, tokenizer, "even", "0" * 64, CPU)


def test_among_equally_likely_words_the_choice_does_not_depend_on_the_neighbours():
    model = equally_likely()
    text = ("bak", "bal", "bam")
    alone = model.answer([Gap(text, 1, 5)])[0]
    assert len({probability for _, probability in alone}) == 1
    for k in (1, 6, 20, 60, 110):
        assert model.answer([Gap(text, 1, 5), Gap(text, 0, k)])[0] == alone
    assert model.answer([Gap(text, 1, 90)])[0][:5] == alone


@pytest.fixture
def masked_shapes(masked, monkeypatch):
    return watched(monkeypatch, masked, "_encode")


def test_the_head_sees_each_place_once_and_full_blocks(masked, masked_shapes):
    gaps = [Gap(TEXTS[4], at, k) for k in (3, 9) for at in range(20)]
    together = masked.answer(gaps)
    assert masked_shapes["head"] == [32]
    forwards = len(masked_shapes["encoder"])
    masked.answer(gaps[:20])
    assert len(masked_shapes["encoder"]) == 2 * forwards
    assert [words[:3] for words in together[20:]] == together[:20]


def test_the_head_sees_the_pieces_of_a_judged_text_in_full_blocks(masked, masked_shapes):
    masked.answer([LogProbability(TEXTS[4])])
    texts = len(masked._pieces.row(masked._pieces.of(TEXTS[4]))) - masked._pieces.overhead
    assert len(masked_shapes["encoder"]) == -(-texts // 8)
    assert masked_shapes["head"] == [32] * -(-texts // 32)


@pytest.mark.parametrize("tokens", TEXTS)
def test_pseudo_log_likelihood_is_that_of_plain_transformers(tmp_path_factory, masked, tokens):
    tokenizer = masked._pieces.tokenizer
    folder = tmp_path_factory.mktemp("plain") / "model"
    plain = AutoModelForMaskedLM.from_pretrained(save_masked(folder, masked.name.removeprefix("path:"), 64)).eval()
    row = tokenizer([list(tokens)], is_split_into_words=True)["input_ids"][0]
    expected = 0.0
    for at in range(1, len(row) - 1):
        hidden = [*row[:at], tokenizer.mask_token_id, *row[at + 1 :]]
        with torch.inference_mode():
            expected += float(plain(torch.tensor([hidden])).logits[0, at].log_softmax(-1)[row[at]])
    assert masked.answer([LogProbability(tokens)])[0] == pytest.approx(expected, rel=1e-4)
    assert expected < 0
