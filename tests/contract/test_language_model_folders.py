"""Masked language models from folders: what they propose, for three kinds of vocabulary, and what is refused."""

from __future__ import annotations

import json
import shutil

import pytest
import torch
from tiny_models import MASKED, save_masked
from tokenizers import Tokenizer, models
from transformers import (
    AutoModelForMaskedLM,
    AutoTokenizer,
    BertConfig,
    BertForMaskedLM,
    BertForTokenClassification,
    BertTokenizerFast,
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedTokenizerFast,
)

from benchmark.casing import cased_like
from benchmark.errors import BadInput, MissingResource
from benchmark.resources.language_models import Gap, LogProbability, Seen, language_model_named
from benchmark.resources.language_models.masked import masked_model_from_folder, masked_model_from_hub

CPU = torch.device("cpu")
TEXT = ("The", "bank", "said", "on", "Monday", "that", "the", "market", "was", "closed", ".")
EVERYTHING = 10_000
# What a whole word's entry in the vocabulary begins with, and the casing it is stored in.
MARK = {"wordpiece": "", "bpe": "Ġ", "unigram": "▁", "albert": "▁"}
UNCASED = {"wordpiece", "albert"}

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """One intact folder a family."""
    root = tmp_path_factory.mktemp("language-models")
    return {family: save_masked(root / family, family) for family in MASKED}


@pytest.fixture(scope="module")
def loaded(folders):
    return {family: masked_model_from_folder(str(folder), CPU) for family, folder in folders.items()}


@pytest.fixture(params=MASKED)
def family(request):
    return request.param


@pytest.fixture
def model(family, loaded):
    return loaded[family]


@pytest.fixture
def folder(folders, tmp_path):
    """A copy to spoil."""
    return shutil.copytree(folders["wordpiece"], tmp_path / "masked")


def all_proposals(model, text=TEXT):
    """Everything the model proposes at every place, hidden and visible."""
    gaps = [Gap(text, at, EVERYTHING, seen) for at in range(len(text)) for seen in Seen]
    return list(zip(gaps, model.answer(gaps), strict=True))


def refused(call, *arguments):
    with pytest.raises(BadInput) as told:
        call(*arguments)
    assert "\n" not in str(told.value)
    return str(told.value)


def refused_folder(folder):
    told = refused(masked_model_from_folder, str(folder), CPU)
    assert str(folder) in told
    return told


# --- proposals --------------------------------------------------------------------------------------------------------


def test_proposals_are_words_and_no_fragments(model, folders, family):
    tokenizer = AutoTokenizer.from_pretrained(folders[family], add_prefix_space=True)
    special = {text.lower() for text in tokenizer.all_special_tokens}
    for gap, proposals in all_proposals(model, ("the", "bank", "said", "12", "ships", ".")):
        assert len(proposals) > 25
        for word, _ in proposals:
            assert not set("#Ġ▁<>[]_") & set(word)
            assert word.lower() not in special
            assert word
            assert word == "".join(word.split())
            assert len(word) > 1 or word.isdigit() or word in set("aAiI")
            # One entry of the vocabulary, and one that begins a word.
            (pieces,) = tokenizer([[word]], is_split_into_words=True, add_special_tokens=False)["input_ids"]
            (entry,) = tokenizer.convert_ids_to_tokens(pieces)
            plain = "i" if family in UNCASED and word == "I" else word
            assert entry == MARK[family] + plain.replace("é", "Ã©" if family == "bpe" else "é")
        assert gap.tokens[gap.at] not in {word for word, _ in proposals}


def test_every_whole_word_of_the_vocabulary_can_be_proposed(model, folders, family):
    vocabulary = AutoTokenizer.from_pretrained(folders[family]).get_vocab()
    mark = MARK[family]
    expected = {piece[len(mark) :].lower() for piece in vocabulary if piece.startswith(mark)}
    expected = {word for word in expected if word.isascii() and word.isalpha() and len(word) > 1}
    (proposals,) = model.answer([Gap(("the", "zzz", "."), 1, EVERYTHING)])
    assert {"bank", "said", "storm", "closed", "club"} <= {word.lower() for word, _ in proposals}
    assert expected <= {word.lower() for word, _ in proposals}


