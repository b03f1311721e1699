"""The papers' rows: as printed, labelled, and beside ours with the differences in words."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from board_runs import changed, only

from benchmark.defending import defense_named
from benchmark.defending.finding import name_of
from benchmark.finding import attack_named
from leaderboard.boards.published import published_board
from leaderboard.entries import entries
from leaderboard.published import NUMBERS, PROTOCOL, differences, not_stated, read_published
from leaderboard.rows import Filter, Reading

RESULTS = Path(__file__).parents[2] / "results"
PAPERS = {paper.key: paper for paper in read_published(RESULTS)[0]}


def table_of(paper, name):
    (found,) = [table for table in PAPERS[paper].tables if table.name == name]
    return found


def row_of(table, name):
    (found,) = [row.numbers for row in table.rows if row.name == name]
    return found


@pytest.fixture
def ours(one_seed):
    """Runs of ours as if they were on CoNLL-2003."""
    reading = changed(one_seed, lambda spec: dataclasses.replace(spec, dataset="conll2003"))
    return Reading(RESULTS, reading.runs)


# The files.


def test_every_file_is_read_and_every_table_has_rows():
    papers, damage = read_published(RESULTS)
    assert damage == []
    assert len(papers) == len(list((RESULTS / "published").glob("*.toml"))) == 6
    for paper in papers:
        assert paper.authors
        assert paper.title
        assert paper.venue
        for table in paper.tables:
            assert table.rows
            assert all(row.numbers for row in table.rows)
        assert len({table.name for table in paper.tables}) == len(paper.tables)


def test_shares_are_shares():
    columns = {number.column.key: number.column for number in NUMBERS}
    for paper in PAPERS.values():
        for table in paper.tables:
            for row in table.rows:
                for key, value in row.numbers.items():
                    assert value <= 1 or columns[key].scale == 1


@pytest.mark.parametrize(
    ("paper", "table", "row", "numbers"),
    [
        (
            "simoncini2021seqattack",
            "table 1",
            "BERT-Attack",
            {"precision": 0.72, "recall": 0.88, "f1": 0.79, "attack_rate": 0.44, "modification_rate": 0.22}
            | {"l_score": 0.20, "similarity": 0.84, "grammar_errors": 0.26},
        ),
        ("simoncini2021seqattack", "table 1", "Original", {"precision": 0.98, "recall": 0.99, "f1": 0.98}),
        (
            "jin2023disentangled",
            "table 3",
            "CLARE",
            {"f1": 0.79, "attack_rate": 0.37, "modification_rate": 0.7, "similarity": 0.86},
        ),
        (
            "jin2023disentangled",
            "table 4",
            "Theirs, BERT-CRF",
            {"f1_clean": 0.903, "f1_context": 0.796, "f1_entity": 0.511, "f1_both": 0.475},
        ),
        (
            "chen2020mat",
            "table 2",
            "MAT",
            {"f1_clean": 0.9212, "f1_clean_sd": 0.0007, "chunking_f1": 0.9547, "chunking_f1_sd": 0.0003},
        ),
        (
            "chen2022flat",
            "table 3",
            "SST2, BERT-FLAT",
            {"after_attack_accuracy": 0.1241, "kendall_tau": 0.44, "top_5_shared": 0.64},
        ),
        ("ebrahimi2018hotflip", "table 7", "UNK adversary", {"error": 0.1357, "attack_rate": 0.092}),
        ("lin2021rockner", "repository", "RoBERTa-CRF, random masking", {"f1_clean": 0.9235}),
    ],
)
def test_rows_are_as_printed(paper, table, row, numbers):
    assert row_of(table_of(paper, table), row) == pytest.approx(numbers)


def test_what_seqattack_heads_accuracy_is_precision():
    rows = [row.numbers for table in PAPERS["simoncini2021seqattack"].tables for row in table.rows]
    attacked = [numbers for numbers in rows if "precision" in numbers]
    assert len(attacked) == 15
    for numbers in attacked:
        p, r = numbers["precision"], numbers["recall"]
        assert 2 * p * r / (p + r) == pytest.approx(numbers["f1"], abs=0.0101)
    assert not any("accuracy" in numbers for numbers in rows)


def test_attacks_of_ours_that_stand_beside_exist():
    named = [ours for paper in PAPERS.values() for table in paper.tables for row in table.rows for ours in row.ours]
    assert len(named) > 15
    for attack, parameters, defense, _ in named:
        attack_named(attack, parameters)
        # As it is best written, or no victim of ours would be found to have it.
        assert not defense or name_of(defense_named(defense)) == defense


# The board.


def test_papers_are_labelled_and_ours_stand_below_the_row_of_the_same_attack(ours):
    table = next(t for t in published_board(ours) if "SeqAttack" in t.title and t.title.endswith("table 1"))
    names, sources = list(table.frame["name"]), list(table.frame["source"])
    at = names.index("DeepWordBug-II, 30")
    # The defended victim is no row's.
    assert names[at + 1 : at + 3] == ["deepwordbug-ii on minilm/made-up", "DeepWordBug-I, 5"]
    assert sources[at : at + 3] == ["paper", "ours", "paper"]
    # Other parameters than the paper's are another attack.
    assert names[names.index("DeepWordBug-I, 5") + 1] == "SCPN"
    assert sources.count("paper") == 7
    (run,) = only(ours, attack="deepwordbug-ii", victim="minilm/made-up").runs
    row = table.frame.iloc[at + 1]
    assert row["precision"] == run.metrics["precision.strict.after"].value
    assert row["attack_rate"] == run.metrics["attack_rate"].value


def test_precision_is_headed_p(ours):
    table = next(t for t in published_board(ours) if t.title.endswith("table 1") and "SeqAttack" in t.title)
    titles = {column.key: column.title for column in table.columns}
    assert titles["precision"] == "P"
    assert "Acc" not in titles.values()


def test_differences_are_told_in_words_and_follow_from_the_specification(ours):
    table = next(t for t in published_board(ours) if t.title.endswith("table 1") and "SeqAttack" in t.title)
    (told,) = [note for note in table.notes if note.startswith("Ours, so not comparable: ")]
    for words in (
        "victim: bert-base-cased, 3 epochs (here minilm/made-up)",
        "sentences: 256 (here 30)",
        "escalation: up to the worst case (here none, the first success ends it)",
        "query budget: 512 (here 40)",
        "seconds a sentence: 120 (here any number)",
        "modification: modified tokens, an insertion adds one (here edits over original tokens, from the edit script)",
        "similarity: Universal Sentence Encoder (here shared words 1)",
    ):
        assert words in told
    assert "goal:" not in told  # the same
    assert "split:" not in told


def test_what_the_paper_does_not_state_is_said_to_be_so(ours):
    row = next(row for row in entries(ours.runs) if not row.is_control)
    protocol = {"goal": "untargeted-strict", "queries": 40}
    assert not_stated(protocol)[:3] == ["data set", "split", "victim"]
    assert differences(protocol, row) == []
    assert differences({**protocol, "queries": 41}, row) == ["query budget: 41 (here 40)"]
    for board in published_board(ours):
        beside = "ours" in set(board.frame["source"])
        assert beside == any(note.startswith("The paper does not state: ") for note in board.notes)


def test_a_row_made_as_the_paper_says_has_no_differences(ours):
    row = next(row for row in entries(ours.runs) if not row.is_control)
    protocol = {name: of(row) for name, (_, of) in PROTOCOL.items()}
    assert (differences(protocol, row), not_stated(protocol)) == ([], [])


def test_of_a_victims_runs_the_nearest_to_the_papers_stands_beside(ours):
    (run,) = only(ours, attack="deepwordbug-ii", victim="minilm/made-up").runs
    fewer = dataclasses.replace(run, spec=dataclasses.replace(run.spec, sentence_ids=run.spec.sentence_ids[:5]))
    as_theirs = dataclasses.replace(run, spec=dataclasses.replace(run.spec, mode="escalate"))
    more = dataclasses.replace(run, spec=dataclasses.replace(as_theirs.spec, queries=41))
    cases = [((fewer, run), 40, True), ((fewer, run, as_theirs), 40, False), ((as_theirs, more, run), 41, False)]
    for runs, queries, mode_differs in cases:
        boards = {
            board.shared["paper"]: board
            for board in published_board(Reading(RESULTS, runs))
            if "ours" in [*board.frame["source"]]
        }
        board = boards["simoncini2021seqattack"]
        assert list(board.frame["source"]).count("ours") == 1
        (told,) = [note for note in board.notes if note.startswith("Ours, ")]
        assert "sentences: 256 (here 30)" in told
        assert f"query budget: 512 (here {queries})" in told
        assert ("escalation" in told) == mode_differs
        assert f"left out: {len(runs) - 1}." in board.notes[-1]


def test_two_victims_of_one_name_are_told_apart_by_their_weights(ours):
    (run,) = only(ours, attack="deepwordbug-ii", victim="minilm/made-up").runs
    other = dataclasses.replace(run, spec=dataclasses.replace(run.spec, victim_fingerprint=f"{0:064x}"))
    boards = published_board(Reading(RESULTS, (run, other)))
    board = next(board for board in boards if "ours" in set(board.frame["source"]))
    name = "deepwordbug-ii on minilm/made-up"
    assert set(board.frame["name"][board.frame["source"] == "ours"]) == {
        f"{name} (weights 00000000)",
        f"{name} (weights {run.spec.victim_fingerprint[-8:]})",
    }


def test_where_only_some_of_ours_differ_these_are_said_not_to_be_comparable(ours, tmp_path):
    (tmp_path / "published").mkdir()
    beside = "attack_rate = 50\nours = [{ attack = 'deepwordbug-ii' }, { attack = 'deepwordbug-ii', defense = 'mat' }]"
    ours_too = GOOD.replace("attack_rate = 50", beside).replace('"Something"', '"Something"\ndataset = "conll2003"')
    ours_too = ours_too.replace("queries = 10", 'victim = "minilm/made-up"')
    (tmp_path / "published" / "paper.toml").write_text(ours_too, encoding="utf-8")
    (board,) = published_board(Reading(tmp_path, ours.runs))
    assert list(board.frame["protocol"].fillna("")) == ["", "", "a"]
    words = "victim: minilm/made-up (here minilm/made-up+mat)"
    assert f"Ours, a, so not comparable: {words}." in board.notes


def test_a_paper_without_rows_of_ours_shows_all_the_same(tmp_path):
    tables = published_board(Reading(RESULTS, ()))
    assert len(tables) == sum(len(paper.tables) for paper in PAPERS.values())
    assert all(set(table.frame["source"]) == {"paper"} for table in tables)
    assert not any(column.key == "protocol" for table in tables for column in table.columns)


def test_digits_are_those_of_the_paper():
    table = next(t for t in published_board(Reading(RESULTS, ())) if t.title.endswith("repository"))
    (column,) = [column for column in table.columns if column.key == "f1_clean"]
    assert column.digits == 2


def test_a_filter_by_data_set_leaves_out_other_papers():
    tables = published_board(Reading(RESULTS, (), wanted=Filter(datasets=("ontonotes5",))))
    assert {table.shared["paper"] for table in tables} == {"jin2023disentangled"}


# Bad input.

GOOD = """
[paper]
key = "doe2020"
title = "A paper"
authors = ["Jane Doe"]
year = 2020
venue = "Somewhere"

