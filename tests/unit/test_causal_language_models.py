"""Causal language models: log-probabilities, and words for a gap by what suits the whole text."""

from __future__ import annotations

import math
import random

import pytest
import torch
from tiny_models import CAUSAL, TEXTS, causal, watched

from benchmark.casing import cased_like
from benchmark.errors import BadInput
from benchmark.resources.language_models import Gap, LogProbability, Seen
from benchmark.resources.language_models import causal as causal_module
from benchmark.resources.language_models.causal import CausalLanguageModel

CPU = torch.device("cpu")

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(params=CAUSAL)
def drafting(request, models):
    return models[request.param]


# --- log-probability --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tokens", TEXTS)
@pytest.mark.parametrize("family", CAUSAL)
def test_causal_log_probability_is_that_of_plain_transformers(models, family, tokens):
    plain, tokenizer = causal(family, 64)
    assert models[family].answer([LogProbability(tokens)])[0] == pytest.approx(sum_of_logs(plain, tokenizer, tokens))


def sum_of_logs(plain, tokenizer, tokens):
    """Natural logarithm of P(text | beginning of a text)."""
    words = [tokenizer([[word]], is_split_into_words=True)["input_ids"][0] for word in tokens]
    row = [tokenizer.bos_token_id, *(piece for word in words for piece in word)]
    with torch.inference_mode():
        scores = plain(torch.tensor([row])).logits[0].log_softmax(-1)
    return sum(float(scores[at - 1, row[at]]) for at in range(1, len(row)))


def test_a_beginning_whose_number_is_0_is_a_beginning():
    """Number 0 must not be taken for none."""
    plain, tokenizer = causal("llama", 64, reserved=False)
    assert tokenizer.bos_token_id == 0
    model = CausalLanguageModel(plain, tokenizer, "llama", "tiny", CPU)
    expected = sum_of_logs(plain, tokenizer, TEXTS[0])
    assert model.answer([LogProbability(TEXTS[0])])[0] == pytest.approx(expected)


# --- the causal infiller ----------------------------------------------------------------------------------------------


def drafts_by_hand(plain, tokenizer, tokens, at, many):
    """The words after the left side, by P(word | left), and for each the logarithm of P(whole text)."""
    vocabulary = tokenizer.get_vocab()
    decoded = {k: tokenizer.decode([k]) for k in vocabulary.values()}
    words = {k: text[1:] for k, text in decoded.items() if text[:1] == " " and text[1:].isalnum() and text.strip()}
    words = {k: word for k, word in words.items() if len(word) > 1 or word.isdigit() or word in set("aAiI")}
    left = [
        tokenizer.bos_token_id,
        *(k for word in tokens[:at] for k in tokenizer([[word]], is_split_into_words=True)["input_ids"][0]),
    ]
    with torch.inference_mode():
        scores = plain(torch.tensor([left])).logits[0, -1].log_softmax(-1)
    drafts = sorted(words, key=lambda k: -float(scores[k]))[:many]
    texts = [(*tokens[:at], cased_like(words[k], tokens[at]), *tokens[at + 1 :]) for k in drafts]
    return [words[k] for k in drafts], [sum_of_logs(plain, tokenizer, text) for text in texts]


@pytest.mark.parametrize(
    ("at", "many", "there"), [(0, 192, "the"), (1, 48, "bank"), (2, 48, "SAID"), (5, 48, "that"), (10, 48, ".")]
)
def test_causal_proposals_are_the_drafts_that_suit_the_whole_text_best(drafting, at, many, there):
    """In capitals words fall together and have several pieces."""
    plain, tokenizer = causal(drafting.name, 64)
    tokens = ("the", "bank", "said", "on", "monday", "that", "the", "market", "was", "closed", ".")
    tokens = (*tokens[:at], there, *tokens[at + 1 :])
    words, scores = drafts_by_hand(plain, tokenizer, tokens, at, many)
    ranked = sorted(zip(words, scores, strict=True), key=lambda pair: -pair[1])
    total = sum(math.exp(score) for score in scores)
    expected, known = [], {there.lower()}
    for word, score in ranked:
        if word.lower() not in known:
            known.add(word.lower())
            expected.append((cased_like(word, there), math.exp(score) / total))
    (proposals,) = drafting.answer([Gap(tokens, at, 12)])
    assert [word for word, _ in proposals] == [word for word, _ in expected[:12]]
    assert [p for _, p in proposals] == pytest.approx([p for _, p in expected[:12]], rel=1e-4)


@pytest.fixture
def shapes(drafting, monkeypatch):
    return watched(monkeypatch, drafting, "_encode")