def test_entries_that_only_continue_words_are_in_the_vocabularies_at_all(folders, family):
    """Or the test above shows nothing."""
    vocabulary = AutoTokenizer.from_pretrained(folders[family]).get_vocab()
    inner = [piece for piece in vocabulary if piece.startswith("##") or (MARK[family] and piece[0] != MARK[family])]
    assert len([piece for piece in inner if piece.strip("#").isalpha()]) > 20


@pytest.mark.parametrize(
    ("replaced", "as_expected"),
    [
        ("ferries", lambda word: True),
        ("Ferries", lambda word: word[:1] == word[:1].upper()),
        ("FERRIES", lambda word: word == word.upper()),
        ("F", lambda word: word[:1] == word[:1].upper()),
        ("12", lambda word: True),
    ],
)
def test_the_casing_of_the_replaced_word_is_restored(model, family, replaced, as_expected):
    (proposals,) = model.answer([Gap(("said", replaced, "."), 1, EVERYTHING)])
    words = [word for word, _ in proposals]
    assert len(words) > 25
    assert all(as_expected(word) for word in words)
    if family in UNCASED:
        assert all(word in {cased_like(word.lower(), replaced), "I"} for word in words)


def test_a_capital_initial_is_not_capitals_throughout(model, family):
    (proposals,) = model.answer([Gap(("Ferries", "said", "."), 0, EVERYTHING)])
    assert "Bank" in {word for word, _ in proposals}
    if family in UNCASED:
        assert not any(len(word) > 1 and word.isupper() for word, _ in proposals)


@pytest.mark.parametrize("replaced", ["bank", "Bank", "BANK", "closed", "12"])
def test_the_replaced_word_is_never_proposed_in_any_casing(model, replaced):
    text = ("the", replaced, "was", "closed", ".")
    for seen in Seen:
        (proposals,) = model.answer([Gap(text, 1, EVERYTHING, seen)])
        assert proposals
        assert replaced.lower() not in {word.lower() for word, _ in proposals}


def test_no_word_is_proposed_twice_and_the_likeliest_come_first(model):
    for _, proposals in all_proposals(model):
        words = [word.lower() for word, _ in proposals]
        assert len(set(words)) == len(words)
        probabilities = [probability for _, probability in proposals]
        assert probabilities == sorted(probabilities, reverse=True)
        assert all(0 < probability <= 1 for probability in probabilities)
        assert sum(probabilities) <= 1 + 1e-5


def test_k_proposals_are_the_first_k_of_all(model):
    everything = dict(all_proposals(model))
    for gap, proposals in everything.items():
        for k in (1, 3, 10):
            assert model.answer([gap._replace(k=k)]) == [proposals[:k]]
    assert model.answer([Gap(TEXT, 1, 0)]) == [()]


def by_hand(folder, text, at):
    """P(word) for all whole words at a hidden place, by plain transformers."""
    tokenizer = AutoTokenizer.from_pretrained(folder, add_prefix_space=True)
    plain = AutoModelForMaskedLM.from_pretrained(folder).eval()
    words = [tokenizer([[word]], is_split_into_words=True, add_special_tokens=False)["input_ids"][0] for word in text]
    words[at] = [tokenizer.mask_token_id]
    begin, end = tokenizer.cls_token_id, tokenizer.sep_token_id
    row = [begin, *(piece for word in words for piece in word), end]
    with torch.inference_mode():
        scores = plain(torch.tensor([row])).logits[0, row.index(tokenizer.mask_token_id)].softmax(-1)
    return tokenizer.get_vocab(), scores


