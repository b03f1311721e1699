"""Rank intervals and tie groups: published examples, exhaustive search, simulation."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.statistics.paired import mcnemar
from benchmark.statistics.ranking import (
    Comparisons,
    compare_all,
    letters,
    rank_intervals,
    significantly_higher,
    tie_groups,
)


def higher(rows, pairs):
    """Which row is above which, from pairs (above, below)."""
    matrix = np.zeros((rows, rows), dtype=bool)
    for above, below in pairs:
        matrix[above, below] = True
    return matrix


@st.composite
def boards(draw):
    """Some rows in order, best first, with any set of separable pairs."""
    rows = draw(st.integers(0, 7))
    pairs = list(itertools.combinations(range(rows), 2))
    chosen = draw(st.lists(st.booleans(), min_size=len(pairs), max_size=len(pairs)))
    return higher(rows, [pair for pair, apart in zip(pairs, chosen, strict=True) if apart])


def largest_inseparable_sets(better):
    """Every set of rows is looked at."""
    rows = range(len(better))
    tied = [
        set(chosen)
        for size in range(1, len(better) + 1)
        for chosen in itertools.combinations(rows, size)
        if not any(better[i, j] or better[j, i] for i, j in itertools.combinations(chosen, 2))
    ]
    return {tuple(sorted(one)) for one in tied if not any(one < other for other in tied)}


def test_display_of_three_rows_of_which_two_differ():
    """R package multcompView, example of multcompLetters: of A, B and C only B and C differ."""
    groups = tie_groups(higher(3, [(1, 2)]))
    assert groups == [(0, 1), (0, 2)]
    assert letters(groups, 3) == ["ab", "a", "b"]


def test_display_of_five_rows():
    """Gramm et al. 2007, Computational Statistics & Data Analysis 52, figure 2: 1-5, 2-3, 2-5 and 3-5 differ."""
    groups = tie_groups(higher(5, [(0, 4), (1, 2), (1, 4), (2, 4)]))
    assert groups == [(0, 1, 3), (0, 2, 3), (3, 4)]
    assert letters(groups, 5) == ["ab", "a", "b", "abc", "c"]


@given(boards())
def test_tie_groups_are_the_largest_sets_without_a_difference(better):
    groups = tie_groups(better)
    assert len(set(groups)) == len(groups)
    assert set(groups) == largest_inseparable_sets(better)


@given(boards())
def test_rows_share_a_letter_exactly_if_they_cannot_be_told_apart(better):
    marks = letters(tie_groups(better), len(better))
    assert all(marks)
    for i, j in itertools.combinations(range(len(better)), 2):
        assert bool(set(marks[i]) & set(marks[j])) == (not better[i, j] and not better[j, i])


@given(boards())
def test_the_leader_is_in_the_first_group(better):
    groups = tie_groups(better)
    assert groups == sorted(groups)
    assert not groups or groups[0][0] == 0


def test_there_is_a_letter_for_each_of_many_groups():
    rows = 120
    marks = letters(tie_groups(higher(rows, itertools.combinations(range(rows), 2))), rows)
    assert len(set(marks)) == rows
    assert (marks[0], marks[25], marks[26], marks[51], marks[52], marks[104]) == ("a", "z", "A", "Z", "a2", "a3")


def test_a_chain_of_rows_each_tied_with_the_next():
    better = higher(4, [(0, 2), (0, 3), (1, 3)])
    assert tie_groups(better) == [(0, 1), (1, 2), (2, 3)]
    assert rank_intervals(better) == [(1, 2), (1, 3), (2, 4), (3, 4)]


@pytest.mark.parametrize("rows", [0, 1, 2, 9])
def test_rows_that_all_tie_share_a_group_and_every_rank(rows):
    better = higher(rows, [])
    assert tie_groups(better) == ([tuple(range(rows))] if rows else [])
    assert rank_intervals(better) == [(1, rows)] * rows
    assert letters(tie_groups(better), rows) == ["a"] * rows


def test_rows_that_all_differ_have_a_rank_and_a_group_each():
    better = higher(5, itertools.combinations(range(5), 2))
    assert tie_groups(better) == [(0,), (1,), (2,), (3,), (4,)]
    assert rank_intervals(better) == [(k, k) for k in range(1, 6)]


@given(boards())
def test_rank_intervals_hold_the_rank_on_the_board_and_stay_on_it(better):
    for row, (best, worst) in enumerate(rank_intervals(better)):
        assert 1 <= best <= row + 1 <= worst <= len(better)


@given(boards(), st.data())
def test_another_separable_pair_never_widens_an_interval(better, data):
    if len(better) < 2:
        return
    pair = data.draw(st.sampled_from(list(itertools.combinations(range(len(better)), 2))))
    more = better.copy()
    more[pair] = True
    for before, after in zip(rank_intervals(better), rank_intervals(more), strict=True):
        assert before.best <= after.best <= after.worst <= before.worst


@given(boards(), st.randoms(use_true_random=False))
def test_the_order_in_which_rows_are_given_does_not_matter(better, random):
    order = random.sample(range(len(better)), len(better))
    moved = better[np.ix_(order, order)] if order else better
    assert rank_intervals(moved) == [rank_intervals(better)[row] for row in order]
    assert {frozenset(order[i] for i in group) for group in tie_groups(moved)} == {
        frozenset(group) for group in tie_groups(better)
    }


def board_of(rates, sentences, rng):
    """Successes of attacks with these true rates; some sentences are easy for all."""
    ease = rng.random(sentences)
    return [(0.5 * ease + 0.5 * rng.random(sentences)) < np.sqrt(rate / 2) for rate in rates]


def test_all_pairs_are_tested_once_each_way():
    rows = board_of([0.5, 0.3, 0.1], 80, np.random.default_rng(30))
    comparisons = compare_all(rows, mcnemar)
    assert (comparisons.differences == -comparisons.differences.T).all()
    assert (comparisons.p == comparisons.p.T).all()
    assert (np.diag(comparisons.p) == 1).all()
    assert comparisons.p[0, 2] == mcnemar(rows[0], rows[2]).p
    assert comparisons.differences[0, 2] == pytest.approx(rows[0].mean() - rows[2].mean())


@pytest.mark.parametrize("rows", [0, 1])
def test_a_board_without_a_pair_has_nothing_to_tell_apart(rows):
    better = significantly_higher(compare_all([[True, False]] * rows, mcnemar))
    assert better.shape == (rows, rows)
    assert not better.any()


def test_equal_rows_tie():
    successes = [True, False] * 40
    assert tie_groups(significantly_higher(compare_all([successes] * 4, mcnemar))) == [(0, 1, 2, 3)]


def comparisons_of(p):
    """Three rows in order, p values of 0-1, 0-2, 1-2."""
    matrix = np.ones((3, 3))
    matrix[np.triu_indices(3, 1)] = p
    return Comparisons(np.subtract.outer([3.0, 2.0, 1.0], [3.0, 2.0, 1.0]), np.minimum(matrix, matrix.T))


def test_pairs_are_corrected_for_their_number():
    assert significantly_higher(comparisons_of([0.02, 0.01, 0.04])).sum() == 3  # 0.03, 0.04, 0.04
    assert significantly_higher(comparisons_of([0.02, 0.02, 0.02])).sum() == 0  # 0.06 thrice
    assert significantly_higher(comparisons_of([0.03, 0.01, 0.03])).tolist() == higher(3, [(0, 2)]).tolist()


def test_what_is_separable_depends_on_the_rows_shown():
    comparisons = comparisons_of([0.03, 0.5, 0.5])
    assert not significantly_higher(comparisons).any()
    shown = np.ix_([0, 1], [0, 1])
    assert significantly_higher(Comparisons(comparisons.differences[shown], comparisons.p[shown]))[0, 1]


@given(st.lists(st.floats(0, 1), min_size=3, max_size=3), st.floats(0.001, 0.2), st.floats(0.001, 0.2))
def test_a_stricter_level_separates_no_more(p, one, other):
    strict, lax = sorted((one, other))
    separated = significantly_higher(comparisons_of(p), strict)
    assert not (separated & ~significantly_higher(comparisons_of(p), lax)).any()


@given(st.lists(st.floats(0, 1), min_size=3, max_size=3))
def test_of_two_rows_at_most_one_is_higher(p):
    better = significantly_higher(comparisons_of(p), 0.2)
    assert not (better & better.T).any()


def test_rank_intervals_hold_all_true_ranks_at_once_in_95_of_100_boards():
    """Rows of equal true rates share the ranks from the first to the last of them."""
    rates = np.array([0.9, 0.6, 0.6, 0.6, 0.3])
    rng = np.random.default_rng(31)
    held = separated = 0
    for _ in range(200):
        better = significantly_higher(compare_all(board_of(rates, 120, rng), mcnemar))
        separated += better.sum()
        held += all(
            best <= 1 + (rates > rate).sum() and worst >= 5 - (rates < rate).sum()
            for (best, worst), rate in zip(rank_intervals(better), rates, strict=True)
        )
    assert held / 200 >= 0.93
    assert separated / 200 > 4  # not held for want of any claim
