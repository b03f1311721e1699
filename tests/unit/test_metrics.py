"""Metrics with numbers worked out by hand, on six sentences of three documents."""

from __future__ import annotations

import json
import math
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stubs import StubLanguageModel, StubVictim, lexicon, sentence

from benchmark.judging import Judges
from benchmark.label_risk import FLAGS
from benchmark.metrics import METRICS, Example, Value, per_type, rejections
from benchmark.metrics.attack_rate import BUDGETS, attack_rate
from benchmark.metrics.metric import clusters_of, mean
from benchmark.resources.grammar import CATEGORIES
from benchmark.statistics import intervals
from benchmark.statistics.intervals import wilson
from benchmark.types import Edit, Operation, Outcome, Status

BY_NAME = {metric.name: metric for metric in METRICS}
OVER_SUCCESSES = [
    "modification_rate",
    "similarity",
    "fluency",
    *(f"label_risk.{flag}" for flag in FLAGS),
    "grammar_errors",
    *(f"grammar_errors.{category}" for category in CATEGORIES),
    "l_score.tokens",
    "l_score.spans",
    "queries_to_success",
    "queries_to_success.median",
]
OVER_ATTACKED = [
    "attack_rate",
    "valid_attack_rate",
    *(f"attack_rate@{budget}" for budget in BUDGETS),
    "queries",
    "constraint_queries",
    "gradient_queries",
    "forwards",
]


