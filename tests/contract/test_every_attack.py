"""What every registered attack promises, whatever it does: one suite, no attack by name."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from dataclasses import fields

import numpy as np
import pytest
from stubs import LABELS, RARE_WORDS, StubLanguageModel, StubWhiteBox, sentence, stub_resources

from attacks.static_attack import StaticAttack
from benchmark.alignment import apply_edits, changed, modification_rate
from benchmark.attacking import Assault, Mode
from benchmark.engine import Engine
from benchmark.errors import BadInput
from benchmark.finding import ATTACKS
from benchmark.goals import goal_named
from benchmark.journal import outcome_from_json, outcome_to_json
from benchmark.probe import Probe, VictimService
from benchmark.threat import Access, Budget, Touch, invalid_word
from benchmark.types import Operation, Prediction, Sentence, Status

NAMES = {
    "Ana": "B-PER",
    "ANA": "B-PER",
    "Bo": "B-PER",
    "Zoë": "B-PER",
    "Ruiz": "I-PER",
    "RUIZ": "I-PER",
    "Rome": "B-LOC",
    "ROME": "B-LOC",
    "São": "B-LOC",
    "Paulo": "I-LOC",
    "Köln": "B-LOC",
    "Tallinn": "B-ORG",
    "Water": "I-ORG",
}
FILLER = "they said the market fell quickly and later 17 traders left before noon , it was added"
PLAIN = {
    "usual": "Ana Ruiz left Tallinn Water on Friday and later told reporters the car had stopped .",
    "start": "Rome traders quickly added 3 markets .",
    "end": "yesterday the visitors liked roads near Rome",
    "adjacent": "later traders met Ana Bo Rome runners visited",
    "apart": "cars carried Ana reporters while makers of Rome bicycles told traders Bo visitors liked roads",
    "numbers": "Ana sold 1,000 shares at 7.5 , 12:30 and 3-4 on 5 monday",
    "non-ASCII": "Zoë besuchte später São Paulo und Köln — naïve “ Größe ” 東京 .",
    "capitals": "ANA RUIZ SOLD PAINT IN ROME ON FRIDAY .",
    "long": " ".join([*["Ana", *FILLER.split() * 6, "in", "Rome", *FILLER.split(), "."][:119], "again"]),
}
HARD = {
    "one name": "Ana",
    "one word": "market",
    "one mark": ".",
    "punctuation": "( ! ) - .",
    "a name among marks": "( Ana ) .",
    "function words": "the of and it was",
    "a name among function words": "it was the Ana of these",
    "nothing but a mention": "Ana Ruiz",
    "two mentions and nothing else": "Ana Ruiz Rome",
    "numbers only": "17 3.5 - 4 %",
}
SENTENCES = [
    sentence(text, " ".join(NAMES.get(word, "O") for word in text.split()), name)
    for name, text in (PLAIN | HARD).items()
]
# The long one is slow; it is there where length matters.
FEW = [s for s in SENTENCES if s.id != "long"]
ORIGINALS = {s.tokens for s in SENTENCES}
EVERY = list(ATTACKS)
MODES = [mode.value for mode in Mode]
GIVES_SCORES = [name for name in ATTACKS if ATTACKS.get(name).card.access > Access.LABELS]
NEEDS_LABELS = [name for name in ATTACKS if ATTACKS.get(name).card.access is Access.LABELS]
ON_CONTEXT = [name for name in ATTACKS if ATTACKS.get(name).card.touch is Touch.CONTEXT]
STATIC = [name for name in ATTACKS if issubclass(ATTACKS.get(name), StaticAttack)]
ASKS_A_LANGUAGE_MODEL = [name for name in ATTACKS if "language_model" in ATTACKS.get(name)().resources]


class Wavering(StubWhiteBox):
    """Right on every original; on other texts it trusts a word by what stands around it, and some not at all.

    Args:
        scores: give probabilities.
        poison: fails on every batch that holds this text.
        fails_at: fails once, on the text of this number (from 1).
    """

    def __init__(self, scores=True, poison=None, fails_at=None):
        super().__init__(lambda tokens: (), 0.9 if scores else None)
        self.poison, self.fails_at = poison, fails_at

    def predict(self, batch):
        if self.poison in batch:
            raise ValueError("cannot read this")
        if self.fails_at is not None and len(self.asked) < self.fails_at <= len(self.asked) + len(batch):
            self.fails_at = None
            raise ValueError("not now")
        return super().predict(batch)

    def _predict(self, tokens):
        rows = np.full((len(tokens), len(LABELS)), 0.01)
        for i, token in enumerate(tokens):
            near = repr((tokens[max(0, i - 2) : i + 3], i == 0))
            doubt = int(hashlib.sha256(near.encode()).hexdigest()[:4], 16) / 0xFFFF
            if tokens in ORIGINALS:
                doubt *= 0.1
            right = LABELS.index(NAMES.get(token, "O"))
            wrong = 0 if right else LABELS.index("B-MISC")
            # A quarter of the changed surroundings of a name give way, one in twenty of those of another word.
            lost = doubt**2 * 0.8 if right else 0.5 * doubt**8
            rows[i, right] = 0.92 - lost
            rows[i, wrong] += lost
        tags = tuple(LABELS[k] for k in rows.argmax(axis=1))
        return Prediction(tags, rows.astype(np.float32) if self._confidence else None)


class Spy:
    """What went through the probes, by sentence: all texts in order, and those asked as candidates."""

    def __init__(self, monkeypatch):
        self.texts = defaultdict(list)
        self.candidates = defaultdict(list)
        ask, judge = Probe._ask, Probe._judge

        async def spied_ask(probe, texts):
            self.texts[probe.clean.sentence.id] += texts
            return await ask(probe, texts)

        def spied_judge(probe, candidate, prediction):
            self.candidates[probe.clean.sentence.id].append(candidate)
            return judge(probe, candidate, prediction)

        monkeypatch.setattr(Probe, "_ask", spied_ask)
        monkeypatch.setattr(Probe, "_judge", spied_judge)


@pytest.fixture
def spy(monkeypatch):
    return Spy(monkeypatch)


def outcomes_of(
    name,
    victim=None,
    sentences=FEW,
    goal="untargeted-strict",
    mode="first-success",
    budget=60,
    seed=7,
    engine=None,
    resources=None,
):
    """Attack sentences; return the outcomes in the order of the sentences."""
    assault = Assault(
        ATTACKS.get(name)(),
        victim or Wavering(),
        goal_named(goal),
        Mode(mode),
        Budget(budget),
        seed,
        resources=resources or stub_resources(),
    )
    done = {d.name: d.result for d in (engine or Engine()).run([assault.job(s) for s in sentences])}
    return [done[s.id] for s in sentences]


def same_mentions(original, candidate, paraphrased):
    """All gold mentions with their words and types; only a paraphrase may reorder them."""
    before, after = ([(span.type, s.tokens[span.start : span.end]) for span in s.spans] for s in (original, candidate))
    return sorted(before) == sorted(after) if paraphrased else before == after


# --- what the suite stands on -----------------------------------------------------------------------------------------


def test_the_sentences_are_what_they_are_called():
    by_name = {s.id: s for s in SENTENCES}
    assert len(by_name["long"]) == 120
    assert [span.start for span in by_name["adjacent"].spans] == [3, 4, 5]
    assert by_name["start"].spans[0].start == 0
    assert by_name["end"].spans[0].end == len(by_name["end"])
    assert len(by_name["nothing but a mention"].spans) == 1
    assert set(by_name["nothing but a mention"].tags) == {"B-PER", "I-PER"}
    assert all(len(by_name[name]) == 1 for name in ("one name", "one word", "one mark"))


def test_the_victim_is_right_on_the_originals_and_gives_way_elsewhere():
    victim = Wavering()
    assert [p.tags for p in victim.predict([s.tokens for s in SENTENCES])] == [s.tags for s in SENTENCES]
    text = SENTENCES[0]
    broken = [victim._predict(text.replace(2, f"w{k}").tokens).tags != text.tags for k in range(200)]
    assert 20 < sum(broken) < 180


def test_every_attack_but_identity_finds_something_here():
    for name in ATTACKS:
        found = Counter(outcome.status for outcome in outcomes_of(name))
        assert (found[Status.SUCCESS] > 0) is (name != "identity"), name


# --- budget -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("budget", [1, 7, 60])
@pytest.mark.parametrize("name", EVERY)
def test_the_budget_is_never_exceeded_and_every_text_is_counted(name, budget, mode, spy):
    victim, engine = Wavering(), Engine()
    outcomes = outcomes_of(name, victim, SENTENCES, budget=budget, mode=mode, engine=engine)
    for outcome in outcomes:
        asked = spy.texts[outcome.sentence_id]
        assert len(asked) == outcome.search_queries
        assert outcome.search_queries + outcome.gradient_queries == outcome.queries <= budget
        assert outcome.gradient_queries == 0 or ATTACKS.get(name).card.access is Access.GRADIENTS
        assert outcome.forwards == len({*asked, next(s.tokens for s in SENTENCES if s.id == outcome.sentence_id)})
        assert outcome.queries_to_success is None or 1 <= outcome.queries_to_success <= outcome.queries
        assert all(1 <= query <= outcome.queries for query, _ in outcome.trajectory)
    # The victim itself, and the engine before it, saw no text that the outcomes do not tell of.
    assert set(victim.asked) == {text for texts in spy.texts.values() for text in texts} | ORIGINALS
    assert len(victim.asked) == len(set(victim.asked))
    assert len(victim.differentiated) <= sum(outcome.gradient_queries for outcome in outcomes)
    assert engine.asked[VictimService(victim).identity] == sum(o.search_queries for o in outcomes) + len(SENTENCES)


@pytest.mark.parametrize("name", EVERY)
def test_an_attack_that_cannot_win_spends_what_it_is_given(name):
    """Else the limit would never have been put to the test."""
    never_misc = StubWhiteBox(lambda tokens: [NAMES.get(token, "O") for token in tokens])
    outcomes = outcomes_of(name, never_misc, SENTENCES, goal="targeted(MISC)", budget=20)
    most = max(outcome.queries for outcome in outcomes)
    # Some have but a few candidates a sentence.
    assert most == 20 if name not in {"identity", "casing", "scpn", "disentangled", *STATIC} else most < 20


# --- determinism ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", EVERY)
def test_how_the_work_is_cut_changes_no_outcome(name, mode):
    wanted = outcomes_of(name, budget=25, mode=mode, sentences=SENTENCES)
    assert outcomes_of(name, budget=25, mode=mode, sentences=SENTENCES) == wanted
    assert (
        outcomes_of(name, budget=25, mode=mode, sentences=SENTENCES, engine=Engine(concurrency=1, batch_size=1))
        == wanted
    )
    backwards = outcomes_of(
        name, budget=25, mode=mode, sentences=SENTENCES[::-1], engine=Engine(concurrency=5, batch_size=3)
    )
    assert backwards[::-1] == wanted
    # A sentence does not notice whether others are attacked beside it.
    assert outcomes_of(name, budget=25, mode=mode, sentences=SENTENCES[3:4]) == wanted[3:4]


@pytest.mark.parametrize("name", EVERY)
def test_another_seed_gives_valid_outcomes_too(name):
    for seed in (1, 2):
        outcomes = outcomes_of(name, seed=seed, budget=25)
        assert {outcome.status for outcome in outcomes} <= {Status.SUCCESS, Status.FAILED, Status.SKIPPED}
        assert all(outcome.reason is None for outcome in outcomes if outcome.status is not Status.SKIPPED)


# --- threat model -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("goal", ["untargeted-strict", "spurious", "entity-miss"])
@pytest.mark.parametrize("name", EVERY)
def test_candidates_stay_inside_the_threat_model_and_examples_are_aligned(name, goal, mode, spy):
    touch = ATTACKS.get(name).card.touch
    outcomes = outcomes_of(name, sentences=SENTENCES, goal=goal, mode=mode, budget=25)
    for original, outcome in zip(SENTENCES, outcomes, strict=True):
        assert outcome.status in {Status.SUCCESS, Status.FAILED, Status.SKIPPED}, outcome.reason
        assert outcome.gold == original.tags
        for candidate in spy.candidates[original.id]:
            assert all(invalid_word(candidate.tokens[i]) is None for i in changed(original, candidate))
            if touch is Touch.CONTEXT:
                assert same_mentions(original, candidate, candidate.paraphrased)
        if outcome.status is not Status.SUCCESS:
            assert (outcome.edits, outcome.adversarial_gold, outcome.score) == ((), original.tags, 0)
            continue
        adversarial = apply_edits(original.tokens, outcome.edits)
        assert adversarial != original.tokens
        assert len(adversarial) == len(outcome.adversarial_gold) == len(outcome.adversarial_prediction)
        assert all(invalid_word(word) is None for word in adversarial)
        # Raises if the tags are not IOB2.
        found = Sentence("adversarial", adversarial, outcome.adversarial_gold)
        if touch is Touch.CONTEXT:
            assert same_mentions(original, found, outcome.edits[0].operation is Operation.PARAPHRASE)
        assert (found.tokens, found.tags) in {(c.tokens, c.tags) for c in spy.candidates[original.id]}
        assert Wavering()._predict(adversarial).tags == outcome.adversarial_prediction
        assert outcome.score > 0
        assert modification_rate(outcome.edits, outcome.length) > 0


@pytest.mark.parametrize("name", ON_CONTEXT)
def test_an_attack_on_context_never_proposes_to_touch_a_mention(name):
    """The probe would turn such candidates away; an attack that keeps proposing them wastes its sample."""
    rejected = Counter()
    for outcome in outcomes_of(name, budget=60):
        rejected.update(outcome.rejected)
    reasons = ("touches a mention", "empty word", "debris of a language model", "white space in a word")
    assert not any(rejected[reason] for reason in reasons)


@pytest.mark.parametrize("name", NEEDS_LABELS)
def test_an_attack_that_needs_labels_only_takes_the_same_way_without_scores(name, spy):
    with_scores = outcomes_of(name, Wavering())
    asked = dict(spy.texts)
    spy.texts.clear()
    without = outcomes_of(name, Wavering(scores=False))
    assert dict(spy.texts) == asked
    assert without == with_scores


@pytest.mark.parametrize("name", GIVES_SCORES)
def test_an_attack_that_needs_more_refuses_labels_in_one_line(name):
    victim = Wavering(scores=False)
    with pytest.raises(BadInput) as refused:
        outcomes_of(name, victim)
    (line,) = str(refused.value).splitlines()
    assert name in line
    assert ATTACKS.get(name).card.access.name.lower() in line
    assert victim.asked == []


# --- errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EVERY)
def test_a_victim_that_fails_on_the_fifth_text_costs_one_sentence(name):
    alone = Engine(concurrency=1, batch_size=1)
    wanted = outcomes_of(name, sentences=FEW, budget=25)
    outcomes = outcomes_of(name, Wavering(fails_at=5), budget=25, engine=alone)
    differ = [k for k, (got, want) in enumerate(zip(outcomes, wanted, strict=True)) if got != want]
    assert len(differ) == 1
    hit = outcomes[differ[0]]
    assert "ServiceFailed (ValueError)" in hit.reason
    assert hit.status is (Status.SUCCESS if hit.edits else Status.ERROR)
    assert "not now" not in hit.reason  # messages may quote the text


@pytest.mark.parametrize("name", EVERY)
def test_a_text_the_victim_cannot_read_spoils_its_sentence_only_however_the_work_is_cut(name, spy):
    wanted = outcomes_of(name, sentences=FEW, budget=25)
    chosen = next(k for k, s in enumerate(FEW) if k > 1 and spy.texts[s.id])
    texts = spy.texts[FEW[chosen].id]
    poison = next((text for text in texts[4:] if text not in ORIGINALS), texts[-1])
    hit = [k for k, s in enumerate(FEW) if poison in {*spy.texts[s.id], s.tokens}]
    assert chosen in hit
    for engine in (Engine(), Engine(concurrency=1, batch_size=1), Engine(concurrency=3, batch_size=7)):
        outcomes = outcomes_of(name, Wavering(poison=poison), budget=25, engine=engine)
        assert all("ServiceFailed" in outcomes[k].reason for k in hit)
        assert [o for k, o in enumerate(outcomes) if k not in hit] == [o for k, o in enumerate(wanted) if k not in hit]


@pytest.mark.parametrize("name", EVERY)
def test_a_success_is_kept_when_the_victim_fails_afterwards(name, spy):
    for text, wanted in zip(FEW, outcomes_of(name, mode="escalate"), strict=True):
        asked = spy.texts[text.id]
        # The texts among the queries before the success; gradients are queries too.
        first = max(1, wanted.queries_to_success - wanted.gradient_queries) if wanted.queries_to_success else len(asked)
        before = asked[:first]
        later = [t for t in asked[first:] if t not in before and t != text.tokens]
        # A handful is asked in one go: only what came later than the successful one is a failure afterwards.
        if wanted.status is not Status.SUCCESS or not later:
            continue
        (outcome,) = outcomes_of(name, Wavering(poison=later[-1]), [text], mode="escalate")
        if outcome.status is Status.ERROR:
            continue
        assert outcome.status is Status.SUCCESS
        assert "ServiceFailed (ValueError)" in outcome.reason
        assert outcome.edits
        assert outcome.queries_to_success == wanted.queries_to_success
        assert outcome.score <= wanted.score
        return
    # Nothing is asked after a success that breaks everything at once.
    assert name in {"identity", "casing", *STATIC}


class Unreadable(StubLanguageModel):
    """Cannot read texts that hold a certain word."""

    def _answer(self, question):
        if "Friday" in question.tokens:
            raise RuntimeError("secret text")
        return super()._answer(question)


@pytest.mark.parametrize("name", ASKS_A_LANGUAGE_MODEL)
def test_a_language_model_that_fails_on_a_sentence_spoils_that_sentence_only(name):
    wanted = outcomes_of(name, sentences=FEW, budget=25)
    broken = stub_resources(language_model=Unreadable(rare=RARE_WORDS))
    for engine in (Engine(), Engine(concurrency=1, batch_size=1)):
        outcomes = outcomes_of(name, sentences=FEW, budget=25, resources=broken, engine=engine)
        assert outcomes[0].status is Status.ERROR
        assert "ServiceFailed (RuntimeError)" in outcomes[0].reason
        assert "secret" not in outcomes[0].reason
        assert outcomes[0].clean == FEW[0].tags
        assert outcomes[1:] == wanted[1:]


def test_some_attacks_ask_a_language_model():
    assert len(ASKS_A_LANGUAGE_MODEL) >= 5


# --- what is stored ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", EVERY)
def test_outcomes_come_back_from_json_as_they_were(name, mode):
    for outcome in outcomes_of(name, mode=mode, budget=25):
        record = json.loads(json.dumps(outcome_to_json(outcome)))
        assert outcome_from_json(record) == outcome


@pytest.mark.parametrize("name", EVERY)
def test_resources_are_named_by_kind_and_parameters_go_through_json(name):
    from benchmark.resources.loading import KINDS

    attacker = ATTACKS.get(name)()
    assert set(attacker.resources) <= set(KINDS)
    assert json.loads(json.dumps(attacker.parameters)) == attacker.parameters
    own = {
        field.name: attacker.parameters[field.name] for field in fields(attacker) if field.name in attacker.parameters
    }
    assert type(attacker).configured(own) == attacker
