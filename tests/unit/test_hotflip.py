"""HotFlip: what its estimates are worth, what it edits, how it searches."""

from __future__ import annotations

import random

import numpy as np
import pytest
from rapidfuzz.distance import Levenshtein
from scipy.stats import spearmanr
from stubs import LABELS, StubTagger, StubVictim, StubWhiteBox, lexicon, sentence, stub_resources

from attacks.candidates.character_edits import character_edits
from attacks.constraints.lexeme import AnotherLexeme
from attacks.constraints.vocabulary import OutOfVocabulary
from attacks.hotflip_char import HotFlipChar, HotFlipSubword
from attacks.hotflip_word import HotFlipWord
from attacks.search.first_order import gold, read, rises
from attacks.search.gradient_beam import Path, beam_on_answers, beam_on_estimates
from benchmark.attacking import Assault, Mode
from benchmark.engine import Engine, Job
from benchmark.errors import BadInput
from benchmark.goals import Clean, goal_named
from benchmark.probe import BudgetSpent, GoalReached, Probe, VictimService, rng_for
from benchmark.resources.loading import Resources
from benchmark.resources.stop_words import is_stop_word
from benchmark.resources.word_vectors import WordVectors, word_vectors_named
from benchmark.threat import Access, Budget, ThreatModel, Touch
from benchmark.types import Prediction
from benchmark.victims.white_box import EmbeddingTable, Gradient, GradientService

KNOWN = {"Ana": "B-PER", "Ruiz": "I-PER", "Rome": "B-LOC"}
TEXT = sentence("Ana Ruiz told traders that 3 markets near Rome fell .", "B-PER I-PER O O O O O O B-LOC O O")
CHARACTERS = [HotFlipChar, HotFlipSubword]


def attacked(attacker, victim=None, text=TEXT, budget=128, seed=0, goal="untargeted-strict", resources=None):
    assault = Assault(
        attacker,
        victim or StubWhiteBox(lexicon(KNOWN)),
        goal_named(goal),
        Mode("first-success"),
        Budget(budget),
        seed,
        resources=resources or stub_resources(),
    )
    (done,) = Engine().run([assault.job(text)])
    assert not done.result.reason, done.result.reason
    return done.result


@pytest.fixture
def candidates(monkeypatch):
    """The candidates that reach the victim, in order."""
    found, judge = [], Probe._judge

    def spy(probe, candidate, prediction):
        found.append(candidate)
        return judge(probe, candidate, prediction)

    monkeypatch.setattr(Probe, "_judge", spy)
    return found


def edited(text, candidate):
    return [(a, b) for a, b in zip(text.tokens, candidate.tokens, strict=True) if a != b]


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
    assert {len(b) - len(a) for c in candidates for a, b in edited(TEXT, c)} == {change}
    with pytest.raises(BadInput, match="one of flip, insert and delete must be on"):
        cls(flip=False, insert=False, delete=False)


@pytest.mark.parametrize("order", ["gradient", "random"])
@pytest.mark.parametrize("cls", CHARACTERS)
def test_each_word_changes_once_into_none_and_a_tenth_of_the_characters_at_most(cls, order, candidates):
    outcome = attacked(cls(order=order), goal="targeted(MISC)", budget=300)
    words = stub_resources().word_vectors
    characters = sum(map(len, TEXT.tokens))
    assert max(len(edited(TEXT, c)) for c in candidates) == characters // 10 == 4
    for c in candidates:
        assert all(Levenshtein.distance(a, b) == 1 and b not in words for a, b in edited(TEXT, c))
        assert (c.tokens[5], c.tokens[10]) == ("3", ".")
    assert (outcome.gradient_queries > 0) is (order == "gradient")


