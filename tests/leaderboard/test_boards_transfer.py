"""Adversarial examples put to another victim: asked once, stored without text, shown on the joint sentences."""

from __future__ import annotations

import json

import pytest
from board_runs import Reader, attack_all, made_up, only, read

from benchmark.alignment import adversarial_sentence
from benchmark.datasets import Dataset
from benchmark.errors import BadInput, CannotSave
from benchmark.statistics.intervals import wilson
from benchmark.types import Status
from leaderboard.boards.transfer import transfer_board
from leaderboard.rows import read_runs
from leaderboard.transferring import read_transfers, transfer

BASE = Reader("minilm/made-up")
STURDY = Reader("minilm/other", letters=3, leans=())
NARROW = Reader("minilm/narrow", blind=("Acme", "Ana"))


@pytest.fixture
def results(tmp_path):
    folder = tmp_path / "results"
    attack_all(folder, [BASE], ["casing", "deepwordbug-ii"])
    return folder


@pytest.fixture
def runs(results):
    return {run.spec.attack: run for run in read(results).runs}


def texts_of(run):
    """For each success the original and the adversarial sentence."""
    sentences = {sentence.id: sentence for sentence in made_up().split("test")}
    for name, example in run.examples.items():
        if example.outcome.status is Status.SUCCESS:
            outcome = example.outcome
            yield sentences[name], adversarial_sentence(sentences[name], outcome.edits, outcome.adversarial_gold)


def test_the_matrix_tells_which_share_breaks_the_other_victim_too(results, runs):
    for victim in (STURDY, NARROW):
        for run in runs.values():
            transfer(results, run, victim, made_up())
    (table,) = transfer_board(read(results))
    rows = {row["attack"]: row for row in table.frame.to_dict(orient="records")}
    shares = []
    for attack, run in runs.items():
        for victim in (STURDY, NARROW):
            broken = []
            for original, adversarial in texts_of(run):
                clean, after = (victim._tags(text.tokens) for text in (original, adversarial))
                names = [i for i, tag in enumerate(original.tags) if tag != "O"]
                if any(clean[i] != original.tags[i] for i in names):
                    continue  # not a sentence that both get right
                broken.append(any(after[i] != adversarial.tags[i] for i in names))
            row = rows[attack]
            assert row[f"to {victim.name}.n"] == len(broken) > 0
            assert row[f"to {victim.name}"] == pytest.approx(sum(broken) / len(broken))
            low, high = wilson(sum(broken), len(broken))
            assert (row[f"to {victim.name}.low"], row[f"to {victim.name}.high"]) == pytest.approx((low, high))
            shares.append(sum(broken) / len(broken))
    assert len(set(shares)) > 2  # the fixture's victims differ
    assert set(table.frame["victim"]) == {BASE.name}


def test_sentences_that_the_other_victim_gets_wrong_do_not_count(results, runs):
    run = runs["casing"]
    transfer(results, run, NARROW, made_up())
    (stored,) = read_transfers(read(results))
    assert len(stored.answers) == len(list(texts_of(run)))
    wrong = [answer for answer in stored.answers if answer.missed > 0.1]
    (table,) = transfer_board(read(results))
    (row,) = table.frame.to_dict(orient="records")
    assert row[f"to {NARROW.name}.n"] == len(stored.answers) - len(wrong) < len(stored.answers)


def test_what_was_asked_is_not_asked_again(results, runs):
    STURDY.asked.clear()
    first = transfer(results, runs["casing"], STURDY, made_up())
    assert len(STURDY.asked) == 2 * len(list(texts_of(runs["casing"])))
    content = first.read_bytes()
    STURDY.asked.clear()
    assert transfer(results, runs["casing"], STURDY, made_up()) == first
    assert STURDY.asked == []
    assert first.read_bytes() == content


def test_what_is_stored_holds_no_text_of_the_data_set(results, runs):
    path = transfer(results, runs["deepwordbug-ii"], STURDY, made_up())
    stored = json.dumps(json.loads(path.read_text(encoding="utf-8")))
    words = {token for sentence in made_up().split("test") for token in sentence.tokens}
    assert not [word for word in words if f'"{word}"' in stored]


def test_texts_too_long_for_the_other_victim_are_left_out_and_told(results, runs):
    short_sighted = Reader("minilm/short")
    short_sighted._longest = 8
    transfer(results, runs["casing"], short_sighted, made_up())
    (stored,) = read_transfers(read(results))
    assert stored.answers == ()
    assert len(stored.too_long) == len(list(texts_of(runs["casing"])))
    assert transfer_board(read(results))[0].frame["attack"].tolist() == ["casing"]


