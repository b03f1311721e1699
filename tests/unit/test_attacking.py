"""One sentence's attack, from the clean prediction to the outcome."""

from __future__ import annotations

import pytest
from stubs import StubVictim, lexicon, sentence

from benchmark.alignment import apply_edits
from benchmark.attacking import Assault, Mode, mentions_of, mode_named
from benchmark.contracts import Attack, attack
from benchmark.engine import Engine
from benchmark.errors import BadInput, VictimLacks
from benchmark.goals import goal_named
from benchmark.probe import AttackOver, Probe
from benchmark.threat import Access, Budget, Touch
from benchmark.types import Edit, Operation, Status

# Five persons, so that thresholds of 0.1, 0.2, … mean one, two, … of them.
NAMES = ["Ana", "Bo", "Cy", "Di", "Ed"]
KNOWN = dict.fromkeys(NAMES, "B-PER")
TEXT = sentence("Ana , Bo , Cy , Di , Ed", "B-PER O B-PER O B-PER O B-PER O B-PER")
PLACES = [0, 2, 4, 6, 8]


def without(*names):
    """The text with some names misspelled."""
    candidate = TEXT
    for name in names:
        candidate = candidate.replace(TEXT.tokens.index(name), name.lower() + "x")
    return candidate


def attack_of(walk, access=Access.LABELS, touch=Touch.ANY):
    """An attack whose `run` is `walk(sentence, probe)`."""

    @attack("walking", access=access, touch=touch)
    class Walking(Attack):
        """Walk."""

        async def run(self, sentence, probe):
            await walk(sentence, probe)

    return Walking()


def assault(walk, victim=None, **options):
    return Assault(
        walk if isinstance(walk, Attack) else attack_of(walk),
        victim or StubVictim(lexicon(KNOWN)),
        goal_named(options.pop("goal", "untargeted-strict")),
        Mode(options.pop("mode", "first-success")),
        Budget(options.pop("budget", 512)),
        options.pop("seed", 0),
        **options,
    )


def outcomes_of(attacker, *sentences, **engine):
    jobs = [attacker.job(each) for each in sentences]
    finished = {done.name: done for done in Engine(**engine).run(jobs)}
    assert all(done.error is None for done in finished.values())
    return [finished[each.id].result for each in sentences]


def outcome_of(walk, victim=None, text=TEXT, **options):
    (outcome,) = outcomes_of(assault(walk, victim, **options), text)
    return outcome


async def nothing(text, probe):
    """Propose nothing."""


async def one_more_each_time(text, probe):
    """Misspell one name more each time, from the text given."""
    for k in range(1, 6):
        await probe([without(*NAMES[:k])])


def test_a_success_is_told_in_full():
    async def walk(text, probe):
        await probe([text.replace(1, ";")])
        await probe([without("Bo")])

    outcome = outcome_of(walk)
    assert outcome.status is Status.SUCCESS
    assert outcome.edits == (Edit(Operation.REPLACE, 2, ("box",)),)
    assert outcome.score == 0.2
    assert (outcome.search_queries, outcome.queries_to_success, outcome.forwards) == (2, 2, 3)
    assert outcome.gold == outcome.clean == outcome.adversarial_gold == TEXT.tags
    assert outcome.adversarial_prediction == ("B-PER", "O", "O", "O", "B-PER", "O", "B-PER", "O", "B-PER")
    assert (outcome.sentence_id, outcome.length, outcome.reason) == ("s", 9, None)
    assert apply_edits(TEXT.tokens, outcome.edits) == without("Bo").tokens


def test_an_attack_that_finds_nothing_failed():
    outcome = outcome_of(nothing)
    assert outcome.status is Status.FAILED
    assert (outcome.score, outcome.edits, outcome.search_queries, outcome.forwards) == (0, (), 0, 1)
    assert outcome.adversarial_prediction == outcome.clean


