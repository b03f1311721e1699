"""Gaps and power against the test itself, published examples, enumeration and simulation."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from benchmark.statistics.paired import mcnemar
from benchmark.statistics.power import mcnemar_power, minimum_detectable_gap, smallest_separable_gap


def exact_p(only_first, only_second, pairs):
    """P value of the test itself on such a table."""
    both = pairs - only_first - only_second
    first = [True] * only_first + [False] * only_second + [True] * both
    second = [False] * only_first + [True] * only_second + [True] * both
    return mcnemar(first, second).p


@pytest.mark.parametrize(
    ("pairs", "discordance", "alpha", "gap"),
    [
        # Tables of the two-sided sign test: 5 pairs never reach 5 %, 6 do if all agree, 10 do 9 to 1, 20 do 15 to 5.
        (50, 0.1, 0.05, math.nan),
        (50, 0.12, 0.05, 6 / 50),
        (50, 0.2, 0.05, 8 / 50),
        (50, 0.4, 0.05, 10 / 50),
        (50, 0.4, 0.01, 14 / 50),
        (50, 0.1, 0.0625, 5 / 50),  # p is alpha exactly
        (50, 0.1, 0.0624, math.nan),
        (6, 1.0, 0.05, 1.0),
        (0, 0.5, 0.05, math.nan),
        (50, 0.0, 0.05, math.nan),
    ],
)
def test_smallest_separable_gap(pairs, discordance, alpha, gap):
    assert smallest_separable_gap(pairs, discordance, alpha) == pytest.approx(gap, nan_ok=True)


@given(st.integers(1, 400), st.floats(0, 1), st.sampled_from([0.05, 0.01, 0.001]))
@settings(max_examples=50)
def test_the_test_finds_the_smallest_separable_gap_and_nothing_smaller(pairs, discordance, alpha):
    gap = smallest_separable_gap(pairs, discordance, alpha)
    discordant = round(pairs * discordance)
    if math.isnan(gap):
        assert exact_p(discordant, 0, pairs) > alpha
        return
    more = (discordant + round(gap * pairs)) // 2
    assert gap <= discordant / pairs
    assert exact_p(more, discordant - more, pairs) <= alpha
    assert exact_p(more - 1, discordant - more + 1, pairs) > alpha


@pytest.mark.parametrize("pairs", [7, 12, 23, 30, 41])
def test_a_p_value_that_is_alpha_to_the_last_digit_is_significant(pairs):
    """A binomial distribution function is rounded, now up, now down."""
    for fewer in range((pairs - 1) // 2):
        alpha = 2 * sum(math.comb(pairs, k) for k in range(fewer + 1)) / 2**pairs
        assert smallest_separable_gap(pairs, 1.0, alpha) == (pairs - 2 * fewer) / pairs


@given(st.integers(1, 400), st.floats(0, 1))
@settings(max_examples=50)
def test_a_stricter_level_needs_a_wider_gap(pairs, discordance):
    gaps = [smallest_separable_gap(pairs, discordance, alpha) for alpha in (0.05, 0.01, 0.001)]
    found = [gap for gap in gaps if not math.isnan(gap)]
    assert found == sorted(found)
    assert gaps[: len(found)] == found


def test_four_times_the_sentences_halve_the_gap_about():
    gaps = [smallest_separable_gap(pairs, 0.2) for pairs in (250, 1000, 4000)]
    assert gaps[1] / gaps[0] == pytest.approx(0.5, abs=0.06)
    assert gaps[2] / gaps[1] == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize(
    ("pairs", "gap", "discordance", "alpha", "power", "digits"),
    [
        (249, 0.10, 0.30, 0.05, 0.801446921, 9),  # R package pwrss, tests: the fewest pairs for 0.80
        (50, 0.24, 0.40, 0.10, 0.83936, 5),  # the same for one side at 0.05; the other side adds 1e-6
        (50, 0.24, 0.40, 0.10, 0.8393, 4),  # G*Power 3.1 manual, chapter 5, after O'Brien 2002; leaves small terms out
        (144, 0.20, 0.70, 0.05, 0.80, 2),  # R package MESS, tests, after Duffy 1984
    ],
)
def test_power_equals_published_examples(pairs, gap, discordance, alpha, power, digits):
    assert mcnemar_power(pairs, gap, discordance, alpha) == pytest.approx(power, abs=10**-digits)


@pytest.mark.parametrize(("gap", "discordance"), [(0.0, 0.5), (0.2, 0.5), (0.5, 0.5), (0.3, 1.0)])
def test_power_equals_the_sum_over_all_tables(gap, discordance):
    pairs = 14
    chances = [(discordance + gap) / 2, (discordance - gap) / 2, 1 - discordance]
    found = sum(
        stats.multinomial.pmf([first, second, pairs - first - second], pairs, chances)
        for first, second in itertools.product(range(pairs + 1), repeat=2)
        if first + second <= pairs and exact_p(first, second, pairs) <= 0.05
    )
    assert mcnemar_power(pairs, gap, discordance) == pytest.approx(found, abs=1e-9)


def test_power_is_how_often_the_test_finds_the_difference():
    rng = np.random.default_rng(40)
    found = 0
    for _ in range(800):
        first, second, _neither = rng.multinomial(200, [0.2, 0.1, 0.7])
        found += exact_p(first, second, 200) <= 0.05
    assert mcnemar_power(200, 0.1, 0.3) == pytest.approx(found / 800, abs=0.05)


@given(st.integers(0, 300), st.floats(0, 1), st.sampled_from([0.05, 0.01]))
@settings(max_examples=30)
def test_without_a_difference_the_test_finds_one_no_oftener_than_alpha(pairs, discordance, alpha):
    assert mcnemar_power(pairs, 0.0, discordance, alpha) <= alpha + 1e-9


@given(st.integers(0, 300), st.floats(0, 1), st.lists(st.floats(0, 1), min_size=2, max_size=2))
@settings(max_examples=30)
def test_a_wider_gap_is_found_more_often(pairs, discordance, shares):
    less, more = (mcnemar_power(pairs, discordance * share, discordance) for share in sorted(shares))
    assert 0 <= less <= more + 1e-9
    assert more <= 1


@pytest.mark.parametrize(("pairs", "discordance"), [(100, 0.3), (256, 0.1), (1000, 0.2), (5000, 0.05)])
def test_the_minimum_detectable_gap_is_found_with_the_power_asked_for(pairs, discordance):
    gap = minimum_detectable_gap(pairs, discordance)
    assert mcnemar_power(pairs, gap, discordance) == pytest.approx(0.8, abs=1e-3)
    # What may just be significant is found half the time; what is to be found for sure has to be wider.
    assert smallest_separable_gap(pairs, discordance) < gap < minimum_detectable_gap(pairs, discordance, power=0.9)


def test_the_minimum_detectable_gap_of_a_published_example():
    """R package pwrss, tests: 249 pairs are the fewest that find 0.20 against 0.10 with a power of 0.80."""
    assert minimum_detectable_gap(249, 0.3) == pytest.approx(0.1, abs=5e-4)
    assert minimum_detectable_gap(249, 0.3) <= 0.1


@pytest.mark.parametrize(("pairs", "discordance"), [(0, 0.5), (5, 1.0), (64, 0.1), (1000, 0.0)])
def test_too_few_sentences_detect_nothing(pairs, discordance):
    assert math.isnan(minimum_detectable_gap(pairs, discordance))


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: smallest_separable_gap(-1, 0.2), "-1 is no number of pairs"),
        (lambda: smallest_separable_gap(10, 1.2), "a discordance of 1.2 is no share"),
        (lambda: smallest_separable_gap(10, math.nan), "a discordance of nan is no share"),
        (lambda: smallest_separable_gap(10, 0.2, 0.0), "alpha is 0.0"),
        (lambda: mcnemar_power(10, 0.3, 0.2), "a gap of 0.3 does not go with a discordance of 0.2"),
        (lambda: mcnemar_power(10, -0.1, 0.2), "a gap of -0.1"),
        (lambda: minimum_detectable_gap(10, 0.2, power=1.0), "a power of 1.0 makes no sense"),
        (lambda: minimum_detectable_gap(10, 0.2, power=0.05), "a power of 0.05 makes no sense"),
    ],
)
def test_impossible_numbers_are_refused(call, told):
    with pytest.raises(ValueError, match=told):
        call()
