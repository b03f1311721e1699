"""Holm's correction against statsmodels, a worked example and its defining properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from benchmark.statistics.multiplicity import holm

p_values = st.lists(st.floats(0, 1), max_size=30)


def test_worked_example():
    """Wikipedia, "Holm-Bonferroni method": of 0.01, 0.04, 0.03, 0.005, the two below 0.05 / 3 are rejected at 0.05."""
    adjusted = holm([0.01, 0.04, 0.03, 0.005])
    assert adjusted == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert (adjusted <= 0.05).tolist() == [True, False, False, True]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
@settings(max_examples=25)
def test_equals_statsmodels(values):
    assert holm(values) == pytest.approx(multipletests(values, method="holm")[1], abs=1e-12)


@given(p_values)
def test_never_lowers_a_p_value_nor_exceeds_bonferroni_or_1(values):
    given_p, adjusted = np.array(values), holm(values)
    assert (adjusted >= given_p).all()
    assert (adjusted <= np.minimum(given_p * len(values), 1) + 1e-12).all()


@given(p_values)
def test_keeps_the_order(values):
    by_given = np.argsort(values, kind="stable")
    assert (np.diff(holm(values)[by_given]) >= 0).all()


@given(p_values, st.randoms(use_true_random=False))
def test_order_of_tests_does_not_matter(values, random):
    shuffled = random.sample(range(len(values)), len(values))
    assert holm([values[i] for i in shuffled]).tolist() == holm(values)[shuffled].tolist()


@given(p_values, st.floats(0, 1))
def test_another_test_never_lowers_what_the_others_get(values, another):
    assert (holm([*values, another])[: len(values)] >= holm(values) - 1e-12).all()


def test_a_single_test_is_left_alone_and_no_test_is_fine():
    assert holm([0.03]).tolist() == [0.03]
    assert holm([]).shape == (0,)


@pytest.mark.parametrize("wrong", [float("nan"), -0.1, 1.01])
def test_what_is_no_probability_is_refused(wrong):
    with pytest.raises(ValueError, match="between 0 and 1"):
        holm([0.5, wrong])
