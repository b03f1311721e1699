"""HotFlip: what its estimates are worth, what it edits, what it asks."""

from __future__ import annotations

import random

import numpy as np
import pytest
from attacking_frame import KNOWN, TEXT, attacked, driven, unmoved
from comparing_texts import edited
from rapidfuzz.distance import Levenshtein
from scipy.stats import spearmanr
from stubs import LABELS, StubWhiteBox, lexicon, same_vectors, sentence, stub_resources, tag_by_form

from attacks.candidates.character_edits import character_edits
from attacks.constraints.lexeme import AnotherLexeme
from attacks.constraints.vocabulary import OutOfVocabulary
from attacks.hotflip_char import HotFlipChar, HotFlipSubword
from attacks.hotflip_word import HotFlipWord
from attacks.search.first_order import gold, read, rises
from benchmark.errors import BadInput
from benchmark.resources.stop_words import is_stop_word
from benchmark.resources.word_vectors import WordVectors, word_vectors_named
from benchmark.threat import Access, Touch
from benchmark.victims.white_box import EmbeddingTable, Gradient, GradientService

CHARACTERS = [HotFlipChar, HotFlipSubword]


def flips(candidate, text=TEXT):
    """The words that were replaced, and by what."""
    return [(text.tokens[i], candidate.tokens[i]) for i in edited(candidate, text)]


# --- the estimate against the truth -----------------------------------------------------------------------------------


def loss(victim, texts, target):
    """J, from the victim's own answers."""
    return [
        -sum(np.log(answer.probabilities[i, victim.labels.index(label)]) for i, label in target)
        for answer in victim.predict(texts)
    ]


def correlation(victim, text, choices):
    """Spearman's rank correlation between estimated and true rise of J, over one edit each."""
    target = gold(text, victim.labels)
    (answer,) = GradientService(victim).answer([Gradient(text.tokens, target)])
    estimated, changed = [], []
    for i, others in choices.items():
        readings = read(text.tokens[i], others, victim.tables)
        slopes = {name: words[i] for name, words in answer.by_table.items()}
        estimated += rises(readings, victim.tables, slopes).tolist()
        changed += [text.replace(i, word).tokens for word in readings.words[1:]]
    (before,) = loss(victim, [text.tokens], target)
    return spearmanr(estimated, np.array(loss(victim, changed, target)) - before).statistic


def some_edits(text, rng, each=10):
    edits = {i: character_edits(word) for i, word in enumerate(text.tokens) if any(c.isalpha() for c in word)}
    return {i: rng.sample(own, min(each, len(own))) for i, own in edits.items()}


def with_mentions(newsroom, many):
    return [text for text in newsroom.split("test") if text.spans][:many]


def test_estimates_foretell_character_edits_of_word_pieces(minilm, newsroom):
    rng = random.Random(0)
    found = [correlation(minilm, text, some_edits(text, rng)) for text in with_mentions(newsroom, 16)]
    # 0.19 on average over 24 sentences: little, which is why hotflip-subword verifies.
    assert np.mean(found) > 0.1
    assert np.mean([rho > 0 for rho in found]) > 0.6


def test_estimates_foretell_word_flips_of_word_pieces(minilm, newsroom):
    vectors, table = word_vectors_named("glove-6b-50d"), minilm.tables["pieces"]
    found = []
    for text in with_mentions(newsroom, 16):
        places = [i for i, word in enumerate(text.tokens) if not text.inside(i) and word.isalpha()]
        near = {i: [word for word, _ in vectors.neighbours(text.tokens[i], 30) if word.isalpha()] for i in places}
        choices = {
            i: [word for word in own if len(table.of(word)) == len(table.of(text.tokens[i]))][:8]
            for i, own in near.items()
        }
        found.append(correlation(minilm, text, choices))
    # 0.38 on average over 24 sentences.
    assert np.mean(found) > 0.25
    assert min(found) > -0.1


@pytest.fixture(scope="module")
def by_characters():
    """A CNN-LSTM-CRF that was not trained, with a small vocabulary."""
    torch = pytest.importorskip("torch")
    from benchmark.victims.cnn_lstm_crf.network import CnnLstmCrf
    from benchmark.victims.cnn_lstm_crf.victim import CnnLstmCrfVictim
    from benchmark.victims.cnn_lstm_crf.vocabulary import Vocabulary

    vocabulary = Vocabulary.of([TEXT.tokens, tuple("abcdefghijklmnopqrstuvwxyz")], ())
    torch.manual_seed(0)
    network = CnnLstmCrf(vocabulary, LABELS, np.zeros((0, 50), dtype=np.float32))
    return CnnLstmCrfVictim(network.eval(), vocabulary, LABELS, "untrained", "untrained", torch.device("cpu"))


