"""The flagship: which words it picks, what it puts there, what it asks and what that costs."""

from __future__ import annotations

import numpy as np
import pytest
from attacking_frame import attacked
from comparing_texts import edited
from open_victims import moved, without_words
from stubs import StubKnowledge, StubLanguageModel, StubVictim, lexicon, sentence

from attacks.disentangled import Disentangled
from benchmark.alignment import apply_edits
from benchmark.errors import BadInput
from benchmark.journal import outcome_from_json, outcome_to_json
from benchmark.metrics import METRICS, Example
from benchmark.probe import Probe
from benchmark.types import Outcome, Status
from benchmark.victims import VictimOptions, find_victim
from benchmark.victims.white_box import AttributionService

TEXT = sentence(
    "Maria Ruiz told traders that markets near Rome fell on Friday .", "B-PER I-PER O O O O O B-LOC O O O O"
)
# Neither function words nor marks nor "Friday", which is no gold mention but written like one.
CONTEXT, ENTITY = {2, 3, 5, 8}, {0, 1, 7}


@pytest.fixture(scope="module")
def victim():
    return find_victim("minilm/newsroom", VictimOptions(device="cpu"))


@pytest.fixture
def candidates(candidates, monkeypatch):
    """The candidates that reach the victim, in order; none succeeds."""
    judge = Probe._judge
    monkeypatch.setattr(Probe, "_judge", lambda *asked: judge(*asked)._replace(success=False))
    return candidates


def quick(**changes):
    """The attack with a coarse integral, which is enough to see what it does."""
    return Disentangled(**{"steps": 3, **changes})


def test_attributions_of_rewritten_mentions_are_complete_at_the_default_steps(victim, newsroom):
    attack = Disentangled()
    texts = [text for text in newsroom.split("test")[:12] if text.spans]
    questions = [attack.question(text, attack.steps, probe_for(attack, victim, text)) for text in texts]
    assert len(questions) > 5
    assert all(question.instead for question in questions)
    missing, whole = [], []
    for question, shares in zip(questions, AttributionService(victim).answer(questions), strict=True):
        # The baseline is the same with and without the rewriting; what is rewritten, is so by as much as it moves.
        own = np.concatenate([victim.tables["pieces"].looked_up(question.tokens[i]) for i, _ in question.instead])
        new = np.concatenate([np.frombuffer(v, np.float32).reshape(-1, own.shape[1]) for _, v in question.instead])
        here = moved(victim, question.tokens, question.target, "pieces", [i for i, _ in question.instead], new - own)
        whole.append(here - without_words(victim, question.tokens, question.target, "pieces"))
        missing.append(abs(shares.sum() - whole[-1]))
    assert sum(missing) < 0.05 * sum(map(abs, whole))
    assert np.median(np.divide(missing, np.abs(whole))) < 0.05


def probe_for(attack, victim, text):
    """A probe as the harness makes it, caught at work."""
    caught = []

    class Catcher(Disentangled):
        async def run(self, sentence, probe):
            caught.append(probe)

    attacked(Catcher(**attack.parameters), victim, text)
    return caught[0]


@pytest.mark.parametrize(("mode", "allowed"), [("both", CONTEXT | ENTITY), ("context", CONTEXT), ("entity", ENTITY)])
def test_the_most_attributed_words_are_picked(mode, allowed, victim, candidates):
    outcome = attacked(quick(mode=mode, words=2), victim, TEXT)
    shares = outcome.attributions
    assert len(shares) == len(TEXT)
    assert all(share >= 0 for share in shares)
    # A mention is one place, that of its strongest word.
    strongest = [i for i in sorted(allowed, key=lambda i: -shares[i]) if i != (0 if shares[0] < shares[1] else 1)]
    best = strongest[:2]
    assert list(outcome.chosen) == best
    assert candidates
    for candidate in candidates:
        mentions = {
            i for span in TEXT.spans for i in range(span.start, span.end) if set(best) & {*range(span.start, span.end)}
        }
        assert set(edited(candidate, TEXT)) <= set(best) | mentions


def test_a_mention_is_replaced_as_a_whole_by_one_of_its_kind(victim, candidates):
    attacked(quick(mode="entity", words=3, names=4), victim, TEXT)
    people = {c.tokens[:2] for c in candidates}
    assert people <= {("Bob", "Stone"), ("Cleo", "Marsh"), ("Dora", "Lund"), ("Emil", "Vasa")}
    assert len(people) > 1
    assert {c.tokens[7] for c in candidates} <= {"Lima", "Oslo", "Quito", "Riga"}
    assert all(c.tags == TEXT.tags for c in candidates)