def test_a_text_is_read_once_and_for_each_word_only_the_word_and_what_is_right_of_it(drafting, shapes):
    text = ("the", "bank", "said", "on", "monday", "that", "the", "market", "was", "closed", ".")
    pieces = [len(word) for word in drafting._pieces.of(text)]
    drafting.answer([Gap(text, at, 5) for at in (1, 5, 9)])
    text_itself, *words = shapes["encoder"]
    assert text_itself == (1, 1 + sum(pieces[:10]))
    assert len(words) == 3
    longest = max(len(drafting._pieces.of((word,))[0]) for word in drafting._words.values())
    for at, (rows, length) in zip((1, 5, 9), words, strict=True):
        assert 0 < rows <= 48
        right = sum(pieces[at + 1 :])
        assert right <= length < right + longest  # the last piece is only asked for
    assert set(shapes["head"]) == {1, 128}
    assert len(shapes["head"]) <= 3 + sum(-(-rows * length // 128) for rows, length in words)


def test_a_gap_is_filled_once_however_often_it_is_asked_for(drafting, shapes):
    gap = Gap(TEXTS[0], 4, 5)
    drafting.answer([gap])
    once = len(shapes["encoder"])
    drafting.answer([gap, gap._replace(k=9), gap._replace(seen=Seen.VISIBLE), gap])
    assert len(shapes["encoder"]) == 2 * once


def test_equal_texts_are_judged_once(drafting, shapes):
    drafting.answer([LogProbability(TEXTS[0])] * 20)
    assert len(shapes["encoder"]) == 1


def test_long_texts_are_filled_in_forwards_that_are_not_too_large(drafting, shapes, monkeypatch):
    gaps = [Gap(TEXTS[4], at, 9) for at in (0, 7)]
    expected = drafting.answer(gaps)
    before = len(shapes["encoder"])
    monkeypatch.setattr(causal_module, "_PIECES", 100)
    for found, wanted in zip(drafting.answer(gaps), expected, strict=True):
        assert [word for word, _ in found] == [word for word, _ in wanted]
        assert [p for _, p in found] == pytest.approx([p for _, p in wanted], rel=1e-4)
    small = shapes["encoder"][before:]
    assert len(small) > 2 * before
    assert all(rows * length <= 100 for rows, length in small)
    assert all(rows in {1, 128} for rows in shapes["head"])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("family", CAUSAL)
def test_a_gap_does_not_depend_on_the_other_gaps_of_its_text(family, dtype):
    """To the last bit, though they share what the network remembers of the text."""
    plain, tokenizer = causal(family, 64)
    model = CausalLanguageModel(plain.to(dtype), tokenizer, family, "tiny", CPU)
    gaps = [Gap(tokens, at, 7) for tokens in (TEXTS[0], TEXTS[2], TEXTS[4]) for at in range(1, len(tokens), 3)]
    alone = {gap: model.answer([gap])[0] for gap in gaps}
    shuffled = random.Random(2).sample(gaps, len(gaps))
    assert dict(zip(shuffled, model.answer(shuffled), strict=True)) == alone
    assert dict(zip(gaps[1::2], model.answer(gaps[1::2]), strict=True)) == {gap: alone[gap] for gap in gaps[1::2]}


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("family", CAUSAL)
def test_the_probability_of_a_text_does_not_depend_on_the_other_texts(family, dtype):
    plain, tokenizer = causal(family, 64)
    model = CausalLanguageModel(plain.to(dtype), tokenizer, family, "tiny", CPU)
    texts = [LogProbability(tokens[:many]) for tokens in TEXTS for many in range(1, len(tokens) + 1)]
    alone = {text: model.answer([text])[0] for text in texts}
    for few in (texts, texts[3::4], random.Random(3).sample(texts, len(texts))):
        assert dict(zip(few, model.answer(few), strict=True)) == {text: alone[text] for text in few}


@pytest.mark.parametrize("replaced", ["bank", "Bank", "BANK"])
def test_causal_proposals_are_whole_words_in_casing_without_doubles(drafting, replaced):
    for at in (0, 2):
        text = [*["the", "old", "the", "market", "."]]
        text[at] = replaced
        (proposals,) = drafting.answer([Gap(tuple(text), at, 500)])
        words = [word for word, _ in proposals]
        assert len(words) > 25
        assert len({word.lower() for word in words}) == len(words)
        assert replaced.lower() not in {word.lower() for word in words}
        assert all(word == cased_like(word, replaced) for word in words)
        assert not any(set("Ġ <>|_") & set(word) for word in words)
        assert all(len(word) > 1 or word.isdigit() or word in set("aAiI") for word in words)
        probabilities = [probability for _, probability in proposals]
        assert probabilities == sorted(probabilities, reverse=True)
        assert all(0 < probability <= 1 for probability in probabilities)


def test_what_stands_right_of_the_gap_matters(drafting):
    one, other = drafting.answer([Gap(("the", "bank", "closed"), 1, 5), Gap(("the", "bank", "harbour"), 1, 5)])
    assert one != other


def test_a_causal_model_does_not_look_at_the_word_it_replaces(drafting):
    hidden, visible, other = drafting.answer(
        [Gap(("the", "zzz", "."), 1, 5), Gap(("the", "zzz", "."), 1, 5, Seen.VISIBLE), Gap(("the", "qqq", "."), 1, 5)]
    )
    assert hidden == visible == other


def test_causal_texts_that_fit_are_answered_and_longer_ones_are_told():
    model = CausalLanguageModel(*causal("llama", 16), "llama", "tiny", CPU)
    assert model.fits(("bank",) * 14)
    assert not model.fits(("bank",) * 15)
    assert not model.fits(())
    assert all(model.answer([Gap(("bank",) * 14, 3, 2), LogProbability(("bank",) * 14)]))
    for question in (Gap(("bank",) * 16, 3, 2), LogProbability(("bank",) * 16)):
        with pytest.raises(BadInput, match=r"17 pieces is too long for llama \(16 at most"):
            model.answer([question])


def test_a_text_that_fits_is_filled_though_the_drafts_in_capitals_have_more_pieces():
    model = CausalLanguageModel(*causal("llama", 16), "llama", "tiny", CPU)
    text = (*("bank",) * 13, "THE")
    assert model.fits(text)
    assert model.answer([Gap(text, 13, 3)])[0]
