"""Intervals against reference numbers and by simulation."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from benchmark.statistics import intervals
from benchmark.statistics.intervals import bootstrap, median_interval, wilson
from benchmark.statistics.totals import micro_f1
from benchmark.statistics.totals import rate as quotient


def as_sums(values):
    """Numerator and denominator of a plain mean."""
    return np.column_stack([values, np.ones(len(values))])


@pytest.fixture
def fewer_resamples(monkeypatch):
    monkeypatch.setattr(intervals, "RESAMPLES", 1000)


@pytest.mark.parametrize("trials", [1, 2, 3, 10, 37, 256, 5000])
def test_wilson_equals_statsmodels(trials):
    for successes in sorted({0, 1, trials // 3, trials // 2, trials - 1, trials}):
        reference = proportion_confint(successes, trials, method="wilson")
        assert wilson(successes, trials) == pytest.approx(reference, abs=1e-12)


def test_wilson_equals_a_published_example():
    """Newcombe 1998, Statistics in Medicine 17, table I, method 3: 81 of 263 gives 0.2553 to 0.3662."""
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson(1, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)


def test_wilson_of_no_trials_says_nothing():
    assert all(math.isnan(end) for end in wilson(0, 0))


@pytest.mark.parametrize(("successes", "trials"), [(3, 2), (-1, 4), (0, -1)])
def test_impossible_counts_are_refused(successes, trials):
    with pytest.raises(ValueError, match=r"must not be|not less than"):
        wilson(successes, trials)


def test_wilson_equals_the_textbook_formula():
    z, n, p = stats.norm.ppf(0.975), 37, 11 / 37
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    assert wilson(11, 37) == pytest.approx((centre - half, centre + half), abs=1e-12)


@given(st.integers(1, 2000), st.data())
def test_wilson_holds_the_rate_and_stays_between_0_and_1(trials, data):
    successes = data.draw(st.integers(0, trials))
    low, high = wilson(successes, trials)
    assert 0 <= low <= successes / trials <= high <= 1
    assert low < high


@given(st.integers(1, 500), st.data())
def test_wilson_is_symmetric_in_successes_and_failures(trials, data):
    successes = data.draw(st.integers(0, trials))
    low, high = wilson(successes, trials)
    mirrored = wilson(trials - successes, trials)
    assert (1 - mirrored.high, 1 - mirrored.low) == pytest.approx((low, high), abs=1e-9)


def test_wilson_narrows_with_more_trials():
    widths = [wilson(n // 2, n).high - wilson(n // 2, n).low for n in (4, 16, 64, 256, 1024)]
    assert widths == sorted(widths, reverse=True)
    assert len(set(widths)) == len(widths)


def test_bootstrap_gives_the_same_interval_twice_and_another_one_with_another_seed():
    sums = as_sums(np.random.default_rng(1).normal(size=25))
    first = bootstrap(sums, quotient, range(25), seed=3)
    assert bootstrap(sums, quotient, range(25), seed=3) == first
    assert bootstrap(sums, quotient, range(25), seed=4) != first


def test_bootstrap_leaves_numpys_global_random_state_alone():
    np.random.seed(5)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    bootstrap(as_sums(np.arange(5.0)), quotient, range(5))
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


def test_bootstrap_of_a_constant_has_no_width():
    assert bootstrap(as_sums(np.full(8, 0.25)), quotient, range(8)) == pytest.approx((0.25, 0.25))


@pytest.mark.parametrize("clusters", [["d", "d", "d"], ["a", "b", "c"]])
def test_bootstrap_of_too_few_clusters_claims_no_interval(clusters):
    assert all(np.isnan(bootstrap(as_sums(np.array([0.0, 1.0, 1.0])), quotient, clusters)))


def test_bootstrap_of_a_mean_agrees_with_scipy():
    values = np.random.default_rng(7).exponential(size=60)
    reference = stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(8)
    ).confidence_interval
    low, high = bootstrap(as_sums(values), quotient, range(60))
    slack = 0.05 * (reference.high - reference.low)
    assert low == pytest.approx(reference.low, abs=slack)
    assert high == pytest.approx(reference.high, abs=slack)


def test_bootstrap_of_a_ratio_resamples_numerator_and_denominator_together():
    rng = np.random.default_rng(9)
    below = rng.integers(1, 9, size=50).astype(float)
    above = np.minimum(below, rng.poisson(0.5 * below))

    def ratio(a, b, axis):
        return a.sum(axis=axis) / b.sum(axis=axis)

    reference = stats.bootstrap(
        (above, below),
        ratio,
        n_resamples=20_000,
        method="percentile",
        paired=True,
        vectorized=True,
        rng=np.random.default_rng(10),
    ).confidence_interval
    low, high = bootstrap(np.column_stack([above, below]), quotient, range(50))
    slack = 0.06 * (reference.high - reference.low)
    assert low == pytest.approx(reference.low, abs=slack)
    assert high == pytest.approx(reference.high, abs=slack)
    # A ratio of sums is no mean of ratios: that one lies elsewhere here.
    assert (low, high) != pytest.approx(bootstrap(as_sums(above / below), quotient, range(50)), abs=1e-3)


def test_whole_documents_are_resampled():
    """Ten sentences a document, all alike within it: the sentences pretend to ten times the evidence."""
    outcomes = np.repeat([0.0, 1.0] * 4, 10)
    documents = np.repeat(np.arange(8), 10).tolist()
    by_sentence = bootstrap(as_sums(outcomes), quotient, range(80))
    by_document = bootstrap(as_sums(outcomes), quotient, documents)
    ratio = (by_document.high - by_document.low) / (by_sentence.high - by_sentence.low)
    assert ratio == pytest.approx(math.sqrt(10), rel=0.25)


def test_resampling_a_document_equals_resampling_its_sums():
    rng = np.random.default_rng(11)
    sums = np.column_stack([rng.integers(0, 3, 12), np.full(12, 3)]).astype(float)
    documents = ["a", "b", "c", "d"] * 3
    summed = sums.reshape(3, 4, 2).sum(axis=0)
    assert bootstrap(sums, quotient, documents) == bootstrap(summed, quotient, ["a", "b", "c", "d"])


def test_resamples_without_a_value_are_left_out():
    """One unit of twenty carries the denominator: every third resample has none."""
    sums = np.zeros((20, 2))
    sums[4] = (1.0, 2.0)
    assert bootstrap(sums, quotient, range(20)) == pytest.approx((0.5, 0.5))


@pytest.mark.usefixtures("fewer_resamples")
def test_bootstrap_covers_the_true_mean_in_about_95_of_100_samples():
    rng = np.random.default_rng(12)
    covered = 0
    for sample in range(200):
        interval = bootstrap(as_sums(rng.normal(2.0, 3.0, size=40)), quotient, range(40), seed=sample)
        covered += interval.low <= 2.0 <= interval.high
    assert 0.88 <= covered / 200 <= 0.99


@pytest.mark.usefixtures("fewer_resamples")
def test_bootstrap_by_document_covers_the_true_mean_of_clumped_sentences_and_by_sentence_does_not():
    rng = np.random.default_rng(13)
    by_document = by_sentence = 0
    for sample in range(200):
        values = (rng.normal(0.0, 1.0, size=(30, 1)) + rng.normal(0.0, 0.3, size=(30, 6))).ravel()
        documents = np.repeat(np.arange(30), 6).tolist()
        low, high = bootstrap(as_sums(values), quotient, documents, seed=sample)
        by_document += low <= 0 <= high
        low, high = bootstrap(as_sums(values), quotient, range(180), seed=sample)
        by_sentence += low <= 0 <= high
    assert 0.87 <= by_document / 200 <= 0.99
    assert by_sentence / 200 <= 0.75


def variance(totals):
    """Of totals of (values, squares, ones)."""
    return totals[:, 1] / totals[:, 2] - (totals[:, 0] / totals[:, 2]) ** 2


SPATIAL_TEST = np.array(
    [48, 36, 20, 29, 42, 42, 20, 42, 22, 41, 45, 14, 6, 0, 33, 28, 34, 4, 32, 24, 47, 41, 24, 26, 30, 41], dtype=float
)


@pytest.mark.parametrize(("method", "published"), [("percentile", (100.8, 233.9)), ("bca", (115.8, 259.6))])
def test_bootstrap_gives_efron_and_tibshiranis_intervals(monkeypatch, method, published):
    """Efron and Tibshirani 1993, tables 14.1 and 14.2: variance of 26 scores, 171.5; 90 % intervals of 2,000 resamples.

    Theirs are as noisy as 2,000 resamples are: about 3 at either end.
    """
    monkeypatch.setattr(intervals, "LEVEL", 0.90)
    sums = np.column_stack([SPATIAL_TEST, SPATIAL_TEST**2, np.ones(26)])
    assert variance(sums.sum(axis=0, keepdims=True))[0] == pytest.approx(171.5, abs=0.05)
    assert bootstrap(sums, variance, range(26), method=method) == pytest.approx(published, abs=4)


@pytest.mark.parametrize("statistic", [variance, micro_f1])
@pytest.mark.parametrize("method", ["percentile", "BCa"])
def test_interval_of_given_resamples_equals_scipys(method, statistic):
    rng = np.random.default_rng(15)
    gold = rng.poisson(1.6, size=60)
    predicted = rng.poisson(1.6, size=60)
    sums = np.column_stack([rng.binomial(np.minimum(gold, predicted), 0.6), predicted, gold]).astype(float)
    if statistic is variance:
        values = rng.exponential(size=60)
        sums = np.column_stack([values, values**2, np.ones(60)])

    def chosen(index, axis):
        totals = sums[index].sum(axis=axis - 1)  # the quantities are the last axis now
        return statistic(totals.reshape(-1, 3)).reshape(totals.shape[:-1])

    drawn = intervals._resampled(sums, statistic, seed=0)
    reference = stats.bootstrap(
        (np.arange(60),),
        chosen,
        n_resamples=0,
        bootstrap_result=SimpleNamespace(bootstrap_distribution=drawn),
        method=method,
        vectorized=True,
    ).confidence_interval
    ours = bootstrap(sums, statistic, range(60), method=method.lower())
    assert ours == pytest.approx((reference.low, reference.high), rel=1e-9)


def test_bca_of_a_constant_has_no_width():
    """0.1 is no binary fraction: sums in another order differ in the last place, which is no spread."""
    assert bootstrap(as_sums(np.full(9, 0.1)), quotient, range(9), method="bca") == pytest.approx((0.1, 0.1))


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_bootstrap_of_what_never_has_a_value_says_nothing(method):
    assert all(math.isnan(end) for end in bootstrap(np.zeros((9, 2)), quotient, range(9), method=method))


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_bootstrap_of_no_sentence_says_nothing(method):
    assert all(math.isnan(end) for end in bootstrap(np.zeros((0, 3)), micro_f1, [], method=method))


def test_sums_and_clusters_of_different_number_are_refused():
    with pytest.raises(ValueError, match="6 rows of sums, but 5 clusters"):
        bootstrap(np.ones((6, 2)), quotient, range(5))


@given(st.data())
@settings(max_examples=25)
def test_intervals_of_f1_stay_between_the_smallest_and_largest_possible(data):
    counts = data.draw(st.lists(st.tuples(*[st.integers(0, 4)] * 3), min_size=5, max_size=30))
    sums = np.array([(min(counts), *counts[1:]) for counts in counts], dtype=float)
    for method in ("percentile", "bca"):
        low, high = bootstrap(sums, micro_f1, range(len(sums)), method=method)
        assert math.isnan(low) or 0 <= low <= high <= 1


def test_rows_of_as_many_clusters_are_resampled_alike():
    """What makes the interval of a difference a paired one, and two intervals comparable."""
    sums = as_sums(np.random.default_rng(16).normal(size=30))
    low, high = bootstrap(sums, quotient, range(30), seed=2)
    shifted = bootstrap(sums + np.array([[5, 0]]), quotient, range(30), seed=2)
    assert shifted == pytest.approx((low + 5, high + 5))


@pytest.mark.parametrize(
    ("n", "lowest", "highest"),
    # Ranks of the sign-test interval: the largest k with P(Binomial(n, 1/2) < k) <= 2.5 %, and n + 1 - k.
    [(6, 1, 6), (10, 2, 9), (20, 6, 15), (25, 8, 18), (100, 40, 61)],
)
def test_median_interval_is_made_of_order_statistics(n, lowest, highest):
    values = [float(10 * k) for k in range(1, n + 1)]
    shuffled = np.random.default_rng(n).permutation(values).tolist()
    assert median_interval(shuffled) == (10.0 * lowest, 10.0 * highest)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 5])
def test_median_interval_of_too_few_values_has_no_finite_ends(n):
    low, high = median_interval([float(k) for k in range(n)])
    assert not math.isfinite(low)
    assert not math.isfinite(high)


def test_median_interval_covers_the_true_median():
    rng = np.random.default_rng(14)
    covered = 0
    for _ in range(200):
        low, high = median_interval(rng.exponential(size=30).tolist())
        covered += low <= math.log(2) <= high
    assert 0.91 <= covered / 200 <= 1.0