def test_a_changed_word_is_no_word_to_the_real_vectors(minilm, newsroom, candidates):
    resources = Resources({"word_vectors": word_vectors_named("glove-6b-50d")})
    named = [text for text in newsroom.split("test") if any(span.type == "PER" for span in text.spans)]
    for text in named[:3]:
        candidates.clear()
        outcome = attacked(HotFlipSubword(), minilm, text, goal="targeted(MISC)", budget=40, resources=resources)
        assert candidates
        assert outcome.rejected.get("another word", 0) == 0
        assert not any(b in resources.word_vectors for c in candidates for _, b in edited(text, c))


def test_a_changed_word_is_no_word_to_the_victim_either(by_characters, candidates):
    attacked(HotFlipChar(), by_characters, goal="perturbed", text=sentence("it fell near", "O O O"), budget=20)
    assert candidates
    unknown = by_characters.tables["words"].of("[UNK]")
    for c in candidates:
        assert all(
            by_characters.tables["words"].of(b) == unknown for _, b in edited(sentence("it fell near", "O O O"), c)
        )


def objections(constraint, text, *others):
    async def ask():
        return await constraint.objections(text, others, stub_resources())

    (done,) = Engine().run([Job("test", ask)])
    return done.result


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
    resources = Resources({**stub_resources()._loaded, "word_vectors": vectors})
    victim = StubWhiteBox(lexicon(KNOWN))
    del victim.tables["words"]
    attacked(HotFlipWord(), victim, text, goal="targeted(MISC)", resources=resources)
    assert candidates
    tag = StubTagger._tag
    for c in candidates:
        assert 1 <= len(edited(text, c)) <= 2
        assert c.tokens[0] == "Ana"
        for a, b in edited(text, c):
            assert vectors.cosine(a, b) >= 0.8
            assert tag(a) == tag(b)
            assert not is_stop_word(a)
            assert not is_stop_word(b)
            assert (a, b) != ("traders", "trader")
            assert len(victim.tables["pieces"].of(a)) == len(victim.tables["pieces"].of(b))
    assert {b for c in candidates for a, b in edited(text, c) if a == "quickly"} <= {"slowly"}
    assert any(len(edited(text, c)) == 2 for c in candidates)


def test_word_flips_leave_words_that_the_victim_does_not_know(candidates):
    vectors = WordVectors(("told", "said", "asked"), np.ones((3, 2), np.float32), "v")
    resources = Resources({**stub_resources()._loaded, "word_vectors": vectors})
    attacked(HotFlipWord(), goal="targeted(MISC)", resources=resources)
    assert {b for c in candidates for _, b in edited(TEXT, c)} == {"said"}  # "asked" is not in the stub's table


def test_an_edited_word_taken_for_an_entity_does_not_count():
    vectors = WordVectors(("told", "said"), np.ones((2, 2), np.float32), "v")
    resources = Resources({**stub_resources()._loaded, "word_vectors": vectors})

    def shifting(tokens):
        return ["B-MISC" if t == "said" else "O" if "said" in tokens else KNOWN.get(t, "O") for t in tokens]

    outcome = attacked(HotFlipWord(), StubWhiteBox(shifting), resources=resources)
    assert outcome.score == 0
    assert outcome.rejected["edited word predicted as an entity"] == 1


# --- the search -------------------------------------------------------------------------------------------------------


class Table:
    """Stands in for `Flips`: letters for the dashes of a text, with a table of estimated rises."""

    def __init__(self, rise):
        self.rise, self.asked = rise, []

    async def steepest(self, paths, most):
        return [self._best(path, most) for path in paths]

    def _best(self, path, most):
        self.asked.append(path.sentence.text)
        nexts = [path.sentence.replace(i, letter) for i in (1, 2) for letter in "ab" if path.sentence.tokens[i] == "-"]
        found = [Path(text, path.rise + self.rise(" ".join(text.tokens[1:]))) for text in nexts]
        return sorted(found, key=lambda path: -path.rise)[:most]


