"""Language models of every family: answers that depend on nothing but their question, casing, silence."""

from __future__ import annotations

import random
import shutil

import pytest
import torch
from stubs import StubLanguageModel
from tiny_models import CAUSAL, MASKED, TEXTS, save_masked
from transformers import AutoTokenizer

from benchmark.casing import cased_like
from benchmark.engine import Engine, Job
from benchmark.errors import BadInput
from benchmark.quiet import silent_transformers
from benchmark.resources.language_models import Gap, LogProbability, Proposal, Seen
from benchmark.resources.language_models.contract import proposals_like
from benchmark.resources.language_models.masked import masked_model_from_folder

CPU = torch.device("cpu")

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(params=(*MASKED, *CAUSAL))
def model(request, models):
    return models[request.param]


def run(*starts, **settings):
    """Run coroutines through an engine; return their results in order."""
    jobs = [Job(str(k), start) for k, start in enumerate(starts)]
    done = {one.name: one for one in Engine(**settings).run(jobs)}
    assert [one.error for one in done.values()] == [None] * len(starts)
    return [done[job.name].result for job in jobs]


def questions():
    """Gaps of every kind at the beginning, in the middle and at the end, merged, inserted; and whole texts."""
    out = []
    for tokens in TEXTS:
        for at in sorted({0, len(tokens) // 2, len(tokens) - 1}):
            out += [Gap(tokens, at, 7, seen) for seen in Seen]
        out += [Gap((*tokens[:at], "-", *tokens[at:]), at, 7) for at in sorted({0, len(tokens) // 2, len(tokens)})]
        if len(tokens) > 1:
            out.append(Gap((*tokens[:1], *tokens[2:]), 0, 7))
        out.append(LogProbability(tokens))
    return out


# --- independence -----------------------------------------------------------------------------------------------------


def test_answers_depend_on_neither_the_other_questions_nor_their_order(model):
    """To the last bit; there are many more questions than rows in a forward."""
    asked = questions()[:: 5 if model.name in CAUSAL else 1]  # a gap of a causal model is fifty texts
    assert len(asked) > 9
    together = dict(zip(asked, model.answer(asked), strict=True))
    shuffled = random.Random(1).sample(asked, len(asked))
    assert dict(zip(shuffled, model.answer(shuffled), strict=True)) == together
    assert model.answer(asked + asked) == [together[question] for question in asked + asked]
    for question in asked[:: max(1, len(asked) // 12)]:
        assert model.answer([question]) == [together[question]]


def test_a_gap_does_not_depend_on_how_many_words_its_neighbours_want(model):
    asked = [Gap(tokens, 0, 5) for tokens in TEXTS[:3]]
    alone = [model.answer([gap])[0] for gap in asked]
    greedy = [gap._replace(k=200) for gap in asked]
    assert model.answer([*asked, *greedy])[: len(asked)] == alone
    assert [answer[:5] for answer in model.answer(greedy)] == alone


def test_attacks_that_await_answers_get_the_same_whatever_runs_beside_them(model):
    async def attack(tokens):
        filled = await model.fill(tokens, range(len(tokens)), 4)
        seen = await model.fill(tokens, [0], 4, Seen.VISIBLE)
        inserted = await model.fill_gap(tokens, [0, len(tokens) // 2, len(tokens)], 4)
        merged = await model.fill_merged(tokens, range(len(tokens) - 1), 4)
        return filled, seen, inserted, merged, await model.log_prob(tokens)

    starts = [lambda tokens=tokens: attack(tokens) for tokens in (TEXTS[2], TEXTS[0][:5], TEXTS[3])]
    expected = run(*starts, concurrency=1, batch_size=1)
    assert run(*starts) == expected
    assert run(*reversed(starts), concurrency=2, batch_size=5) == expected[::-1]
    filled, seen, inserted, merged, log_prob = expected[1]
    tokens = TEXTS[0][:5]
    assert filled == model.answer([Gap(tokens, at, 4) for at in range(len(tokens))])
    assert seen == model.answer([Gap(tokens, 0, 4, Seen.VISIBLE)])
    assert inserted[-1] == model.answer([Gap((*tokens, "-"), len(tokens), 4)])[0]
    assert [log_prob] == model.answer([LogProbability(tokens)])
    assert [len(part) for part in (filled, seen, inserted, merged)] == [len(tokens), 1, 3, len(tokens) - 1]
    assert all(len(words) == 4 for part in (filled, seen, inserted, merged) for words in part)


def test_the_same_question_of_two_attacks_is_answered_once(models):
    model = models["wordpiece"]

    async def attack():
        return await model.fill(TEXTS[0], [0, 1, 2], 4)

    engine = Engine()
    first, second = (done.result for done in engine.run([Job("a", attack), Job("b", attack)]))
    assert first == second
    assert engine.asked[model.identity] == 6
    assert engine.forwarded[model.identity] == 3


def test_a_text_that_is_too_long_fails_the_attack_that_asked_and_no_other(model):
    async def attack(tokens):
        return await model.fill(tokens, [0], 3)

    long = ("bank",) * 80
    jobs = [Job("short", lambda: attack(TEXTS[0])), Job("long", lambda: attack(long))]
    done = {one.name: one for one in Engine().run(jobs)}
    assert done["short"].result == model.answer([Gap(TEXTS[0], 0, 3)])
    assert "too long" in str(done["long"].error)
    assert isinstance(done["long"].error.__cause__, BadInput)


def test_no_question_no_answer(model):
    assert model.answer([]) == []
    assert run(lambda: model.fill(TEXTS[0], [], 5)) == [[]]


# --- casing and merging -----------------------------------------------------------------------------------------------


def test_an_inserted_word_takes_a_capital_only_where_the_text_begins_with_one(models):
    first, *others = run(lambda: models["wordpiece"].fill_gap(("THE", "BANK"), [0, 1, 2], 300))[0]
    assert first
    assert all(word == word[:1].upper() + word[1:] for word, _ in first)
    assert all(word in {word.lower(), "I"} for words in others for word, _ in words)
    assert all("bank" in {word.lower() for word, _ in words} for words in (first, *others))
    ((plain,),) = run(lambda: models["wordpiece"].fill_gap(("the", "bank"), [0], 300))
    assert all(word in {word.lower(), "I"} for word, _ in plain)


def test_a_merged_word_at_the_beginning_of_a_sentence_keeps_its_capital(models):
    """It stands for both words; the first one tells how a sentence begins."""
    (found,) = run(lambda: models["wordpiece"].fill_merged(("The", "bank", "closed", "."), [0], 5))
    assert all(word[:1] == word[:1].upper() for word, _ in found[0])


def test_doubles_and_the_word_itself_drop_out_and_the_casing_is_restored():
    found = [
        Proposal(word, 0.5 / (k + 1)) for k, word in enumerate(("Bank", "market", "Market", "MARKET", "fish", "a"))
    ]
    assert proposals_like("BANK", found, 5) == (
        Proposal("MARKET", 0.25), Proposal("FISH", 0.1), Proposal("A", 0.5 / 6),
    )  # fmt: skip
    assert proposals_like("Boat", found, 2) == (Proposal("Bank", 0.5), Proposal("Market", 0.25))
    assert proposals_like("boat", found, 2) == (Proposal("Bank", 0.5), Proposal("market", 0.25))
    assert proposals_like("boat", found, 0) == ()
    assert proposals_like("boat", [], 3) == ()


@pytest.mark.parametrize(
    ("word", "like", "expected"),
    [
        ("market", "bank", "market"),
        ("market", "Bank", "Market"),
        ("market", "BANK", "MARKET"),
        ("market", "B", "Market"),
        ("market", "U.S.", "MARKET"),
        ("market", "3M", "MARKET"),
        ("market", "12", "market"),
        ("market", "-", "market"),
        ("market", "", "market"),
        ("market", "iPhone", "market"),
        ("market", "McDonald", "Market"),
        ("market", "Éa", "Market"),
        ("market", "é", "market"),
        ("Paris", "bank", "Paris"),
        ("NATO", "Bank", "NATO"),
        ("NATO", "bank", "NATO"),
        ("über", "BANK", "ÜBER"),
        ("well-known", "Bank", "Well-known"),
        ("12", "BANK", "12"),
        ("", "BANK", ""),
        ("a", "Bank", "A"),
        ("straße", "BANK", "straße"),
        ("ßa", "Bank", "ßa"),
    ],
)
def test_a_word_in_the_casing_of_another(word, like, expected):
    assert cased_like(word, like) == expected


# --- the stub that attacks are tested with, and silence ---------------------------------------------------------------


def test_the_stub_keeps_the_promises_of_the_real_ones():
    stub = StubLanguageModel()
    asked = [Gap(TEXTS[0], at, 4, seen) for at in range(5) for seen in Seen]
    together = stub.answer(asked)
    assert [stub.answer([gap])[0] for gap in asked] == together
    for gap, proposals in zip(asked, together, strict=True):
        probabilities = [probability for _, probability in proposals]
        assert probabilities == sorted(probabilities, reverse=True)
        assert all(word == cased_like(word, gap.tokens[gap.at]) for word, _ in proposals)


@pytest.mark.parametrize("fails", [False, True])
def test_transformers_is_silent_inside_and_as_it_was_outside(fails):
    from transformers import logging

    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_info()
    logging.enable_progress_bar()
    try:
        try:
            with silent_transformers():
                assert logging.get_verbosity() == logging.ERROR
                assert not logging.is_progress_bar_enabled()
                if fails:
                    raise KeyError
        except KeyError:
            pass
        assert logging.get_verbosity() == logging.INFO
        assert logging.is_progress_bar_enabled()
    finally:
        logging.set_verbosity(before[0])
        (logging.enable_progress_bar if before[1] else logging.disable_progress_bar)()


def test_loading_says_nothing(tmp_path, capfd):
    folder = save_masked(tmp_path / "masked", "wordpiece")
    capfd.readouterr()
    masked_model_from_folder(str(folder), CPU)
    assert capfd.readouterr() == ("", "")


def test_a_model_is_used_without_dropout_and_leaves_no_trace_of_training(tmp_path):
    """The same folder gives the same answers twice, whatever the random numbers in between."""
    folder = save_masked(tmp_path / "masked", "bpe")
    shutil.copytree(folder, tmp_path / "copy")
    first = masked_model_from_folder(str(folder), CPU).answer(questions())
    torch.manual_seed(5)
    assert masked_model_from_folder(str(tmp_path / "copy"), CPU).answer(questions()) == first
    assert AutoTokenizer.from_pretrained(folder).mask_token == "<mask>"
