"""Wrong names, numbers and files on the command line: one plain line that names the way out, and exit code 2."""

from __future__ import annotations

import functools

import pytest
from stubs import StubVictim

from benchmark.judging import Judges
from benchmark.training.architecture import Architecture


@pytest.fixture
def refused(gauntlet):
    """Call the command, expect exit code 2 and one line on standard error, and return that line."""

    def call(*arguments):
        code, out, err = gauntlet(*arguments)
        assert (code, out) == (2, "")
        *stages, line = err.splitlines()
        assert line.startswith("error: ")
        assert set(stages) <= {"choosing sentences"}
        return line

    return call


JUDGES = functools.cache(Judges.named)


@pytest.fixture
def bundled(monkeypatch, newsroom):
    """Put a victim that knows the corpus by heart in the place of the bundled one, and make the judges once."""
    gold = {s.tokens: s.tags for split in newsroom.splits.values() for s in split}
    victim = StubVictim(lambda tokens: gold.get(tokens, ["O"] * len(tokens)), longest=512)
    victim.name = "minilm/newsroom"
    monkeypatch.setattr("benchmark.workshop.find_victim", lambda name, options: victim)
    monkeypatch.setattr(Judges, "named", staticmethod(JUDGES))


def run(*arguments, attack="identity"):
    return ("run", "--attack", attack, "--limit", "2", "--queries", "4", *arguments)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (run(attack="deepwrodbug-i"), "unknown attack 'deepwrodbug-i'; did you mean deepwordbug-i"),
        (run(attack="zzz"), "unknown attack 'zzz'; known: bae, bert-attack, casing"),
        (run("--victim", "minlm/newsroom"), "unknown victim 'minlm/newsroom'; did you mean minilm/newsroom"),
        (run("--victim", "zzz"), "forms: minilm/DATASET, cnn-lstm-crf/DATASET, hf:REPO, path:FOLDER, spacy:PIPELINE"),
        (run("--victim", "minilm/newsrom"), "unknown data set 'newsrom'; did you mean newsroom"),
        (run("--dataset", "newsrom"), "unknown data set 'newsrom'; did you mean newsroom"),
        (run("--dataset", "zzz"), "known: conll2003"),
        (run("--goal", "untargetted"), "unknown goal 'untargetted'; known: untargeted, untargeted-strict"),
        (run("--goal", "targeted(TYPE)"), "unknown goal"),
        (run("--mode", "first"), "unknown mode 'first'; known: first-success, escalate"),
        (run("--param", "depth=3"), "attack identity has no parameter 'depth'; it has: none"),
        (run("--param", "distance=3", attack="deepwordbug-i"), "it has: max_edit_distance, order"),
        (run("--param", "max_edit_distance=far", attack="deepwordbug-i"), "max_edit_distance must be int (now 30)"),
        (run("--param", "order=alphabetic", attack="deepwordbug-i"), "order must be one of importance, random"),
        (run("--param", "order", attack="deepwordbug-i"), "--param 'order' is not NAME=VALUE"),
        (run("--param", "x=1", "--attack", "casing"), "--param goes with exactly one --attack"),
        (("run", "quik"), "unknown suite 'quik'; did you mean quick"),
        (("run", "gone.toml"), "no such suite file: gone.toml"),
        (("run",), "name a suite (gauntlet run quick) or an attack"),
        (run("--label-map", "PERSON"), "label map item 'PERSON' is not OLD=NEW"),
        (run("--concurrency", "0"), "concurrency must be at least 1"),
        (run("--data-dir", "nowhere", "--dataset", "mine"), "the data folder nowhere is no folder"),
        (run("--device", "gpu"), "unknown device 'gpu'; use auto, cpu, cuda or cuda:N"),
        (("show", "deepwordbug"), "nothing is called 'deepwordbug'; did you mean deepwordbug-i"),
        (("status", "--results", "nowhere"), "no results folder nowhere; pass --results, or start with"),
        (("results", "--results", "nowhere"), "no results folder nowhere"),
        (("train", "bert/newsroom"), "unknown victim 'bert/newsroom'"),
        (("train", "hf:someone/ner"), "the form is minilm/DATASET"),
        (("train", "minilm/newsroom+mat"), "is defended: `gauntlet defend` trains such victims"),
        (("train", "minilm/newsroom(seed=1)", "--seed", "2"), "has seed already; leave --seed away"),
        (("train", "minilm/newsroom(seed=1)", "--seed", "0"), "has seed already; leave --seed away"),
        (("train", "minilm/newsrom"), "did you mean newsroom"),
        (("train", "minilm/newsroom", "--epochs", "0"), "epochs must be a whole number of at least 1, not 0"),
    ],
)
def test_wrong_name_or_value_is_told_with_its_way_out(refused, arguments, told):
    assert told in refused(*arguments)


@pytest.mark.parametrize("queries", [0, -3])
def test_budget_below_one(refused, queries):
    told = refused("run", "--attack", "identity", "--queries", queries)
    assert f"the query budget must be at least 1, not {queries}" in told