def test_estimates_foretell_edits_of_characters(by_characters):
    rng = random.Random(0)
    assert correlation(by_characters, TEXT, some_edits(TEXT, rng, 30)) > 0.5


def test_that_a_changed_word_is_unknown_is_most_of_it(by_characters):
    """Trained on newsroom, the correlation is 0.07 by characters alone, 0.68 by words alone, 0.69 by both."""
    target = gold(TEXT, LABELS)
    (answer,) = GradientService(by_characters).answer([Gradient(TEXT.tokens, target)])
    rng, alone, both, changed = random.Random(0), [], [], []
    for i, others in some_edits(TEXT, rng, 30).items():
        readings = read(TEXT.tokens[i], others, by_characters.tables)
        slopes = {name: words[i] for name, words in answer.by_table.items()}
        both += rises(readings, by_characters.tables, slopes).tolist()
        alone += rises(
            readings._replace(units={"characters": readings.units["characters"]}), by_characters.tables, slopes
        ).tolist()
        changed += [TEXT.replace(i, word).tokens for word in readings.words[1:]]
    true = loss(by_characters, changed, target)
    assert spearmanr(both, true).statistic > spearmanr(alone, true).statistic


# --- the formulas, by hand --------------------------------------------------------------------------------------------


def table_of(vectors, of):
    return EmbeddingTable(np.array(vectors, dtype=np.float32), [str(k) for k in range(len(vectors))], of)


def letters(word):
    return tuple("abcd".index(letter) for letter in word)


def test_a_flip_is_a_difference_of_derivatives():
    tables = {"characters": table_of([[1.0], [2.0], [4.0], [8.0]], letters)}
    slopes = {"characters": np.array([[-1.0], [-10.0]], dtype=np.float32)}
    readings = read("ab", ["cb", "ad", "cd"], tables)
    # J is F negated, so its slopes are 1 and 10.
    assert rises(readings, tables, slopes) == pytest.approx(
        [(4 - 1) / 2**0.5, 10 * (8 - 2) / 2**0.5, (3 + 60) / 4**0.5]
    )


def test_insertions_and_deletions_are_runs_of_flips():
    tables = {"characters": table_of([[1.0], [2.0], [4.0], [8.0]], letters)}
    slopes = {"characters": -np.array([[1.0], [10.0], [100.0]], dtype=np.float32)}
    longer, shorter, same = rises(read("abc", ["dabc", "ac", "aabc"], tables), tables, slopes)
    # d a b (c): three known flips, and c where nothing stood; a c: b → c, c → nothing.
    assert longer == pytest.approx((1 * 7 + 10 * -1 + 100 * -2) / 8**0.5)
    assert shorter == pytest.approx((10 * 2 + 100 * -4) / 4**0.5)
    # The doubled letter is no flip.
    assert same == pytest.approx((10 * -1 + 100 * -2) / 6**0.5)


def test_pieces_move_one_by_one_or_by_their_mean():
    tables = {"pieces": table_of([[1.0], [2.0], [4.0], [8.0]], letters)}
    slopes = {"pieces": -np.array([[1.0], [10.0]], dtype=np.float32)}
    alike, longer = rises(read("ab", ["cd", "abd"], tables), tables, slopes)
    assert alike == pytest.approx(1 * 3 + 10 * 6)
    assert longer == pytest.approx(11 * (11 / 3 - 3 / 2))


def test_words_that_read_alike_are_one():
    tables = {"pieces": table_of([[1.0], [2.0], [4.0], [8.0]], lambda word: letters(word.lower()))}
    assert read("ab", ["aB", "ac", "aC", "AC", "ac"], tables).words == ("ab", "ac")


def test_the_loss_is_of_mentions_or_of_all_words_where_there_are_none():
    assert gold(TEXT, LABELS) == ((0, "B-PER"), (1, "I-PER"), (8, "B-LOC"))
    assert gold(TEXT, ("O", "B-LOC")) == ((8, "B-LOC"),)
    assert gold(sentence("it fell", "O O"), LABELS) == ((0, "O"), (1, "O"))


# --- the edits --------------------------------------------------------------------------------------------------------


