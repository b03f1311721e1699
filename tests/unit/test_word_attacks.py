"""What the word attacks have in common: which words they edit, how many, in which order, what is refused."""

from __future__ import annotations

from collections import Counter

import pytest
from attacking_frame import EDITABLE, KNOWN, NOUNS, TEXT, VERBS, attacked, unmoved, wavering
from comparing_texts import edited, new_words
from stubs import StubLanguageModel, StubVictim, lexicon, same_vectors, sentence

from attacks.bae import Bae
from attacks.bert_attack import BertAttack
from attacks.clare import Clare
from attacks.constraints.names import NoNewNames
from attacks.morpheus import Morpheus
from attacks.random_word import RandomWord
from attacks.textfooler import TextFooler
from attacks.viba import VirtualBoundary
from attacks.word_attack import WordAttack
from benchmark.errors import BadInput
from benchmark.finding import ATTACKS
from benchmark.probe import Probe
from benchmark.threat import Access, Touch
from benchmark.types import Status

CLASSES = [BertAttack, Bae, Clare, TextFooler, Morpheus, VirtualBoundary]
NAMES = [cls.card.name for cls in CLASSES]


def test_all_word_attacks_are_known_here():
    registered = {name for name in ATTACKS if issubclass(ATTACKS.get(name), WordAttack)}
    assert registered >= set(NAMES)
    assert all(cls.card.touch is Touch.CONTEXT for cls in CLASSES)
    assert {cls.card.name for cls in CLASSES if cls.card.access is Access.LABELS} == {"viba"}


@pytest.mark.parametrize("attacker", [BertAttack(), Bae(), TextFooler(), Morpheus(), Clare(insert=False)], ids=repr)
def test_only_words_of_the_context_that_mean_something_are_replaced(attacker, candidates):
    attacked(attacker, word_vectors=same_vectors("told", "fell", "said"))
    touched = {i for c in candidates for i in edited(c, TEXT)}
    assert touched
    assert touched <= set(EDITABLE)
    if isinstance(attacker, BertAttack | Clare):
        assert touched == set(EDITABLE) - {5}  # the stub knows no other number


@pytest.mark.parametrize("attacker", [BertAttack(), Bae(), Morpheus(), Clare(insert=False)], ids=repr)
def test_what_the_victim_takes_for_a_mention_is_left_alone(attacker, candidates):
    attacked(attacker, StubVictim(lexicon({**KNOWN, "traders": "B-MISC"})))
    touched = {i for c in candidates for i in edited(c, TEXT)}
    assert touched
    assert 3 not in touched


@pytest.mark.parametrize("cls", [BertAttack, Clare])
def test_an_edited_word_taken_for_an_entity_does_not_count(cls):
    # Any new word swallows its left neighbour's label, so Rome is lost, but only to the new word.
    words = StubLanguageModel().words

    def shifting(tokens):
        lost = any(word.lower() in {w.lower() for w in words} for word in tokens)
        return ["B-MISC" if t.lower() in words else "O" if lost else KNOWN.get(t, "O") for t in tokens]

    outcome = attacked(cls(), StubVictim(shifting))
    assert outcome.status is Status.FAILED
    assert outcome.rejected["edited word predicted as an entity"] > 0


@pytest.mark.parametrize("cls", [BertAttack, Bae, TextFooler, Clare, Morpheus, VirtualBoundary])
@pytest.mark.parametrize("share", [0.05, 0.15, 1.0])
def test_no_more_words_change_than_allowed(cls, share, candidates):
    outcome = attacked(cls(max_words=share, similarity=0.0), wavering(), tagger=VERBS if cls is Morpheus else NOUNS)
    most = {0.05: 1, 0.15: 2, 1.0: 11}[share]
    assert max(len(new_words(c, TEXT)) for c in candidates) <= most
    if cls is not VirtualBoundary:
        assert (outcome.rejected.get("too many words changed", 0) > 0) is (share < 1.0 and cls is not TextFooler)


@pytest.mark.parametrize("cls", [Clare, VirtualBoundary])
def test_attacks_without_an_order_of_words_refuse_another_one(cls):
    with pytest.raises(BadInput, match="order must be one of importance, not 'random'"):
        cls(order="random")


@pytest.mark.parametrize("cls", [cls for cls in CLASSES if "random" in cls.ORDERS])
def test_a_random_order_visits_the_same_words_and_measures_nothing(cls, candidates, monkeypatch):
    """The ablation: what does the ranking bring?"""
    measured = []
    honest = Probe.measure

    async def spy(probe, variants):
        measured.extend(variants)
        return await honest(probe, variants)

    monkeypatch.setattr(Probe, "measure", spy)
    lean = {"word_vectors": same_vectors("told", "traders", "fell", "said")}
    options = {"similarity": 0.0}
    attacked(cls(**options), **lean)
    ranked = [frozenset(c.tokens) for c in candidates]
    orders = set()
    for seed in range(6):
        measured.clear()
        candidates.clear()
        attacked(cls(order="random", **options), seed=seed, **lean)
        assert measured == []
        assert Counter(frozenset(c.tokens) for c in candidates).keys() == Counter(ranked).keys()
        orders.add(tuple(c.tokens for c in candidates))
    assert len(orders) > 1


