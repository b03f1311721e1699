"""OpenAttack's attackers under our probe."""

from __future__ import annotations

import pytest
from conftest import DoubtfulVictim, attacked
from OpenAttack import attackers
from OpenAttack.attack_assist.substitute.word import WordSubstitute
from OpenAttack.exceptions import WordNotInDictionaryException
from OpenAttack.tags import TAG_English
from stubs import StubVictim, sentence

from attacks.guests.interview import interview
from attacks.guests.openattack_victim import GivenTokens, attack_text
from benchmark.contracts import Attack
from benchmark.contracts import attack as decorate
from benchmark.threat import Access

SYNONYMS = {"left": ["quit", "forsook"], "said": ["told", "put"], "later": ["then"], "bicycles": ["bikes", "cycles"]}


class Synonyms(WordSubstitute):
    TAGS = frozenset({TAG_English})

    def substitute(self, word, pos):
        if word not in SYNONYMS:
            raise WordNotInDictionaryException
        return [(synonym, 1) for synonym in SYNONYMS[word]]


class AllNouns(GivenTokens):
    def __init__(self):
        super().__init__(tags=False)

    def do_tokenize(self, x, pos_tagging):
        words = super().do_tokenize(x, pos_tagging)
        return [(word, "noun") for word in words] if pos_tagging else words


def guest(attacker):
    @decorate("mine", access=Access.SCORES)
    class Mine(Attack):
        """An attacker made by hand."""

        async def run(self, sentence, probe):
            await interview(sentence, probe, lambda talk: attack_text(attacker, talk))

    return Mine()


@pytest.mark.parametrize(
    "name", ["GeneticAttacker", "HotFlipAttacker", "PSOAttacker", "PWWSAttacker", "TextBuggerAttacker"]
)
def test_attackers_whose_dictionary_is_not_here_work_with_another_one(name, sentences):
    """It is their downloads that are missing, not our side of them."""
    attacker = getattr(attackers, name)(tokenizer=AllNouns(), substitute=Synonyms())
    one, many, again = (
        attacked(guest(attacker), DoubtfulVictim(sentences, 0.9), sentences, concurrency=n, reverse=n == 3, queries=60)
        for n in (1, 64, 3)
    )
    assert one == many == again
    assert {outcome.status for outcome in one} <= {"success", "failed"}, [outcome.reason for outcome in one]
    assert any(outcome.queries for outcome in one)


def test_a_text_with_a_placeholder_is_counted_but_never_adversarial():
    original = sentence("Ana Ruiz quit", "B-PER I-PER O")
    victim = StubVictim(lambda tokens: ["O"] * 3 if "<UNK>" in tokens else original.tags)
    (outcome,) = attacked("openattack:deepwordbug", victim, [original])
    assert outcome.status == "failed"
    # Three words ranked, one candidate with all of them misspelt.
    assert outcome.queries == 4
    assert sum("<UNK>" in tokens for tokens in victim.asked) == 3


def test_predictions_of_many_candidates_stop_at_the_first_success(sentences):
    outcomes = attacked("openattack:viper", DoubtfulVictim(sentences), sentences)
    assert all(outcome.status == "success" for outcome in outcomes)
    assert all(outcome.queries == outcome.queries_to_success for outcome in outcomes)


@pytest.mark.parametrize("name", ["openattack:viper", "openattack:uat"])
def test_labels_are_enough_where_only_predictions_are_asked(name, sentences):
    for original in sentences:
        victim = StubVictim(lambda tokens, tags=original.tags: (tags * 2)[: len(tokens)], confidence=None)
        (outcome,) = attacked(name, victim, [original], queries=5)
        assert outcome.status in {"success", "failed"}
        assert outcome.queries


def test_tokens_are_taken_as_they_are():
    tokens = GivenTokens(tags=False)
    text = "U.S. (slowly) don't 3-1 ."
    assert tokens.detokenize(tokens.tokenize(text, pos_tagging=False)) == text


def test_an_attacker_that_learns_from_a_text_does_not_teach_the_next():
    """TextFooler lowers its own threshold at the first short text; a copy does it here."""

    class Learning:
        seen = 0

        def attack(self, victim, text, goal):
            self.seen += 1
            victim.get_pred([text + " ."] * self.seen)

    learning = Learning()
    texts = [sentence("Ana left", "B-PER O", str(k)) for k in range(3)]
    victim = StubVictim(lambda tokens: ["B-PER", *["O"] * (len(tokens) - 1)])
    assert [outcome.queries for outcome in attacked(guest(learning), victim, texts)] == [1, 1, 1]
    assert learning.seen == 0