def test_character_edits_are_all_words_one_character_away():
    edits = character_edits("cat")
    assert len(edits) == len(set(edits))
    assert {"bat", "cut", "caT", "ct", "at", "ca", "cart", "cats", "catS"} <= set(edits)
    assert all(Levenshtein.distance("cat", edit) == 1 for edit in edits)
    assert not any(edit[0].isupper() for edit in edits)
    assert "Bat" in character_edits("Cat")
    assert character_edits("CAT")[0] == "AAT"
    assert character_edits("A", flip=False, insert=False) == []


@pytest.mark.parametrize(("switch", "change"), [("flip", 0), ("insert", 1), ("delete", -1)])
@pytest.mark.parametrize("cls", CHARACTERS)
def test_each_operation_can_be_had_alone(cls, switch, change, candidates):
    switches = {name: name == switch for name in ("flip", "insert", "delete")}
    attacked(cls(**switches), goal="targeted(MISC)")
    assert candidates
    assert {len(b) - len(a) for c in candidates for a, b in flips(c)} == {change}
    with pytest.raises(BadInput, match="one of flip, insert and delete must be on"):
        cls(flip=False, insert=False, delete=False)


@pytest.mark.parametrize("order", ["gradient", "random"])
@pytest.mark.parametrize("cls", CHARACTERS)
def test_each_word_changes_once_into_none_and_a_tenth_of_the_characters_at_most(cls, order, candidates):
    outcome = attacked(cls(order=order), goal="targeted(MISC)", budget=300)
    words = stub_resources().word_vectors
    characters = sum(map(len, TEXT.tokens))
    assert max(len(flips(c)) for c in candidates) == characters // 10 == 4
    for c in candidates:
        assert all(Levenshtein.distance(a, b) == 1 and b not in words for a, b in flips(c))
        assert (c.tokens[5], c.tokens[10]) == ("3", ".")
    assert (outcome.gradient_queries > 0) is (order == "gradient")


def test_a_changed_word_is_no_word_to_the_real_vectors(minilm, newsroom, candidates):
    vectors = word_vectors_named("glove-6b-50d")
    named = [text for text in newsroom.split("test") if any(span.type == "PER" for span in text.spans)]
    for text in named[:3]:
        candidates.clear()
        outcome = attacked(HotFlipSubword(), minilm, text, goal="targeted(MISC)", budget=40, word_vectors=vectors)
        assert candidates
        assert outcome.rejected.get("another word", 0) == 0
        assert not any(b in vectors for c in candidates for _, b in flips(c, text))


def test_a_changed_word_is_no_word_to_the_victim_either(by_characters, candidates):
    text = sentence("it fell near", "O O O")
    attacked(HotFlipChar(), by_characters, text, goal="perturbed", budget=20)
    assert candidates
    words = by_characters.tables["words"]
    assert all(words.of(b) == words.of("[UNK]") for c in candidates for _, b in flips(c, text))


def objections(constraint, text, *others):
    return driven(constraint.objections(text, others, stub_resources()))


def test_out_of_vocabulary_objects_to_words_in_any_casing():
    assert objections(OutOfVocabulary(), TEXT, TEXT.replace(3, "Told"), TEXT.replace(3, "tolx")) == [
        "another word",
        None,
    ]


def test_another_lexeme_objects_to_inflections():
    replaced = [TEXT.replace(2, word) for word in ("tells", "telling", "asked")]
    assert objections(AnotherLexeme(), TEXT, *replaced) == ["same lexeme", "same lexeme", None]


# --- words ------------------------------------------------------------------------------------------------------------


def test_word_flips_obey_the_papers_constraints(candidates):
    text = sentence("Ana said traders left quickly and later told Rome", "B-PER O O O O O O O B-LOC")
    words = ("said", "told", "quickly", "traders", "trader", "and", "later", "quit", "left", "slowly", "far")
    angles = np.array([0.0, 0.1, 0.2, 0.3, 0.1, 0.2, 0.1, 0.2, 0.3, 0.2, 1.5])
    vectors = WordVectors(words, np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32), "v")
    victim = unmoved()
    del victim.tables["words"]
    attacked(HotFlipWord(), victim, text, goal="targeted(MISC)", word_vectors=vectors)
    assert candidates
    for c in candidates:
        assert 1 <= len(flips(c, text)) <= 2
        assert c.tokens[0] == "Ana"
        for a, b in flips(c, text):
            assert vectors.cosine(a, b) >= 0.8
            assert tag_by_form(a) == tag_by_form(b)
            assert not is_stop_word(a)
            assert not is_stop_word(b)
            assert (a, b) != ("traders", "trader")
            assert len(victim.tables["pieces"].of(a)) == len(victim.tables["pieces"].of(b))
    assert {b for c in candidates for a, b in flips(c, text) if a == "quickly"} <= {"slowly"}
    assert any(len(flips(c, text)) == 2 for c in candidates)