class Doubting(StubVictim):
    """Doubts the name by a table; from a half on it does not see it."""

    def __init__(self, doubt):
        super().__init__(lambda tokens: ())
        self.doubt = doubt

    def _predict(self, tokens):
        rows = np.zeros((len(tokens), len(LABELS)), dtype=np.float32)
        rows[:, 0] = 1.0
        doubt = self.doubt.get(" ".join(tokens[1:]), 0.0)
        rows[0, 0], rows[0, LABELS.index("B-PER")] = doubt, 1 - doubt
        return Prediction(tuple(LABELS[k] for k in rows.argmax(axis=1)), rows)


def searched(search, rise, doubt, budget=100, **options):
    text = sentence("Ana - -", "B-PER O O")
    victim = Doubting(doubt)
    (prediction,) = victim.predict([text.tokens])
    victim.asked.clear()
    clean = Clean(text, prediction, LABELS)
    goal = goal_named("untargeted-strict")
    probe = Probe(VictimService(victim), clean, goal, ThreatModel(), Budget(budget), rng_for(0))
    (done,) = Engine().run([Job("test", lambda: search(text, Table(rise), probe, **options))])
    assert done.error is None or isinstance(done.error, GoalReached | BudgetSpent)
    return [" ".join(tokens[1:]) for tokens in victim.asked], probe.found


# By the first letter alone "a -" looks best, but only "b b" hurts.
MISLEADING = {"a -": 3.0, "b -": 2.0, "- a": 1.0, "- b": 0.5, "b b": 5.0}
HURTS = {"b b": 0.9, "a -": 0.3, "b -": 0.2}


@pytest.mark.parametrize("search", [beam_on_estimates, beam_on_answers])
def test_the_beam_finds_what_greedy_misses(search):
    more = {"verified": 4} if search is beam_on_answers else {}

    def run(width):
        return searched(search, lambda text: MISLEADING.get(text, 0.0), HURTS, width=width, steps=2, **more)[1]

    assert run(1) is None
    assert run(2).sentence.text == "Ana b b"


def test_paths_are_scored_by_the_sum_of_their_estimates():
    rise = {"a -": 3.0, "b -": 2.9, "- a": 1.0, "a a": 0.1, "a b": 0.2, "b a": 1.0, "b b": 0.1}
    asked, _ = searched(beam_on_estimates, lambda text: rise.get(text, 0.0), {}, width=2, steps=2)
    # 2.9 + 1.0, then 3.0 + 0.2.
    assert asked == ["a -", "b -", "b a", "a b"]


def test_answers_overrule_estimates():
    asked, found = searched(
        beam_on_answers, lambda text: MISLEADING.get(text, 0.0), {**HURTS, "b -": 0.4}, width=1, steps=2, verified=2
    )
    assert asked[:2] == ["a -", "b -"]
    assert found.sentence.text == "Ana b b"


def test_a_text_is_asked_once_however_it_was_reached():
    asked, _ = searched(beam_on_estimates, lambda text: 1.0, {}, width=10, steps=2)
    assert len(asked) == len(set(asked)) == 8


# --- gradients and budget ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("budget", [1, 2, 7, 30, 90])
@pytest.mark.parametrize("cls", [*CHARACTERS, HotFlipWord])
def test_gradient_queries_are_counted_and_the_budget_holds(cls, budget):
    victim = StubWhiteBox(lexicon(KNOWN))
    outcome = attacked(cls(), victim, goal="targeted(MISC)", budget=budget)
    assert outcome.search_queries + outcome.gradient_queries == outcome.queries <= budget
    assert outcome.search_queries == len(victim.asked) - 1
    assert outcome.gradient_queries == len(victim.differentiated) > 0
    if cls is not HotFlipWord:
        assert budget in {outcome.queries, 90}


@pytest.mark.parametrize("cls", CHARACTERS)
def test_the_control_asks_no_gradients_and_spends_the_same_budget(cls):
    victim = StubWhiteBox(lexicon(KNOWN))
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
    victim = StubWhiteBox(lexicon(KNOWN))
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
