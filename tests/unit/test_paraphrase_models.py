"""Sequence-to-sequence paraphrasers: loading, placeholders, refusals. What random weights say is rubbish."""

from __future__ import annotations

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    PreTrainedTokenizerFast,
    T5Config,
    T5ForConditionalGeneration,
)

from benchmark.errors import BadInput, MissingResource
from benchmark.resources.paraphrasing import Question, paraphraser_named
from benchmark.resources.paraphrasing.seq2seq import Seq2SeqParaphraser, put_back, with_placeholders
from benchmark.types import Span

CPU = torch.device("cpu")
WORDS = [
    "<pad>",
    "</s>",
    "<unk>",
    "X00",
    "X01",
    *["ana", "left", "the", "old", "town", "on", "friday", "yesterday", ".", ",", "by"],
]
QUESTION = Question(
    ("The", "UN", "envoy", "Ana", "Ruiz", "did", "n't", "leave", "Chad", "."), (Span(3, 5, "PER"), Span(8, 9, "LOC"))
)


def save(folder, family, *, safe=True):
    vocabulary = Tokenizer(models.WordLevel({word: k for k, word in enumerate(WORDS)}, unk_token="<unk>"))
    vocabulary.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=vocabulary, unk_token="<unk>", pad_token="<pad>", eos_token="</s>", model_max_length=64
    )
    torch.manual_seed(0)
    shared = {"vocab_size": len(WORDS), "pad_token_id": 0, "eos_token_id": 1, "decoder_start_token_id": 0}
    if family == "t5":
        model = T5ForConditionalGeneration(T5Config(d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2, **shared))
    else:
        sizes = {f"{side}_{what}": n for side in ("encoder", "decoder") for what, n in _SIZES.items()}
        model = BartForConditionalGeneration(
            BartConfig(d_model=16, max_position_embeddings=96, bos_token_id=0, forced_eos_token_id=1, **sizes, **shared)
        )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    if not safe:
        torch.save(model.state_dict(), folder / "pytorch_model.bin")
        (folder / "model.safetensors").unlink()
    return folder


_SIZES = {"layers": 1, "attention_heads": 2, "ffn_dim": 16}


@pytest.fixture(scope="module", params=["t5", "bart"])
def folder(request, tmp_path_factory):
    return save(tmp_path_factory.mktemp(request.param), request.param)


def test_a_folder_is_a_paraphraser_whose_answers_do_not_depend_on_neighbours(folder):
    paraphraser = paraphraser_named(f"path:{folder}", CPU)
    other = Question(("Chad", "won", "."), (Span(0, 1, "LOC"),))
    together = paraphraser.answer([QUESTION, other])
    assert together == [paraphraser.answer([QUESTION])[0], paraphraser.answer([other])[0]]
    assert folder.name in paraphraser.identity
    assert len(paraphraser.generate("ana left the town .")) == 10


def test_a_text_too_long_for_the_model_has_no_paraphrase(folder):
    assert paraphraser_named(f"path:{folder}", CPU).generate("town " * 70) == []


def test_the_weights_are_in_the_identity(folder, tmp_path):
    again = save(tmp_path, "t5")
    (again / "generation_config.json").write_text("{}")
    assert paraphraser_named(f"path:{again}", CPU).identity != paraphraser_named(f"path:{folder}", CPU).identity


def test_pickles_and_missing_folders_are_refused_in_one_line(tmp_path):
    folder = save(tmp_path / "pickled", "t5", safe=False)
    for name, message in [(folder, "pickled"), (tmp_path / "nowhere", "no such model folder")]:
        with pytest.raises(BadInput, match=message) as error:
            paraphraser_named(f"path:{name}", CPU)
        assert "\n" not in str(error.value)


def test_a_model_without_a_decoder_is_refused(tmp_path):
    folder = save(tmp_path / "damaged", "t5")
    (folder / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(BadInput, match="sequence-to-sequence"):
        paraphraser_named(f"path:{folder}", CPU)


def test_the_hub_out_of_reach_is_told(monkeypatch):
    def fail(*args, **kwargs):
        raise OSError("offline")

    monkeypatch.setattr("huggingface_hub.snapshot_download", fail)
    with pytest.raises(MissingResource, match="path:FOLDER"):
        paraphraser_named("hf:nobody/nothing", CPU)


# --- placeholders -----------------------------------------------------------------------------------------------------


def test_mentions_are_hidden_behind_placeholders():
    assert with_placeholders(QUESTION) == "The UN envoy X00 didn't leave X01."


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("the un envoy x00", None),
        ("X01 was not left by the un envoy X00.", "Chad was not left by the UN envoy Ana Ruiz ."),
        ("The UN envoy X 00 did n't leave X0 1.", "The UN envoy Ana Ruiz did n't leave Chad ."),
        ("That's X00, who didn't leave X01!", "That 's Ana Ruiz , who did n't leave Chad !"),
        ("envoy envoy X00 left X01", "Envoy Ana Ruiz left Chad"),
        ("X00 left.", None),
        ("X00 and X00 left X01.", None),
        ("X00 and X02 left X01.", None),
        ("X000 left X01.", None),
    ],
)
def test_placeholders_must_come_back_once_each(said, expected):
    found = put_back(QUESTION, said)
    assert (found and " ".join(found.tokens)) == expected
    if found is not None:
        for old, new in zip(QUESTION.mentions, found.spans, strict=True):
            assert QUESTION.tokens[old.start : old.end] == found.tokens[new.start : new.end]


@pytest.fixture
def scripted(folder, monkeypatch):
    """A paraphraser that says what it is told to."""
    monkeypatch.setattr(
        Seq2SeqParaphraser,
        "generate",
        lambda self, text: ["X00 left X01 .", "X01 X01 X00", text.removeprefix("paraphrase: "), "x00 left x01 .", ""],
    )
    return paraphraser_named(f"path:{folder}", CPU)


def test_only_beams_with_every_mention_are_paraphrases(scripted):
    (found,) = scripted.answer([QUESTION])
    assert [" ".join(paraphrase.tokens) for paraphrase in found] == ["Ana Ruiz left Chad ."]
    assert found[0].spans == (Span(0, 2, "PER"), Span(3, 4, "LOC"))


def test_a_text_with_something_like_a_placeholder_has_no_paraphrase(scripted):
    assert scripted.answer(
        [Question(("Ana", "met", "X01", "in", "Chad", "."), (Span(0, 1, "PER"), Span(4, 5, "LOC")))]
    ) == [()]
