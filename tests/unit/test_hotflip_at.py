"""HotFlip adversarial training: which flips one backward pass finds, and what is made of them."""

from __future__ import annotations

import random
import string

import numpy as np
import pytest
import torch
from small_training import SENTENCES
from stubs import same_vectors

from benchmark.errors import BadInput
from benchmark.resources.stop_words import is_stop_word
from defenses.hotflip_at import CharacterFlips, Flipping, HotFlipAt, WordFlips

pytestmark = pytest.mark.usefixtures("small_glove")

LETTERS = string.ascii_letters


def slopes_of(trainee, sentences):
    """A batch, what is looked up for it, and which way the loss grows."""
    torch.manual_seed(0)
    batch = trainee.encode(sentences)
    vectors = trainee.vectors(batch)
    slopes = torch.autograd.grad(trainee.loss(batch, vectors), list(vectors.values()))
    return batch, {k: v.detach() for k, v in vectors.items()}, dict(zip(vectors, slopes, strict=True))


# --- characters -------------------------------------------------------------------------------------------------------


def rises(word, **best):
    """No letter raises the loss but those given, as place_letter."""
    found = np.full((len(word) + 3, len(LETTERS)), -1.0, dtype=np.float32)
    for where, rise in best.items():
        place, letter = where[1:].split("_")
        found[int(place), LETTERS.index(letter)] = rise
    return found


@pytest.mark.parametrize(
    ("word", "best", "flipped"),
    [
        ("oslo", {"p1_x": 2.0, "p0_y": 1.0}, (2.0, "oxlo")),
        ("oslo", {"p1_X": 2.0, "p0_y": 1.0}, (1.0, "yslo")),  # the casing stays
        ("Oslo", {"p0_x": 2.0, "p0_X": 1.0}, (1.0, "Xslo")),
        ("oslo", {"p1_s": 2.0, "p0_y": 1.0}, (1.0, "yslo")),  # a letter is not flipped to itself
        ("Lima", {"p2_n": 2.0, "p3_e": 1.0}, (1.0, "Lime")),  # "lina" is a word of the training split
        ("7-a", {"p0_x": 3.0, "p1_x": 2.0, "p2_x": 1.0}, (1.0, "7-x")),  # letters only
        ("ok", {"p4_x": 9.0, "p1_z": 1.0}, (1.0, "oz")),  # what stands beyond the word is padding
    ],
)
def test_the_steepest_flip_of_a_word(word, best, flipped):
    assert CharacterFlips(0.2, {"lina"})._steepest(word, rises(word, **best)) == flipped


def test_a_word_without_letters_has_no_flip():
    assert CharacterFlips(0.2, set())._steepest("1996", rises("1996")) == (-np.inf, "1996")


@pytest.fixture
def certain(cnn, monkeypatch):
    """A CNN-LSTM-CRF that takes nothing for unknown by chance."""
    monkeypatch.setattr(cnn, "_chances", tuple(torch.zeros_like(chance) for chance in cnn._chances))
    return cnn


def test_flips_are_those_that_gradients_promise_most_of(certain, dataset):
    sentences = list(dataset.split("train")[:6])
    batch, vectors, slopes = slopes_of(certain, sentences)
    changes = CharacterFlips(1.0, set()).of(certain, batch, vectors, slopes)
    width = batch.inputs.words.shape[1]
    of_words = {k: v.reshape(len(sentences), width, -1, v.shape[-1]) for k, v in (("v", vectors["characters"]),)}["v"]
    slope_of_words = slopes["characters"].reshape(of_words.shape)

    def worth(row, at, word):
        """By definition, of the flipped word as the network would look it up."""
        flipped = certain.with_words(batch, {(row, at): word})
        new = certain.vectors(flipped)
        step = new["characters"].reshape(of_words.shape)[row, at] - of_words[row, at]
        unknown = (new["words"] - vectors["words"])[row, at]
        return float((step * slope_of_words[row, at]).sum() + (unknown * slopes["words"][row, at]).sum())

    row, at = next(place for place in changes if len(sentences[place[0]].tokens[place[1]]) > 3)
    word = sentences[row].tokens[at]
    known = {w.lower() for s in dataset.split("train") for w in s.tokens} | {"the", "norway", "rome", "bank"}
    every = {
        word[:c] + letter + word[c + 1 :]
        for c, old in enumerate(word)
        for letter in (string.ascii_uppercase if old.isupper() else string.ascii_lowercase)
        if letter != old
    }
    # Words that GloVe knows are looked up as themselves, which the estimate takes for unknown.
    values = {flipped: worth(row, at, flipped) for flipped in every if flipped.lower() not in known}
    assert values[changes[row, at]] == pytest.approx(max(values.values()), rel=1e-4)
    assert max(values.values()) > 0


def test_a_share_of_the_characters_is_flipped_at_most_one_a_word(certain, dataset):
    sentences = list(dataset.split("train"))
    batch, vectors, slopes = slopes_of(certain, sentences)
    every = CharacterFlips(1.0, set()).of(certain, batch, vectors, slopes)
    for share in (0.0, 0.1, 0.2):
        changes = CharacterFlips(share, set()).of(certain, batch, vectors, slopes)
        for row, s in enumerate(sentences):
            flippable = sum(place[0] == row for place in every)
            wanted = round(share * sum(map(len, s.tokens)))
            assert sum(place[0] == row for place in changes) == min(wanted, flippable)
        for (row, at), flipped in changes.items():
            old = sentences[row].tokens[at]
            assert len(flipped) == len(old)
            assert sum(a != b for a, b in zip(flipped, old, strict=True)) == 1
    assert any(sentences[row].inside(at) for row, at in every)  # mentions, too