def test_word_flips_leave_words_that_the_victim_does_not_know(candidates):
    attacked(HotFlipWord(), goal="targeted(MISC)", word_vectors=same_vectors("told", "said", "asked"))
    assert {b for c in candidates for _, b in flips(c)} == {"said"}  # "asked" is not in the stub's table


def test_an_edited_word_taken_for_an_entity_does_not_count():
    def shifting(tokens):
        return ["B-MISC" if t == "said" else "O" if "said" in tokens else KNOWN.get(t, "O") for t in tokens]

    outcome = attacked(HotFlipWord(), StubWhiteBox(shifting), word_vectors=same_vectors("told", "said"))
    assert outcome.score == 0
    assert outcome.rejected["edited word predicted as an entity"] == 1


# --- gradients and budget ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("budget", [1, 2, 7, 30, 90])
@pytest.mark.parametrize("cls", [*CHARACTERS, HotFlipWord])
def test_gradient_queries_are_counted_and_the_budget_holds(cls, budget):
    victim = unmoved()
    outcome = attacked(cls(), victim, goal="targeted(MISC)", budget=budget)
    assert outcome.search_queries + outcome.gradient_queries == outcome.queries <= budget
    assert outcome.search_queries == len(victim.asked) - 1
    assert outcome.gradient_queries == len(victim.differentiated) > 0
    if cls is not HotFlipWord:
        assert budget in {outcome.queries, 90}


@pytest.mark.parametrize("cls", CHARACTERS)
def test_the_control_asks_no_gradients_and_spends_the_same_budget(cls):
    victim = unmoved()
    outcome = attacked(cls(order="random"), victim, goal="targeted(MISC)", budget=200)
    assert (outcome.gradient_queries, outcome.search_queries, victim.differentiated) == (0, 200, [])


def test_the_control_ends_where_there_is_nothing_to_edit():
    victim = StubWhiteBox(lexicon({"747": "B-MISC"}))
    assert attacked(HotFlipChar(order="random"), victim, sentence("747 3", "B-MISC O")).queries == 0


@pytest.mark.parametrize("order", ["gradient", "random"])
@pytest.mark.parametrize("cls", [*CHARACTERS, HotFlipWord])
def test_the_same_seed_gives_the_same_outcome(cls, order):
    assert attacked(cls(order=order), goal="targeted(MISC)") == attacked(cls(order=order), goal="targeted(MISC)")


def test_the_cards():
    assert {cls.card.access for cls in (*CHARACTERS, HotFlipWord)} == {Access.GRADIENTS}
    assert [cls.card.touch for cls in (*CHARACTERS, HotFlipWord)] == [Touch.ANY, Touch.ANY, Touch.CONTEXT]


@pytest.mark.parametrize(
    ("cls", "kept", "told"),
    [
        (HotFlipChar, "pieces", "hotflip-char needs a victim that looks up characters, .* try hotflip-subword"),
        (HotFlipSubword, "words", "hotflip-subword needs a victim that looks up pieces, .* try hotflip-char"),
        (HotFlipWord, "characters", "hotflip-word needs a victim that looks up words or pieces"),
    ],
)
def test_a_victim_without_the_table_is_refused_in_one_line(cls, kept, told):
    victim = unmoved()
    victim.tables = {kept: victim.tables[kept]}
    with pytest.raises(BadInput, match=told) as refused:
        attacked(cls(), victim)
    assert "\n" not in str(refused.value)
    assert (victim.asked, victim.differentiated) == ([], [])


@pytest.mark.parametrize("cls", [*CHARACTERS, HotFlipWord])
@pytest.mark.parametrize("wrong", [{"order": "importance"}, {"width": 0}])
def test_parameters_are_checked(cls, wrong):
    with pytest.raises(BadInput, match=next(iter(wrong))):
        cls(**wrong)


@pytest.mark.parametrize("wrong", [{"share": 0.0}, {"share": 1.5}, {"verified": 0}])
def test_shares_and_numbers_are_checked(wrong):
    with pytest.raises(BadInput, match=next(iter(wrong))):
        HotFlipSubword(**wrong)
