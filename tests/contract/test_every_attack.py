"""What every registered attack promises, whatever it does: one suite, no attack by name."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict

import numpy as np
import pytest
from stubs import LABELS, RARE_WORDS, StubLanguageModel, StubWhiteBox, stub_resources

from attacks.static_attack import StaticAttack
from benchmark.alignment import apply_edits, changed, modification_rate
from benchmark.attacking import Mode
from benchmark.engine import Engine
from benchmark.errors import BadInput
from benchmark.finding import ATTACKS
from benchmark.probe import Probe
from benchmark.threat import Access, Touch, invalid_word
from benchmark.types import Operation, Prediction, Sentence, Status
from leaderboard.submitting.attack_contract import ATTACK_CHECKS, AttackTrial
from leaderboard.submitting.trial_sentences import NAMES, trial_sentences

SENTENCES = trial_sentences()
# The long one is slow; it is there where length matters.
FEW = [s for s in SENTENCES if s.id != "long"]
ORIGINALS = {s.tokens for s in SENTENCES}
EVERY = list(ATTACKS)
NEEDS_THE_LONG_ONE = {
    "keeps to its budget, and every text is counted",
    "does the same whatever the order and the batches",
    "succeeds by edits only, and gold labels follow them",
}
MODES = [mode.value for mode in Mode]
GIVES_SCORES = [name for name in ATTACKS if ATTACKS.get(name).card.access > Access.LABELS]
NEEDS_LABELS = [name for name in ATTACKS if ATTACKS.get(name).card.access is Access.LABELS]
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
    mode="first-success",
    budget=60,
    resources=None,
    **options,
):
    """Attack sentences; return the outcomes in the order of the sentences."""
    trial = AttackTrial(ATTACKS.get(name)(), name, victim or Wavering(), sentences, resources or stub_resources())
    return trial.outcomes(mode=Mode(mode), budget=budget, **options)


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


# --- the contract, as `gauntlet check` puts it to attacks of others ---------------------------------------------------


@pytest.mark.parametrize("check", ATTACK_CHECKS, ids=lambda check: check.promise.replace(" ", "-"))
@pytest.mark.parametrize("name", EVERY)
def test_every_attack_keeps_the_contract(name, check):
    sentences = SENTENCES if check.promise in NEEDS_THE_LONG_ONE else FEW
    trial = AttackTrial(ATTACKS.get(name)(), name, Wavering(), sentences, stub_resources())
    assert list(check.faults(trial)) == []


# --- budget -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EVERY)
def test_an_attack_that_cannot_win_spends_what_it_is_given(name):
    """Else the limit would never have been put to the test."""
    never_misc = StubWhiteBox(lambda tokens: [NAMES.get(token, "O") for token in tokens])
    outcomes = outcomes_of(name, never_misc, SENTENCES, goal="targeted(MISC)", budget=20)
    most = max(outcome.queries for outcome in outcomes)
    # Some have but a few candidates a sentence.
    assert most == 20 if name not in {"identity", "casing", "scpn", "disentangled", *STATIC} else most < 20


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