def test_masking_ranks_bert_attack_and_deletion_ranks_bae_and_textfooler():
    lean = {"word_vectors": same_vectors("told", "fell", "said")}
    for cls, length in ((BertAttack, 0), (Bae, -1), (TextFooler, -1)):
        victim = unmoved()
        attacked(cls(), victim, **lean)
        ranking = victim.asked[1 : 1 + len(EDITABLE)]
        assert {len(tokens) for tokens in ranking} == {len(TEXT) + length}
        assert all(("[UNK]" in tokens) is (length == 0) for tokens in ranking)
    victim = unmoved()
    attacked(Morpheus(), victim)
    assert all("[UNK]" not in tokens and len(tokens) == len(TEXT) for tokens in victim.asked)


def test_the_most_important_word_is_edited_first(candidates):
    def confidence(tokens):
        return 0.6 if "fell" not in tokens else 0.7 if "told" not in tokens else 0.9

    for cls in (BertAttack, Bae):
        candidates.clear()
        attacked(cls(similarity=0.0), StubVictim(lexicon(KNOWN), confidence))
        places = [edited(c, TEXT) for c in candidates]
        assert next(where for where in places if len(where) == 1) == [9]


def test_bert_attack_asks_for_the_substitutes_of_all_words_at_once_and_of_the_original_text():
    model, batches = StubLanguageModel(), []
    answer = model.answer

    def counted(questions):
        batches.append([(question.tokens, question.at) for question in questions])
        return answer(questions)

    model.answer = counted
    attacked(BertAttack(), wavering(), language_model=model)
    assert [sorted(batch) for batch in batches] == [[(TEXT.tokens, at) for at in EDITABLE]]


@pytest.mark.parametrize("cls", CLASSES)
@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"order": "alphabetical"}, "order must be one of"),
        ({"max_words": 0.0}, "max_words must be above 0 and at most 1, not 0"),
        ({"max_words": 1.01}, "max_words must be above 0 and at most 1, not 1.01"),
        ({"max_words": float("nan")}, "max_words must be"),
        ({"similarity": 1.5}, "similarity must be between 0 (not asked for) and 1, not 1.5"),
        ({"similarity": float("nan")}, "similarity must be"),
        ({"similarity": "high"}, "similarity must be float"),
        ({"nonsense": 1}, "has no parameter 'nonsense'; it has: "),
    ],
)
def test_a_parameter_that_makes_no_sense_is_refused_in_one_line(cls, parameters, told):
    with pytest.raises(BadInput) as refused:
        cls.configured(parameters)
    (line,) = str(refused.value).splitlines()
    assert told in line


@pytest.mark.parametrize(
    ("cls", "name"),
    [
        *((cls, "k") for cls in (BertAttack, Bae, TextFooler, Clare, VirtualBoundary)),
        *((Clare, name) for name in ("sample", "beam")),
        (VirtualBoundary, "sample"),
        (RandomWord, "words"),
    ],
)
@pytest.mark.parametrize("value", [0, -1])
def test_a_number_of_things_is_at_least_one(cls, name, value):
    with pytest.raises(BadInput, match=f"{name}.*at least 1"):
        cls.configured({name: value})


def test_no_encoder_is_loaded_where_no_similarity_is_asked_for():
    for cls in CLASSES:
        assert "encoder" not in cls(similarity=0.0).resources
        assert "encoder" in cls(similarity=0.5).resources
        assert cls(similarity=0.5, encoder="mine").resources["encoder"] == "mine"


def test_each_attack_names_what_it_leans_on():
    assert set(BertAttack().resources) == {"encoder", "language_model"}
    assert set(Bae().resources) == {"encoder", "language_model", "tagger"}
    assert set(Clare().resources) == {"encoder", "language_model"}
    assert set(TextFooler().resources) == {"encoder", "tagger", "word_vectors"}
    assert set(Morpheus().resources) == {"inflector", "tagger"}
    assert set(VirtualBoundary().resources) == {"language_model"}
    assert BertAttack(language_model="smollm2").resources["language_model"] == "smollm2"
    assert RandomWord(like="textfooler").resources == TextFooler().resources


# --- no new names -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "allowed"),
    [
        ("traders", "brokers", True),
        ("traders", "Brokers", False),
        ("traders", "friday", False),
        ("traders", "FRIDAY", False),
        ("Friday", "Monday", True),
        ("friday", "monday", True),
        ("TRADERS", "BROKERS", True),
        ("TRADERS", "LONDON", False),
    ],
)
def test_no_edit_brings_a_name_into_the_context(old, new, allowed):
    text = sentence(f"Ana told {old}", "B-PER O O")
    assert (NoNewNames().objection(text, text.replace(2, new)) is None) == allowed


def test_a_capital_at_the_start_of_a_text_is_no_name_but_a_listed_word_is():
    text = sentence("fish swim in Rome", "O O O B-LOC")
    assert NoNewNames().objection(text, text.replace(0, "Birds")) is None
    assert NoNewNames().objection(text, text.insert(0, "However")) is None
    assert NoNewNames().objection(text, text.replace(0, "Germans")) == "new name"


def test_what_an_edit_does_to_a_mention_is_not_for_this_rule():
    text = sentence("Ana told traders", "B-PER O O")
    assert NoNewNames().objection(text, text.replace(0, "Berlin")) is None
