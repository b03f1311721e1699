"""The probe: counts, stops, turns away, judges, remembers."""

from __future__ import annotations

import numpy as np
import pytest
from attacking_frame import attacked, driven
from stubs import LABELS, StubVictim, StubWhiteBox, lexicon, sentence

from benchmark.contracts import Attack, attack
from benchmark.goals import Clean, goal_named
from benchmark.probe import BudgetSpent, GoalReached, Probe, Verdict, VictimService, best, rng_for
from benchmark.threat import Access, Budget, ThreatModel, Touch
from benchmark.types import Prediction
from benchmark.victims.white_box import Gradient

# Two persons; the victim knows them by heart and misses them as soon as a letter changes.
TEXT = sentence("so Ana met Bo , twice", "O B-PER O B-PER O O")
KNOWN = {"Ana": "B-PER", "Bo": "B-PER"}


class Setting:
    """A probe with everything around it, and the victim as a spy."""

    def __init__(self, victim=None, budget=100, goal="untargeted-strict", original=TEXT, **options):
        self.victim = victim or StubVictim(lexicon(KNOWN))
        (prediction,) = self.victim.predict([original.tokens])
        self.victim.asked.clear()
        self.victim.sizes.clear()
        self.probe = Probe(
            VictimService(self.victim),
            Clean(original, prediction, self.victim.labels),
            goal_named(goal),
            options.pop("threat", ThreatModel()),
            Budget(budget),
            rng_for(0, "test", original.id),
            **options,
        )

    def drive(self, walk):
        """Run `walk(probe)` as an attack would be run; return its result or raise its error."""
        return driven(walk(self.probe))

    def ask(self, *candidates):
        async def walk(probe):
            return await probe(candidates)

        return self.drive(walk)

    def measure(self, *variants):
        async def walk(probe):
            return await probe.measure(variants)

        return self.drive(walk)


def harmless(k):
    """A candidate that breaks nothing."""
    return TEXT.replace(0, f"w{k}")


class Refuses:
    """A constraint that refuses one word."""

    def __init__(self, word):
        self.word = word

    def objection(self, original, candidate):
        return f"holds {self.word}" if self.word in candidate.tokens else None


class RefusesAnswer:
    """A constraint on the answer that refuses candidates with one word."""

    def __init__(self, word):
        self.word = word

    def objection(self, original, candidate, prediction):
        return "does not count" if self.word in candidate.tokens else None


def test_verdicts_come_in_the_order_of_the_candidates():
    setting = Setting()
    verdicts = setting.ask(harmless(2), harmless(1), harmless(2))
    assert [v.sentence.tokens[0] for v in verdicts] == ["w2", "w1", "w2"]
    assert all(not v.success and v.score == 0 for v in verdicts)


def test_repeats_are_counted_as_queries_but_forwarded_once():
    setting = Setting()
    setting.ask(harmless(1), harmless(1))
    setting.ask(TEXT)
    assert setting.probe.search_queries == 3
    assert setting.victim.asked.count(harmless(1).tokens) == 1
    assert setting.probe.distinct == {TEXT.tokens, harmless(1).tokens}


def test_success_ends_the_attack_and_is_kept():
    setting = Setting()
    with pytest.raises(GoalReached):
        setting.ask(harmless(1), TEXT.replace(1, "Anna"), harmless(2))
    probe = setting.probe
    assert probe.found.sentence.text == "so Anna met Bo , twice"
    assert probe.found.score == 0.5
    assert probe.search_queries == 3
    assert probe.queries_to_success == 2


def test_of_several_successes_the_one_with_the_fewest_edits_is_kept():
    setting = Setting()
    both = TEXT.replace(1, "x").replace(3, "y")
    with pytest.raises(GoalReached):
        setting.ask(both, TEXT.replace(3, "y"), TEXT.replace(1, "x"))
    assert setting.probe.found.sentence == TEXT.replace(3, "y")


def test_of_equally_short_successes_the_one_that_scores_higher_is_kept():
    pair = sentence("Ana Bo saw", "B-PER I-PER O")
    victim = StubVictim(
        lambda tokens: ["B-PER" if "x" not in tokens else "O", "I-PER" if {"x", "y"}.isdisjoint(tokens) else "O", "O"]
    )
    setting = Setting(victim, original=pair)
    with pytest.raises(GoalReached):
        setting.ask(pair.replace(2, "y"), pair.replace(2, "x"))
    assert setting.probe.found.sentence == pair.replace(2, "x")


def test_a_threshold_asks_for_more_damage():
    setting = Setting()
    setting.probe.aim(0.6)
    (verdict,) = setting.ask(TEXT.replace(1, "x"))
    assert verdict.score == 0.5
    assert not verdict.success
    with pytest.raises(GoalReached):
        setting.ask(TEXT.replace(1, "x").replace(3, "y"))
    assert setting.probe.found.score == 1.0