def test_flips_raise_the_loss_more_than_random_ones(certain, dataset):
    sentences = list(dataset.split("train"))
    batch, vectors, slopes = slopes_of(certain, sentences)
    changes = CharacterFlips(0.2, set()).of(certain, batch, vectors, slopes)
    rng = random.Random(0)

    def shuffled(word):
        place = rng.choice([c for c, old in enumerate(word) if old.isalpha()])
        return word[:place] + rng.choice(string.ascii_lowercase) + word[place + 1 :]

    by_chance = {place: shuffled(sentences[place[0]].tokens[place[1]]) for place in changes}
    clean, flipped, random_ones = (
        certain.loss(certain.with_words(batch, words)).item() for words in ({}, changes, by_chance)
    )
    assert flipped > clean
    assert flipped > random_ones


# --- words ------------------------------------------------------------------------------------------------------------


def word_flips(most=1, *words):
    """All of these words are near each other."""
    return WordFlips(most, same_vectors(*words), 10, 0.8)


def test_context_words_are_flipped_to_the_near_training_words_that_promise_most(minilm_in_training):
    trainee = minilm_in_training
    batch, vectors, slopes = slopes_of(trainee, SENTENCES)
    # "the" is a function word, "ana" a name, "quickly" no word of the training split, "kuressaare" of more pieces.
    flips = word_flips(1, "market", "rose", "slept", "went", "the", "quickly", "kuressaare")
    changes = flips.of(trainee, batch, vectors, slopes)
    place = next(place for place in changes if place[0] == 2)
    words = [w for w in SENTENCES[2].tokens if not is_stop_word(w)]
    assert SENTENCES[2].tokens[place[1]] in words

    def worth(at, word):
        """By definition; each of these words is one piece."""
        piece = trainee._reader.encode(SENTENCES[2].tokens)[1][at]
        other = trainee.vectors(trainee.with_words(batch, {(2, at): word}))["pieces"][2, piece].detach()
        return float((other - vectors["pieces"][2, piece]) @ slopes["pieces"][2, piece])

    places = [at for at, w in enumerate(SENTENCES[2].tokens) if w.lower() in {"market", "rose"}]
    values = {(at, w): worth(at, w) for at in places for w in ("market", "rose", "slept", "went")}
    best = max(values, key=values.get)
    assert (place[1], changes[place].lower()) == best
    assert values[best] > 0


def test_as_many_words_are_flipped_as_are_asked_for_and_never_a_mention(minilm_in_training):
    trainee = minilm_in_training
    batch, vectors, slopes = slopes_of(trainee, SENTENCES)
    near = ("market", "rose", "slept", "went", "said", "oslo", "bo", "ana")
    for most in (0, 1, 2):
        changes = word_flips(most, *near).of(trainee, batch, vectors, slopes)
        assert not any(SENTENCES[row].inside(at) for row, at in changes)
        assert max([sum(place[0] == row for place in changes) for row in range(3)]) == most
    assert word_flips(1, "apple", "pear").of(trainee, batch, vectors, slopes) == {}


def test_far_words_are_no_candidates(minilm_in_training):
    trainee = minilm_in_training
    batch, vectors, slopes = slopes_of(trainee, SENTENCES)
    near = same_vectors("market", "rose", "slept", "went")
    assert WordFlips(1, near, 10, 0.99).of(trainee, batch, vectors, slopes)
    assert WordFlips(1, near, 10, 1.1).of(trainee, batch, vectors, slopes) == {}


# --- the loss ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("architecture", ["certain", "minilm_in_training"])
def test_the_loss_is_the_clean_one_and_the_weighted_one_of_the_flipped_batch(architecture, dataset, request):
    trainee = request.getfixturevalue(architecture)
    sentences = list(dataset.split("train")) if architecture == "certain" else SENTENCES
    hooks = Flipping(HotFlipAt(weight=0.5), sentences)
    hooks._words = word_flips(1, "market", "rose", "slept", "went")
    batch, vectors, slopes = slopes_of(trainee, sentences)
    flips = hooks._characters if architecture == "certain" else hooks._words
    changes = flips.of(trainee, batch, vectors, slopes)
    assert changes
    clean, flipped = (trainee.loss(trainee.with_words(batch, words)).item() for words in ({}, changes))
    total = hooks.loss(trainee, sentences, random.Random(0))
    assert total.item() == pytest.approx(clean + 0.5 * flipped, rel=1e-5)
    assert flipped != pytest.approx(clean, rel=1e-3)
    total.backward()
    assert all(parameter.grad is not None for parameter in trainee.trained.values())
    trainee.network.zero_grad()


def test_without_flips_it_is_the_clean_loss_twice(certain, dataset):
    sentences = list(dataset.split("train"))
    total = Flipping(HotFlipAt(share=0.0), sentences).loss(certain, sentences, random.Random(0))
    assert total.item() == pytest.approx(2 * certain.loss(certain.encode(sentences)).item(), rel=1e-6)


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"share": 1.2}, "share must be between 0 and 1, not 1.2"),
        ({"flips": -1}, "flips must be at least 0, not -1"),
        ({"weight": -0.5}, "weight must be at least 0, not -0.5"),
        ({"k": 0}, "k must be at least 1, not 0"),
    ],
)
def test_wrong_parameters_are_told(parameters, told):
    with pytest.raises(BadInput, match=told):
        HotFlipAt(**parameters)