@pytest.mark.parametrize("at", [0, 4, 10])
def test_probabilities_are_those_of_plain_transformers(model, folders, family, at):
    vocabulary, scores = by_hand(folders[family], tuple(word.lower() for word in TEXT), at)
    (proposals,) = model.answer([Gap(tuple(word.lower() for word in TEXT), at, 20)])
    expected = [float(scores[vocabulary[MARK[family] + word]]) for word, _ in proposals]
    assert [probability for _, probability in proposals] == pytest.approx(expected, rel=1e-4)


def test_a_visible_word_is_seen_where_it_is_one_piece(loaded):
    model = loaded["wordpiece"]
    one, many = ("the", "bank", "closed", "."), ("the", "unhappiest", "closed", ".")
    hidden, visible = model.answer([Gap(one, 1, 5), Gap(one, 1, 5, Seen.VISIBLE)])
    assert hidden != visible
    hidden, visible = model.answer([Gap(many, 1, 5), Gap(many, 1, 5, Seen.VISIBLE)])
    assert hidden == visible


def test_a_hidden_word_leaves_no_trace_but_its_casing(model):
    """Whether it is one piece or many, known or unknown."""
    answers = model.answer([Gap(("the", word, "was", "closed"), 1, 8) for word in ("zzz", "qqqqqqqq", "\U0001f600")])
    assert answers[0] == answers[1] == answers[2]


# --- what fits --------------------------------------------------------------------------------------------------------


def test_texts_that_fit_are_answered_and_longer_ones_are_told(model):
    longest = max(n for n in range(1, 60) if model.fits(("bank",) * n))
    assert longest == 48 - 2 - 1  # special pieces, and one word more
    text = ("bank",) * longest
    assert all(model.answer([Gap(text, longest - 1, 3), Gap((*text, "-"), len(text), 3), LogProbability(text)]))
    for question in (Gap(("bank",) * 47, 3, 3), LogProbability(("bank",) * 47)):
        told = refused(model.answer, [question])
        assert "49 pieces is too long" in told
        assert "48 at most" in told
    assert not model.fits(())


# --- what is refused --------------------------------------------------------------------------------------------------


def test_missing_folder(tmp_path):
    assert "no such model folder" in refused_folder(tmp_path / "nothing")


def test_missing_configuration(folder):
    (folder / "config.json").unlink()
    assert "has no config.json" in refused_folder(folder)


@pytest.mark.parametrize("content", ["{", "{}", "[]", '{"model_type": "nonesuch"}'])
def test_damaged_configuration(folder, content):
    (folder / "config.json").write_text(content, encoding="utf-8")
    refused_folder(folder)


@pytest.mark.parametrize("keep", [0, 5, 2000, -8])
def test_damaged_weights(folder, keep):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:keep])
    refused_folder(folder)


def test_pickled_weights_are_never_read_and_the_way_out_is_told(folder, monkeypatch):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("read a pickle"))
    told = refused_folder(folder)
    assert "pytorch_model.bin" in told
    assert "save_pretrained(" in told


