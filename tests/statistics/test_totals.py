"""Sums over documents and the statistics computed from sums."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval.metrics import f1_score

from benchmark.statistics.totals import cluster_sums, micro_f1, rate
from benchmark.tag_schemes import tags_to_spans


def test_documents_are_added_up_in_order_of_appearance():
    sums = np.array([[1, 10], [2, 20], [4, 40], [8, 80]], dtype=float)
    assert cluster_sums(sums, ["b", "a", "b", None]).tolist() == [[5, 50], [2, 20], [8, 80]]


def test_no_sentence_adds_up_to_no_document():
    assert cluster_sums(np.zeros((0, 3)), []).shape == (0, 3)


def test_a_sentence_without_a_document_is_refused():
    with pytest.raises(ValueError, match="2 rows of sums, but 1 cluster"):
        cluster_sums(np.ones((2, 3)), ["a"])


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from("abc")), max_size=20))
def test_nothing_is_lost(items):
    sums = np.array([[number] for number, _ in items], dtype=float).reshape(-1, 1)
    assert cluster_sums(sums, [name for _, name in items]).sum() == sum(number for number, _ in items)


def test_a_rate_of_nothing_has_no_value():
    assert rate(np.array([[1.0, 4.0], [0.0, 3.0]])).tolist() == [0.25, 0.0]
    assert math.isnan(rate(np.array([[0.0, 0.0]]))[0])


tag_sequences = st.lists(st.sampled_from(["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]), min_size=1, max_size=8)


@given(st.lists(st.tuples(tag_sequences, tag_sequences), min_size=1, max_size=6))
@settings(max_examples=50)
def test_f1_of_totals_equals_seqeval(sentences):
    gold = [one[: min(len(one), len(other))] for one, other in sentences]
    predicted = [other[: min(len(one), len(other))] for one, other in sentences]
    spans = [
        (set(tags_to_spans(wanted)), set(tags_to_spans(found))) for wanted, found in zip(gold, predicted, strict=True)
    ]
    totals = np.array(
        [[sum(len(a & b) for a, b in spans), sum(len(b) for _, b in spans), sum(len(a) for a, _ in spans)]], dtype=float
    )
    assert micro_f1(totals)[0] == pytest.approx(f1_score(gold, predicted, zero_division=0))