@pytest.mark.parametrize(
    ("text", "tags", "reason"),
    [("so it goes", "O O O", "no entity"), ("Zoe left", "B-PER O", "nothing right to break")],
)
def test_a_sentence_with_nothing_to_break_is_skipped_with_the_reason(text, tags, reason):
    outcome = outcome_of(nothing, text=sentence(text, tags))
    assert (outcome.status, outcome.reason) == (Status.SKIPPED, reason)
    assert (outcome.search_queries, outcome.forwards) == (0, 1)


def test_a_sentence_too_long_for_the_victim_is_skipped_and_all_missed():
    victim = StubVictim(lexicon(KNOWN), longest=8)
    outcome = outcome_of(nothing, victim)
    assert (outcome.status, outcome.reason) == (Status.SKIPPED, "too long for the victim")
    assert set(outcome.clean) == {"O"}
    assert victim.asked == []
    assert outcome.forwards == 0


def test_an_attack_that_fails_becomes_an_error_row_with_its_traceback():
    async def walk(text, probe):
        await probe([text.replace(1, ";")])
        raise ZeroDivisionError("here it broke")

    outcome = outcome_of(walk)
    assert outcome.status is Status.ERROR
    assert "ZeroDivisionError" in outcome.reason
    assert "here it broke" not in outcome.reason  # a message may quote the data
    assert "test_attacking.py" in outcome.reason
    assert outcome.search_queries == 1


@pytest.mark.parametrize("mode", list(Mode))
def test_a_success_survives_an_attack_that_goes_on_and_raises(mode):
    async def walk(text, probe):
        try:
            await probe([without("Ana")])
        except AttackOver:
            raise ZeroDivisionError("later") from None

    outcome = outcome_of(walk, mode=mode)
    assert outcome.status is Status.SUCCESS
    assert outcome.score == 0.2
    assert "ZeroDivisionError" in outcome.reason


def test_a_success_of_an_earlier_pass_survives_a_pass_that_raises():
    passes = []

    async def walk(text, probe):
        passes.append(probe.search_queries)
        if len(passes) == 3:
            raise ZeroDivisionError
        await probe([without(*NAMES[: len(passes) + 1])])

    outcome = outcome_of(walk, mode="escalate")
    assert len(passes) == 3
    assert (outcome.status, outcome.score) == (Status.SUCCESS, 0.6)


def test_a_success_found_before_the_budget_ends_is_kept_in_escalate_mode():
    async def walk(text, probe):
        for k in range(1, 6):
            await probe([text.replace(1, f"w{k}")])
            await probe([without(*NAMES[:k])])

    # Passes need 2, then 4, 6 and 8 queries for one name more each.
    outcome = outcome_of(walk, mode="escalate", budget=11)
    assert (outcome.status, outcome.score) == (Status.SUCCESS, 0.4)
    assert outcome.search_queries == 11


def test_first_success_stops_at_the_first():
    outcome = outcome_of(one_more_each_time)
    assert (outcome.score, outcome.search_queries) == (0.2, 1)


def test_escalate_starts_from_the_original_each_time_and_goes_on_as_long_as_it_gets_worse():
    texts = []

    async def walk(text, probe):
        texts.append(text)
        await one_more_each_time(text, probe)

    outcome = outcome_of(walk, mode="escalate")
    # 0.1 is reached by one name (1 query), 0.3 by two (2), 0.5 by three (3), 0.7 by four (4); 0.8 is then reached.
    assert outcome.score == 0.8
    assert texts == [TEXT] * 4
    assert outcome.search_queries == 1 + 2 + 3 + 4
    assert outcome.queries_to_success == 1


def test_what_was_chosen_is_told_of_the_pass_that_found_the_example():
    passes = []

    async def walk(text, probe):
        passes.append(len(passes))
        probe.chosen = (passes[-1],)
        await probe([without("Bo") if len(passes) == 1 else text])

    outcome = outcome_of(walk, mode="escalate")
    assert len(passes) > 1
    assert (outcome.status, outcome.chosen) == (Status.SUCCESS, (0,))


def test_escalate_stops_after_a_pass_without_success():
    passes = []

    async def walk(text, probe):
        passes.append(1)
        await probe([without("Ana")])

    assert outcome_of(walk, mode="escalate").score == 0.2
    assert len(passes) == 2


