"""McNemar's exact test against published and reference numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.statistics.paired import mcnemar


def pairs(both, only_first, only_second, neither):
    first = [True] * both + [True] * only_first + [False] * only_second + [False] * neither
    second = [True] * both + [False] * only_first + [True] * only_second + [False] * neither
    return first, second


def test_worked_example_with_few_discordant_pairs():
    """Wikipedia, "McNemar's test": 59, 6, 16, 80 gives 0.052 exactly (0.033 by chi-square, uncorrected)."""
    result = mcnemar(*pairs(59, 6, 16, 80))
    assert (result.only_first, result.only_second) == (6, 16)
    assert result.p == pytest.approx(0.052, abs=5e-4)
    # statsmodels.stats.contingency_tables.mcnemar([[59, 6], [16, 80]], exact=True).pvalue, statsmodels 0.15.0
    assert result.p == pytest.approx(0.052478790283203125, rel=1e-12)


@pytest.mark.parametrize(
    ("table", "p"),
    [
        # statsmodels.stats.contingency_tables.mcnemar([[a, b], [c, d]], exact=True).pvalue, statsmodels 0.15.0
        ((794, 86, 150, 570), 3.7159361395713866e-05),  # Agresti 1990, p. 350: presidential approval in two surveys
        ((101, 121, 59, 33), 4.4344492637551645e-06),
        ((101, 59, 121, 33), 4.4344492637551645e-06),
        ((30, 12, 40, 18), 0.0001275387838557407),
        ((0, 0, 5, 0), 0.0625),
    ],
)
def test_exact_p_equals_statsmodels(table, p):
    assert mcnemar(*pairs(*table)).p == pytest.approx(p, rel=1e-9)


@pytest.mark.parametrize("table", [(5, 0, 0, 7), (0, 0, 0, 0), (0, 0, 0, 3)])
def test_without_a_discordant_pair_p_is_1(table):
    assert mcnemar(*pairs(*table)) == (0, 0, 1.0)


def test_concordant_pairs_do_not_matter():
    assert mcnemar(*pairs(0, 3, 9, 0)) == mcnemar(*pairs(400, 3, 9, 250))


def test_items_of_different_number_are_refused():
    with pytest.raises(ValueError, match=r"shorter|longer"):
        mcnemar([True, False], [True])


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=60))
def test_swapping_the_two_swaps_the_counts_and_keeps_p(items):
    first, second = [a for a, _ in items], [b for _, b in items]
    one, other = mcnemar(first, second), mcnemar(second, first)
    assert (one.only_first, one.only_second) == (other.only_second, other.only_first)
    assert one.p == pytest.approx(other.p, rel=1e-9)
    assert 0 < one.p <= 1


@given(st.integers(0, 30), st.integers(0, 30))
def test_p_falls_as_the_discordant_pairs_become_less_even(less, more):
    less, more = sorted((less, more))
    assert mcnemar(*pairs(0, less, more + 1, 0)).p <= mcnemar(*pairs(0, less, more, 0)).p + 1e-12