@pytest.mark.parametrize("limit", [0, -1])
def test_limit_below_one(refused, limit):
    told = refused("run", "--attack", "identity", "--limit", limit)
    assert f"the number of sentences must be at least 1, not {limit}" in told


def test_unknown_split_lists_those_there_are(refused, bundled):
    assert "has no split 'tset'; it has: train, dev, test" in refused(*run("--split", "tset"))


def test_unknown_pooling_lists_the_known_ones(refused):
    assert "unknown pooling 'mean'; known: first-piece, characters" in refused(*run("--pooling", "mean"))


def test_unknown_tag_scheme_is_refused_for_local_files(refused, bundled, tmp_path):
    (tmp_path / "mine.conll").write_text("Ana B-PER\n", encoding="utf-8")
    assert "known: IOB1, IOB2, BIOES, BILOU" in refused(*run("--dataset", "mine.conll", "--scheme", "IOB3"))


@pytest.mark.parametrize("arguments", [run("--encoder", "nonesuch-encoder"), run("--grammar", "nonesuch")])
def test_unknown_judge_is_told_before_anything_is_attacked(gauntlet, bundled, tmp_path, arguments):
    code, _, err = gauntlet(*arguments)
    assert code in {2, 3}
    assert "nonesuch" in err
    assert list(tmp_path.glob("results/runs/*/examples.parquet")) == []


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "holds no sentences"),
        (b"Ana\n", "line 1: one column only"),
        (b"Ana B-PER\nleft X O\n", "line 2: 3 columns, but 2 before"),
        (b"Zo\xeb B-PER\n", "not UTF-8"),
        (b"Ana I-PER\n", "dangling I-"),
        (b"Ana S-PER\n", "--scheme BIOES"),
    ],
)
def test_bad_file_is_named_with_its_line(refused, bundled, tmp_path, content, told):
    (tmp_path / "mine.conll").write_bytes(content)
    line = refused(*run("--dataset", "mine.conll"))
    assert "mine.conll" in line
    assert told in line


def test_bad_span_is_named_with_its_line(refused, bundled, tmp_path):
    text = '{"text": "Ana", "spans": [{"start": 0, "end": 2, "label": "PER"}]}\n'
    (tmp_path / "mine.jsonl").write_text(text, encoding="utf-8")
    assert "mine.jsonl, line 1: span 0-2 ('An')" in refused(*run("--dataset", "mine.jsonl"))


def test_types_the_victim_does_not_know_show_both_label_sets(refused, bundled, tmp_path):
    (tmp_path / "mine.conll").write_text("p53 B-GENE\n", encoding="utf-8")
    told = refused(*run("--dataset", "mine.conll"))
    assert "the victim has LOC, MISC, ORG, PER, the data set GENE" in told
    assert "--label-map" in told


def test_label_map_for_a_label_the_victim_does_not_have_shows_its_labels(refused):
    told = refused(*run("--label-map", "PERSON=PER"))
    assert "renames PERSON, which minilm/newsroom does not have; its labels: O, B-LOC, I-LOC" in told


def test_data_set_in_which_nothing_qualifies_tells_why(refused, bundled, tmp_path):
    rows = "".join(f"Oslo {mark}-{kind}\n" for kind in ("LOC", "PER", "ORG", "MISC") for mark in "B" + "I" * 199)
    (tmp_path / "mine.conll").write_text(rows, encoding="utf-8")
    assert "no sentence qualifies for minilm/newsroom (too long for the victim: 1)" in refused(
        *run("--dataset", "mine.conll")
    )


def test_victim_to_be_trained_needs_a_training_split(refused, tmp_path):
    (tmp_path / "data" / "mine").mkdir(parents=True)
    (tmp_path / "data" / "mine" / "test.conll").write_text("Ana B-PER\n", encoding="utf-8")
    told = refused(*run("--data-dir", "data", "--dataset", "mine", "--victim", "minilm/mine"))
    assert "has no split 'train'; it has: test" in told


def test_scheme_of_local_files_reaches_the_victim_trained_on_them(gauntlet, tmp_path, monkeypatch):
    folder = tmp_path / "data" / "mine"
    folder.mkdir(parents=True)
    for split in ("train", "dev", "test"):
        (folder / f"{split}.conll").write_text("Ana I-PER\nleft O\n", encoding="utf-8")
    trained_on = []

    def train(architecture, recipe, dataset, *_):
        trained_on.append(dataset.split("train")[0].tags)
        raise KeyboardInterrupt

    monkeypatch.setattr(Architecture, "train", train)
    _, _, err = gauntlet(*run("--data-dir", "data", "--dataset", "mine", "--victim", "minilm/mine", "--scheme", "IOB1"))
    assert trained_on == [("B-PER", "O")], err


def test_grid_file_with_wrong_values_is_bad_input(refused, tmp_path):
    (tmp_path / "mine.toml").write_text('attacks = ["identity"]\nbudget = 3\n', encoding="utf-8")
    assert "unknown fields budget; known: " in refused("run", "mine.toml")
