"""Robust F1 against all choices there are, and against the definition that does not work."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.statistics.robust_f1 import robust_f1
from benchmark.statistics.totals import micro_f1


@st.composite
def outcomes(draw, most_options=4):
    """Counts of a few sentences under a few options; gold mentions do not change with the option."""
    sentences = draw(st.integers(1, 4))
    gold = [draw(st.integers(0, 3)) for _ in range(sentences)]

    def option():
        found = [draw(st.integers(0, g)) for g in gold]
        return [(tp, tp + draw(st.integers(0, 3)), g) for tp, g in zip(found, gold, strict=True)]

    return np.array([option() for _ in range(draw(st.integers(1, most_options)))], dtype=float)


def f1(counts):
    return float(micro_f1(np.asarray(counts, dtype=float).sum(axis=0, keepdims=True))[0])


def lowest_of_all(options):
    sentences = range(options.shape[1])
    return min(
        f1(options[list(choice), sentences]) for choice in itertools.product(range(len(options)), repeat=len(sentences))
    )


def by_most_errors(options):
    """The plausible definition: on each sentence the option with the most errors."""
    errors = options[:, :, 1] + options[:, :, 2] - 2 * options[:, :, 0]
    return f1(options[errors.argmax(axis=0), range(options.shape[1])])


@given(outcomes())
def test_it_is_the_lowest_f1_of_all_choices(options):
    assert robust_f1(options).value == pytest.approx(lowest_of_all(options), abs=1e-12)


@given(outcomes())
def test_the_choice_it_tells_leads_to_its_value(options):
    found = robust_f1(options)
    taken = options[found.chosen, range(options.shape[1])]
    assert (found.counts == taken).all()
    assert found.value == f1(taken)


@given(outcomes(), st.data())
def test_an_option_more_never_raises_it(options, data):
    fewer = options[: data.draw(st.integers(1, len(options)))]
    assert robust_f1(options).value <= robust_f1(fewer).value + 1e-12


@given(outcomes())
def test_it_is_no_higher_than_any_option_by_itself(options):
    assert robust_f1(options).value <= min(f1(option) for option in options) + 1e-12


def test_choosing_by_most_errors_can_rise_with_an_attack_more():
    # One mention. The first attack hides it: one error, F1 0. The second finds it and two more: two errors, F1 0.5.
    hidden, spurious = [(0, 0, 1)], [(1, 3, 1)]
    assert by_most_errors(np.array([hidden], float)) == 0.0
    assert by_most_errors(np.array([hidden, spurious], float)) == 0.5
    assert robust_f1(np.array([hidden, spurious], float)).value == 0.0


def test_most_errors_misses_the_minimum_where_the_corpus_weighs_them_otherwise():
    # On the second sentence three spurious mentions are more errors than two missed ones, and cost less F1.
    options = np.array([[(3, 3, 3), (2, 5, 2)], [(3, 3, 3), (0, 0, 2)]], float)
    assert by_most_errors(options) == pytest.approx(2 * 5 / (8 + 5))
    assert robust_f1(options).value == pytest.approx(2 * 3 / (3 + 5))


def test_a_single_option_is_its_f1():
    assert robust_f1(np.array([[(2, 3, 4), (0, 1, 0)]], float)).value == pytest.approx(4 / 8)


def test_no_mention_anywhere_is_0_as_everywhere():
    assert robust_f1(np.zeros((3, 2, 3))).value == 0.0


def test_no_option_is_refused():
    with pytest.raises(ValueError, match="at least one option"):
        robust_f1(np.zeros((0, 2, 3)))
