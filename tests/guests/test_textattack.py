"""TextAttack's parts under our probe: what counts, what may succeed, what is said of them."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from conftest import DoubtfulVictim, attacked
from stubs import StubVictim, lexicon, sentence

from attacks.guests.textattack_import import import_textattack
from attacks.guests.textattack_recipes import textattack_attack
from benchmark.api import attack
from benchmark.errors import BadInput
from benchmark.finding import ATTACKS
from benchmark.threat import Touch

import_textattack("test")
from textattack import search_methods  # noqa: E402 - prepared above
from textattack.constraints.overlap import MaxWordsPerturbed  # noqa: E402
from textattack.transformations import WordDeletion, WordInsertionRandomSynonym, WordSwap  # noqa: E402

SYNONYMS = {
    "left": ["quit", "forsook", "went"],
    "said": ["told", "stated", "put"],
    "complained": ["moaned", "grumbled"],
    "later": ["afterwards", "then"],
    "counted": ["numbered", "tallied"],
    "bicycles": ["bikes", "cycles"],
    "ran": ["raced", "jogged"],
    "crossed": ["traversed", "passed"],
}


class Synonyms(WordSwap):
    """Replaces words by a list."""

    def __init__(self):
        super().__init__()

    def _get_replacement_words(self, word):
        return SYNONYMS.get(word, [])


def unmoved(original):
    """A victim that says the same whatever the words are."""
    return StubVictim(lambda _: original.tags)


class Harmless(Synonyms):
    """Has one synonym, which the victim of the test does not mind."""

    def _get_replacement_words(self, word):
        return ["quit"] if word == "left" else []


SEARCHES = [
    search_methods.GreedyWordSwapWIR("unk"),
    search_methods.GreedyWordSwapWIR("delete"),
    search_methods.GreedyWordSwapWIR("weighted-saliency"),
    search_methods.GreedyWordSwapWIR("random"),
    search_methods.GreedySearch(),
    search_methods.BeamSearch(beam_width=3),
    search_methods.AlzantotGeneticAlgorithm(pop_size=4, max_iters=3, post_crossover_check=False),
    search_methods.ImprovedGeneticAlgorithm(pop_size=4, max_iters=3, post_crossover_check=False),
    search_methods.ParticleSwarmOptimization(pop_size=4, max_iters=3),
]


@pytest.mark.parametrize(
    "search", SEARCHES, ids=lambda search: f"{type(search).__name__}-{getattr(search, 'wir_method', '')}"
)
def test_every_search_works_and_depends_on_nothing_but_the_seed(search, sentences):
    guest = textattack_attack("mine", Synonyms(), [MaxWordsPerturbed(max_num_words=3)], search)()
    one, many, again = (
        attacked(guest, DoubtfulVictim(sentences, 0.9), sentences, concurrency=n, reverse=n == 3) for n in (1, 64, 3)
    )
    assert one == many == again
    assert {outcome.status for outcome in one} <= {"success", "failed"}, [outcome.reason for outcome in one]
    assert any(outcome.queries for outcome in one)


@pytest.mark.parametrize("ranking", ["unk", "delete"])
def test_a_text_made_to_rank_words_is_counted_but_never_adversarial(ranking):
    """The victim falls for a missing word, but that was no candidate."""
    original = sentence("Ana Ruiz left town", "B-PER I-PER O O")
    tag = lexicon({"Ana": "B-PER", "Ruiz": "I-PER"})
    victim = StubVictim(lambda tokens: tag(tokens) if "town" in tokens else ["O"] * len(tokens))
    guest = textattack_attack("mine", Harmless(), [], search_methods.GreedyWordSwapWIR(ranking))()
    (outcome,) = attacked(guest, victim, [original])
    assert outcome.status == "failed"
    # Four words ranked, one candidate.
    assert outcome.queries == 5
    assert outcome.trajectory[0][0] == 5


def test_a_text_is_asked_once_a_sentence(sentences):
    """A swarm meets its old places again; TextAttack remembers them, and so nothing is asked or counted twice."""
    guest = textattack_attack(
        "mine", Synonyms(), [], search_methods.ParticleSwarmOptimization(pop_size=6, max_iters=5)
    )()
    for original in sentences:
        (outcome,) = attacked(guest, unmoved(original), [original], queries=10_000)
        assert outcome.queries == outcome.forwards - 1


@pytest.mark.parametrize("budget", [1, 4, 9])
def test_the_budget_ends_the_search(budget, sentences):
    for original in sentences:
        (outcome,) = attacked("textattack:pruthi", unmoved(original), [original], queries=budget)
        assert (outcome.status, outcome.queries) == ("failed", budget)


def test_candidates_turned_away_are_counted_by_reason():
    class Splits(WordSwap):
        def _get_replacement_words(self, word):
            return ["in side"] if word in {"Ana", "Ruiz"} else []

    original = sentence("Ana Ruiz left", "B-PER I-PER O")
    guest = textattack_attack("mine", Splits(), [], search_methods.GreedySearch())()
    (outcome,) = attacked(guest, unmoved(original), [original])
    assert outcome.status == "failed"
    assert outcome.rejected == {"unclear which words a mention kept": 3}
    assert outcome.queries == 0


def test_a_token_with_a_space_cannot_be_shown_to_a_guest():
    original = replace(sentence("Ana Ruiz left", "B-PER I-PER O"), tokens=("Ana", "Ruiz y Paz", "left"))
    (outcome,) = attacked("textattack:pruthi", unmoved(original), [original])
    assert (outcome.status, outcome.queries) == ("failed", 0)
    assert outcome.rejected == {"a token holds a space": 1}


def test_parts_are_registered_like_any_attack(monkeypatch):
    mine = textattack_attack("mine", Synonyms(), [], search_methods.GreedySearch(), touch=Touch.CONTEXT, version=2)
    monkeypatch.setitem(ATTACKS._targets, "mine", mine)
    original = sentence("Ana Ruiz left", "B-PER I-PER O")
    (outcome,) = attack(DoubtfulVictim([original], 0.9), [original], "mine")
    assert outcome.status in {"success", "failed"}
    assert (mine.card.version, mine.card.touch) == (2, Touch.CONTEXT)


def test_parts_that_do_not_fit_are_refused_when_they_are_put_together():
    with pytest.raises(BadInput, match="gradients"):
        textattack_attack("mine", WordDeletion(), [], search_methods.GreedyWordSwapWIR("gradient"))
    with pytest.raises(BadInput, match="mine: GreedyWordSwapWIR cannot search with WordInsertionRandomSynonym"):
        textattack_attack("mine", WordInsertionRandomSynonym(), [], search_methods.GreedyWordSwapWIR("unk"))


def test_the_import_left_the_environment_alone():
    assert "TFHUB_CACHE_DIR" not in os.environ
    assert "PYTORCH_TRANSFORMERS_CACHE" not in os.environ
    assert os.environ.get("TA_CACHE_DIR") is None
