"""From words to pieces, word by word; and rows of one shape."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest
import torch
from tiny_models import MASKED, SENTENCES, causal_tokenizer, save_masked
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoTokenizer, BertTokenizerFast, PreTrainedTokenizerFast

from benchmark import word_pieces
from benchmark.errors import BadInput
from benchmark.resources.language_models.whole_words import whole_words
from benchmark.word_pieces import LENGTH_STEP, WordPieces, fixed_shapes, positions, rows_of_one_shape


@pytest.fixture(scope="module")
def tokenizers(tmp_path_factory):
    root = tmp_path_factory.mktemp("tokenizers")
    found = {
        name: AutoTokenizer.from_pretrained(save_masked(root / name, name), add_prefix_space=True) for name in MASKED
    }
    return {**found, "gpt2": causal_tokenizer()}


@pytest.fixture(params=[*MASKED, "gpt2"])
def pieces(request, tokenizers):
    return WordPieces(tokenizers[request.param], request.param)


# --- pieces -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", SENTENCES[:6])
def test_a_row_is_what_the_tokenizer_makes_of_the_words(pieces, text):
    tokens = tuple(text.split())
    words = pieces.of(tokens)
    expected = pieces.tokenizer([list(tokens)], is_split_into_words=True)
    assert pieces.row(words) == expected["input_ids"][0]
    assert pieces.length(words) == len(pieces.row(words))
    places = expected.encodings[0].word_ids
    assert pieces.starts(words) == [places.index(k) for k in range(len(tokens))]


def test_special_pieces_stand_at_the_ends(tokenizers):
    found = {name: WordPieces(own, name) for name, own in tokenizers.items()}
    for name in MASKED:
        own = tokenizers[name]
        assert (found[name].prefix, found[name].suffix) == ([own.cls_token_id], [own.sep_token_id])
        assert found[name].overhead == 2
    assert (found["gpt2"].prefix, found["gpt2"].suffix, found["gpt2"].overhead) == ([], [], 0)


def test_a_word_has_the_same_pieces_wherever_it_stands(pieces):
    (alone,) = pieces.of(("market",))
    fresh = WordPieces(pieces.tokenizer, "fresh")
    assert fresh.of(("old", "market", "fees", "market"))[1::2] == [alone, alone]
    assert pieces.of(("market", "zzz", "market"))[0] == alone


@pytest.mark.parametrize("word", ["\u200b", "\x00", "\ufffd", "\u0301", "\xad"])
def test_a_word_that_normalises_to_nothing_is_a_piece_all_the_same(pieces, word):
    words = pieces.of(("old", word, "market"))
    assert all(words)
    assert all(isinstance(piece, int) for own in words for piece in own)
    assert len(pieces.starts(words)) == 3


def test_a_control_character_is_unknown_to_wordpiece(tokenizers):
    own = tokenizers["wordpiece"]
    assert WordPieces(own, "wordpiece").of(("\x00",)) == [(own.unk_token_id,)]


def test_no_words_are_no_pieces(pieces):
    assert pieces.of(()) == []
    assert pieces.row([]) == [*pieces.prefix, *pieces.suffix]
    assert pieces.starts([]) == []


def test_what_is_remembered_is_bounded_and_still_right(tokenizers, monkeypatch):
    own = WordPieces(tokenizers["wordpiece"], "wordpiece")
    expected = own.of(("old", "market", "fees", "harbour"))
    monkeypatch.setattr(word_pieces, "_REMEMBERED", 3)
    for k in range(50):
        assert own.of((f"word{k}", "old", "market", "fees", "harbour"))[1:] == expected
        assert len(own._pieces) <= 3 + 5


@pytest.mark.parametrize("inside", [False, True])
def test_a_byte_level_tokenizer_reads_words_as_they_stand_in_a_text(inside):
    """Also where its file says otherwise: not the "ness" of "weakness"."""
    vocabulary = {piece: k for k, piece in enumerate(["<unk>", "w", "n", "Ġ", "Ġw", "Ġn"])}
    backend = Tokenizer(models.BPE(vocabulary, [("Ġ", "w"), ("Ġ", "n")], unk_token="<unk>"))
    plain = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    digits = pre_tokenizers.Digits()
    backend.pre_tokenizer = pre_tokenizers.Sequence([digits, plain]) if inside else plain
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="<unk>", add_prefix_space=True)
    words = WordPieces(tokenizer, "bytes").of(("w", "n"))
    assert words == [(vocabulary["Ġw"],), (vocabulary["Ġn"],)]


def test_a_slow_tokenizer_is_refused():
    with pytest.raises(BadInput, match="tokenizer of slow is not a fast one"):
        WordPieces(SimpleNamespace(is_fast=False), "slow")


# --- whole words ------------------------------------------------------------------------------------------------------


def test_whole_words_cut_again_give_the_same_piece(pieces):
    words = whole_words(pieces)
    assert len(words) > 30
    for k, word in words.items():
        assert pieces.of((word,)) == [(k,)]
    assert len(set(words.values())) == len(words)
    assert not set(words) & set(pieces.tokenizer.all_special_ids)


def test_whole_words_are_words_or_numbers():
    """Asked of a tokenizer for which everything in its vocabulary is one piece."""
    good = ["bank", "Bank", "NATO", "don't", "well-known", "e.g", "12", "1996", "7", "2,000", "40%", "a", "I", "café"]
    bad = [
        "b",
        "Z",
        "é",
        "##ank",
        "-",
        ".",
        "'s",
        "can'",
        "-ing",
        "a_b",
        "x1",
        "1st",
        "%",
        "$3",
        "10-",
        "漢",
        "²",
        "[unused3]",
    ]
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]

    own = Tokenizer(models.WordLevel({word: k for k, word in enumerate([*special, *good, *bad])}, unk_token="[UNK]"))
    own.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = BertTokenizerFast(vocab={word: k for k, word in enumerate([*special, *good, *bad])})
    tokenizer._tokenizer.model = own.model
    tokenizer._tokenizer.normalizer = None
    tokenizer._tokenizer.pre_tokenizer = own.pre_tokenizer
    assert sorted(whole_words(WordPieces(tokenizer, "own")).values()) == sorted(good)


# --- shapes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [1, 3, 8])
def test_every_text_is_in_one_group_of_its_length(rows):
    lengths = [1, 7, 8, 9, 16, 17, 3, 8, 30, 29, 8, 8, 1]
    found = list(fixed_shapes(lengths, rows, 30))
    assert sorted(k for _, group in found for k in group) == list(range(len(lengths)))
    assert [length for length, _ in found] == sorted(length for length, _ in found)
    for length, group in found:
        assert 1 <= len(group) <= rows
        assert group == sorted(group)
        assert length == 30 or length % LENGTH_STEP == 0
        assert all(length - LENGTH_STEP < lengths[k] <= length for k in group)
    assert {length for length, _ in found} == {8, 16, 24, 30}  # not beyond what the model can read


def test_the_shape_of_a_text_does_not_depend_on_the_others():
    alone = {n: next(fixed_shapes([n], 8, 100))[0] for n in range(1, 101)}
    for length, group in fixed_shapes(list(range(1, 101)), 8, 100):
        assert all(alone[k + 1] == length for k in group)


def test_no_texts_are_no_groups():
    assert list(fixed_shapes([], 8, 100)) == []


def test_rows_are_filled_up_with_the_first_text_and_padding():
    ids, mask = rows_of_one_shape([[5, 6, 7], [8]], 4, 5, 9)
    assert ids.tolist() == [[5, 6, 7, 9, 9], [8, 9, 9, 9, 9], [5, 6, 7, 9, 9], [5, 6, 7, 9, 9]]
    assert mask.tolist() == [[1, 1, 1, 0, 0], [1, 0, 0, 0, 0], [1, 1, 1, 0, 0], [1, 1, 1, 0, 0]]
    assert ids.dtype == mask.dtype == torch.long


@pytest.mark.parametrize(
    ("kind", "table", "expected"),
    [
        ("bert", 512, 512),
        ("roberta", 514, 512),
        ("xlm-roberta", 514, 512),
        ("camembert", 514, 512),
        ("roberta-prelayernorm", 514, 512),
        ("mpnet", 514, 512),
        ("longformer", 4098, 4096),
        ("deberta-v2", 512, 512),
    ],
)
def test_how_many_pieces_a_model_can_read(kind, table, expected):
    """The tables of MPNet and Longformer start after the padding as RoBERTa's does."""
    assert positions(SimpleNamespace(model_type=kind, max_position_embeddings=table)) == expected


@pytest.mark.parametrize("config", [{}, {"max_position_embeddings": None}, {"max_position_embeddings": 0}])
def test_without_a_table_there_is_no_limit(config):
    assert positions(SimpleNamespace(model_type="t5", **config)) == sys.maxsize