def test_escalate_does_not_repeat_what_the_first_pass_reached_at_once():
    async def walk(text, probe):
        await probe([without(*NAMES)])

    outcome = outcome_of(walk, mode="escalate")
    assert (outcome.score, outcome.search_queries) == (1.0, 1)


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("budget", [1, 5, 17])
def test_the_budget_holds_for_all_passes_together(mode, budget):
    async def walk(text, probe):
        for k in range(1, 6):
            await probe([text.replace(1, f"w{k}{i}") for i in range(3)])
            await probe([without(*NAMES[:k])])

    victim = StubVictim(lexicon(KNOWN))
    outcome = outcome_of(walk, victim, mode=mode, budget=budget)
    assert 0 < outcome.search_queries <= budget
    assert len(victim.asked) <= budget + 1


def test_an_attack_that_swallows_the_end_cannot_ask_more():
    async def walk(text, probe):
        for k in range(50):
            try:
                await probe([text.replace(1, f"w{k}")])
            except AttackOver:
                continue

    victim = StubVictim(lexicon(KNOWN))
    outcome = outcome_of(walk, victim, budget=4)
    assert outcome.search_queries == 4
    assert len(victim.asked) == 5


@pytest.mark.parametrize("mode", list(Mode))
def test_spies_agree_with_the_reported_queries_and_forwards(mode, monkeypatch):
    passed = []
    honest = Probe._ask

    async def spy(self, texts):
        passed.extend(texts)
        return await honest(self, texts)

    monkeypatch.setattr(Probe, "_ask", spy)

    async def walk(text, probe):
        await probe([text])
        await probe.measure([text.replace(i, "[UNK]") for i in range(3)])
        await probe([text.replace(1, "w"), text.replace(1, "w"), text.replace(1, "##w")])
        await one_more_each_time(text, probe)

    victim = StubVictim(lexicon(KNOWN))
    outcome = outcome_of(walk, victim, mode=mode)
    assert outcome.status is Status.SUCCESS
    assert outcome.queries == outcome.search_queries == len(passed)
    assert outcome.forwards == len(victim.asked) == len(set(victim.asked))
    assert outcome.forwards < outcome.search_queries + 1


def test_rejections_are_reported_by_reason():
    async def walk(text, probe):
        await probe([text.replace(1, "Ġ;"), text.replace(1, "▁"), text.replace(1, "a b"), text.replace(0, "Anna")])

    victim = StubVictim(lexicon(KNOWN))
    outcome = outcome_of(attack_of(walk, touch=Touch.CONTEXT), victim)
    assert outcome.rejected == {
        "debris of a language model": 2,
        "touches a mention": 1,
        "white space in a word": 1,
    }
    assert victim.asked == [TEXT.tokens]
    assert outcome.status is Status.FAILED


def test_the_labels_of_the_adversarial_example_follow_its_edits():
    async def walk(text, probe):
        await probe([text.delete(1).replace(1, "x")])

    outcome = outcome_of(walk)
    assert outcome.adversarial_gold == ("B-PER", "B-PER", "O", "B-PER", "O", "B-PER", "O", "B-PER")
    assert len(outcome.adversarial_prediction) == 8
    assert outcome.edits == (Edit(Operation.DELETE, 1), Edit(Operation.REPLACE, 2, ("x",)))


def test_an_attack_that_fails_on_one_sentence_leaves_the_others_alone():
    async def walk(text, probe):
        if text.id == "b":
            raise RuntimeError("no")
        await probe([text.replace(0, "x")])

    texts = [sentence("Ana left", "B-PER O", name) for name in "abc"]
    outcomes = outcomes_of(assault(walk), *texts)
    assert [outcome.status for outcome in outcomes] == [Status.SUCCESS, Status.ERROR, Status.SUCCESS]


class Fragile(StubVictim):
    """Fails on every batch that holds a certain word."""

    def __init__(self, poison, **options):
        super().__init__(lexicon(KNOWN), **options)
        self.poison = poison

    def predict(self, batch):
        if any(self.poison in tokens for tokens in batch):
            raise ValueError(f"cannot read {self.poison}")
        return super().predict(batch)


