"""DeepWordBug through TextAttack and ours, given the same misspellings, take the same path.

What is made equal, since the two legitimately differ there: the misspellings themselves, in alphabetical order (they
are drawn at random, and TextAttack sorts them); stop words (TextAttack compares case, so the texts have none in
capitals); tokens (TextAttack's words leave out punctuation, we leave out single characters); the limit on the edit
distance (out of reach). TextAttack's bar to editing a word twice changes nothing in a search that visits each once.
"""

from __future__ import annotations

import random

import pytest
from conftest import DoubtfulVictim, attacked
from stubs import sentence

import attacks.deepwordbug
from attacks.deepwordbug import DeepWordBug
from attacks.guests.textattack_import import import_textattack
from attacks.guests.textattack_recipes import textattack_attack
from benchmark.alignment import apply_edits
from benchmark.resources.stop_words import STOP_WORDS

CONTEXT = ("runners", "walked", "the", "bridge", "while", "water", "rose", "and", "nobody", "in", "town", "complained")
MENTIONS = [("Ana Ruiz", "B-PER I-PER"), ("Chad", "B-LOC"), ("Tallinn Water", "B-ORG I-ORG"), ("Kenyan", "B-MISC")]


def spellings(word, rng=None):
    return sorted({word[1:], word[0] + word, word[:-1] + "q", word[-1] + word[1:]} - {word, ""})


def parts():
    import_textattack("test")
    from textattack.constraints.pre_transformation import StopwordModification
    from textattack.search_methods import GreedyWordSwapWIR
    from textattack.transformations import WordSwap

    class Spellings(WordSwap):
        def _get_replacement_words(self, word):
            return spellings(word)

    return Spellings(), [StopwordModification(STOP_WORDS)], GreedyWordSwapWIR(wir_method="unk")


def made(number):
    """A sentence of context words and mentions in random order."""
    rng = random.Random(number)
    pieces = [(word, "O") for word in rng.sample(CONTEXT, rng.randint(2, 8))] + rng.sample(MENTIONS, rng.randint(1, 3))
    rng.shuffle(pieces)
    return sentence(
        " ".join([*(text for text, _ in pieces), "."]), " ".join([*(tags for _, tags in pieces), "O"]), str(number)
    )


@pytest.mark.parametrize("doubt", [0.2, 0.45, 0.6])
@pytest.mark.parametrize("mode", ["first-success", "escalate"])
def test_the_same_path(monkeypatch, doubt, mode):
    """Not only the accepted texts agree: every text is asked by both, in the same order."""
    monkeypatch.setattr(attacks.deepwordbug, "misspellings", spellings)
    theirs = textattack_attack("theirs", *parts())()
    ours = DeepWordBug(max_edit_distance=10_000)
    ended = set()
    for original in map(made, range(25)):
        victims = DoubtfulVictim([original], doubt), DoubtfulVictim([original], doubt)
        (guest,) = attacked(theirs, victims[0], [original], mode=mode)
        (house,) = attacked(ours, victims[1], [original], mode=mode)
        assert victims[0].asked == victims[1].asked
        assert guest == house
        assert apply_edits(original.tokens, guest.edits) == apply_edits(original.tokens, house.edits)
        assert len(victims[0].asked) > 5
        ended.add(guest.status)
    assert "success" in ended if doubt == 0.6 else ended
