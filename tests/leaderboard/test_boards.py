"""The attacks board, its curves and its Pareto front: every number by hand or by another library."""

from __future__ import annotations

import dataclasses
import itertools
import statistics

import pytest
from board_runs import changed, only
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from benchmark.statistics.power import smallest_separable_gap
from benchmark.types import Status
from leaderboard.boards import BOARDS, board_named
from leaderboard.boards.attacks import attacks_board
from leaderboard.boards.curves import curves_board
from leaderboard.boards.pareto import front, pareto_board
from leaderboard.rows import Filter, read_runs

BASE, DEFENDED = "minilm/made-up", "minilm/made-up+mat"
ANY, CONTEXT = "attacks may touch any word", "attacks may touch the context only"


def of(tables, *words):
    """The one table whose title holds all the words."""
    (found,) = [table for table in tables if all(word in table.title for word in words)]
    return found


def by_attack(table):
    return {row["attack"]: row for row in table.frame.to_dict(orient="records")}


def the_run(reading, **fields):
    (run,) = only(reading, **fields).runs
    return run


def won(run):
    return [example.outcome.status is Status.SUCCESS for example in run.examples.values()]


@pytest.fixture
def board(one_seed):
    return of(attacks_board(one_seed), f"{BASE} on", ANY)


# What stands together.


def test_a_table_for_each_victim_and_threat_model(one_seed):
    titles = [table.title for table in attacks_board(one_seed)]
    assert len(titles) == len(set(titles)) == 4
    for victim, touch in itertools.product((f"{BASE} on", f"{DEFENDED} on"), (ANY, CONTEXT)):
        assert len([title for title in titles if victim in title and touch in title]) == 1
    assert all("30 sentences, untargeted-strict, first-success, 40 queries" in title for title in titles)


def test_identity_keeps_to_every_threat_model_and_stands_in_each(one_seed):
    for table in attacks_board(one_seed):
        assert by_attack(table)["identity"]["attack_rate"] == 0.0


def test_attacks_stand_with_their_own_threat_model_only(one_seed):
    any_word, context = (by_attack(of(attacks_board(one_seed), f"{BASE} on", touch)) for touch in (ANY, CONTEXT))
    assert "deepwordbug-ii" in context
    assert "deepwordbug-ii" not in any_word
    assert "deepwordbug-i" in any_word
    assert "deepwordbug-i" not in context


def test_identity_alone_has_a_table(one_seed):
    (table,) = attacks_board(only(one_seed, attack="identity", victim=BASE))
    assert list(table.frame["attack"]) == ["identity"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("dataset", "other"),
        ("dataset_hash", "0" * 64),
        ("split", "dev"),
        ("train_hash", "0" * 64),
        ("victim", "other"),
        ("victim_fingerprint", "0" * 64),
        ("victim_settings", {"backend": "other"}),
        ("selection", {"limit": 12}),
        ("sentence_ids", ("test-0",)),
        ("goal", "untargeted"),
        ("mode", "escalate"),
        ("queries", 39),
        ("constraints", "adjusted 1"),
        ("protocol", 1),
        ("touch", "entity"),
    ],
)
def test_a_run_under_another_protocol_never_stands_in_the_same_table(one_seed, field, value):
    reading = only(one_seed, victim=BASE, touch="any")
    (before,) = attacks_board(reading)
    other = changed(
        reading, lambda spec: dataclasses.replace(spec, **{field: value}), lambda r: r.spec.attack == "casing"
    )
    tables = attacks_board(other)
    assert len(tables) == 2
    (rest,) = [table for table in tables if "deepwordbug-i" in set(table.frame["attack"])]
    assert set(rest.frame["attack"]) == set(before.frame["attack"]) - {"casing"}
    assert len({table.title for table in tables}) == 2  # what tells them apart is in the title


def test_other_judges_are_another_table(one_seed):
    reading = only(one_seed, victim=BASE, touch="any")
    first, *rest = reading.runs
    judged_otherwise = dataclasses.replace(first, judges={**first.judges, "similarity": "another encoder"})
    assert len(attacks_board(dataclasses.replace(reading, runs=(judged_otherwise, *rest)))) == 2


def test_rows_of_one_name_are_told_apart(one_seed):
    reading = only(one_seed, victim=BASE, touch="any")
    other_version = dataclasses.replace(
        the_run(reading, attack="casing"),
        spec=dataclasses.replace(the_run(reading, attack="casing").spec, attack_version=7),
    )
    (table,) = attacks_board(dataclasses.replace(reading, runs=(*reading.runs, other_version)))
    assert {"casing (attack_version 1)", "casing (attack_version 7)"} < set(table.frame["attack"])


def test_parameters_show_where_they_are_not_the_defaults(board):
    assert {"deepwordbug-i", "deepwordbug-i max_edit_distance=2"} < set(board.frame["attack"])


# The numbers.


def test_rates_with_wilsons_interval(board, one_seed):
    row, run = by_attack(board)["casing"], the_run(one_seed, attack="casing", victim=BASE)
    hits = sum(won(run))
    assert 0 < hits < 30
    assert row["attack_rate"] == hits / 30
    low, high = proportion_confint(hits, 30, method="wilson")
    assert (row["attack_rate.low"], row["attack_rate.high"]) == pytest.approx((low, high), abs=1e-6)


