"""The word attacks: which words they edit, what they put there, in which order; and their control."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from stubs import LABELS, StubLanguageModel, StubTagger, StubVictim, lexicon, sentence, stub_resources

from attacks.bae import Bae
from attacks.bert_attack import BertAttack
from attacks.clare import Clare
from attacks.constraints.names import NoNewNames
from attacks.morpheus import Morpheus
from attacks.random_word import RandomWord
from attacks.textfooler import TextFooler
from attacks.viba import VirtualBoundary
from attacks.word_attack import WordAttack
from benchmark.alignment import apply_edits
from benchmark.attacking import Assault, Mode
from benchmark.engine import Engine
from benchmark.errors import BadInput
from benchmark.goals import goal_named
from benchmark.probe import Probe
from benchmark.resources.language_models import Gap, Seen
from benchmark.resources.loading import Resources
from benchmark.resources.tagging import TaggedWord
from benchmark.resources.word_vectors import WordVectors
from benchmark.runner import ATTACKS
from benchmark.threat import Access, Budget, Touch
from benchmark.types import Operation, Prediction, Status

KNOWN = {"Ana": "B-PER", "Ruiz": "I-PER", "Rome": "B-LOC"}
TEXT = sentence("Ana Ruiz told traders that 3 markets near Rome fell .", "B-PER I-PER O O O O O O B-LOC O O")
# Words that may be replaced: not the mentions, not "that" and "near", not the full stop.
EDITABLE = [2, 3, 5, 6, 9]
CLASSES = [BertAttack, Bae, Clare, TextFooler, Morpheus, VirtualBoundary]
NAMES = [cls.card.name for cls in CLASSES]


def resources(**more):
    return Resources({**stub_resources()._loaded, **more})


def unmoved(text=TEXT):
    """A victim that knows the names wherever they stand."""
    return StubVictim(lexicon(KNOWN))


def attacked(
    attacker, victim=None, text=TEXT, mode="first-success", budget=512, seed=0, goal="untargeted-strict", **lean
):
    assault = Assault(
        attacker, victim or unmoved(), goal_named(goal), Mode(mode), Budget(budget), seed, resources=resources(**lean)
    )
    (done,) = Engine().run([assault.job(text)])
    assert not done.result.reason, done.result.reason
    return done.result


@pytest.fixture
def candidates(monkeypatch):
    """The candidates that reach the victim, in order, those that are only measured left out."""
    found, judge = [], Probe._judge

    def spy(probe, candidate, prediction):
        found.append(candidate)
        return judge(probe, candidate, prediction)

    monkeypatch.setattr(Probe, "_judge", spy)
    return found


def places(candidates, text=TEXT):
    """Where candidates of the same length differ from the text."""
    return [[i for i, (a, b) in enumerate(zip(text.tokens, c.tokens, strict=True)) if a != b] for c in candidates]


class Nearer(StubVictim):
    """Doubts the names more with every word that is not as it was, but never enough to miss them."""

    def __init__(self, text=TEXT):
        super().__init__(lexicon(KNOWN))
        self.text = text

    def _predict(self, tokens):
        doubt = 0.02 * len(set(tokens) - set(self.text.tokens))
        rows = np.zeros((len(tokens), len(LABELS)), dtype=np.float32)
        for i, token in enumerate(tokens):
            rows[i, LABELS.index(KNOWN.get(token, "O"))] = 1
            if token in KNOWN:
                rows[i] *= 1 - doubt
                rows[i, 0] = doubt
        return Prediction(tuple(LABELS[k] for k in rows.argmax(axis=1)), rows)


# --- what they have in common -----------------------------------------------------------------------------------------


def test_all_word_attacks_are_known_here():
    registered = {name for name in ATTACKS if issubclass(ATTACKS.get(name), WordAttack)}
    assert registered >= set(NAMES)
    assert all(cls.card.touch is Touch.CONTEXT for cls in CLASSES)
    assert {cls.card.name for cls in CLASSES if cls.card.access is Access.LABELS} == {"viba"}


@pytest.mark.parametrize("attacker", [BertAttack(), Bae(), TextFooler(), Morpheus(), Clare(insert=False)], ids=repr)
def test_only_words_of_the_context_that_mean_something_are_replaced(attacker, candidates):
    attacked(attacker, word_vectors=WordVectors(("told", "fell", "said"), np.ones((3, 2), np.float32), "v"))
    touched = {i for edited in places(candidates) for i in edited}
    assert touched
    assert touched <= set(EDITABLE)
    if isinstance(attacker, BertAttack | Clare):
        assert touched == set(EDITABLE) - {5}  # the stub knows no other number


@pytest.mark.parametrize("attacker", [BertAttack(), Bae(), Morpheus(), Clare(insert=False)], ids=repr)
def test_what_the_victim_takes_for_a_mention_is_left_alone(attacker, candidates):
    attacked(attacker, StubVictim(lexicon({**KNOWN, "traders": "B-MISC"})))
    touched = {i for edited in places(candidates) for i in edited}
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
    outcome = attacked(cls(max_words=share, similarity=0.0), Nearer(), tagger=Penn() if cls is Morpheus else Alike())
    most = {0.05: 1, 0.15: 2, 1.0: 11}[share]
    edits = [
        sum(1 for s in c.sources if not s)
        + sum(1 for word, s in zip(c.tokens, c.sources, strict=True) if s and word != TEXT.tokens[s[0]])
        for c in candidates
    ]
    assert max(edits) <= most
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
    lean = {"word_vectors": WordVectors(("told", "traders", "fell", "said"), np.ones((4, 2), np.float32), "v")}
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
    lean = {"word_vectors": WordVectors(("told", "fell", "said"), np.ones((3, 2), np.float32), "v")}
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
    class Leaning(StubVictim):
        def _predict(self, tokens):
            self._confidence = 0.6 if "fell" not in tokens else 0.7 if "told" not in tokens else 0.9
            return super()._predict(tokens)

    for cls in (BertAttack, Bae):
        candidates.clear()
        attacked(cls(similarity=0.0), Leaning(lexicon(KNOWN)))
        walked = list(dict.fromkeys(edited[-1] for edited in places(candidates) if len(edited) == 1))
        assert walked[0] == 9


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


# --- BERT-Attack and BAE ----------------------------------------------------------------------------------------------


def test_bert_attack_asks_the_language_model_about_the_original_only_with_the_word_in_sight():
    model = StubLanguageModel()
    attacked(BertAttack(k=3), Nearer(), language_model=model)
    # Once for each word, although by the end of the walk the sentence has changed.
    assert sorted(q.at for q in model.asked) == EDITABLE
    assert set(model.asked) == {Gap(TEXT.tokens, i, 3, Seen.VISIBLE) for i in EDITABLE}


def test_bert_attack_asks_the_language_model_once_in_all_passes_of_escalate():
    model = StubLanguageModel()
    victim = StubVictim(
        lambda tokens: [KNOWN.get(t, "O") if tokens[3] == "traders" or t != "Rome" else "O" for t in tokens]
    )
    outcome = attacked(BertAttack(), victim, mode="escalate", language_model=model)
    assert outcome.status is Status.SUCCESS
    assert len(model.asked) == len(set(model.asked)) <= len(EDITABLE)


def test_bae_hides_the_word_and_asks_about_the_sentence_as_it_is_by_then():
    model = StubLanguageModel()
    attacked(Bae(similarity=0.0), Nearer(), language_model=model, tagger=Alike())
    assert {q.seen for q in model.asked} == {Seen.HIDDEN}
    changed = [sum(a != b for a, b in zip(q.tokens, TEXT.tokens, strict=True)) for q in model.asked]
    assert changed[0] == 0
    assert max(changed) >= 3


def test_k_words_are_tried_at_a_place(candidates):
    attacked(BertAttack(k=2))
    assert max(Counter(tuple(edited) for edited in places(candidates)).values()) == 2


class Alike(StubTagger):
    """To whom all words are nouns."""

    @staticmethod
    def _tag(word):
        return TaggedWord("NOUN", "NN")


def test_bae_keeps_the_part_of_speech(candidates):
    outcome = attacked(Bae(similarity=0.0))
    assert outcome.rejected["part of speech changed"] > 0
    new = {c.tokens[i] for c in candidates for i, word in enumerate(TEXT.tokens) if c.tokens[i] != word}
    # To the stub "quickly" is an adverb; all others are nouns.
    assert new == {"red", "market", "seventeen", "paint", "whose", "harvest"}


def test_a_language_model_that_fails_after_a_success_leaves_the_success():
    class OnlyOriginals(StubLanguageModel):
        def _answer(self, question):
            if question.tokens != TEXT.tokens:
                raise RuntimeError("no")
            return super()._answer(question)

    class Leaning(Nearer):
        """Loses Rome as soon as "told" is replaced; the other name never."""

        def _predict(self, tokens):
            prediction = super()._predict(tokens)
            if tokens[2] != "told" and len(tokens) == len(TEXT) and tokens[8] == "Rome":
                tags = (*prediction.tags[:8], "O", *prediction.tags[9:])
                return Prediction(tags, prediction.probabilities)
            return prediction

    assault = Assault(
        Bae(similarity=0.0, order="random"),
        Leaning(),
        goal_named("untargeted-strict"),
        Mode("escalate"),
        Budget(512),
        0,
        resources=resources(language_model=OnlyOriginals(), tagger=Alike()),
    )
    outcomes = []
    for seed in range(8):
        (done,) = Engine().run([Assault(**{**vars(assault), "seed": seed}).job(TEXT)])
        outcomes.append(done.result)
    kept = [o for o in outcomes if o.status is Status.SUCCESS and o.reason]
    assert kept
    for outcome in kept:
        assert "ServiceFailed (RuntimeError)" in outcome.reason
        assert [edit.at for edit in outcome.edits] == [2]
        assert outcome.score == pytest.approx(1 / 3, abs=1e-6)
    assert {o.status for o in outcomes} <= {Status.SUCCESS, Status.ERROR}


# --- TextFooler -------------------------------------------------------------------------------------------------------


def near_words():
    """Cosines with "told": said 0.95, spoke 0.8, quietly 0.8, sang 0.6, wept 0.3."""
    cosines = {"told": 1.0, "said": 0.95, "spoke": 0.8, "quietly": 0.8, "sang": 0.6, "wept": 0.3}
    vectors = np.array([[c, (1 - c * c) ** 0.5] for c in cosines.values()], dtype=np.float32)
    return WordVectors(list(cosines), vectors, "by hand")


@pytest.mark.parametrize(
    ("parameters", "wanted"),
    [
        ({}, {"said", "spoke", "sang"}),
        ({"min_cosine": 0.7}, {"said", "spoke"}),
        ({"min_cosine": 0.9}, {"said"}),
        ({"min_cosine": 0.99}, set()),
        ({"min_cosine": -1.0}, {"said", "spoke", "sang", "wept"}),
        ({"k": 1}, {"said"}),
        ({"k": 3, "min_cosine": 0.0}, {"said", "spoke"}),
    ],
)
def test_textfooler_takes_the_nearest_words_of_the_same_part_of_speech(parameters, wanted, candidates):
    outcome = attacked(TextFooler(similarity=0.0, **parameters), word_vectors=near_words())
    assert {c.tokens[2] for c in candidates} == wanted
    if parameters.get("min_cosine", 0.5) <= 0.8 and parameters.get("k") != 1:
        assert outcome.rejected["part of speech changed"] == 1  # quietly


@pytest.mark.parametrize(("word", "wanted"), [("told", "said"), ("Told", "Said"), ("TOLD", "SAID")])
def test_textfoolers_words_take_the_casing(word, wanted, candidates):
    text = sentence(f"Ana {word}", "B-PER O")
    attacked(TextFooler(similarity=0.0, min_cosine=0.9), text=text, word_vectors=near_words(), tagger=Alike())
    assert [c.tokens[1] for c in candidates] == [wanted]


def test_the_stub_vectors_are_near_by_pairs():
    vectors = stub_resources().word_vectors
    assert vectors.neighbours("said", 1)[0][0] == "told"
    assert vectors.neighbours("nowhere", 5) == ()


# --- Morpheus ---------------------------------------------------------------------------------------------------------


class Penn(StubTagger):
    """Verbs by heart, others nouns."""

    @staticmethod
    def _tag(word):
        universal = {"told": "VERB", "fell": "VERB", "FELL": "VERB", "3": "NUM"}.get(word, "NOUN")
        return TaggedWord(universal, "")


# Forms of to fall and of to fell.
FALL_OR_FELL = ("fall", "falls", "falling", "fallen", "fells", "felled", "felling")


def test_morpheus_walks_the_text_and_inflects(candidates):
    attacked(Morpheus(), tagger=Penn())
    found = [(i, c.tokens[i]) for c, (i,) in zip(candidates, places(candidates), strict=True)]
    assert [i for i, _ in found] == sorted(i for i, _ in found)
    wanted = {(2, w) for w in ("tell", "tells", "telling")} | {(3, "trader"), (6, "market")}
    assert set(found) == wanted | {(9, w) for w in FALL_OR_FELL}


def test_morpheus_keeps_the_worst_inflection_of_each_word(candidates):
    outcome = attacked(Morpheus(), Nearer(), tagger=Penn())
    assert max(len(edited) for edited in places(candidates)) == 4
    assert outcome.status is Status.FAILED


def test_morpheus_in_the_order_of_importance_ranks_by_masking():
    victim = unmoved()
    attacked(Morpheus(order="importance"), victim, tagger=Penn())
    assert all("[UNK]" in tokens for tokens in victim.asked[1 : 1 + len(EDITABLE)])


def test_morpheus_keeps_capitals(candidates):
    text = sentence("TRADERS FELL near Ana", "O O O B-PER")
    attacked(Morpheus(), text=text, tagger=Penn())
    assert {c.tokens[0] for c in candidates} == {"TRADERS", "TRADER"}
    assert {c.tokens[1] for c in candidates} == {"FELL", *(w.upper() for w in FALL_OR_FELL)}


def test_morpheus_knows_more_orders_than_the_others():
    Morpheus(order="text")
    with pytest.raises(BadInput, match="importance, random"):
        BertAttack(order="text")
    with pytest.raises(BadInput, match="text, importance, random"):
        Morpheus(order="backwards")


# --- ViBA -------------------------------------------------------------------------------------------------------------

ADJACENT = sentence("Ana Ruiz Rome fell , Ana said", "B-PER I-PER B-LOC O O B-PER O")


def test_viba_inserts_at_the_borders_of_mentions_only(candidates):
    attacked(VirtualBoundary(max_words=1.0), text=ADJACENT)
    assert candidates
    inserted = [[i for i, source in enumerate(c.sources) if not source] for c in candidates]
    assert {len(new) for new in inserted} == {1}
    # Before and behind each mention; between the two that touch there is one place.
    assert {i for (i,) in inserted} == {0, 2, 3, 5, 6}
    assert len(candidates) == 5 * len(StubLanguageModel().words)
    for candidate in candidates:
        (i,) = (k for k, source in enumerate(candidate.sources) if not source)
        assert candidate.delete(i).tokens == ADJACENT.tokens
        assert candidate.tags[i] == "O"


def test_viba_gives_every_border_its_turn_before_any_its_second(candidates):
    attacked(VirtualBoundary(sample=5), text=ADJACENT)
    first = [next(k for k, source in enumerate(c.sources) if not source) for c in candidates[:10]]
    assert sorted(first[:5]) == sorted(first[5:]) == [0, 2, 3, 5, 6]


def test_viba_tries_the_likelier_words_sooner():
    """As its text says; the stub gives the first of seven words a half, the last a hundredth part."""
    text = sentence("Ana fell", "B-PER O")
    turns = Counter()
    for seed in range(60):
        model, victim = StubLanguageModel(), unmoved()
        attacked(VirtualBoundary(), victim, text, seed=seed, language_model=model)
        for question in model.asked:
            order = [proposal.word for proposal in model._answer(question)]
            mine = [
                t[question.at]
                for t in victim.asked[1:]
                if len(t) == 3 and (*t[: question.at], *t[question.at + 1 :]) == text.tokens
            ]
            turns["likeliest"] += mine.index(order[0])
            turns["least likely"] += mine.index(order[-1])
    # By their weights the likeliest comes second on average or sooner, the least likely nearly last.
    assert turns["likeliest"] < 0.5 * turns["least likely"]


@pytest.mark.parametrize("budget", [1, 5, 12])
def test_viba_spends_its_budget_although_constraints_refuse_candidates(budget):
    # Of 14 candidates the encoder refuses those with "red"; there are 12 others.
    class Encoder:
        identity = "no red"

        async def similarities(self, text, others):
            return [0.0 if "red" in other.lower().split() else 1.0 for other in others]

    outcome = attacked(
        VirtualBoundary(similarity=0.5), text=sentence("Ana fell", "B-PER O"), budget=budget, encoder=Encoder()
    )
    assert outcome.search_queries == budget


def test_viba_asks_a_handful_at_a_time_and_stops_at_success():
    victim = StubVictim(lambda tokens: [KNOWN.get(t, "O") if len(tokens) == 7 else "O" for t in tokens])
    outcome = attacked(VirtualBoundary(sample=4), victim, ADJACENT)
    assert outcome.status is Status.SUCCESS
    assert outcome.search_queries == 4
    assert [edit.operation for edit in outcome.edits] == [Operation.INSERT]


def test_viba_has_nothing_to_do_without_mentions():
    outcome = attacked(VirtualBoundary(), text=sentence("nothing fell", "O O"), goal="spurious")
    assert (outcome.status, outcome.search_queries) == (Status.FAILED, 0)


# --- CLARE ------------------------------------------------------------------------------------------------------------

ALL = {"similarity": 0.0, "min_replace": 0.0, "min_insert": 0.0, "min_merge": 0.0, "sample": 10_000, "max_words": 1.0}


def kinds(candidates, text=TEXT):
    """What kinds of edits there are and where."""
    found = {"replace": set(), "insert": set(), "merge": set()}
    for c in candidates:
        for i, (word, source) in enumerate(zip(c.tokens, c.sources, strict=True)):
            if not source:
                found["insert"].add(i)
            elif len(source) > 1:
                found["merge"].add(source)
            elif word != text.tokens[source[0]]:
                found["replace"].add(source[0])
    return found


@pytest.mark.parametrize("insert", [False, True])
@pytest.mark.parametrize("merge", [False, True])
def test_clare_does_what_its_switches_say(insert, merge, candidates):
    attacked(Clare(insert=insert, merge=merge, **ALL))
    found = kinds(candidates)
    assert found["replace"] == {2, 3, 6, 9}
    # Before every word, in a mention none; behind the last there is no place.
    assert found["insert"] == ({0, 2, 3, 4, 5, 6, 7, 8, 9, 10} if insert else set())
    # "told traders" and "3 markets" (a number, which stays one) are the neighbours that may both be replaced.
    assert found["merge"] == ({(2, 3)} if merge else set())


def test_clare_by_default_replaces_and_inserts():
    assert (Clare().insert, Clare().merge) == (True, False)


def test_a_merged_word_takes_the_casing_of_the_place_it_stands_at(candidates):
    """A sentence goes on starting with a capital; the second of the two words does not decide."""
    text = sentence("Local police met Ana", "O O O B-PER")
    attacked(Clare(insert=False, merge=True, **ALL), text=text, language_model=StubLanguageModel(("officers",)))
    assert {c.tokens[0] for c in candidates if (0, 1) in c.sources} == {"Officers"}


def test_clare_merges_a_number_only_into_a_number(candidates):
    model = StubLanguageModel(("many", "18"))
    attacked(Clare(insert=False, merge=True, **ALL), language_model=model)
    merged = {c.tokens[5] for c in candidates if (5, 6) in c.sources}
    assert merged == {"18"}


def test_clare_never_merges_across_a_mention_nor_inserts_into_one(candidates):
    text = sentence("traders Ana Ruiz told Rome markets", "O B-PER I-PER O B-LOC O")
    attacked(Clare(merge=True, **ALL), text=text)
    found = kinds(candidates, text)
    assert found["merge"] == set()
    # Not before "traders", which is no mention and would stand there in its capital.
    assert found["insert"] == {1, 3, 4, 5}
    for candidate in candidates:
        assert [candidate.tokens[s.start : s.end] for s in candidate.spans] == [("Ana", "Ruiz"), ("Rome",)]


def test_clare_steps_on_from_the_best_and_never_edits_its_own_words(candidates):
    attacked(Clare(merge=True, **ALL), Nearer())
    most = max(len(c.tokens) - len(TEXT) for c in candidates)
    assert most >= 3
    own = {w.lower() for w in StubLanguageModel().words}
    for candidate in candidates:
        for word, source in zip(candidate.tokens, candidate.sources, strict=True):
            assert source or word.lower() in own
            assert len(source) < 3


@pytest.mark.parametrize("name", ["min_replace", "min_insert", "min_merge"])
def test_clare_takes_what_is_likely_enough(name, candidates):
    # The stub gives its words 1/2, 1/4, 1/8 and so on.
    options = {**ALL, "merge": True, **dict.fromkeys(("min_replace", "min_insert", "min_merge"), 1.1), name: 0.125}
    text = sentence("Ana told traders", "B-PER O O")
    attacked(Clare(**options), text=text)
    kind = name.removeprefix("min_")
    found = kinds(candidates, text)
    assert {key for key, where in found.items() if where} == {kind}
    per_place = Counter(
        next(i for i, (a, b) in enumerate(zip((*c.tokens, ""), (*text.tokens, ""), strict=False)) if a != b)
        for c in candidates
    )
    # Three at each place; the stub leaves none out but the word itself.
    assert set(per_place.values()) == {3}


def test_clare_asks_as_many_as_its_sample_in_a_step():
    victim = unmoved()
    attacked(Clare(sample=5, similarity=0.0), victim, sentence("Ana told traders that markets fell", "B-PER O O O O O"))
    assert len(victim.asked) == 1 + 5  # nothing is nearer, so there is one step


def test_a_wider_beam_looks_at_more():
    def steps(beam):
        return attacked(Clare(beam=beam, sample=6, similarity=0.0), Nearer(), budget=400).search_queries

    assert steps(3) > steps(1) + 6


# --- random-word ------------------------------------------------------------------------------------------------------

LIKES = ["bert-attack", "bae", "clare", "textfooler", "morpheus", "viba"]
SHORT = sentence("Ana told traders later", "B-PER O O O")


def all_neighbours(like, text=SHORT):
    """The texts one edit of another attack away, as far as its constraints allow them."""
    found = []

    class Everything(type(ATTACKS.get(like)())):
        async def run(self, sentence, probe):
            groups = await self.edits(sentence, self.places(sentence, probe), probe)
            for group in groups:
                for candidate in group:
                    found.extend(verdict.sentence.tokens for verdict in await probe([candidate]))

    attacked(Everything(), text=text)
    return set(found)


@pytest.mark.parametrize("like", LIKES)
def test_random_word_asks_each_candidate_of_its_model_once_and_ends(like, candidates):
    wanted = all_neighbours(like)
    candidates.clear()
    victim = unmoved()
    outcome = attacked(RandomWord(like=like), victim, SHORT)
    asked = [c.tokens for c in candidates]
    assert wanted
    assert len(asked) == len(set(asked)) == outcome.search_queries
    assert set(asked) == wanted
    assert SHORT.tokens not in asked
    assert outcome.status is Status.FAILED


@pytest.mark.parametrize("like", LIKES)
@pytest.mark.parametrize("budget", [1, 3])
def test_random_word_stays_within_its_budget(like, budget):
    victim = unmoved()
    outcome = attacked(RandomWord(like=like), victim, SHORT, budget=budget)
    assert outcome.search_queries == min(budget, len(all_neighbours(like)))
    assert len(victim.asked) == outcome.search_queries + 1


@pytest.mark.parametrize("like", LIKES)
def test_random_word_has_the_constraints_of_its_model(like):
    control, model = RandomWord(like=like), ATTACKS.get(like)()
    assert control.resources == model.resources
    assert control.constraints == model.constraints
    assert control.model_constraints == model.model_constraints
    assert control.prediction_constraints == model.prediction_constraints
    assert control.parameters == {
        "like": like,
        "words": 1,
        "model": {"version": model.card.version, **model.parameters},
    }


@pytest.mark.parametrize("like", ["bert-attack", "clare", "viba"])
def test_random_word_makes_as_many_edits_as_it_is_told(like, candidates):
    text = sentence("Ana told traders that markets fell near Rome later", "B-PER O O O O O O B-LOC O")
    attacked(RandomWord(like=like, words=2), text=text, budget=40)
    assert len(candidates) == 40
    edits = [
        sum(1 for word, s in zip(c.tokens, c.sources, strict=True) if not s or word != text.tokens[s[0]])
        for c in candidates
    ]
    assert set(edits) == {2}


def test_random_word_takes_no_scores_and_ranks_nothing():
    victim = StubVictim(lexicon(KNOWN), confidence=None)
    outcome = attacked(RandomWord(), victim, budget=20)
    assert outcome.search_queries == 20
    assert all("[UNK]" not in tokens for tokens in victim.asked)
    assert outcome.trajectory[-1:] in ((), ((1, 0.0),))


def test_random_word_covers_all_places_and_differs_by_seed(candidates):
    attacked(RandomWord(), seed=1)
    first = [c.tokens for c in candidates]
    assert {i for edited in places(candidates) for i in edited} == set(EDITABLE) - {5}
    candidates.clear()
    attacked(RandomWord(), seed=2)
    assert [c.tokens for c in candidates] != first
    assert {c.tokens for c in candidates} == set(first)


def test_random_word_finds_what_there_is():
    victim = StubVictim(lambda tokens: [KNOWN.get(t, "O") if "told" in tokens else "O" for t in tokens])
    outcome = attacked(RandomWord(), victim)
    assert outcome.status is Status.SUCCESS
    assert [edit.at for edit in outcome.edits] == [2]
    assert "told" not in apply_edits(TEXT.tokens, outcome.edits)


def test_random_word_ends_where_there_is_nothing_to_edit():
    outcome = attacked(RandomWord(), text=sentence("the Ana of it .", "O B-PER O O O"))
    assert (outcome.status, outcome.search_queries) == (Status.FAILED, 0)


@pytest.mark.parametrize("like", ["identity", "deepwordbug-i", "random-edit", "casing", "random-word"])
def test_random_word_refuses_to_stand_beside_an_attack_without_words(like):
    with pytest.raises(BadInput) as refused:
        RandomWord(like=like)
    (line,) = str(refused.value).splitlines()
    assert like in line
    assert "word attacks" in line


def test_random_word_refuses_an_unknown_attack():
    with pytest.raises(BadInput, match="unknown attack 'bert-atack'; did you mean bert-attack"):
        RandomWord(like="bert-atack")


def test_the_parameters_of_random_word_tell_a_new_version_of_its_model(monkeypatch):
    """Its candidates are the other's, so a new version or other defaults of that one are another random-word."""
    from dataclasses import replace

    before = RandomWord(like="viba").parameters
    monkeypatch.setattr(VirtualBoundary, "card", replace(VirtualBoundary.card, version=99))
    assert (RandomWord(like="viba").parameters, RandomWord.card.version) != (before, RandomWord.card.version)


def test_clare_inserts_before_a_mention_that_begins_the_text(candidates):
    text = sentence("Ana told traders", "B-PER O O")
    attacked(Clare(**ALL), text=text)
    first = {c.tokens[0] for c in candidates if not c.sources[0]}
    assert first
    assert first == {word.capitalize() for word in first}


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


def test_random_word_passes_parameters_on_to_the_attack_it_stands_beside():
    control = RandomWord.configured({"like": "clare", "words": 2, "merge": True, "k": 7})
    assert (control.words, control.model) == (2, Clare(merge=True, k=7))
    assert control.parameters["model"]["k"] == 7
    assert control.parameters["merge"] is True
    with pytest.raises(BadInput, match="no parameter 'tagger'"):
        RandomWord.configured({"like": "clare", "tagger": "x"})
    with pytest.raises(BadInput, match="words must be int"):
        RandomWord.configured({"words": "many"})