[[tables]]
name = "table 1"
about = "Something"
protocol = { queries = 10 }

[[tables.rows]]
name = "Theirs"
attack_rate = 50
"""


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("attack_rate = 50", "atack_rate = 50", "no field atack_rate"),
        ("attack_rate = 50", "attack_rate = nan", "attack_rate must be a number"),
        ("attack_rate = 50", 'attack_rate = "50"', "attack_rate must be a number"),
        ("attack_rate = 50", "attack_rate = true", "attack_rate must be a number"),
        ("queries = 10", "querys = 10", "unknown fields querys"),
        ("queries = 10", "queries = [10]", "queries of a protocol must be a text or a number, not [10]"),
        ("queries = 10", "max_missed = true", "max_missed of a protocol must be a text or a number, not True"),
        ("year = 2020", 'year = "2020"', "year must be there, as a int"),
        ('name = "Theirs"', "", "name must be there"),
        ("[paper]", "[papr]", "paper must be there"),
        ("[paper]", "[paper", "cannot be read"),
        ("attack_rate = 50", "attack_rate = inf", "attack_rate must be a number"),
        ('["Jane Doe"]', "[1]", "authors must be names"),
        ('["Jane Doe"]', "[]", "authors must be names"),
        ('about = "Something"', 'about = "Something"\ndataset = ["wnut17"]', "dataset must be there, as a str"),
        ("attack_rate = 50", 'ours = "casing"', "attack must be there"),
        ("attack_rate = 50", 'ours = [{ attack = "casing", parameters = 5 }]', "parameters must be there, as a dict"),
        ("attack_rate = 50", 'ours = [{ attack = "casing", defense = 5 }]', "defense must be there, as a str"),
        ("attack_rate = 50", "ours = 5", "of another kind than it should be"),
    ],
)
def test_a_wrong_file_is_told_with_the_field_and_hides_no_other(tmp_path, old, new, told):
    folder = tmp_path / "published"
    folder.mkdir()
    (folder / "good.toml").write_text(GOOD, encoding="utf-8")
    (folder / "wrong.toml").write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    reading = Reading(tmp_path, ())
    assert len(published_board(reading)) == 1
    (error,) = reading.damage
    assert "wrong.toml" in str(error)
    assert told in str(error)


def test_hostile_text_of_a_file_is_made_printable(tmp_path):
    (tmp_path / "published").mkdir()
    hostile = GOOD.replace("Theirs", r"\u001b[31m</script>").replace("A paper", r"A\u202epaper")
    (tmp_path / "published" / "hostile.toml").write_text(hostile, encoding="utf-8")
    (table,) = published_board(Reading(tmp_path, ()))
    assert table.title.isprintable()
    assert table.frame["name"].tolist() == [r"\x1b[31m</script>"]


def on_every_sentence(spec):
    rule = {**spec.selection, "max_missed": 1.0, "limit": 10_000}
    return dataclasses.replace(spec, dataset="conll2003", selection=rule)


@pytest.mark.parametrize("rule", [{}, {"max_missed": 1.0, "limit": 30}])
def test_f1_on_some_sentences_or_on_those_nearly_right_is_no_clean_f1(one_seed, rule):
    def some(spec):
        return dataclasses.replace(spec, dataset="conll2003", selection={**spec.selection, **rule})

    ours = Reading(RESULTS, changed(one_seed, some).runs)
    tables = [table for paper in PAPERS.values() for table in paper.tables if table.protocol.get("max_missed") == 1]
    assert len(tables) == 3
    boards = {(board.shared["paper"], board.shared["table"]): board for board in published_board(ours)}
    clean = [boards[paper.key, t.name] for paper in PAPERS.values() for t in paper.tables if t in tables]
    assert {source for board in clean for source in board.frame["source"]} == {"paper"}


def test_victims_with_a_defense_stand_beside_the_row_of_that_defense_and_controls_where_they_are_named(one_seed):
    reading = changed(one_seed, on_every_sentence)
    table = next(t for t in published_board(Reading(RESULTS, reading.runs)) if "Masked" in t.title)
    names = list(table.frame["name"])
    assert table.title.endswith("table 1")
    assert names[names.index("MAT (S)") + 1] == "identity on minilm/made-up+mat"
    assert names[names.index("Baseline") + 1] == "identity on minilm/made-up"
    assert names[names.index("MAT (R)") + 1] == "MAT (S)"
    (run,) = only(reading, attack="identity", victim="minilm/made-up+mat").runs
    assert table.frame["f1_clean"].iloc[names.index("MAT (S)") + 1] == run.metrics["f1.strict.before"].value


@pytest.mark.parametrize(("sentences", "beside"), [(None, False), (500, False), (1000, True)])
def test_a_fifth_of_the_examples_stands_beside_a_row_where_the_victim_had_a_fifth_of_the_sentences(
    one_seed, sentences, beside
):
    settings = f"(sentences={sentences})" if sentences else ""
    victim = f"minilm/made-up{settings}+augment(bert-attack,n=200)"
    plain = only(one_seed, attack="identity", victim="minilm/made-up")
    reading = changed(plain, lambda spec: dataclasses.replace(on_every_sentence(spec), victim=victim))
    table = next(t for t in published_board(Reading(RESULTS, reading.runs)) if t.title.endswith("(2021), table 5"))
    names = list(table.frame["name"])
    assert (names[names.index("1000 examples") + 1] == f"identity on {victim}") is beside
    assert ("ours" in set(table.frame["source"])) is beside


@pytest.mark.parametrize("defense", ["of-another-package", "mat(of_a_newer_version=1)", "of-another-package+mat"])
def test_victims_whose_defense_is_unknown_here_or_not_the_only_one_stand_beside_no_row(one_seed, defense):
    def defended(spec):
        return dataclasses.replace(on_every_sentence(spec), victim=f"minilm/made-up+{defense}")

    for table in published_board(Reading(RESULTS, changed(one_seed, defended).runs)):
        assert "ours" not in set(table.frame["source"])
