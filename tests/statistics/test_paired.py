"""Comparisons of two rows against published examples, scipy, statsmodels and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats import contingency_tables

from benchmark.statistics.intervals import bootstrap
from benchmark.statistics.paired import approximate_randomisation, difference_interval, mcnemar
from benchmark.statistics.totals import micro_f1, rate


def pairs(both, only_first, only_second, neither):
    first = [True] * both + [True] * only_first + [False] * only_second + [False] * neither
    second = [True] * both + [False] * only_first + [True] * only_second + [False] * neither
    return first, second


def test_worked_example_with_few_discordant_pairs():
    """Wikipedia, "McNemar's test": 59, 6, 16, 80 gives 0.052 exactly (0.033 by chi-square, uncorrected)."""
    result = mcnemar(*pairs(59, 6, 16, 80))
    assert (result.only_first, result.only_second) == (6, 16)
    assert result.p == pytest.approx(0.052, abs=5e-4)
    assert result.difference == pytest.approx(-10 / 161)
    assert result.discordance == pytest.approx(22 / 161)


@pytest.mark.parametrize(
    "table",
    [
        (794, 86, 150, 570),  # Agresti 1990, p. 350: presidential approval in two surveys
        (101, 121, 59, 33),
        (101, 59, 121, 33),
        (30, 12, 40, 18),
        (59, 6, 16, 80),
        (0, 0, 5, 0),
        (0, 4, 4, 0),
    ],
)
def test_exact_p_equals_statsmodels(table):
    both, only_first, only_second, neither = table
    reference = contingency_tables.mcnemar([[both, only_first], [only_second, neither]], exact=True).pvalue
    assert mcnemar(*pairs(*table)).p == pytest.approx(reference, rel=1e-9)


@pytest.mark.parametrize("table", [(5, 0, 0, 7), (0, 0, 0, 0), (0, 0, 0, 3)])
def test_without_a_discordant_pair_p_is_1(table):
    result = mcnemar(*pairs(*table))
    assert result == (0, 0, 1.0, sum(table))
    assert (result.difference, result.discordance) == (0.0, 0.0)


def test_concordant_pairs_do_not_matter():
    assert mcnemar(*pairs(0, 3, 9, 0))[:3] == mcnemar(*pairs(400, 3, 9, 250))[:3]


def test_items_of_different_number_are_refused():
    with pytest.raises(ValueError, match="2 items cannot be paired with 1"):
        mcnemar([True, False], [True])


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=60))
def test_swapping_the_two_swaps_the_counts_and_keeps_p(items):
    first, second = [a for a, _ in items], [b for _, b in items]
    one, other = mcnemar(first, second), mcnemar(second, first)
    assert (one.only_first, one.only_second) == (other.only_second, other.only_first)
    assert one.p == pytest.approx(other.p, rel=1e-9)
    assert one.difference == -other.difference
    assert 0 < one.p <= 1


@given(st.integers(0, 30), st.integers(0, 30))
def test_p_falls_as_the_discordant_pairs_become_less_even(less, more):
    less, more = sorted((less, more))
    assert mcnemar(*pairs(0, less, more + 1, 0)).p <= mcnemar(*pairs(0, less, more, 0)).p + 1e-12


def as_sums(values):
    """Numerator and denominator of a plain mean."""
    return np.column_stack([values, np.ones(len(values))]).astype(float)


def span_counts(rng, sentences, recall):
    """(true positives, predicted, gold) of a tagger."""
    gold = rng.poisson(1.5, size=sentences)
    found = rng.binomial(gold, recall)
    return np.column_stack([found, found + rng.poisson(0.2, size=sentences), gold]).astype(float)


def monte_carlo_error(p, resamples):
    return 4 * math.sqrt(p * (1 - p) / resamples) + 2 / resamples


span_rows = st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 2)).map(
    lambda counts: (counts[0], counts[0] + counts[1], counts[0] + counts[2])
)
span_row_pairs = st.lists(st.tuples(span_rows, span_rows), min_size=1, max_size=25)

# Darwin's maize: heights of 15 pairs, cross- minus self-fertilised, in eighths of an inch.
DARWIN = np.array([49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48], dtype=float)


def test_randomisation_gives_fishers_p():
    """Fisher, The Design of Experiments, section 21: 1,726 of 32,768 exchanges are as large, 5.267 %."""
    result = approximate_randomisation(as_sums(DARWIN), as_sums(np.zeros(15)), rate, range(15), resamples=100_000)
    assert result.difference == pytest.approx(DARWIN.mean())
    assert result.p == pytest.approx(0.05267, abs=monte_carlo_error(0.05267, 100_000))


@pytest.mark.parametrize("seed", range(4))
def test_randomisation_of_f1_agrees_with_all_exchanges_by_scipy(seed):
    rng = np.random.default_rng(seed)
    first = span_counts(rng, 11, 0.85)
    second = span_counts(rng, 11, 0.6)
    both = np.vstack([first, second])

    def difference(one, other, axis):
        return micro_f1(both[one].sum(axis=axis - 1)) - micro_f1(both[other].sum(axis=axis - 1))

    reference = stats.permutation_test(
        (np.arange(11), np.arange(11, 22)),
        lambda one, other, axis: difference(np.atleast_2d(one), np.atleast_2d(other), axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=np.inf,
    )
    result = approximate_randomisation(first, second, micro_f1, range(11), resamples=40_000)
    assert result.difference == pytest.approx(np.squeeze(reference.statistic))
    p = float(np.squeeze(reference.pvalue))
    assert result.p == pytest.approx(p, abs=monte_carlo_error(p, 40_000))


@pytest.mark.parametrize("table", [(59, 6, 16, 80), (20, 3, 12, 5), (0, 4, 4, 0), (10, 1, 8, 3)])
def test_randomisation_of_a_rate_agrees_with_mcnemar(table):
    first, second = pairs(*table)
    exact = mcnemar(first, second)
    result = approximate_randomisation(as_sums(first), as_sums(second), rate, range(len(first)), resamples=40_000)
    assert result.difference == pytest.approx(exact.difference)
    assert result.p == pytest.approx(exact.p, abs=monte_carlo_error(exact.p, 40_000))


@given(span_row_pairs, st.randoms(use_true_random=False))
@settings(max_examples=40)
def test_randomisation_does_not_depend_on_which_is_first_nor_on_the_order_of_sentences(rows, random):
    first, second = (np.array(side, dtype=float) for side in zip(*rows, strict=True))
    shuffled = random.sample(range(len(rows)), len(rows))
    p = approximate_randomisation(first, second, micro_f1, range(len(rows)), resamples=300).p
    assert approximate_randomisation(second, first, micro_f1, range(len(rows)), resamples=300).p == p
    again = approximate_randomisation(first[shuffled], second[shuffled], micro_f1, shuffled, resamples=300)
    assert again.p == p


@given(span_row_pairs)
@settings(max_examples=40)
def test_randomisations_p_is_a_probability_and_never_0(rows):
    first, second = (np.array(side, dtype=float) for side in zip(*rows, strict=True))
    result = approximate_randomisation(first, second, micro_f1, range(len(rows)), resamples=300)
    assert 1 / 301 <= result.p <= 1
    assert -1 <= result.difference <= 1


@given(st.lists(span_rows, min_size=1, max_size=25))
@settings(max_examples=25)
def test_a_row_does_not_differ_from_itself(rows):
    sums = np.array(rows, dtype=float)
    assert approximate_randomisation(sums, sums, micro_f1, range(len(rows)), resamples=100) == (0.0, 1.0)
    low, high = difference_interval(sums, sums, micro_f1, range(len(rows)))
    assert math.isnan(low) if len(rows) < 5 else (low, high) == (0.0, 0.0)


def test_randomisation_gives_the_same_p_twice_and_another_one_with_another_seed():
    rng = np.random.default_rng(20)
    first, second = span_counts(rng, 60, 0.8), span_counts(rng, 60, 0.75)
    p = approximate_randomisation(first, second, micro_f1, range(60), seed=3).p
    assert approximate_randomisation(first, second, micro_f1, range(60), seed=3).p == p
    assert approximate_randomisation(first, second, micro_f1, range(60), seed=4).p != p


@pytest.mark.parametrize("resamples", [1, 499, 500, 1234])
def test_as_many_exchanges_are_made_as_asked_for(resamples):
    everywhere = np.ones(60, dtype=bool)
    result = approximate_randomisation(as_sums(everywhere), as_sums(~everywhere), rate, range(60), resamples=resamples)
    assert result == (1.0, 1 / (resamples + 1))


def test_more_sentences_of_the_same_kind_lower_p():
    rng = np.random.default_rng(21)
    first, second = span_counts(rng, 25, 0.85), span_counts(rng, 25, 0.7)
    by_times = [
        approximate_randomisation(
            np.tile(first, (times, 1)), np.tile(second, (times, 1)), micro_f1, range(25 * times)
        ).p
        for times in (1, 4, 16)
    ]
    assert by_times == sorted(by_times, reverse=True)
    assert by_times[0] > 2 * by_times[1]


def test_randomisation_rejects_a_true_hypothesis_as_often_as_it_says():
    rng = np.random.default_rng(22)
    rejected = sum(
        approximate_randomisation(
            span_counts(rng, 60, 0.8), span_counts(rng, 60, 0.8), micro_f1, range(60), resamples=400
        ).p
        <= 0.05
        for _ in range(300)
    )
    assert 0.02 <= rejected / 300 <= 0.09


def test_sentences_of_a_document_are_exchanged_together():
    """Rows differ by whole documents here; sentences pretend to eight times the evidence."""
    rng = np.random.default_rng(23)
    documents = np.repeat(np.arange(20), 8).tolist()
    by_sentence = by_document = 0
    for _ in range(120):
        lean = rng.normal(size=20).repeat(8)
        first, second = as_sums(lean + rng.normal(0, 0.3, size=160)), as_sums(rng.normal(0, 0.3, size=160))
        by_sentence += approximate_randomisation(first, second, rate, range(160), resamples=300).p <= 0.05
        by_document += approximate_randomisation(first, second, rate, documents, resamples=300).p <= 0.05
    assert by_document / 120 <= 0.1
    assert by_sentence / 120 >= 0.3


def test_exchanging_a_document_equals_exchanging_its_sums():
    rng = np.random.default_rng(24)
    first, second = span_counts(rng, 24, 0.8), span_counts(rng, 24, 0.6)
    documents = list("abcdefgh") * 3
    summed = [sums.reshape(3, 8, 3).sum(axis=0) for sums in (first, second)]
    assert approximate_randomisation(first, second, micro_f1, documents) == approximate_randomisation(
        *summed, micro_f1, list("abcdefgh")
    )


def test_randomisation_of_no_sentence_finds_nothing():
    assert approximate_randomisation(np.zeros((0, 3)), np.zeros((0, 3)), micro_f1, []) == (0.0, 1.0)
    difference, p = approximate_randomisation(np.zeros((0, 2)), np.zeros((0, 2)), rate, [])
    assert math.isnan(difference)
    assert p == 1.0


def test_exchanges_without_a_value_count_as_large():
    """All denominators are the first row's: hardly any exchange leaves the second one, or the first, a denominator."""
    first, second = np.ones((6, 2)), np.zeros((6, 2))
    assert approximate_randomisation(first, second, rate, range(6), resamples=100).p == 1.0