@pytest.fixture(autouse=True, scope="module")
def fewer_resamples():
    """Values do not depend on the resamples; the intervals have tests of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(intervals, "RESAMPLES", 500)
        yield


def outcome(name, status, gold, clean, document=None, **more):
    gold, clean = tuple(gold.split()), tuple(clean.split())
    for field in ("adversarial_gold", "adversarial_prediction"):
        if field in more:
            more[field] = tuple(more[field].split())
    return Outcome(name, document, len(gold), Status(status), gold, clean, **more)


def replaced(at):
    return Edit(Operation.REPLACE, at, ("word",))


FIRST = Example(
    outcome(
        "s1",
        "success",
        "B-PER I-PER O O",
        "B-PER I-PER O O",
        "d1",
        edits=(replaced(1),),
        adversarial_gold="B-PER I-PER O O",
        adversarial_prediction="B-PER O O O",
        unseen=(True,),
        search_queries=7,
        constraint_queries=2,
        queries_to_success=5,
        forwards=6,
        rejected={"touch": 1},
    ),
    similarity=0.9,
    grammar_errors={"typos": 2, "casing": -1},
    fluency=-0.5,
    label_risk=("mention-edited", "misspelt"),
)
INSERTED = Example(
    outcome(
        "s2",
        "success",
        "B-ORG O B-LOC",
        "B-ORG O B-LOC",
        "d1",
        edits=(Edit(Operation.INSERT, 0, ("word",), 0), replaced(2)),
        adversarial_gold="O B-ORG O B-LOC",
        adversarial_prediction="O B-ORG O B-PER",
        unseen=(False, True),
        search_queries=40,
        gradient_queries=3,
        queries_to_success=33,
        forwards=30,
        attributions=(0.1, 0.7, 0.2),
    ),
    similarity=0.7,
    grammar_errors={"grammar": 2},
    label_risk=("new-capital",),
)
# A dangling I-: nothing for the strict reading, the right mention for the default one.
FAILED = Example(
    outcome("s3", "failed", "B-LOC I-LOC", "I-LOC I-LOC", "d2", unseen=(False,), search_queries=512, forwards=500)
)
BROKEN_OFF = Example(
    outcome(
        "s4",
        "error",
        "O B-PER",
        "O O",
        "d2",
        reason="Traceback",
        unseen=(True,),
        search_queries=3,
        forwards=4,
        rejected={"invalid": 4, "touch": 1},
        attributions=(0.2, 0.9),
    )
)
SKIPPED = Example(outcome("s5", "skipped", "O O", "O B-MISC", "d3", reason="no entity", unseen=(), forwards=1))
LATE = Example(
    outcome(
        "s6",
        "success",
        "B-MISC",
        "B-MISC",
        "d3",
        edits=(replaced(0),),
        adversarial_gold="B-MISC",
        adversarial_prediction="B-ORG",
        unseen=(False,),
        search_queries=700,
        queries_to_success=600,
        forwards=600,
    ),
    similarity=0.5,
    grammar_errors={"typos": 1},
    fluency=-1.5,
    label_risk=("mention-edited", "misspelt", "type-confusable"),
)
EXAMPLES = [FIRST, INSERTED, FAILED, BROKEN_OFF, SKIPPED, LATE]


@pytest.mark.parametrize(
    ("name", "value", "n"),
    [
        # 5 attacked: 3 successes, a failure, and an error that counts as a failure.
        ("attack_rate", 3 / 5, 5),
        ("attack_rate@10", 1 / 5, 5),
        ("attack_rate@32", 1 / 5, 5),
        ("attack_rate@128", 2 / 5, 5),
        ("attack_rate@512", 2 / 5, 5),
        # Of the three successes one shows no sign that invalidates.
        ("valid_attack_rate", 1 / 5, 5),
        ("label_risk.mention-edited", 2 / 3, 3),
        ("label_risk.misspelt", 2 / 3, 3),
        ("label_risk.new-capital", 1 / 3, 3),
        ("label_risk.new-entity", 0.0, 3),
        ("label_risk.mention-split", 0.0, 3),
        ("label_risk.mention-lost", 0.0, 3),
        ("label_risk.type-confusable", 1 / 3, 3),
        # The judge could read two of the three.
        ("fluency", -1.0, 2),
        ("modification_rate", (1 / 4 + 2 / 3 + 1 / 1) / 3, 3),
        ("similarity", 0.7, 3),
        ("grammar_errors", (1 + 2 + 1) / 3, 3),
        ("grammar_errors.typos", (2 + 0 + 1) / 3, 3),
        ("grammar_errors.grammar", 2 / 3, 3),
        ("grammar_errors.casing", -1 / 3, 3),
        ("grammar_errors.other", 0.0, 3),
        ("l_score.tokens", (1 / 2 + 1 / 2 + 1) / 3, 3),
        ("l_score.spans", (1 + 1 / 2 + 1) / 3, 3),
        # Six gold mentions throughout. Before: tp 4 of 5 strict, 5 of 6 by default. After: 1 of 5, 2 of 6.
        ("precision.strict.before", 4 / 5, 6),
        ("recall.strict.before", 4 / 6, 6),
        ("f1.strict.before", 8 / 11, 6),
        ("precision.strict.after", 1 / 5, 6),
        ("recall.strict.after", 1 / 6, 6),
        ("f1.strict.after", 2 / 11, 6),
        ("precision.default.before", 5 / 6, 6),
        ("recall.default.before", 5 / 6, 6),
        ("f1.default.before", 10 / 12, 6),
        ("precision.default.after", 2 / 6, 6),
        ("recall.default.after", 2 / 6, 6),
        ("f1.default.after", 4 / 12, 6),
        ("recall.seen.before", 3 / 3, 6),
        ("recall.unseen.before", 2 / 3, 6),
        ("recall.seen.after", 2 / 3, 6),
        ("recall.unseen.after", 0.0, 6),
        ("queries", (9 + 43 + 512 + 3 + 700) / 5, 5),
        ("context_share.top1", 1 / 2, 2),
        ("context_share.top3", 2 / 5, 2),
        ("context_share.all", 2 / 5, 2),
        ("queries_to_success", (5 + 33 + 600) / 3, 3),
        ("queries_to_success.median", 33.0, 3),
        ("constraint_queries", 2 / 5, 5),
        ("gradient_queries", 3 / 5, 5),
        ("forwards", (6 + 30 + 500 + 4 + 600) / 5, 5),
        ("rejected.count", 6, 6),
        ("success.count", 3, 6),
        ("failed.count", 1, 6),
        ("skipped.count", 1, 6),
        ("error.count", 1, 6),
    ],
)
def test_values_by_hand(name, value, n):
    computed = BY_NAME[name].compute(EXAMPLES)
    assert computed.value == pytest.approx(value, abs=1e-12)
    assert computed.n == n
    assert computed.reason is None


def test_every_metric_is_worked_out_by_hand_above():
    (mark,) = test_values_by_hand.pytestmark
    assert {case[0] for case in mark.args[1]} == set(BY_NAME)


def test_names_are_unique_and_every_metric_says_what_it_is():
    names = [metric.name for metric in METRICS]
    assert [name for name, count in Counter(names).items() if count > 1] == []
    assert all(metric.title and metric.description for metric in METRICS)


def test_attack_rate_carries_wilsons_interval_over_attacked_sentences():
    computed = attack_rate(EXAMPLES)
    assert (computed.low, computed.high) == wilson(3, 5)


def test_skipped_sentences_change_no_rate():
    more = [*EXAMPLES, *(Example(outcome(f"t{k}", "skipped", "O", "O")) for k in range(50))]
    assert attack_rate(more) == attack_rate(EXAMPLES)
    assert BY_NAME["queries"].compute(more).value == BY_NAME["queries"].compute(EXAMPLES).value


def test_an_error_lowers_the_rate_as_a_failure_does():
    error = attack_rate([FIRST, BROKEN_OFF])
    assert error == attack_rate([FIRST, FAILED])
    assert error.value == 0.5


@pytest.mark.parametrize("budget", BUDGETS)
def test_a_success_with_the_last_query_of_a_budget_counts_and_with_the_next_one_does_not(budget):
    def found_at(query):
        return [Example(outcome("s", "success", "B-PER", "B-PER", queries_to_success=query, search_queries=query))]

    metric = BY_NAME[f"attack_rate@{budget}"]
    assert metric.compute(found_at(budget)).value == 1.0
    assert metric.compute(found_at(budget + 1)).value == 0.0


@pytest.mark.parametrize("name", OVER_SUCCESSES)
def test_without_a_success_there_is_no_value_but_a_reason(name):
    computed = BY_NAME[name].compute([FAILED, BROKEN_OFF, SKIPPED])
    assert (computed.value, computed.low, computed.high, computed.n) == (None, None, None, 0)
    assert computed.reason
    assert computed.to_json()["value"] is None


@pytest.mark.parametrize("name", [*OVER_SUCCESSES, *OVER_ATTACKED])
@pytest.mark.parametrize("examples", [[SKIPPED, SKIPPED], []], ids=["all skipped", "empty"])
def test_with_nothing_attacked_there_is_no_value_but_a_reason(name, examples):
    computed = BY_NAME[name].compute(examples)
    assert computed.value is None
    assert computed.reason


def test_with_all_attacked_and_none_broken_the_rate_is_0_and_not_missing():
    computed = attack_rate([FAILED, BROKEN_OFF])
    assert computed.value == 0.0
    assert computed.reason is None


@pytest.mark.parametrize("mode", ["strict", "default"])
@pytest.mark.parametrize("score", ["precision", "recall", "f1"])
@pytest.mark.parametrize("gold", ["B-PER O", "O O"], ids=["a mention", "no mention"])
def test_empty_predictions_give_0(gold, score, mode):
    examples = [Example(outcome(f"s{k}", "failed", gold, "O O")) for k in range(5)]
    computed = BY_NAME[f"{score}.{mode}.before"].compute(examples)
    assert (computed.value, computed.low, computed.high) == (0.0, 0.0, 0.0)


def test_span_scores_count_failed_skipped_and_broken_off_sentences_with_their_original_text():
    for name in ("precision.strict", "recall.default", "f1.strict"):
        unhurt = [FAILED, BROKEN_OFF, SKIPPED]
        before, after = (BY_NAME[f"{name}.{when}"].compute(unhurt) for when in ("before", "after"))
        assert before == after
        assert before.n == 3


def test_per_type_f1_by_hand():
    table = per_type(EXAMPLES)
    assert list(table) == ["LOC", "MISC", "ORG", "PER"]
    by_hand = {"LOC": (2 / 3, 0.0, 2), "MISC": (2 / 3, 0.0, 1), "ORG": (1.0, 2 / 3, 1), "PER": (2 / 3, 0.0, 2)}
    for name, (before, after, mentions) in by_hand.items():
        assert table[name]["f1.strict.before"]["value"] == pytest.approx(before, abs=1e-6)
        assert table[name]["f1.strict.after"]["value"] == pytest.approx(after, abs=1e-6)
        assert table[name]["f1.strict.before"]["n"] == mentions


def test_recall_of_seen_and_unseen_needs_a_training_split():
    unknown = [Example(outcome("s", "failed", "B-PER", "B-PER"))]
    for name in ("recall.seen.before", "recall.unseen.after"):
        computed = BY_NAME[name].compute(unknown)
        assert computed.value is None
        assert "training" in computed.reason


def test_recall_of_unseen_mentions_is_missing_where_all_were_seen():
    seen = [Example(outcome("s", "failed", "B-PER", "B-PER", unseen=(False,)))]
    assert BY_NAME["recall.seen.before"].compute(seen).value == 1.0
    computed = BY_NAME["recall.unseen.before"].compute(seen)
    assert computed.value is None
    assert computed.reason == "no unseen mention"


def test_recall_of_seen_mentions_leaves_out_sentences_whose_mentions_were_split():
    split = Example(
        outcome(
            "s",
            "success",
            "B-PER I-PER",
            "B-PER I-PER",
            unseen=(False,),
            edits=(Edit(Operation.INSERT, 1, ("word",), 0),),
            adversarial_gold="B-PER O B-PER",
            adversarial_prediction="B-PER O B-PER",
            queries_to_success=1,
        )
    )
    assert BY_NAME["recall.seen.after"].compute([split]).value is None
    assert BY_NAME["recall.seen.before"].compute([split]).value == 1.0


def test_rejections_are_added_up_by_reason():
    assert rejections(EXAMPLES) == {"invalid": 4, "touch": 2}


def test_one_insertion_in_front_of_twelve_tokens_is_a_modification_of_a_twelfth():
    inserted = outcome(
        "s",
        "success",
        " ".join(["B-PER", *["O"] * 11]),
        " ".join(["B-PER", *["O"] * 11]),
        edits=(Edit(Operation.INSERT, 0, ("word",), 0),),
        adversarial_gold=" ".join(["O", "B-PER", *["O"] * 11]),
        adversarial_prediction=" ".join(["O"] * 13),
        queries_to_success=1,
    )
    assert BY_NAME["modification_rate"].compute([Example(inserted)]).value == pytest.approx(1 / 12)


def test_three_replaced_words_of_ten_are_a_modification_of_three_tenths():
    tags = " ".join(["B-PER", *["O"] * 9])
    three = outcome("s", "success", tags, tags, edits=tuple(map(replaced, (1, 4, 8))), queries_to_success=1)
    assert BY_NAME["modification_rate"].compute([Example(three)]).value == pytest.approx(0.3)


def test_a_merge_and_a_deletion_count_once_each_and_a_paraphrase_by_its_distance():
    tags = "B-PER O O O"
    edits = (Edit(Operation.DELETE, 1), Edit(Operation.MERGE, 2, ("word",), 2))
    both = Example(outcome("s", "success", tags, tags, edits=edits, queries_to_success=1))
    assert BY_NAME["modification_rate"].compute([both]).value == pytest.approx(2 / 4)
    # 0 1 2 3 -> 0 2 new 3 : one deletion and one insertion
    rewritten = Edit(Operation.PARAPHRASE, 0, ("", "", "new", ""), 4, ((0,), (2,), (), (3,)))
    one = Example(outcome("s", "success", tags, tags, edits=(rewritten,), queries_to_success=1))
    assert BY_NAME["modification_rate"].compute([one]).value == pytest.approx(2 / 4)


def test_l_score_forgives_the_mark_and_counts_the_class():
    """B- read as I- is the right class: no token is wrong, and the default reading finds the mention."""
    marks = outcome(
        "s",
        "success",
        "B-PER I-PER O",
        "B-PER I-PER O",
        adversarial_gold="B-PER I-PER O",
        adversarial_prediction="I-PER I-PER B-LOC",
        queries_to_success=1,
    )
    assert BY_NAME["l_score.tokens"].compute([Example(marks)]).value == 0.0
    assert BY_NAME["l_score.spans"].compute([Example(marks)]).value == 0.0


def test_intervals_resample_documents_where_they_are_known():
    def queries(k, document):
        return Example(outcome(f"s{k}", "failed", "O", "O", document, search_queries=100 * (k // 10 % 2)))

    clumped = BY_NAME["queries"].compute([queries(k, f"d{k // 10}") for k in range(80)])
    alone = BY_NAME["queries"].compute([queries(k, None) for k in range(80)])
    assert clumped.value == alone.value == 50.0
    assert clumped.high - clumped.low > 2 * (alone.high - alone.low)


def test_a_document_named_as_a_sentence_is_not_taken_for_it():
    one = Example(outcome("x", "failed", "O", "O", None))
    other = Example(outcome("y", "failed", "O", "O", "x"))
    assert len(set(clusters_of([one, other]))) == 2


def test_the_same_examples_give_the_same_values_twice_and_in_any_order():
    for metric in METRICS:
        there, again = metric.compute(EXAMPLES), metric.compute(EXAMPLES)
        assert there.to_json() == again.to_json()
        back = metric.compute(EXAMPLES[::-1])
        assert back.value == pytest.approx(there.value, abs=1e-12)


def test_numbers_that_json_does_not_know_become_null():
    record = Value(0.5, math.nan, math.inf, 3).to_json()
    assert record == {"value": 0.5, "low": None, "high": None, "n": 3}
    json.dumps(record, allow_nan=False)


def test_numpy_numbers_become_plain_ones_of_six_digits():
    record = Value(np.float64(1 / 3), np.float32(0.25), 1).to_json()
    assert record["value"] == 0.333333
    assert all(type(record[key]) is float for key in ("value", "low", "high"))


def test_too_few_successes_for_a_median_interval_leave_it_empty():
    record = BY_NAME["queries_to_success.median"].compute(EXAMPLES).to_json()
    assert (record["value"], record["low"], record["high"]) == (33.0, None, None)


def test_mean_of_nothing_is_no_value():
    assert mean([], lambda e: 1.0) == Value(None, reason="no success")


TAGS = st.sampled_from(["O", "B-PER", "I-PER", "B-LOC", "I-LOC"])


@st.composite
def drawn_examples(draw):
    examples = []
    for k in range(draw(st.integers(0, 6))):
        n = draw(st.integers(1, 5))
        # Gold is valid IOB2: every mention here has one token.
        gold = tuple(draw(st.lists(st.sampled_from(["O", "B-PER", "B-LOC"]), min_size=n, max_size=n)))
        clean, after = (tuple(draw(st.lists(TAGS, min_size=n, max_size=n))) for _ in range(2))
        status = draw(st.sampled_from(Status))
        flags = st.lists(st.booleans(), min_size=n - gold.count("O"), max_size=n - gold.count("O"))
        found = status is Status.SUCCESS
        queries = draw(st.integers(1, 700))
        examples.append(
            Example(
                Outcome(
                    f"s{k}",
                    draw(st.sampled_from([None, "a", "b"])),
                    n,
                    status,
                    gold,
                    clean,
                    unseen=draw(st.none() | flags.map(tuple)),
                    edits=(replaced(0),) if found else (),
                    adversarial_gold=gold if found else (),
                    adversarial_prediction=after if found else (),
                    search_queries=queries,
                    queries_to_success=draw(st.integers(1, queries)) if found else None,
                    forwards=draw(st.integers(1, queries)),
                    rejected=draw(st.dictionaries(st.sampled_from(["touch", "invalid"]), st.integers(1, 9))),
                ),
                similarity=draw(st.floats(-1, 1)) if found else None,
                grammar_errors=draw(st.dictionaries(st.sampled_from(CATEGORIES), st.integers(-3, 9)))
                if found
                else None,
            )
        )
    return examples


@settings(max_examples=60)
@given(drawn_examples())
def test_every_result_is_json_without_nan_and_lies_in_its_range(examples):
    records = {metric.name: metric.compute(examples).to_json() for metric in METRICS}
    json.dumps([records, per_type(examples)], allow_nan=False)
    for name, record in records.items():
        present = [number for key in ("low", "value", "high") if (number := record[key]) is not None]
        assert (record["value"] is None) == ("reason" in record), name
        if name.startswith(("attack_rate", "precision", "recall", "f1", "l_score", "modification")):
            assert all(0 <= number <= 1 for number in present), name
        elif name == "similarity":
            assert all(-1 <= number <= 1 for number in present)
        elif not name.startswith("grammar_errors"):
            assert all(number >= 0 for number in present), name
        if record["low"] is not None and record["high"] is not None:
            assert record["low"] <= record["high"], name


@settings(max_examples=60)
@given(drawn_examples())
def test_attack_rate_never_falls_with_the_budget_and_the_whole_budget_is_the_most(examples):
    rates = [BY_NAME[f"attack_rate@{budget}"].compute(examples).value for budget in BUDGETS]
    whole = BY_NAME["attack_rate"].compute(examples).value
    if whole is None:
        assert rates == [None] * len(BUDGETS)
    else:
        assert [*rates, whole] == sorted([*rates, whole])


@settings(max_examples=60)
@given(drawn_examples())
def test_the_statuses_add_up_and_the_grammar_categories_add_up(examples):
    count = sum(BY_NAME[f"{status.value}.count"].compute(examples).value for status in Status)
    assert count == len(examples)
    total = BY_NAME["grammar_errors"].compute(examples).value
    if total is not None:
        parts = [BY_NAME[f"grammar_errors.{category}"].compute(examples).value for category in CATEGORIES]
        assert sum(parts) == pytest.approx(total, abs=1e-9)


def test_judges_read_both_texts_of_successes_only_and_take_the_difference():
    """Similarity on single-space-joined tokens, grammar on running text, after minus before by category."""
    read = SimpleNamespace(pairs=[], texts=[])

    def cosines(pairs):
        read.pairs += pairs
        return [0.25] * len(pairs)

    def count(texts):
        read.texts += texts
        return [Counter(typos=text.count("wrod"), casing=text.count("paris")) for text in texts]

    reader = StubVictim(lexicon({"Paris": "B-LOC", "wrod": "B-ORG"}))
    judges = Judges(
        SimpleNamespace(cosines=cosines, identity="encoder"),
        SimpleNamespace(count=count, identity="checker"),
        (reader, reader),
        StubLanguageModel(),
    )
    original = sentence("She saw paris , a word .", "O O B-LOC O O O O", "s1")
    edits = (Edit(Operation.REPLACE, 2, ("Paris",)), Edit(Operation.REPLACE, 5, ("wrod",)))
    found = Outcome("s1", None, 7, Status.SUCCESS, original.tags, original.tags, edits=edits, queries_to_success=1)
    failed = Outcome("s2", None, 7, Status.FAILED, original.tags, original.tags)
    judged = judges.judge([failed, found], {"s1": original, "s2": original})
    assert read.pairs == [("She saw paris , a word .", "She saw Paris , a wrod .")]
    assert read.texts == ["She saw paris, a word.", "She saw Paris, a wrod."]
    flags = ("mention-edited", "misspelt", "new-entity")
    assert judged == [Example(failed), Example(found, 0.25, {"typos": 1, "casing": -1}, 0.0, flags)]
    assert judges.identity == {
        "similarity": "encoder",
        "grammar_errors": "checker",
        "label_risk": "rules 2, stub 166e02d7 (stub), stub 166e02d7 (stub)",
        "fluency": "stub language model",
    }


def test_a_text_is_read_once_by_a_checker_and_a_tagger():
    """The runs of a suite share their original sentences."""
    read = SimpleNamespace(texts=[], tagged=[])

    class Reader(StubVictim):
        def predict(self, batch):
            read.tagged += batch
            return super().predict(batch)

    def count(texts):
        read.texts += texts
        return [Counter(typos=len(text)) for text in texts]

    judges = Judges(
        SimpleNamespace(cosines=lambda pairs: [1.0] * len(pairs), identity="encoder"),
        SimpleNamespace(count=count, identity="checker"),
        (Reader(lexicon({"Paris": "B-LOC"})),),
    )
    original = sentence("She saw Paris .", "O O B-LOC O", "s1")

    def outcome(word):
        edits = (Edit(Operation.REPLACE, 1, (word,)),)
        return Outcome("s1", None, 4, Status.SUCCESS, original.tags, original.tags, edits=edits, queries_to_success=1)

    first = judges.judge([outcome("left")], {"s1": original})
    assert judges.judge([outcome("left")], {"s1": original}) == first
    assert judges.judge([outcome("found")], {"s1": original}) != first
    assert read.texts == ["She saw Paris.", "She left Paris.", "She found Paris."]
    assert [text[1] for text in read.tagged] == ["saw", "left", "found"]