def test_with_a_threshold_the_most_harmful_success_is_kept():
    setting = Setting()
    setting.probe.aim(0.1)
    both = TEXT.replace(1, "x").replace(3, "y")
    with pytest.raises(GoalReached):
        setting.ask(TEXT.replace(1, "x"), both)
    assert setting.probe.found.sentence == both


def test_with_a_threshold_a_later_lesser_success_does_not_displace_the_best():
    setting = Setting()
    setting.probe.aim(0.1)
    both = TEXT.replace(1, "x").replace(3, "y")
    for candidate in (both, TEXT.replace(1, "x")):
        with pytest.raises(GoalReached):
            setting.ask(candidate)
    assert setting.probe.found.sentence == both


@pytest.mark.parametrize("budget", [1, 3, 7])
def test_the_budget_is_never_exceeded(budget):
    setting = Setting(budget=budget)

    async def walk(probe):
        for k in range(100):
            await probe([harmless(2 * k), harmless(2 * k + 1)])

    with pytest.raises(BudgetSpent):
        setting.drive(walk)
    assert setting.probe.search_queries == len(setting.victim.asked) == budget
    assert setting.probe.queries_left == 0


def test_what_the_budget_still_allows_is_asked_and_can_succeed():
    setting = Setting(budget=2)
    with pytest.raises(GoalReached):
        setting.ask(harmless(1), TEXT.replace(1, "x"), harmless(2))
    assert setting.probe.search_queries == 2


def test_a_success_beyond_the_budget_is_not_seen():
    setting = Setting(budget=2)
    with pytest.raises(BudgetSpent):
        setting.ask(harmless(1), harmless(2), TEXT.replace(1, "x"))
    assert setting.probe.found is None
    assert TEXT.replace(1, "x").tokens not in setting.victim.asked


def test_spending_the_budget_exactly_is_no_end():
    setting = Setting(budget=2)
    assert len(setting.ask(harmless(1), harmless(2))) == 2
    with pytest.raises(BudgetSpent):
        setting.ask(harmless(3))


def test_a_spent_budget_keeps_the_success_found_before():
    setting = Setting(budget=2)
    with pytest.raises(GoalReached):
        setting.ask(TEXT.replace(1, "x"))
    with pytest.raises(BudgetSpent):
        setting.ask(harmless(1), harmless(2))
    assert setting.probe.found.sentence == TEXT.replace(1, "x")


def test_candidates_outside_the_threat_model_are_counted_and_never_reach_the_victim():
    setting = Setting(threat=ThreatModel(touch=Touch.CONTEXT))
    verdicts = setting.ask(TEXT.replace(1, "x"), harmless(1), TEXT.replace(0, "##so"), TEXT.insert(6, "a b"))
    assert [v.sentence for v in verdicts] == [harmless(1)]
    assert setting.victim.asked == [harmless(1).tokens]
    assert setting.probe.search_queries == 1
    assert setting.probe.rejected == {
        "touches a mention": 1,
        "debris of a language model": 1,
        "white space in a word": 1,
    }


def test_candidates_that_a_constraint_refuses_never_reach_the_victim():
    setting = Setting(constraints=[Refuses("w1"), Refuses("w2")])
    assert [v.sentence for v in setting.ask(harmless(1), harmless(2), harmless(3))] == [harmless(3)]
    assert setting.victim.asked == [harmless(3).tokens]
    assert setting.probe.rejected == {"holds w1": 1, "holds w2": 1}


def test_candidates_that_do_not_fit_the_victim_never_reach_it():
    setting = Setting(StubVictim(lexicon(KNOWN), longest=6))
    assert setting.ask(TEXT.insert(0, "w")) == []
    assert setting.victim.asked == []
    assert setting.probe.rejected == {"too long for the victim": 1}


def test_refused_candidates_do_not_use_up_the_budget():
    setting = Setting(budget=1)
    assert len(setting.ask(TEXT.replace(0, ""), TEXT.replace(0, ""), harmless(1))) == 1


def test_nothing_to_ask_is_no_question():
    setting = Setting()
    assert setting.ask() == []
    assert setting.victim.sizes == []


def test_a_success_that_a_constraint_on_the_answer_refuses_does_not_count():
    setting = Setting(prediction_constraints=[RefusesAnswer("x")])
    assert setting.ask(TEXT.replace(1, "x")) == []  # paid for, but no step of a search either
    assert setting.probe.search_queries == 1
    assert setting.probe.trajectory == []
    assert setting.probe.found is None
    assert setting.probe.queries_to_success is None
    assert setting.probe.rejected == {"does not count": 1}
    with pytest.raises(GoalReached):
        setting.ask(TEXT.replace(1, "y"))


def test_measured_texts_are_counted_but_are_never_the_adversarial_example():
    setting = Setting(StubVictim(lexicon(KNOWN), confidence=1.0))
    assert setting.measure(TEXT.replace(1, "[UNK]"), harmless(1)) == [0.5, 0.0]
    assert setting.probe.found is None
    assert setting.probe.search_queries == 2
    assert setting.probe.trajectory == []