@pytest.mark.parametrize(
    "metric", ["valid_attack_rate", "modification_rate", "similarity", "f1.strict.after", "queries"]
)
def test_metrics_are_those_that_are_stored(board, one_seed, metric):
    stored = the_run(one_seed, attack="casing", victim=BASE).metrics[metric]
    row = by_attack(board)["casing"]
    assert (row[metric], row[f"{metric}.low"], row[f"{metric}.high"]) == (stored.value, stored.low, stored.high)


def test_rates_at_budgets_stop_below_the_whole_budget(board):
    keys = {column.key for column in board.columns}
    assert {"attack_rate@10", "attack_rate@32"} <= keys
    assert not {"attack_rate@128", "attack_rate@512"} & keys


def test_a_number_that_is_not_there_is_none_and_the_reason_told(board):
    assert board.frame.set_index("attack")["similarity"].isna()["identity"]
    assert "n/a: no success." in board.notes


def test_a_victim_that_falls_to_identity_is_called_a_fault(one_seed, board):
    assert not any("must be 0" in note for note in board.notes)
    broken = [
        dataclasses.replace(
            run, metrics={**run.metrics, "attack_rate": dataclasses.replace(run.metrics["attack_rate"], value=0.1)}
        )
        if run.spec.attack == "identity"
        else run
        for run in only(one_seed, victim=BASE, touch="any").runs
    ]
    (table,) = attacks_board(dataclasses.replace(one_seed, runs=tuple(broken)))
    assert any(note.startswith("identity must be 0 and is not") for note in table.notes)


# Standing.


def test_controls_are_marked_not_ranked_and_last(board):
    assert list(board.frame["control"]) == [False, False, False, True, True]
    controls = board.frame[board.frame["control"]]
    assert controls["rank"].isna().all()
    assert controls["ties"].isna().all()
    assert "Controls, not ranked: identity, random-edit." in board.notes


def test_ranks_intervals_and_ties_follow_from_mcnemar_and_holm_of_statsmodels(board, one_seed):
    names = ["deepwordbug-i", "deepwordbug-i max_edit_distance=2", "casing"]
    runs = [
        the_run(
            one_seed, victim=BASE, attack="deepwordbug-i", parameters={"max_edit_distance": e, "order": "importance"}
        )
        for e in (30, 2)
    ]
    wins = [won(run) for run in (*runs, the_run(one_seed, victim=BASE, attack="casing"))]
    pairs = list(itertools.combinations(range(3), 2))
    tables = [
        [[sum(a == x and b == y for a, b in zip(wins[i], wins[j], strict=True)) for y in (1, 0)] for x in (1, 0)]
        for i, j in pairs
    ]
    rejected = multipletests([mcnemar(table, exact=True).pvalue for table in tables], alpha=0.05, method="holm")[0]
    apart = {pair for pair, is_apart in zip(pairs, rejected, strict=True) if is_apart}
    assert 0 < len(apart) < 3  # the fixture has both
    rows = by_attack(board)
    for i, j in pairs:
        shares = bool(set(rows[names[i]]["ties"]) & set(rows[names[j]]["ties"]))
        assert shares is ((i, j) not in apart)
    for k, name in enumerate(names):
        above = sum(sum(wins[i]) > sum(wins[k]) and tuple(sorted((i, k))) in apart for i in range(3) if i != k)
        below = sum(sum(wins[i]) < sum(wins[k]) and tuple(sorted((i, k))) in apart for i in range(3) if i != k)
        assert (rows[name]["rank.low"], rows[name]["rank.high"]) == (1 + above, 3 - below)
        assert rows[name]["rank"] == 1 + sum(sum(other) > sum(wins[k]) for other in wins)
    assert any("McNemar's exact test, Holm over 3 pairs" in note for note in board.notes)


def test_the_smallest_gap_is_that_of_the_median_pair_after_holms_first_step(board, one_seed):
    wins = [
        won(run)
        for run in only(one_seed, victim=BASE, touch="any").runs
        if run.spec.attack not in {"identity", "random-edit"}
    ]
    disagreement = statistics.median(
        sum(a != b for a, b in zip(one, other, strict=True)) / 30 for one, other in itertools.combinations(wins, 2)
    )
    gap = smallest_separable_gap(30, disagreement, 0.05 / 3)
    assert any(f"on 30 sentences: {100 * gap:.1f} points" in note for note in board.notes)


def test_sentences_too_few_to_tell_anything_are_said_to_be(one_seed):
    reading = only(one_seed, victim=BASE, touch="any")
    few = [
        dataclasses.replace(
            run,
            spec=dataclasses.replace(run.spec, sentence_ids=run.spec.sentence_ids[:3]),
            examples=dict(itertools.islice(run.examples.items(), 3)),
        )
        for run in reading.runs
    ]
    (table,) = attacks_board(dataclasses.replace(reading, runs=tuple(few)))
    assert any("3 sentences cannot tell rows that disagree on" in note for note in table.notes)
    assert set(table.frame["ties"].dropna()) == {"a"}


