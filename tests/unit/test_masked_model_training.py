"""Training of the masked language model, on little text: resumable to the last bit; and the text it is trained on."""

from __future__ import annotations

import json
import random
import warnings
from dataclasses import asdict

import pytest
import torch
from safetensors.torch import load_file, save_file

from benchmark.errors import BadInput, CannotSave, CorruptResult
from benchmark.resources.language_models import Gap, training, writing
from benchmark.resources.language_models.masked import masked_model_from_folder
from benchmark.resources.language_models.open_text import read_texts
from benchmark.resources.language_models.training import (
    MaskedModelRecipe,
    train_masked_model,
    with_masked_model_adapter,
)
from benchmark.resources.language_models.writing import write_text

CPU = torch.device("cpu")
RECIPE = MaskedModelRecipe(steps=6, batch_size=10, chunk=16, rank=2)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Little is held out, and checkpoints are frequent: 36 chunks are four steps an epoch."""
    monkeypatch.setattr(training, "_HELD_OUT", 4)
    monkeypatch.setattr(training, "_CHECKPOINT_EVERY", 2)


@pytest.fixture(scope="module")
def texts():
    """Forty sentences of a small grammar."""
    rng = random.Random(7)
    people, verbs = ["the bank", "an old minister", "her club", "a striker"], ["sold", "raised", "lost", "wanted"]
    things = ["fish", "the market", "twelve boats", "new money"]
    places = ["in the harbour", "on monday", "before the storm"]
    return [" ".join(rng.choice(part) for part in (people, verbs, things, places)) + "." for _ in range(40)]


def train(folder, texts, recipe=RECIPE, until=None):
    """Train; with `until`, break off after that step."""

    def report(stage, step, steps):
        if step == until:
            raise KeyboardInterrupt

    return train_masked_model(recipe, texts, ["a small grammar (CC0)"], folder, CPU, report)


@pytest.fixture(scope="module")
def trained(texts, tmp_path_factory):
    """Trained without a break; the folder and the card."""
    folder = tmp_path_factory.mktemp("trained") / "uninterrupted"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "_HELD_OUT", 4)
        patch.setattr(training, "_CHECKPOINT_EVERY", 2)
        return folder, train(folder, texts)


@pytest.fixture(scope="module")
def resumed(texts, tmp_path_factory):
    """Broken off between two checkpoints, and again in the second epoch; the folder and the card."""
    folder = tmp_path_factory.mktemp("trained") / "resumed"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "_HELD_OUT", 4)
        patch.setattr(training, "_CHECKPOINT_EVERY", 2)
        for until in (3, 5):
            with pytest.raises(KeyboardInterrupt), warnings.catch_warnings(action="ignore"):
                train(folder, texts, until=until)
        assert [path.name for path in folder.iterdir()] == ["checkpoint.safetensors"]
        with warnings.catch_warnings(action="ignore"):
            return folder, train(folder, texts)


def tensors(folder):
    return load_file(folder / "adapter_model.safetensors")


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


# --- training ---------------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_weights(trained, texts, tmp_path):
    folder, card = trained
    assert train(tmp_path / "again", texts) == card
    assert same(tensors(tmp_path / "again"), tensors(folder))


def test_an_interrupted_training_ends_in_the_same_weights(trained, resumed):
    assert same(tensors(resumed[0]), tensors(trained[0]))


def test_an_interrupted_training_ends_with_the_same_card(trained, resumed):
    """The loss that the card tells is an average over steps; those before the break belong to it."""
    assert resumed[1] == trained[1]


def test_going_on_warns_of_nothing(texts, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, texts, until=4)
    with warnings.catch_warnings(action="error", category=UserWarning):
        train(tmp_path, texts)


def test_another_seed_gives_other_weights(trained, texts, tmp_path):
    train(tmp_path / "other", texts, MaskedModelRecipe(**{**asdict(RECIPE), "seed": 1, "steps": 2}))
    assert not same(tensors(tmp_path / "other"), tensors(trained[0]))


def test_the_card_tells_recipe_sources_and_course(trained):
    folder, card = trained
    assert json.loads((folder / "recipe.json").read_text(encoding="utf-8")) == card
    assert card["recipe"] == asdict(RECIPE)
    assert card["sources"] == ["a small grammar (CC0)"]
    assert [entry["step"] for entry in card["history"]] == [2, 4, 6]
    assert all(0 <= entry["held_out_accuracy"] <= 1 and entry["loss"] > 0 for entry in card["history"])
    assert card["pieces"] > 36 * 5  # of the 36 chunks that are not held out


def test_adapter_and_card_are_left_and_nothing_is_pickled(trained):
    folder, _ = trained
    assert {path.name for path in folder.iterdir()} == {"adapter_model.safetensors", "recipe.json"}
    assert {tensor.dtype for tensor in tensors(folder).values()} == {torch.float16}
    assert (folder / "adapter_model.safetensors").stat().st_size < 3_000_000


def test_only_head_and_low_rank_updates_are_trained(trained):
    names = set(tensors(trained[0]))
    assert all("lora_" in name or "cls.predictions" in name for name in names)
    assert not any("embeddings" in name or "decoder.weight" in name for name in names)
    assert len({name for name in names if "lora_A" in name}) == 6 * 6  # six linear maps a layer, six layers


def test_training_changes_every_update(trained):
    assert all(tensor.abs().sum() > 0 for name, tensor in tensors(trained[0]).items() if "lora_B" in name)


def test_the_written_adapter_is_a_language_model(trained):
    folder, _ = trained
    model = masked_model_from_folder(str(folder), CPU)
    assert model.name == f"path:{folder.name}"
    (proposals,) = model.answer([Gap(("the", "bank", "sold", "fish", "."), 3, 20)])
    assert len(proposals) == 20
    assert all(word.isascii() and "#" not in word for word, _ in proposals)


def test_the_adapter_is_merged_into_a_plain_encoder(trained):
    model = with_masked_model_adapter(trained[0])
    assert type(model).__name__ == "BertForMaskedLM"
    assert not [name for name, _ in model.named_parameters() if "lora" in name]


@pytest.mark.parametrize(
    "spoil", ["weights cut", "weights empty", "no weights", "no card", "card {", "card []", "rank"]
)
def test_a_damaged_adapter_is_refused_in_one_line(trained, tmp_path, spoil):
    folder = tmp_path / "damaged"
    folder.mkdir()
    for name in ("recipe.json", "adapter_model.safetensors"):
        (folder / name).write_bytes((trained[0] / name).read_bytes())
    weights, card = folder / "adapter_model.safetensors", folder / "recipe.json"
    if spoil.startswith("weights"):
        weights.write_bytes(weights.read_bytes()[: 500 if spoil.endswith("cut") else 0])
    elif spoil == "no weights":
        weights.unlink()
    elif spoil == "no card":
        card.unlink()
    elif spoil == "rank":
        card.write_text(card.read_text(encoding="utf-8").replace('"rank": 2', '"rank": 3'), encoding="utf-8")
    else:
        card.write_text(spoil.removeprefix("card "), encoding="utf-8")
    with pytest.raises(BadInput) as refused:
        with_masked_model_adapter(folder)
    assert str(folder) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_an_adapter_of_a_tagger_is_no_language_model(trained, tmp_path):
    folder = tmp_path / "tagger"
    folder.mkdir()
    (folder / "recipe.json").write_text('{"recipe": {"rank": 2}}', encoding="utf-8")
    save_file({"classifier.weight": torch.zeros(2)}, folder / "adapter_model.safetensors")
    with pytest.raises(BadInput, match="does not fit the recipe"):
        masked_model_from_folder(str(folder), CPU)


def test_a_checkpoint_of_another_recipe_is_refused(texts, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, texts, until=2)
    before = (tmp_path / "checkpoint.safetensors").read_bytes()
    with pytest.raises(CorruptResult, match="belongs to another recipe"):
        train(tmp_path, texts, MaskedModelRecipe(**{**asdict(RECIPE), "learning_rate": 1e-4}))
    assert (tmp_path / "checkpoint.safetensors").read_bytes() == before


def test_a_checkpoint_of_other_text_is_refused(texts, tmp_path):
    """Or a model is trained on text that its card does not name."""
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, texts, until=2)
    with warnings.catch_warnings(action="ignore"), pytest.raises(CorruptResult):
        train(tmp_path, [text.replace("bank", "court") for text in texts])


@pytest.mark.parametrize("texts", [[], ["The bank sold fish."] * 39, ["no"] * 500])
def test_too_little_text_is_refused(texts, tmp_path):
    with pytest.raises(BadInput, match="too few"):
        train(tmp_path / "out", texts)
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_made_is_told(texts, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotSave, match="cannot make"):
        train(tmp_path / "file" / "out", texts, MaskedModelRecipe(steps=1, batch_size=2, chunk=16, rank=2))


# --- chunks and masks -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tokenizer():
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(training.minilm_folder())


def test_chunks_are_cut_between_words_and_nothing_is_lost(tokenizer):
    text = "the old harbourmaster sold twelve unseaworthy boats before the storm came back " * 4
    chunks = training._chunks([text], tokenizer, 16)
    assert all(len(chunk.pieces) <= 16 for chunk in chunks)
    inner = [piece for chunk in chunks for piece in chunk.pieces[1:-1]]
    assert inner == tokenizer(text, add_special_tokens=False)["input_ids"]
    for pieces, whole in chunks:
        assert (pieces[0], pieces[-1]) == (tokenizer.cls_token_id, tokenizer.sep_token_id)
        names = tokenizer.convert_ids_to_tokens(list(pieces))
        assert not names[1].startswith("##")
        expected = [k for k in range(1, len(names) - 1) if not {names[k][:2], names[k + 1][:2]} & {"##"}]
        assert list(whole) == expected


def test_batches_hold_every_chunk_once_an_epoch_and_go_on_anywhere():
    chunks = [training._Chunk((101, *range(2000 + k, 2005 + k), 102), (1, 2, 3, 4)) for k in range(23)]
    recipe = MaskedModelRecipe(batch_size=4)

    def first(start, n):
        found = training._batches(chunks, recipe, start)
        return [next(found) for _ in range(n)]

    whole = first(0, 18)
    for epoch in range(3):
        assert sorted(chunk for batch in whole[6 * epoch : 6 * epoch + 6] for chunk in batch) == sorted(chunks)
    assert whole[:6] != whole[6:12]
    for start in (1, 5, 6, 7, 13):
        assert first(start, 5) == whole[start : start + 5]


def test_only_whole_words_are_hidden_and_content_words_more_often(tokenizer):
    text = "the striker of the town sold fish on a boat " * 5
    chunks = training._chunks([text] * 60, tokenizer, 64)
    function_words = training._function_pieces(tokenizer)
    recipe = MaskedModelRecipe()
    ids, wanted = training._masked(chunks, recipe, function_words, tokenizer, random.Random(0))
    chosen = wanted != -100
    plain = torch.full_like(ids, tokenizer.pad_token_id)
    for row, chunk in enumerate(chunks):
        plain[row, : len(chunk.pieces)] = torch.tensor(chunk.pieces)
        assert set(chosen[row].nonzero().flatten().tolist()) <= set(chunk.whole)
    assert torch.equal(wanted[chosen], plain[chosen])
    assert torch.equal(ids[~chosen], plain[~chosen])
    functional = torch.isin(plain, torch.tensor(sorted(function_words)))
    real = ~torch.isin(plain, torch.tensor([tokenizer.pad_token_id, tokenizer.cls_token_id, tokenizer.sep_token_id]))
    assert 0.05 < float(chosen[functional & real].float().mean()) < 0.11
    assert 0.21 < float(chosen[~functional & real].float().mean()) < 0.29
    assert 0.72 < float((ids[chosen] == tokenizer.mask_token_id).float().mean()) < 0.88


# --- reading text -----------------------------------------------------------------------------------------------------


def test_plain_text_is_a_text_a_line_and_scraps_are_left_out(tmp_path):
    (tmp_path / "a.txt").write_text(
        "  The bank sold twelve boats.  \n\ntoo short this\nA second “line” is here .\n", "utf-8"
    )
    assert read_texts([tmp_path / "a.txt"]) == ["The bank sold twelve boats.", "A second “line” is here ."]


def test_conll_gives_the_tokens_of_its_sentences(tmp_path):
    rows = (
        "-DOCSTART- O\n\nAna B-PER\nRuiz I-PER\nleft O\nOslo B-LOC\n\ntoo O\nshort O\n\nThe O\nbank O\nsaid O\nso O\n"
    )
    (tmp_path / "a.conll").write_text(rows, encoding="utf-8")
    assert read_texts([tmp_path / "a.conll"]) == ["Ana Ruiz left Oslo", "The bank said so"]


def test_wordnet_gives_glosses_and_examples_without_its_licence(tmp_path):
    lines = (
        "  1 This licence speaks of many things at great length | and more of it\n"
        '00001 29 v 01 moor 0 001 @ 00002 v 0000 01 + 08 00 | tie a boat to the shore; "they moored the old boat"; '
        '"moor the ferry before the storm comes"  \n'
        "00002 29 v 01 sail 0 000 | go over water by wind alone  \n"
        '00003 29 v 01 row 0 000 | row; "he rows on the lake every day"  \n'
    )
    (tmp_path / "data.verb").write_text(lines, encoding="utf-8")
    assert read_texts([tmp_path / "data.verb"]) == [
        "tie a boat to the shore",
        "they moored the old boat",
        "moor the ferry before the storm comes",
        "go over water by wind alone",
        "he rows on the lake every day",
    ]


def test_a_text_file_called_data_is_plain_text(tmp_path):
    line = 'The bank said "no" to the sale of boats.'
    (tmp_path / "data.txt").write_text(line + "\n", encoding="utf-8")
    assert read_texts([tmp_path / "data.txt"]) == [line]


@pytest.mark.parametrize("name", ["nothing.txt", "nothing.conll", "data.noun", "binary.txt", "folder"])
def test_text_that_cannot_be_read_is_told_in_one_line(tmp_path, name):
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "folder").mkdir()
    with pytest.raises(BadInput) as refused:
        read_texts([tmp_path / name])
    assert str(tmp_path / name) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_files_keep_their_order_and_no_file_is_no_text(tmp_path):
    for name in "ab":
        (tmp_path / name).write_text(f"{name} is a short line\n", encoding="utf-8")
    assert read_texts([tmp_path / "b", tmp_path / "a"]) == ["b is a short line", "a is a short line"]
    assert read_texts([]) == []


# --- writing text -----------------------------------------------------------------------------------------------------


@pytest.fixture
def batches(monkeypatch):
    """A batch is its number and seed; returns which were written."""
    asked = []

    def batch(number, device, seed):
        asked.append(number)
        return [f"Zoë wrote text {k} of batch {number} with seed {seed}." for k in range(4)]

    monkeypatch.setattr(writing, "_ROWS", 4)
    monkeypatch.setattr(writing, "_batch", batch)
    return asked


def test_written_text_is_kept_and_not_written_again(batches, tmp_path):
    file = tmp_path / "out" / "written.jsonl"
    first = list(write_text(file, 12, CPU))
    assert len(first) == 12
    assert batches == [0, 1, 2]
    assert list(write_text(file, 12, CPU)) == first
    assert list(write_text(file, 16, CPU))[:12] == first
    assert batches == [0, 1, 2, 3]
    assert [json.loads(line)["batch"] for line in file.read_text(encoding="utf-8").splitlines()] == [0, 1, 2, 3]


def test_as_many_texts_are_given_as_were_asked_for(batches, tmp_path):
    assert len(list(write_text(tmp_path / "written.jsonl", 6, CPU))) == 6


def test_an_interrupted_call_goes_on_where_it_stopped(batches, tmp_path):
    whole = list(write_text(tmp_path / "whole", 12, CPU))
    partial = write_text(tmp_path / "partial", 12, CPU)
    for _ in range(6):  # breaks off in the second batch
        next(partial)
    partial.close()
    batches.clear()
    assert list(write_text(tmp_path / "partial", 12, CPU)) == whole
    assert batches == [2]


@pytest.mark.parametrize("torn", [1, 20, -1, "Zoë"])
def test_a_line_torn_by_a_crash_is_written_again(batches, tmp_path, torn):
    """Even within a letter of two bytes."""
    file = tmp_path / "written.jsonl"
    whole = list(write_text(file, 12, CPU))
    lines = file.read_bytes().splitlines(keepends=True)
    cut = lines[2].index("ë".encode()) + 1 if torn == "Zoë" else torn
    file.write_bytes(b"".join([*lines[:2], lines[2].rstrip(b"\n")[:cut]]))
    batches.clear()
    assert list(write_text(file, 12, CPU)) == whole
    assert batches == [2]


def test_what_is_written_after_a_torn_line_is_not_lost(batches, tmp_path):
    file = tmp_path / "written.jsonl"
    list(write_text(file, 12, CPU))
    file.write_bytes(file.read_bytes()[:-40])
    list(write_text(file, 12, CPU))
    batches.clear()
    list(write_text(file, 12, CPU))
    assert batches == []


def test_text_of_another_seed_is_not_taken_for_this_ones(batches, tmp_path):
    list(write_text(tmp_path / "written.jsonl", 4, CPU, seed=0))
    assert all("seed 1" in text for text in write_text(tmp_path / "written.jsonl", 4, CPU, seed=1))


def test_a_file_that_cannot_be_written_is_told(batches, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotSave, match="cannot be kept"):
        list(write_text(tmp_path / "file" / "written.jsonl", 4, CPU))


def test_prompts_are_filled_and_drawn_by_the_generator_alone():
    drawn = [writing._prompt(random.Random(k)) for k in range(200)]
    assert drawn == [writing._prompt(random.Random(k)) for k in range(200)]
    assert all(not set("{}") & set(prompt) for prompt, _ in drawn)
    orders = [prompt for prompt, opening in drawn if not opening]
    assert 60 < len(orders) < 140
    assert all(prompt == opening for prompt, opening in drawn if opening)
    assert all(prompt.startswith("<|im_start|>user\n") for prompt in orders)


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.fixture
def lines(tmp_path, texts):
    (tmp_path / "lines.txt").write_text("\n".join(texts), encoding="utf-8")
    return tmp_path / "lines.txt"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--steps", "0"], "--steps"),
        (["--write", "-1"], "--write"),
        (["--text", "lines.txt"], "--source"),
        (["--text", "nothing.txt", "--source", "x"], "nothing.txt"),
        (["--text", "lines.txt", "--source", "x", "--device", "gpu"], "gpu"),
        ([], "too few"),
    ],
)
def test_the_command_tells_bad_input_in_one_line(gauntlet, lines, arguments, told):
    code, out, err = gauntlet("train-mlm", *arguments)
    assert (code, out) == (2, "")
    assert told in err
    assert len([line for line in err.splitlines() if line.startswith("error: ")]) == 1


def test_the_command_does_not_overwrite_a_trained_model(gauntlet, lines, trained):
    code, _, err = gauntlet("train-mlm", "--text", lines, "--source", "x", "--out", trained[0])
    assert code == 2
    assert "holds a trained model already" in err


def test_the_command_trains_and_tells_what_came_of_it(gauntlet, lines, batches, tmp_path):
    code, out, err = gauntlet(
        "train-mlm",
        "--text",
        lines,
        "--source",
        "own lines (CC0)",
        "--write",
        4,
        "--steps",
        1,
        "--out",
        "mlm",
        "--json",
    )
    assert code == 0, err
    told = json.loads(out)
    card = json.loads((tmp_path / "mlm" / "recipe.json").read_text(encoding="utf-8"))
    assert told == {**card, "folder": "mlm"}
    assert card["sources"][0] == "own lines (CC0)"
    assert "4 texts" in card["sources"][1]
    assert "SmolLM2" in card["sources"][1]
    assert (card["recipe"]["steps"], card["recipe"]["seed"]) == (1, 0)
    assert {path.name for path in (tmp_path / "mlm").iterdir()} == {
        "adapter_model.safetensors", "recipe.json", "written.jsonl",
    }  # fmt: skip