def test_a_name_may_be_longer_if_asked(victim, candidates):
    text = sentence("Yesterday Maria went to Rome", "O B-PER O O B-LOC")
    attacked(quick(mode="entity", words=2, same_length=False, sentences=40), victim, text)
    assert {len(c) for c in candidates} == {5, 6}
    assert all([c.tokens[s.start] for s in c.spans if s.type == "LOC"] != ["Rome"] for c in candidates)


def test_context_words_give_way_to_neither_function_words_nor_names(victim, candidates):
    model = StubLanguageModel(("whose", "london", "red", "paint", "harvest", "quickly", "market", "signal", "of"))
    outcome = attacked(quick(mode="context", proposals=3), victim, TEXT, language_model=model)
    assert outcome.search_queries == 3
    (at,) = {i for c in candidates for i in edited(c, TEXT)}
    assert {c.tokens[at] for c in candidates}.isdisjoint({"whose", "london", "of"})


def test_a_headline_is_not_written_like_a_name(victim, candidates):
    attacked(quick(mode="context"), victim, sentence("ROME MARKETS FALL", "B-LOC O O"))
    assert candidates


def test_a_word_is_not_replaced_by_its_neighbour(victim, candidates):
    model = StubLanguageModel(("markets", "Near", "red"))
    text = sentence("markets fell near Rome", "O O O B-LOC")
    attacked(quick(mode="context", words=3), victim, text, language_model=model)
    assert {c.tokens[1] for c in candidates} == {"red"}


def test_what_the_language_model_cannot_read_has_no_context_substitutes(victim, candidates):
    model = StubLanguageModel(("red",))
    model.fits = lambda tokens: False
    outcome = attacked(quick(words=9), victim, TEXT, language_model=model)
    assert outcome.status is Status.FAILED
    assert {i for c in candidates for i in edited(c, TEXT)} <= ENTITY


def test_what_may_not_be_asked_takes_no_place_among_the_candidates(victim, candidates):
    class LikesBob:
        """Finds the candidates most similar that are not allowed."""

        identity = "likes bob"

        async def similarities(self, text, others):
            return [float("Bob" in other) for other in others]

    class NoBobs(Disentangled):
        @property
        def constraints(self):
            return (NoBob(),)

    class NoBob:
        def objection(self, original, candidate):
            return "Bob" if "Bob" in candidate.tokens else None

    attacked(NoBobs(mode="entity", steps=3, sentences=1, words=3), victim, TEXT, encoder=LikesBob())
    assert candidates


@pytest.mark.parametrize("limit", [1, 4, 10])
def test_no_more_sentences_are_asked_than_allowed(limit, victim, candidates):
    outcome = attacked(quick(words=3, sentences=limit), victim, TEXT)
    assert outcome.search_queries == limit
    assert len(candidates) <= limit  # an edited word taken for an entity does not count


def test_the_most_similar_come_first(victim, candidates):
    class Encoder:
        identity = "the alphabet"

        async def similarities(self, text, others):
            return [1 - sum(map(ord, other)) / 1e5 for other in others]

    attacked(quick(words=2), victim, TEXT, encoder=Encoder())
    sums = [sum(map(ord, c.text)) for c in candidates]
    assert sums == sorted(sums)


def test_no_two_mentions_get_the_same_name(victim, candidates):
    text = sentence("Yesterday Rome beat Milan", "O B-LOC O B-LOC")
    attacked(quick(mode="entity", words=2, sentences=40, ranked_by_similarity=False), victim, text)
    assert candidates
    assert all(c.tokens[1] != c.tokens[3] for c in candidates)


def test_places_without_substitutes_are_passed_over(victim, candidates):
    knowledge = StubKnowledge({"city": ("LOC", ("Lima", "Oslo"))})
    outcome = attacked(quick(mode="entity"), victim, TEXT, knowledge=knowledge)
    assert outcome.chosen == (7,)
    assert {c.tokens[7] for c in candidates} == {"Lima", "Oslo"}


