"""The same specification ends in the same bytes, whatever happened on the way. On the real MiniLM."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time

import pytest

from benchmark.plan import EngineOptions, Plan
from benchmark.runner import run
from benchmark.selection import SelectionRule
from benchmark.types import Sentence
from benchmark.workshop import Workshop

SENTENCES = 24
PLAN = Plan("deepwordbug-i", queries=32, selection=SelectionRule(limit=SENTENCES))
COMMAND = [
    *(sys.executable, "-m", "benchmark.cli", "run", "--attack", "deepwordbug-i"),
    *("--queries", "32", "--limit", str(SENTENCES), "--concurrency", "4"),
]


def finished_files(folder):
    return folder.examples_file.read_bytes(), folder.result_file.read_bytes()


@pytest.fixture(scope="module")
def workshop():
    return Workshop()


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory, workshop):
    report = run(PLAN, tmp_path_factory.mktemp("uninterrupted"), workshop)
    assert report.attacked == SENTENCES
    return report.folder


@pytest.mark.parametrize(
    "options",
    [
        EngineOptions(concurrency=1),
        EngineOptions(concurrency=16),
        EngineOptions(batch_size=8),
        EngineOptions(batch_size=128),
        EngineOptions(reverse=True),
    ],
    ids=str,
)
def test_how_the_work_is_cut_changes_no_byte(options, uninterrupted, workshop, tmp_path):
    report = run(PLAN, tmp_path, workshop, options)
    assert report.attacked == SENTENCES
    assert finished_files(report.folder) == finished_files(uninterrupted)


def test_a_second_run_attacks_nothing_and_gives_the_same_result(uninterrupted, workshop):
    results = uninterrupted.path.parent.parent
    before = finished_files(uninterrupted)
    report = run(PLAN, results, workshop)
    assert report.attacked == 0
    assert report.result == {key: value for key, value in json.loads(before[1]).items() if key != "sha256"}
    assert finished_files(uninterrupted) == before


def test_a_deleted_result_is_rebuilt_from_the_examples_without_a_model(uninterrupted, monkeypatch, capsys):
    from benchmark.cli.main import main

    before = finished_files(uninterrupted)
    uninterrupted.result_file.unlink()
    # Neither victim nor judge may be touched.
    monkeypatch.setattr("benchmark.workshop.find_victim", None)
    monkeypatch.setattr("benchmark.judging.SentenceEncoder", None)
    monkeypatch.setattr(sys, "argv", ["gauntlet", "results", "--results", str(uninterrupted.path.parent.parent)])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 0
    assert "deepwordbug-i" in capsys.readouterr().out
    assert finished_files(uninterrupted) == before


def test_killed_at_random_moments_and_restarted_the_files_are_the_same(uninterrupted, tmp_path):
    """SIGKILL once the journal holds a random number of sentences, several times over, then let it finish."""
    journal = tmp_path / "runs" / uninterrupted.run_id / "journal.jsonl"
    rng = random.Random(20261122)
    kills = 0
    for lines in sorted(rng.sample(range(1, SENTENCES // 2), 3)):
        process = subprocess.Popen(
            [*COMMAND, "--results", str(tmp_path)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while process.poll() is None:
            if journal.is_file() and journal.read_bytes().count(b"\n") >= lines:
                process.send_signal(signal.SIGKILL)
                process.wait()
                break
            time.sleep(0.005)
        kills += process.returncode == -signal.SIGKILL
    assert kills == 3
    assert not (tmp_path / "runs" / uninterrupted.run_id / "result.json").exists()
    # A line torn in the middle, as a crash of the whole machine can leave it.
    with journal.open("ab") as file:
        file.write(journal.read_bytes().split(b"\n")[0][:-7])
    last = subprocess.run([*COMMAND, "--results", str(tmp_path)], capture_output=True, text=True, check=False)
    assert last.returncode == 0, last.stderr
    finished = tmp_path / "runs" / uninterrupted.run_id
    assert (finished / "examples.parquet").read_bytes() == uninterrupted.examples_file.read_bytes()
    assert (finished / "result.json").read_bytes() == uninterrupted.result_file.read_bytes()
    provenance = json.loads((finished / "provenance.json").read_text())
    assert 0 < provenance["sentences_attacked"] < SENTENCES
    assert not (finished / "journal.jsonl").exists()


def test_a_text_gets_the_same_bits_whatever_stands_beside_it(minilm, newsroom):
    """The promise the engine builds on, for positions and neighbours within fixed shapes."""
    sentences = [s.tokens for s in newsroom.split("test")[:60]]
    together = minilm.predict(sentences)
    rng = random.Random(1)
    for _ in range(3):
        order = rng.sample(range(len(sentences)), 25)
        for k, answer in zip(order, minilm.predict([sentences[k] for k in order]), strict=True):
            assert answer.tags == together[k].tags
            assert (answer.probabilities == together[k].probabilities).all()
    alone = minilm.predict([sentences[7]])[0]
    assert (alone.probabilities == together[7].probabilities).all()


def test_word_by_word_pieces_are_the_tokenizers_own(minilm, newsroom):
    for sentence in newsroom.split("test")[:100]:
        whole = minilm._pieces.tokenizer(list(sentence.tokens), is_split_into_words=True)
        pieces, starts = minilm.encode(sentence.tokens)
        assert pieces == whole["input_ids"]
        words = whole.word_ids()
        assert starts == [words.index(i) for i in range(len(sentence))]


def test_words_that_normalise_to_nothing_keep_their_place(minilm):
    tokens = ("Ana", "\u200b", "\x00", "Ruiz", "\u0301")
    assert len(minilm.predict([tokens])[0].tags) == len(tokens)
    assert Sentence("s", tokens, ("O",) * 5).tokens == tokens
