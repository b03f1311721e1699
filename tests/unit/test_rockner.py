"""RockNER: whole mentions for others of their kind, unlikely words for context words, one question a text."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from attacking_frame import attacked, perturbed
from comparing_texts import context, edited, names
from stubs import StubKnowledge, StubLanguageModel, StubTagger, StubVictim, lexicon, sentence

import benchmark.victims
from attacks.rockner import Rockner, RocknerContext, RocknerEntity
from benchmark.contracts import Attack
from benchmark.errors import BadInput
from benchmark.resources import loading
from benchmark.resources.language_models.contract import Proposal
from benchmark.resources.loading import Circumstances, Resources
from benchmark.resources.recognising import Recogniser
from benchmark.resources.tagging import TaggedWord
from benchmark.types import Status

TEXT = sentence(
    "Ana Ruiz told traders near Rome that Rome Water sold quickly .",
    "B-PER I-PER O O O B-LOC O B-ORG I-ORG O O O",
)
SEEDS = range(60)
# Words a language model knows, from the likeliest to the rarest, and all of them likelier the sooner.
VOCABULARY = tuple(f"{a}{b}{c}" for a in "bdfg" for b in "aeiou" for c in ("lb", "nd", "rk", "st", "x", "zz"))
PENN = {"told": "VBD", "traders": "NNS", "near": "IN", "that": "IN", "sold": "VBD", "quickly": "RB", ".": "."}


class Ranked(StubLanguageModel):
    """Finds the same words likely everywhere."""

    def __init__(self, words=VOCABULARY):
        super().__init__()
        self.ranked = words

    def _answer(self, question):
        return tuple(Proposal(word, 0.5**rank) for rank, word in enumerate(self.ranked))[: question.k]


# Words and tags that the tests know.
LEAN = {"language_model": Ranked(), "tagger": StubTagger(lambda word: TaggedWord("X", PENN.get(word, "NNP")))}


def outcome_of(attacker, victim=None, text=TEXT, goal="perturbed", **options):
    return attacked(attacker, victim, text, goal=goal, **{**LEAN, **options})


def made(attacker, seed=0, text=TEXT, **instead):
    """The text that an attack makes."""
    return perturbed(attacker, text, seed, **{**LEAN, **instead})


# --- entity level -----------------------------------------------------------------------------------------------------


def test_mentions_become_other_names_of_their_type_and_keep_their_labels_whatever_their_length():
    lengths = set()
    for seed in SEEDS:
        text = made(RocknerEntity(), seed)
        assert [kind for kind, _ in names(text)] == ["PER", "LOC", "ORG"]
        known = StubKnowledge().names.values()
        for (kind, new), (_, old) in zip(names(text), names(TEXT), strict=True):
            assert new != old
            assert any(kind == of and new in them for of, them in known)
        assert context(text) == context(TEXT)
        lengths.add(len(text))
    assert lengths == {10, 11}  # people have one word here, companies one or two


def test_names_of_the_same_length_leave_the_text_as_long_as_it_was():
    assert {len(made(RocknerEntity(same_length=True), seed)) for seed in SEEDS} == {len(TEXT)}


def test_a_mention_that_nothing_is_known_of_stays():
    people = StubKnowledge({"full name": ("PER", ("Bob Stone", "Cleo Marsh"))})
    for seed in range(5):
        assert names(made(RocknerEntity(), seed, knowledge=people))[1:] == names(TEXT)[1:]
    nobody = StubKnowledge({"river": ("RIVER", ("Elbe",))})
    outcome = outcome_of(RocknerEntity(), knowledge=nobody)
    assert (outcome.status, outcome.search_queries) == (Status.FAILED, 0)


def test_two_mentions_do_not_get_the_same_name():
    text = sentence("Ana met Bo and Cy", "B-PER O B-PER O B-PER")
    few = StubKnowledge({"first name": ("PER", ("Dora", "Emil", "Fay"))})
    for seed in SEEDS:
        assert {name for _, name in names(made(RocknerEntity(), seed, text, knowledge=few))} == {
            "Dora",
            "Emil",
            "Fay",
        }


def test_the_share_holds_over_many_sentences_and_is_rounded_both_ways_in_one():
    text = sentence(" ".join(["Ana", "met"] * 5), " ".join(["B-PER", "O"] * 5))
    many = StubKnowledge({"first name": ("PER", tuple(f"N{k}" for k in range(9)))})
    counts = Counter()
    for seed in range(200):
        counts[len(edited(made(RocknerEntity(share=0.5), seed, text, knowledge=many), text))] += 1
    assert set(counts) == {2, 3}
    assert 75 < counts[2] < 125
    for share, wanted in ((0.2, 1), (0.6, 3), (1.0, 5)):
        assert len(edited(made(RocknerEntity(share=share), 1, text, knowledge=many), text)) == wanted


def test_only_mentions_with_other_names_count_for_the_share():
    people = StubKnowledge({"full name": ("PER", ("Bob Stone", "Cleo Marsh"))})
    changed = [outcome_of(RocknerEntity(share=0.5), seed=seed, knowledge=people).status for seed in range(100)]
    assert 35 < changed.count(Status.SUCCESS) < 65


def test_hard_names_are_those_that_the_surrogate_does_not_know_by_themselves():
    known = {"Bob": "B-PER", "Cleo": "B-ORG", "Dora": "B-PER", "Lima": "B-LOC", "Riga": "B-LOC", "Oslo": "B-LOC"}
    surrogate = Recogniser(StubVictim(lexicon(known)))
    found = {
        name for seed in SEEDS for _, name in names(made(RocknerEntity(hard_only=True), seed, recogniser=surrogate))
    }
    assert found >= {"Cleo", "Emil", "Quito"}  # that Cleo is taken for a firm makes her no easier
    assert not found & {"Bob", "Dora", "Lima", "Riga", "Oslo"}


def test_a_mention_with_easy_names_only_stays():
    surrogate = Recogniser(StubVictim(lambda tokens: ["B-LOC"] * len(tokens)))
    text = made(RocknerEntity(hard_only=True), recogniser=surrogate)
    assert names(text)[1] == ("LOC", "Rome")
    assert names(text)[0] != names(TEXT)[0]


# --- context level ----------------------------------------------------------------------------------------------------


def test_one_to_three_content_words_outside_mentions_are_changed():
    counts, places = Counter(), set()
    for seed in range(150):
        text = made(RocknerContext(), seed)
        assert names(text) == names(TEXT)
        counts[len(edited(text, TEXT))] += 1
        places |= set(edited(text, TEXT))
    assert places == {2, 3, 9, 10}
    assert set(counts) == {1, 2, 3}
    assert all(35 < count < 65 for count in counts.values())


def test_there_are_no_more_masks_than_words():
    text = sentence("Ana sold near Rome .", "B-PER O O B-LOC O")
    assert {tuple(edited(made(RocknerContext(), seed, text), text)) for seed in range(20)} == {(1,)}
    bare = sentence("Ana , Rome", "B-PER O B-LOC")
    names_and_marks = StubTagger(lambda word: TaggedWord("X", "," if word == "," else "NNP"))
    assert outcome_of(RocknerContext(), text=bare, tagger=names_and_marks).search_queries == 0


def test_words_come_from_the_ranks_51_to_100():
    assert len(VOCABULARY) == len(set(VOCABULARY)) == 120
    found = Counter()
    for seed in range(200):
        text = made(RocknerContext(), seed)
        found.update(text.tokens[i] for i in edited(text, TEXT))
    assert set(found) == set(VOCABULARY[50:100])
    assert max(found.values()) < 4 * min(found.values()) + 20  # uniform, as far as four hundred draws tell


def test_what_is_no_english_word_or_a_name_is_not_taken():
    odd = (*VOCABULARY[:50], "café", "12", "Berlin", "friday", "well-known", "...", "barn")
    for seed in range(20):
        text = made(RocknerContext(), seed, language_model=Ranked(odd))
        assert {text.tokens[i] for i in edited(text, TEXT)} == {"barn"}


def test_masks_are_filled_from_left_to_right_each_seeing_the_words_before():
    model = Ranked()
    seed = next(s for s in SEEDS if len(edited(made(RocknerContext(), s), TEXT)) == 3)
    text = made(RocknerContext(), seed, language_model=model)
    assert [gap.at for gap in model.asked] == edited(text, TEXT)
    assert {gap.k for gap in model.asked} == {100}
    assert [gap.tokens[: gap.at] for gap in model.asked] == [text.tokens[:i] for i in edited(text, TEXT)]
    assert [gap.tokens[gap.at :] for gap in model.asked] == [TEXT.tokens[i:] for i in edited(text, TEXT)]


def test_the_variant_is_taken_that_the_surrogate_gets_wrong_most():
    """It misses a mention for every sort of word that is new."""
    gold = dict(zip(TEXT.tokens, TEXT.tags, strict=True))
    asked = []

    def wrong(tokens):
        asked.append(tokens)
        new = sum(token not in gold for token in tokens)
        tags = list(TEXT.tags)
        for start, end in ((0, 2), (5, 6), (7, 9))[:new]:
            tags[start:end] = ["O"] * (end - start)
        return tags

    for seed in range(10):
        asked.clear()
        victim = StubVictim(lexicon({}))
        surrogate = Recogniser(StubVictim(wrong))
        text = made(RocknerContext(hardest_variant=True), seed, recogniser=surrogate, victim=victim)
        assert len(asked) == len(set(asked)) == 5
        assert len(edited(text, TEXT)) == max(sum(token not in gold for token in tokens) for tokens in asked)
        assert victim.asked == [TEXT.tokens, text.tokens]


# --- both -------------------------------------------------------------------------------------------------------------


def test_both_levels_change_mentions_and_up_to_three_words_around_them():
    for seed in SEEDS:
        text = made(Rockner(), seed)
        assert all(new != old for new, old in zip(names(text), names(TEXT), strict=True))
        assert 1 <= sum(a != b for a, b in zip(context(text), context(TEXT), strict=True)) <= 3


def test_the_context_is_masked_in_the_text_with_the_other_names():
    model = Ranked()
    made(Rockner(), language_model=model)
    assert model.asked
    assert all("Ana" not in gap.tokens for gap in model.asked)


# --- one text, one question -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("attacker", [RocknerEntity(), RocknerContext(), Rockner()], ids=repr)
def test_the_victim_is_asked_once_and_has_no_say(attacker):
    texts = set()
    for tags in ({}, {"Ana": "B-PER", "Ruiz": "I-PER"}, {"traders": "B-ORG"}):
        victim = StubVictim(lexicon(tags))
        outcome = outcome_of(attacker, victim=victim)
        assert outcome.search_queries == 1
        assert len(victim.asked) == 2  # the clean text first
        texts.add(victim.asked[1])
    assert len(texts) == 1


@pytest.mark.parametrize("attacker", [RocknerEntity(), RocknerContext(), Rockner()], ids=repr)
def test_under_the_goal_perturbed_the_answer_to_the_attacked_text_is_kept_right_or_wrong(attacker):
    right = outcome_of(attacker, victim=StubVictim(lambda tokens: made(attacker).tags[: len(tokens)]))
    assert right.adversarial_prediction == right.adversarial_gold == made(attacker).tags
    assert right.status is Status.SUCCESS
    wrong = outcome_of(attacker, victim=StubVictim(lambda tokens: ["B-MISC"] * len(tokens)))
    assert set(wrong.adversarial_prediction) == {"B-MISC"}
    assert (wrong.edits, wrong.adversarial_gold) == (right.edits, right.adversarial_gold)


@pytest.mark.parametrize("attacker", [RocknerEntity, RocknerContext, Rockner])
def test_the_same_seed_gives_the_same_text_and_another_one_another(attacker):
    first = [made(attacker(), seed).tokens for seed in range(10)]
    assert first == [made(attacker(), seed).tokens for seed in range(10)]
    assert len(set(first)) > 5


def test_more_tries_ask_other_texts_made_from_the_original_until_one_succeeds(candidates):
    everything = StubVictim(lambda tokens: ["B-PER"] * len(tokens))
    outcome = outcome_of(RocknerContext(tries=12), victim=everything, goal="targeted(MISC)")
    assert outcome.search_queries == len(candidates) == 12
    assert len({text.tokens for text in candidates}) == 12
    assert all(len(edited(text, TEXT)) <= 3 for text in candidates)
    assert outcome_of(RocknerContext(tries=12), victim=everything, goal="perturbed").search_queries == 1
    assert outcome_of(RocknerContext(tries=12), victim=everything, goal="targeted(MISC)", budget=4).search_queries == 4


def test_a_text_that_comes_up_again_is_not_asked_again():
    two = StubKnowledge({"city": ("LOC", ("Lima", "Oslo"))})
    everything = StubVictim(lambda tokens: ["B-PER"] * len(tokens))
    outcome = outcome_of(RocknerEntity(tries=50), victim=everything, goal="targeted(MISC)", knowledge=two)
    assert outcome.search_queries == 2


# --- parameters and what they need ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "line"),
    [
        ({"share": 0.0}, "share must be above 0"),
        ({"share": 1.5}, "at most 1"),
        ({"tries": 0}, "tries must be at least"),
    ],
)
def test_bad_parameters_are_refused(parameters, line):
    for attacker in (RocknerEntity, Rockner):
        with pytest.raises(BadInput, match=line):
            attacker.configured(parameters)


def test_only_what_is_needed_is_loaded():
    def kinds(attacker: Attack) -> set[str]:
        return set(attacker.resources)

    assert kinds(RocknerEntity()) == {"knowledge"}
    assert kinds(RocknerEntity(hard_only=True)) == {"knowledge", "recogniser"}
    assert kinds(RocknerContext()) == {"language_model", "tagger"}
    assert kinds(RocknerContext(hardest_variant=True)) == {"language_model", "tagger", "recogniser"}
    assert kinds(Rockner()) == {"knowledge", "language_model", "tagger"}
    assert kinds(Rockner(hardest_variant=True)) == kinds(Rockner(hard_only=True)) == {*kinds(Rockner()), "recogniser"}


CPU = torch.device("cpu")


def test_types_that_the_knowledge_base_does_not_know_are_told_before_any_work(monkeypatch, caplog):
    monkeypatch.setattr(loading, "knowledge_named", lambda name, training: StubKnowledge())

    def load(*labels):
        victim = StubVictim(lexicon({}), labels=("O", *labels))
        return Resources.load(RocknerEntity().resources, Circumstances(CPU, victim=victim)).knowledge

    with pytest.raises(BadInput, match="knowledge base gazetteer has no names of the types gene, virus") as refused:
        load("B-gene", "I-gene", "B-virus", "I-virus")
    assert len(str(refused.value).splitlines()) == 1
    assert not caplog.messages
    assert load("B-gene", "I-gene", "B-PER", "I-PER").knows_type("PER")
    (told,) = caplog.messages
    assert "no names of the types gene;" in told
    assert "stay as they are" in told
    assert "\n" not in told
    assert load().knows_type("PER")  # a victim that does not tell its labels


def test_the_surrogate_may_not_be_the_victim_and_must_know_its_types(monkeypatch):
    surrogate = StubVictim(lexicon({}))
    surrogate.fingerprint = "another"
    monkeypatch.setattr(benchmark.victims, "find_victim", lambda name, options: surrogate)

    def load(victim):
        return Resources.load({"recogniser": "minilm/encyclopedia"}, Circumstances(CPU, victim=victim)).recogniser

    assert "another" in load(StubVictim(lexicon({}))).identity
    with pytest.raises(BadInput, match="does not know the victim's types gene"):
        load(StubVictim(lexicon({}), labels=("O", "B-gene", "I-gene", "B-PER", "I-PER")))
    with pytest.raises(BadInput, match="minilm/encyclopedia is the victim itself"):
        load(surrogate)


def test_a_text_too_long_for_the_surrogate_has_no_entities_in_its_eyes():
    recogniser = Recogniser(StubVictim(lambda tokens: ["B-PER"] * len(tokens), longest=2))
    assert recogniser.answer([("Ana",), ("a", "b", "c"), ("Bo", "Cy")]) == [
        ("B-PER",),
        ("O", "O", "O"),
        ("B-PER", "B-PER"),
    ]