def test_the_runs_own_victim_is_refused(results, runs):
    with pytest.raises(BadInput, match="made against minilm/made-up itself"):
        transfer(results, runs["casing"], BASE, made_up())


def test_another_version_of_the_data_set_is_refused(results, runs):
    other = Dataset("made-up", {"test": made_up().split("test")[:-1]}, "elsewhere")
    with pytest.raises(BadInput, match=r"another version of made-up \(test\)"):
        transfer(results, runs["casing"], STURDY, other)


def test_a_victim_of_other_types_is_refused(results, runs):
    stranger = Reader("minilm/stranger")
    stranger.labels = ("O", "B-DRUG", "I-DRUG")
    with pytest.raises(BadInput, match="do not share their entity types"):
        transfer(results, runs["casing"], stranger, made_up())


def test_a_folder_that_cannot_be_written_is_said_to_be(results, runs):
    (results / "transfers").write_text("mine", encoding="utf-8")
    with pytest.raises(CannotSave, match="transfers"):
        transfer(results, runs["casing"], STURDY, made_up())


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:-40],
        lambda text: text.replace('"score": ', '"score": 1', 1),
        lambda text: text.replace('"schema": 1', '"schema": 9', 1),
        lambda text: "[]",
        lambda text: '{"score": NaN}',
    ],
)
def test_damaged_answers_are_told_with_the_file_and_hide_no_others(results, runs, damage):
    spoilt = transfer(results, runs["casing"], STURDY, made_up())
    transfer(results, runs["deepwordbug-ii"], STURDY, made_up())
    spoilt.write_text(damage(spoilt.read_text(encoding="utf-8")), encoding="utf-8")
    reading = read(results)
    (table,) = transfer_board(reading)
    assert table.frame["attack"].tolist() == ["deepwordbug-ii"]
    (error,) = reading.damage
    assert spoilt.name in str(error)
    assert "gauntlet transfer" in str(error)


def test_answers_to_older_examples_are_refused(results, runs):
    path = transfer(results, runs["casing"], STURDY, made_up())
    other = path.with_name(path.name.replace(runs["casing"].run_id, runs["deepwordbug-ii"].run_id))
    path.rename(other)
    reading = read(results)
    assert transfer_board(reading) == []
    assert other.name in str(reading.damage[0])


def test_seeds_are_averaged(tmp_path):
    folder = tmp_path / "results"
    attack_all(folder, [BASE], [("deepwordbug-i", {"order": "random"})], seeds=(0, 1), queries=6)
    for run in read(folder).runs:
        transfer(folder, run, STURDY, made_up())
    (table,) = transfer_board(read(folder))
    (row,) = table.frame.to_dict(orient="records")
    shares = [sum(a.score > 0 for a in stored.answers) / len(stored.answers) for stored in read_transfers(read(folder))]
    assert row[f"to {STURDY.name}"] == pytest.approx(sum(shares) / 2)


def test_the_command_asks_about_all_runs_against_others(gauntlet, results, monkeypatch):
    monkeypatch.setattr(
        "benchmark.victims.find_victim", lambda name, options: {STURDY.name: STURDY, BASE.name: BASE}[name]
    )
    monkeypatch.setattr("benchmark.datasets.find_dataset", lambda name, data_dir: made_up())
    code, _, err = gauntlet("transfer", STURDY.name, "--source", "minilm/nobody", "--results", results)
    assert code == 2
    assert "no finished run" in err
    code, _, err = gauntlet("transfer", BASE.name, "--source", BASE.name, "--results", results)
    assert (code, f"against another victim than {BASE.name};" in err) == (2, True)
    code, out, err = gauntlet("transfer", STURDY.name, "--source", BASE.name, "--results", results)
    assert (code, out) == (0, "")
    assert f"runs put to {STURDY.name}: 2" in err
    assert len(list(results.glob("transfers/*.json"))) == 2
    code, out, _ = gauntlet("board", "transfer", "--results", results)
    assert code == 0
    assert STURDY.name in out
    assert "casing" in out
    code, _, err = gauntlet("transfer", BASE.name, "--results", results)
    assert code == 2
    assert "no finished run" in err


def test_a_filter_leaves_out_transfers_too(results, runs):
    for run in runs.values():
        transfer(results, run, STURDY, made_up())
    reading = only(read_runs(results), attack="casing")
    assert transfer_board(reading)[0].frame["attack"].tolist() == ["casing"]