def test_pickle_beside_safetensors_is_left_alone(folder, monkeypatch):
    (folder / "pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("read a pickle"))
    assert masked_model_from_folder(str(folder), CPU).answer([Gap(TEXT, 1, 3)])[0]


def test_missing_tokenizer(folder):
    for path in folder.iterdir():
        if path.name.startswith(("tokenizer", "vocab", "special_tokens")):
            path.unlink()
    assert "tokenizer" in refused_folder(folder)


def test_damaged_tokenizer(folder):
    (folder / "tokenizer.json").write_text("{", encoding="utf-8")
    refused_folder(folder)


def test_a_tagger_is_no_masked_model_and_gets_no_random_head(folder):
    BertForTokenClassification(BertConfig.from_pretrained(folder)).save_pretrained(folder)
    told = refused_folder(folder)
    assert "weights lack" in told


def test_a_causal_model_is_no_masked_model(folder):
    for path in folder.glob("*.safetensors"):
        path.unlink()
    GPT2LMHeadModel(GPT2Config(n_embd=8, n_layer=1, n_head=1, vocab_size=20)).save_pretrained(folder)
    refused_folder(folder)


def test_a_tokenizer_without_a_mask_is_refused(folder):
    own = Tokenizer(models.WordLevel({"[UNK]": 0, "bank": 1, "[PAD]": 2}, unk_token="[UNK]"))
    for path in folder.glob("tokenizer*"):
        path.unlink()
    PreTrainedTokenizerFast(tokenizer_object=own, unk_token="[UNK]", pad_token="[PAD]").save_pretrained(folder)
    record = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    record["tokenizer_class"] = "PreTrainedTokenizerFast"
    (folder / "tokenizer_config.json").write_text(json.dumps(record), encoding="utf-8")
    told = refused(masked_model_from_folder, str(folder), CPU)
    assert "path:masked has no mask token" in told


def test_a_vocabulary_without_whole_words_is_refused(tmp_path):
    pieces = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "##ank", "##s", "b", "c", ".", "-", "!")
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 8}
    BertForMaskedLM(BertConfig(vocab_size=len(pieces), **sizes)).save_pretrained(tmp_path / "debris")
    BertTokenizerFast(vocab={piece: k for k, piece in enumerate(pieces)}).save_pretrained(tmp_path / "debris")
    told = refused(masked_model_from_folder, str(tmp_path / "debris"), CPU)
    assert "path:debris holds no whole words" in told


# --- names ------------------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def nothing_remembered():
    language_model_named.cache_clear()


@pytest.mark.parametrize("name", ["", "bert", "path:", "hf:", "path", "spacy:x", "minilm-mlm:", "SMOLLM2"])
def test_an_unknown_name_is_refused_and_the_known_ones_are_told(name):
    told = refused(language_model_named, name, CPU)
    assert repr(name) in told
    for known in ("minilm-mlm", "smollm2", "path:FOLDER", "hf:"):
        assert known in told


def test_a_folder_by_name_is_loaded_once_and_named_without_its_place(folder):
    model = language_model_named(f"path:{folder}", CPU)
    assert model is language_model_named(f"path:{folder}", CPU)
    assert model.name == "path:masked"
    assert str(folder.parent) not in model.identity


def test_the_identity_follows_the_content_and_not_the_place(folders, folder):
    before = masked_model_from_folder(str(folder), CPU).identity
    elsewhere = shutil.copytree(folder, folder.parent / "other" / "masked")
    assert masked_model_from_folder(str(elsewhere), CPU).identity == before
    (folder / "README.md").write_text("beside the point", encoding="utf-8")
    assert masked_model_from_folder(str(folder), CPU).identity == before
    save_masked(folder, "wordpiece", seed=1)
    assert masked_model_from_folder(str(folder), CPU).identity != before


def test_a_hub_that_is_not_there_is_told_with_the_way_out():
    for call in (lambda: language_model_named("hf:nobody/nothing@main", CPU), lambda: masked_model_from_hub("a", CPU)):
        with pytest.raises(MissingResource, match=r"cannot be fetched.*path:FOLDER") as told:
            call()
        assert "\n" not in str(told.value)


def test_only_safetensors_are_fetched_of_the_revision_named(folders, monkeypatch):
    asked = {}

    def download(name, revision, allow_patterns):
        asked.update(name=name, revision=revision, patterns=allow_patterns)
        return str(folders["wordpiece"])

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    model = masked_model_from_hub("somebody/model@v2", CPU)
    assert model.name == "somebody/model@v2"
    assert (asked["name"], asked["revision"]) == ("somebody/model", "v2")
    assert not any(pattern.endswith((".bin", ".pt", ".pkl", "*")) for pattern in asked["patterns"] if "." in pattern)
    masked_model_from_hub("somebody/model", CPU)
    assert asked["revision"] is None