def test_numbers_function_words_and_what_looks_like_a_name_are_no_places(victim):
    text = sentence("Rome 1996 : 3 of these on Friday or friday", "B-LOC O O O O O O O O O")
    outcome = attacked(quick(mode="context"), victim, text)
    assert (outcome.queries, outcome.chosen) == (0, ())


def test_gradients_are_paid_for(victim, candidates):
    assert attacked(quick(steps=20), victim, TEXT).gradient_queries == 20
    assert attacked(quick(attribution="saliency"), victim, TEXT).gradient_queries == 1
    assert attacked(quick(order="random"), victim, TEXT).gradient_queries == 0
    poor = attacked(quick(steps=20), victim, TEXT, budget=18)
    assert poor.gradient_queries == 9  # half, for ten candidates would leave eight
    assert poor.queries <= 18


def test_where_no_gradient_can_be_paid_for_the_order_is_random(victim, candidates):
    outcome = attacked(quick(), victim, TEXT, budget=1)
    assert (outcome.gradient_queries, outcome.search_queries) == (0, 1)
    assert outcome.attributions is None
    assert candidates


def test_a_rising_threshold_pays_for_its_attributions_once(victim):
    outcome = attacked(quick(mode="entity", words=3), victim, TEXT, mode="escalate", budget=512)
    assert outcome.gradient_queries == 3


@pytest.mark.parametrize(
    "changes",
    [{}, {"disentangle": False}, {"signed": True}, {"attribution": "saliency"}, {"order": "random"}],
    ids=repr,
)
def test_the_same_seed_gives_the_same_outcome(changes, victim):
    attack = quick(words=2, **changes)
    one, two = (attacked(attack, victim, TEXT, seed=3) for _ in range(2))
    assert one == two
    assert outcome_from_json(outcome_to_json(one)) == one


def test_rewriting_the_mentions_changes_their_shares(victim):
    rewritten = attacked(quick(), victim, TEXT).attributions
    plain = attacked(quick(disentangle=False), victim, TEXT).attributions
    assert rewritten != plain


def test_a_success_is_stored_with_its_edits(victim, newsroom):
    texts = [text for text in newsroom.split("test")[:16] if text.spans]
    outcomes = [attacked(quick(words=3), victim, text) for text in texts]
    won = [(text, outcome) for text, outcome in zip(texts, outcomes, strict=True) if outcome.status is Status.SUCCESS]
    assert won
    for text, outcome in won:
        assert apply_edits(text.tokens, outcome.edits) != text.tokens


@pytest.mark.parametrize(
    ("changes", "kinds"),
    [
        ({}, {"language_model", "knowledge", "encoder", "disentangler"}),
        ({"mode": "context"}, {"language_model", "encoder", "disentangler"}),
        ({"mode": "entity"}, {"knowledge", "encoder", "disentangler"}),
        ({"disentangle": False}, {"language_model", "knowledge", "encoder"}),
        ({"order": "random", "ranked_by_similarity": False}, {"language_model", "knowledge"}),
    ],
)
def test_nothing_is_loaded_that_is_not_needed(changes, kinds):
    assert set(Disentangled(**changes).resources) == kinds


@pytest.mark.parametrize(
    "wrong",
    [{"mode": "all"}, {"attribution": "lime"}, {"words": 0}, {"order": "importance"}, {"sentences": 0}],
    ids=repr,
)
def test_wrong_parameters_are_told(wrong):
    with pytest.raises(BadInput):
        Disentangled(**wrong)


def test_a_victim_without_gradients_is_told():
    with pytest.raises(BadInput, match="needs the victim's gradients"):
        attacked(quick(), StubVictim(lexicon({"Maria": "B-PER"})))


def test_the_share_of_context_words_is_reported_beside_their_base_rate():
    def example(attributions):
        return Example(
            Outcome("s", None, 4, Status.FAILED, ("B-PER", "O", "O", "O"), ("O",) * 4, attributions=attributions)
        )

    values = {metric.name: metric for metric in METRICS}
    examples = [example((0.9, 0.5, 0.1, 0.0)), example((0.2, 0.3, 0.9, 0.1)), example(None)]
    assert values["context_share.top1"].value(examples, 10).value == 0.5
    assert values["context_share.top3"].value(examples, 10).value == pytest.approx(4 / 6)
    assert values["context_share.all"].value(examples, 10).value == 0.75
    assert values["context_share.top1"].value(examples[2:], 10).value is None