def test_measuring_stops_at_the_budget():
    setting = Setting(budget=2)
    with pytest.raises(BudgetSpent):
        setting.measure(harmless(1), harmless(2), harmless(3))
    assert setting.probe.search_queries == len(setting.victim.asked) == 2


def test_the_trajectory_holds_each_improvement_with_its_query():
    victim = StubVictim(lexicon(KNOWN), confidence=1.0)
    setting = Setting(victim)
    setting.probe.aim(0.9)
    both = TEXT.replace(1, "x").replace(3, "y")
    setting.measure(harmless(0))
    with pytest.raises(GoalReached):
        setting.ask(harmless(1), TEXT.replace(1, "x"), harmless(2), both, harmless(3))
    assert setting.probe.trajectory == [(2, 0.0), (3, 0.5), (5, 1.0)]
    assert setting.probe.queries_to_success == 5


def test_an_attack_that_declares_labels_sees_no_scores_though_the_victim_gives_them():
    setting = Setting(StubVictim(lexicon(KNOWN), confidence=0.7), threat=ThreatModel(Access.LABELS))
    (verdict,) = setting.ask(harmless(1))
    assert verdict.confidence == verdict.score == 0
    assert verdict.prediction.probabilities is None
    assert setting.measure(harmless(2)) == [0]


def test_an_attack_that_declares_scores_sees_them():
    setting = Setting(StubVictim(lexicon(KNOWN), confidence=0.75))
    (verdict,) = setting.ask(harmless(1))
    # Each of the two names may lose 0.25, less what goes to I-PER, which breaks nothing.
    assert verdict.confidence == pytest.approx(0.25 * 7 / 8)
    assert verdict.prediction.probabilities.shape == (6, len(LABELS))


def test_best_is_the_most_confident_and_the_first_of_equals():
    def verdict(word, confidence):
        return Verdict(TEXT.replace(0, word), Prediction(()), confidence, 0.0, success=False)

    verdicts = [verdict("a", 0.1), verdict("b", 0.4), verdict("c", 0.4)]
    assert best(verdicts) is verdicts[1]


def test_random_numbers_depend_on_seed_and_every_name_and_nothing_else():
    draws = {rng_for(*names).random() for names in [(0, "a", "b"), (1, "a", "b"), (0, "b", "a"), (0, "ab"), (0, "a")]}
    assert len(draws) == 5
    assert rng_for(0, "a", "b").random() == rng_for(0, "a", "b").random()


def test_a_victim_is_told_apart_by_weights_and_settings():
    def identity(fingerprint, **options):
        victim = StubVictim(lexicon(KNOWN))
        victim.fingerprint, victim.settings = fingerprint, options
        return VictimService(victim).identity

    assert identity("f", a=1, b=2) == identity("f", b=2, a=1)
    assert len({identity("f", a=1), identity("g", a=1), identity("f", a=2)}) == 3


def test_queries_to_success_count_the_gradients_before_them():
    """An attack that reads 32 gradients first has not succeeded within one query."""

    class Peeking(Attack):
        async def run(self, sentence, probe):
            await probe.gradients([Gradient(sentence.tokens, ((0, "B-PER"),))] * 32)
            await probe([sentence.replace(1, "x"), sentence.replace(2, "gone")])

    peeking = attack("peeking", access=Access.GRADIENTS)(Peeking)()
    victim = StubWhiteBox(lambda tokens: ["O" if "gone" in tokens else "B-PER", *["O"] * (len(tokens) - 1)])
    outcome = attacked(peeking, victim, sentence("Ana said it", "B-PER O O"), budget=64)
    assert outcome.queries_to_success == 34
    assert outcome.queries == 34


def test_an_answer_stays_as_it_is_when_the_victim_fills_its_buffer_anew():
    class Thrifty(StubVictim):
        buffer = np.zeros((len(TEXT), len(LABELS)), dtype=np.float32)

        def _predict(self, tokens):
            answer = super()._predict(tokens)
            self.buffer[:] = answer.probabilities
            return Prediction(answer.tags, self.buffer)

    texts = [TEXT.tokens, TEXT.replace(1, "Anna").tokens]
    thrifty, plain = VictimService(Thrifty(lexicon(KNOWN))), StubVictim(lexicon(KNOWN))
    answers = [thrifty.answer([text])[0] for text in texts]
    for answer, wanted in zip(answers, plain.predict(texts), strict=True):
        assert np.array_equal(answer.probabilities, wanted.probabilities)


def test_no_attack_can_change_what_the_next_one_is_told():
    (answer,) = VictimService(StubVictim(lexicon(KNOWN))).answer([TEXT.tokens])
    with pytest.raises(ValueError, match="read-only"):
        answer.probabilities[0] = 0
