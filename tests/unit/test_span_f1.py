"""Span counts against seqeval."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics import f1_score, precision_score, recall_score
from seqeval.metrics.sequence_labeling import get_entities
from seqeval.scheme import IOB2, Entities

from benchmark.metrics.metric import Example
from benchmark.metrics.span_f1 import SPAN_METRICS, SpanCounts, per_type, span_counts
from benchmark.statistics import intervals
from benchmark.statistics.intervals import FEWEST_CLUSTERS
from benchmark.types import Outcome, Status

TYPES = ("PER", "ORG", "GPE-LOC")
# Any order of tags: dangling I-, I- of another type, everything.
TAGS = st.sampled_from(["O", "O", *(f"{mark}-{name}" for mark in "BI" for name in TYPES)])
PAIRS = st.lists(st.tuples(TAGS, TAGS), min_size=1, max_size=12).map(lambda pairs: tuple(zip(*pairs, strict=True)))
BY_NAME = {metric.name: metric for metric in SPAN_METRICS}


@pytest.fixture(autouse=True, scope="module")
def fewer_resamples():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(intervals, "RESAMPLES", 500)
        yield


def strict_entities(tags):
    (entities,) = Entities([list(tags)], IOB2).entities
    return {(entity.start, entity.end, entity.tag) for entity in entities}


def default_entities(tags):
    return {(start, end + 1, name) for name, start, end in get_entities(list(tags))}


def counts(gold, predicted):
    return (len(gold & predicted), len(predicted), len(gold))


@given(PAIRS)
def test_strict_counts_are_those_of_seqevals_strict_iob2(pair):
    gold, predicted = pair
    assert span_counts(gold, predicted) == counts(strict_entities(gold), strict_entities(predicted))


@given(PAIRS)
def test_default_counts_are_those_of_seqevals_default_mode(pair):
    gold, predicted = pair
    assert span_counts(gold, predicted, "default") == counts(default_entities(gold), default_entities(predicted))


@given(st.lists(PAIRS, min_size=1, max_size=4), st.sampled_from(["strict", "default"]))
def test_summed_counts_give_seqevals_micro_scores(pairs, mode):
    settings = {"mode": "strict", "scheme": IOB2} if mode == "strict" else {}
    true, predicted, gold = (sum(column) for column in zip(*(span_counts(g, p, mode) for g, p in pairs), strict=True))
    sequences = [list(g) for g, _ in pairs], [list(p) for _, p in pairs]
    assert precision_score(*sequences, zero_division=0, **settings) == pytest.approx(
        true / predicted if predicted else 0
    )
    assert recall_score(*sequences, zero_division=0, **settings) == pytest.approx(true / gold if gold else 0)
    assert f1_score(*sequences, zero_division=0, **settings) == pytest.approx(2 * true / ((predicted + gold) or 1))


@given(st.lists(PAIRS, min_size=1, max_size=3), st.sampled_from(["strict", "default"]))
def test_metrics_are_the_quotients_of_the_summed_counts(pairs, mode):
    examples = [Example(Outcome(f"s{k}", None, len(g), Status.FAILED, g, p)) for k, (g, p) in enumerate(pairs)]
    true, predicted, gold = (sum(column) for column in zip(*(span_counts(g, p, mode) for g, p in pairs), strict=True))
    value = BY_NAME[f"f1.{mode}.before"].compute(examples)
    assert value.value == pytest.approx(2 * true / ((predicted + gold) or 1))
    if len(pairs) >= FEWEST_CLUSTERS:
        assert 0 <= value.low <= value.high <= 1
    else:
        assert value.to_json()["low"] is None


@given(PAIRS, st.sampled_from(["strict", "default"]))
def test_counts_of_the_types_add_up(pair, mode):
    by_type = [span_counts(*pair, mode, name) for name in TYPES]
    assert span_counts(*pair, mode) == tuple(sum(column) for column in zip(*by_type, strict=True))


@given(PAIRS, st.sampled_from(["strict", "default"]))
def test_true_positives_never_exceed_either_side_and_swapping_sides_swaps_the_counts(pair, mode):
    gold, predicted = pair
    true, found, wanted = span_counts(gold, predicted, mode)
    assert 0 <= true <= min(found, wanted)
    assert span_counts(predicted, gold, mode) == (true, wanted, found)
    assert span_counts(gold, gold, mode) == (wanted, wanted, wanted)


def test_strict_and_default_differ_on_a_dangling_i():
    gold, predicted = ("O", "B-PER", "I-PER"), ("O", "I-PER", "I-PER")
    assert span_counts(gold, predicted, "strict") == SpanCounts(0, 0, 1)
    assert span_counts(gold, predicted, "default") == SpanCounts(1, 1, 1)
    examples = [Example(Outcome("s", None, 3, Status.FAILED, gold, predicted))]
    assert BY_NAME["f1.strict.before"].compute(examples).value == 0.0
    assert BY_NAME["f1.default.before"].compute(examples).value == 1.0


def test_an_i_of_another_type_ends_a_strict_mention_and_opens_a_default_one():
    gold, predicted = ("B-PER", "B-ORG"), ("B-PER", "I-ORG")
    assert span_counts(gold, predicted, "strict") == SpanCounts(1, 1, 2)
    assert span_counts(gold, predicted, "default") == SpanCounts(2, 2, 2)


def test_the_right_words_with_the_wrong_type_are_wrong_twice():
    assert span_counts(("B-PER", "I-PER"), ("B-ORG", "I-ORG")) == SpanCounts(0, 1, 1)
    assert span_counts(("B-PER", "I-PER"), ("B-ORG", "I-ORG"), type="PER") == SpanCounts(0, 0, 1)
    assert span_counts(("B-PER", "I-PER"), ("B-ORG", "I-ORG"), type="ORG") == SpanCounts(0, 1, 0)


def test_micro_average_weighs_mentions_and_not_sentences():
    many = Example(Outcome("s1", None, 4, Status.FAILED, ("B-PER",) * 4, ("B-PER",) * 4))
    one = Example(Outcome("s2", None, 1, Status.FAILED, ("B-PER",), ("B-ORG",)))
    assert BY_NAME["recall.strict.before"].compute([many, one]).value == pytest.approx(4 / 5)


def test_per_type_scores_are_those_of_seqevals_report():
    gold = [["B-PER", "I-PER", "O"], ["B-ORG", "O", "B-PER"], ["B-ORG"]]
    predicted = [["B-PER", "I-PER", "B-ORG"], ["B-ORG", "O", "I-PER"], ["B-PER"]]
    examples = [
        Example(Outcome(f"s{k}", None, len(g), Status.FAILED, tuple(g), tuple(p)))
        for k, (g, p) in enumerate(zip(gold, predicted, strict=True))
    ]
    by_type = f1_score(gold, predicted, average=None, mode="strict", scheme=IOB2, zero_division=0)
    table = per_type(examples)
    assert [table[name]["f1.strict.before"]["value"] for name in ("ORG", "PER")] == pytest.approx(by_type, abs=1e-6)


def test_a_perfect_prediction_scores_1_in_every_way():
    tags = ("B-PER", "I-PER", "O", "B-ORG")
    examples = [Example(Outcome("s", None, 4, Status.FAILED, tags, tags, unseen=(True, False)))]
    assert {metric.compute(examples).value for metric in SPAN_METRICS} == {1.0}