def test_a_filter_goes_before_the_ranking(one_seed):
    all_of_them = of(attacks_board(one_seed), f"{BASE} on", ANY)
    assert by_attack(all_of_them)["casing"]["rank"] == 3
    reading = read_runs(one_seed.results, Filter(victims=(BASE,), attacks=("casing", "identity")))
    (table,) = attacks_board(reading)
    assert set(table.frame["attack"]) == {"casing", "identity"}
    assert "rank" not in table.frame
    assert "ties" not in table.frame
    without_twin = [run for run in one_seed.runs if run.spec.parameters.get("max_edit_distance") != 2]
    pair = of(attacks_board(dataclasses.replace(one_seed, runs=tuple(without_twin))), f"{BASE} on", ANY)
    assert by_attack(pair)["casing"]["rank"] == by_attack(pair)["casing"]["rank.low"] == 2
    assert not any("Holm" in note for note in pair.notes)  # one test needs no correction


# Seeds and documents.


def test_seeds_are_averaged_and_their_spread_told(three_seeds):
    (table,) = attacks_board(three_seeds)
    row = by_attack(table)["deepwordbug-i order=random"]
    runs = sorted(
        (run for run in three_seeds.runs if run.spec.parameters.get("order") == "random"), key=lambda r: r.spec.seed
    )
    rates = [sum(won(run)) / 30 for run in runs]
    assert len(set(rates)) > 1  # the fixture has seeds that differ
    assert row["seeds"] == 3
    assert row["attack_rate"] == pytest.approx(statistics.fmean(rates), abs=1e-6)
    assert row["attack_rate.spread"] == pytest.approx(statistics.stdev(rates), abs=1e-6)
    lows = [run.metrics["attack_rate"].low for run in runs]
    assert row["attack_rate.low"] == pytest.approx(statistics.fmean(lows))
    assert row["runs"] == " ".join(run.run_id for run in runs)
    assert table.notes[0].startswith("Seeds 0, 1, 2. ")


def test_several_seeds_are_compared_by_randomisation_of_sentences(three_seeds):
    (table,) = attacks_board(three_seeds)
    assert any("approximate randomisation of sentences, Holm over 3 pairs" in note for note in table.notes)
    rows = by_attack(table)
    assert rows["deepwordbug-i"]["ties"] != rows["casing"]["ties"]
    assert rows["random-edit"]["control"]


def test_sentences_of_a_document_are_exchanged_together(in_documents):
    (table,) = attacks_board(in_documents)
    assert any("approximate randomisation of documents" in note for note in table.notes)
    assert any("on 30 sentences, taken as independent: " in note for note in table.notes)


# Curves and the Pareto front.


def test_a_curve_counts_the_successes_so_far(one_seed):
    table = of(curves_board(one_seed), f"{BASE} on", ANY)
    row = by_attack(table)["deepwordbug-i"]
    run = the_run(
        one_seed, victim=BASE, attack="deepwordbug-i", parameters={"max_edit_distance": 30, "order": "importance"}
    )
    points = [column.key for column in table.columns if column.key.startswith("within ")]
    assert points == [f"within {n}" for n in (1, 2, 4, 8, 16, 32, 40)]
    for key in points:
        queries = int(key.split()[1])
        hits = sum((e.outcome.queries_to_success or 10**9) <= queries for e in run.examples.values())
        assert row[key] == hits / 30
    rates = [row[key] for key in points]
    assert rates == sorted(rates)
    assert rates[0] < rates[-1] == 1.0


points = st.lists(st.tuples(*[st.integers(0, 3)] * 3), max_size=8)


@given(points)
def test_the_front_is_what_nothing_beats(found):
    def beats(one, other):
        return one != other and all(a >= b for a, b in zip(one, other, strict=True))

    for point, by in zip(found, front(found), strict=True):
        assert (by is None) is not any(beats(other, point) for other in found)
        assert by is None or beats(found[by], point)


def test_the_pareto_board_weighs_rate_edits_and_similarity(one_seed):
    rows = by_attack(of(pareto_board(one_seed), f"{BASE} on", ANY))
    assert rows["deepwordbug-i"]["front"] == "yes"
    # casing recases whole sentences: fewer successes, more edits, less similarity.
    assert rows["casing"]["front"] == "no"
    assert rows["casing"]["beaten_by"].startswith("deepwordbug-i")
    for control in ("identity", "random-edit"):
        assert not isinstance(rows[control]["front"], str)


# From all boards.


def test_every_board_copes_with_an_empty_folder(tmp_path):
    for name in BOARDS:
        reading = read_runs(tmp_path)
        assert board_named(name).tables(reading) == []
        assert not reading.damage


@pytest.mark.parametrize("name", ["attacks", "curves", "pareto"])
def test_shared_columns_never_hide_a_column_of_numbers(one_seed, name):
    for table in board_named(name).tables(one_seed):
        assert not set(table.shared) & set(table.frame)
        assert (table.shared["victim"] + " on") in table.title
        assert table.shared["budget"] == 40