def test_sums_that_do_not_belong_together_are_refused():
    with pytest.raises(ValueError, match="cannot be paired"):
        approximate_randomisation(np.ones((4, 3)), np.ones((5, 3)), micro_f1, range(4))
    with pytest.raises(ValueError, match="4 rows of sums, but 5 clusters"):
        approximate_randomisation(np.ones((4, 3)), np.ones((4, 3)), micro_f1, range(5))


def test_interval_of_a_difference_agrees_with_scipy():
    rng = np.random.default_rng(25)
    first = rng.normal(1.0, 1.0, size=50)
    second = first + rng.normal(0.2, 0.4, size=50)
    reference = stats.bootstrap(
        (first, second),
        lambda one, other, axis: one.mean(axis=axis) - other.mean(axis=axis),
        n_resamples=20_000,
        method="percentile",
        paired=True,
        vectorized=True,
        rng=np.random.default_rng(26),
    ).confidence_interval
    low, high = difference_interval(as_sums(first), as_sums(second), rate, range(50))
    slack = 0.05 * (reference.high - reference.low)
    assert low == pytest.approx(reference.low, abs=slack)
    assert high == pytest.approx(reference.high, abs=slack)


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_interval_of_a_difference_turns_with_its_sign(method):
    rng = np.random.default_rng(27)
    first, second = span_counts(rng, 40, 0.9), span_counts(rng, 40, 0.6)
    low, high = difference_interval(first, second, micro_f1, range(40), method=method)
    turned = difference_interval(second, first, micro_f1, range(40), method=method)
    assert turned == pytest.approx((-high, -low), abs=1e-12)


def test_pairing_narrows_the_interval_of_rows_that_fail_on_the_same_sentences():
    rng = np.random.default_rng(28)
    hard = rng.random(200)
    first, second = as_sums(hard > 0.5), as_sums(hard > 0.45)
    low, high = difference_interval(first, second, rate, range(200))
    alone = bootstrap(first, rate, range(200))
    assert high - low < 0.6 * (alone.high - alone.low)


def test_difference_of_documents_is_resampled_by_document():
    rng = np.random.default_rng(29)
    lean = rng.choice([0.0, 1.0], size=12).repeat(10)
    first, second = as_sums(lean), as_sums(np.full(120, 0.5))
    by_sentence = difference_interval(first, second, rate, range(120))
    by_document = difference_interval(first, second, rate, np.repeat(np.arange(12), 10).tolist())
    assert by_document.high - by_document.low > 2 * (by_sentence.high - by_sentence.low)