@pytest.mark.parametrize("poison", ["clean", "candidate"])
def test_a_victim_that_fails_on_one_text_of_a_batch_spoils_that_sentence_only(poison):
    async def walk(text, probe):
        await probe([text.replace(2, "candidate" if text.id == "b" else "other"), text.replace(0, "x")])

    texts = [sentence(f"Ana met {'clean' if name == 'b' else 'him'}", "B-PER O O", name) for name in "abc"]
    outcomes = outcomes_of(assault(walk, Fragile(poison)), *texts)
    assert [outcome.status for outcome in outcomes] == [Status.SUCCESS, Status.ERROR, Status.SUCCESS]
    assert "ServiceFailed (ValueError)" in outcomes[1].reason
    assert outcomes[1].gold == ("B-PER", "O", "O")


def test_a_success_survives_a_victim_that_fails_later():
    async def walk(text, probe):
        try:
            await probe([without("Ana")])
        except AttackOver:
            await probe([text.replace(1, "poison")])

    outcome = outcome_of(walk, Fragile("poison"))
    assert outcome.status is Status.SUCCESS
    assert "ServiceFailed (ValueError)" in outcome.reason


@pytest.mark.parametrize("needs", [Access.SCORES, Access.GRADIENTS])
def test_an_attack_that_needs_more_than_the_victim_gives_is_refused_at_once(needs):
    with pytest.raises(VictimLacks, match=needs.name.lower()):
        assault(attack_of(nothing, access=needs), StubVictim(lexicon(KNOWN), confidence=None))


def test_an_attack_that_declares_labels_is_shown_no_probabilities_of_the_clean_text():
    seen = []

    async def walk(text, probe):
        seen.append(probe.clean.prediction)

    outcome_of(attack_of(walk, access=Access.LABELS), StubVictim(lexicon(KNOWN), confidence=0.9))
    assert seen[0].tags == TEXT.tags
    assert seen[0].probabilities is None


def test_random_numbers_depend_on_seed_and_sentence_but_not_on_order_or_victim():
    def draws(texts, seed=0, confidence=0.9):
        drawn = {}

        async def walk(text, probe):
            drawn[text.id] = probe.rng.random()

        outcomes_of(assault(walk, StubVictim(lexicon(KNOWN), confidence), seed=seed), *texts)
        return drawn

    texts = [sentence("Ana left", "B-PER O", name) for name in "abc"]
    assert draws(texts) == draws(texts[::-1]) == draws(texts, confidence=0.5)
    assert len(set(draws(texts).values())) == 3
    assert set(draws(texts).values()).isdisjoint(draws(texts, seed=1).values())


def test_unseen_mentions_are_those_the_training_split_lacks_whatever_their_case():
    text = sentence("ana met Ana Ruiz in Rome", "B-PER O B-PER I-PER O B-LOC")
    assert mentions_of(text) == [("ana",), ("ana", "ruiz"), ("rome",)]
    known = frozenset({("ana",), ("rome",)})
    victim = StubVictim(lexicon(KNOWN | {"ana": "B-PER"}))
    assert outcome_of(nothing, victim, text, known_mentions=known).unseen == (False, True, False)
    assert outcome_of(nothing, victim, text).unseen is None


def test_modes_are_found_by_name():
    assert [mode_named(name) for name in ("first-success", "escalate")] == [Mode.FIRST_SUCCESS, Mode.ESCALATE]
    with pytest.raises(BadInput, match="first-success, escalate"):
        mode_named("worst")


def test_a_victim_whose_answer_is_no_number_has_an_error_row_and_no_success():
    class Broken(StubVictim):
        def _predict(self, tokens):
            answer = super()._predict(tokens)
            if "Ana" not in tokens:
                answer.probabilities[:] = float("nan")
            return answer

    async def walk(text, probe):
        await probe([without("Ana")])

    outcome = outcome_of(walk, Broken(lexicon(KNOWN)))
    assert outcome.status is Status.ERROR
    assert "ValueError" in outcome.reason
