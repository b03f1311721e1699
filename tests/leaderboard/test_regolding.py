"""Stored answers judged by other gold labels: by hand, on small real runs, and by the command."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from board_runs import made_up, only
from stubs import sentence

from benchmark.alignment import edit_script
from benchmark.datasets import Dataset
from benchmark.errors import BadInput
from benchmark.types import Status
from leaderboard.regolding import regolded, regolded_table, same_protocol

OWN = made_up()


def relabelled(changes, name="corrected"):
    """The made-up data set with other tags, by sentence."""
    made = [replace(s, tags=changes[s.id]) if s.id in changes else s for s in OWN.split("test")]
    return Dataset(name, {"test": tuple(made)}, "tests")


@pytest.fixture
def run(one_seed):
    (run,) = only(one_seed, attack="deepwordbug-ii", victim="minilm/made-up").runs
    return run


def outcomes(run, status):
    return [example.outcome for example in run.examples.values() if example.outcome.status is status]


def test_the_same_labels_change_nothing(run):
    found = regolded(run, OWN, relabelled({}))
    assert found.rate == found.rate_by_other
    assert found.rate.value == pytest.approx(run.metrics["attack_rate"].value)
    assert (found.relabelled, found.annotation_errors) == (0, 0)
    assert found.successes == len(outcomes(run, Status.SUCCESS)) > 2


def test_a_success_that_broke_only_what_was_labelled_wrongly_is_an_annotation_error(run):
    first, second, *_ = outcomes(run, Status.SUCCESS)
    # DeepWordBug-II moves no word: what is said of the attacked text is the truth of the first sentence.
    found = regolded(run, OWN, relabelled({first.sentence_id: first.adversarial_prediction}))
    assert (found.relabelled, found.annotation_errors) == (1, 1)
    # Of the second a mention is added that nobody ever saw.
    at = second.gold.index("O")
    more = (*second.gold[:at], "B-ORG", *second.gold[at + 1 :])
    assert regolded(run, OWN, relabelled({second.sentence_id: more})).annotation_errors == 0


def test_a_sentence_with_nothing_to_break_by_the_other_labels_is_left_out(run):
    failed = outcomes(run, Status.FAILED)[0]
    found = regolded(run, OWN, relabelled({failed.sentence_id: ("O",) * failed.length}))
    assert found.rate_by_other.n == found.rate.n - 1
    assert found.rate_by_other.value == pytest.approx(found.successes / (found.rate.n - 1))


ORIGINAL = sentence("the Bank of Oslo said nothing to Ana", "O B-ORG I-ORG I-ORG O O O B-PER")
TALKED = ORIGINAL.insert(4, "yesterday").delete(6).replace(6, "towards")  # of eight words eight are left
WITHOUT_BANK = "O O O B-LOC O O O B-PER"


@pytest.mark.parametrize(
    ("said", "by_other", "errors"),
    [
        # Oslo alone is found: wrong by the first labels, right by the others.
        ("O O O B-LOC O O O B-PER", WITHOUT_BANK, 1),
        # Nothing is found: the place was taken for a part of the bank before, so Ana alone was lost.
        ("O O O O O O O O", WITHOUT_BANK, 0),
        ("O O O O O O O B-PER", WITHOUT_BANK, 1),
        # A bank of the same extent but of another kind was never right.
        ("O O O O O O O B-PER", "O B-LOC I-LOC I-LOC O O O B-PER", 1),
    ],
)
def test_labels_follow_edits_that_move_words(run, said, by_other, errors):
    clean = "O B-ORG I-ORG I-ORG O O O B-PER"
    outcome = replace(
        outcomes(run, Status.SUCCESS)[0],
        sentence_id=ORIGINAL.id,
        length=len(ORIGINAL),
        gold=ORIGINAL.tags,
        clean=tuple(clean.split()),
        edits=edit_script(ORIGINAL, TALKED),
        adversarial_gold=TALKED.tags,
        adversarial_prediction=tuple(said.split()),
    )
    own, other = (
        Dataset(name, {"test": (replace(ORIGINAL, tags=tuple(tags.split())),)}, "tests")
        for name, tags in (("own", clean), ("other", by_other))
    )
    example = replace(next(iter(run.examples.values())), outcome=outcome)
    spec = replace(run.spec, sentence_ids=(ORIGINAL.id,), dataset_hash=own.hash("test"))
    found = regolded(replace(run, spec=spec, examples={ORIGINAL.id: example}), own, other)
    assert (found.successes, found.annotation_errors) == (1, errors)


def test_other_sentences_are_refused(run):
    shorter = Dataset("shorter", {"test": OWN.split("test")[:3]}, "tests")
    with pytest.raises(BadInput, match=r"shorter \(test\) has not the sentence test-"):
        regolded(run, OWN, shorter)
    reworded = relabelled({})
    first = replace(reworded.split("test")[0], tokens=("Word",) * 9)
    other = Dataset("reworded", {"test": (first, *reworded.split("test")[1:])}, "tests")
    with pytest.raises(BadInput, match=r"reworded \(test\) has not the sentence"):
        regolded(run, OWN, other)
    with pytest.raises(BadInput, match="another version of made-up"):
        regolded(run, shorter, OWN)


def test_seeds_share_a_row_and_their_successes_are_put_together(three_seeds):
    (rows,) = same_protocol(three_seeds.runs)
    found = regolded_table(rows, OWN, relabelled({})).frame.set_index("attack")
    (row,) = (row for row in rows if row.spec.attack == "deepwordbug-i" and row.spec.parameters["order"] != "random")
    assert len(row.runs) == 3
    assert found.loc["deepwordbug-i", "successes"] == sum(len(outcomes(run, Status.SUCCESS)) for run in row.runs)
    assert found.loc["deepwordbug-i", "rate"] == pytest.approx(row.average("attack_rate").value)


def test_the_command_prints_tables_and_names_what_it_leaves_out(gauntlet, one_seed, run, monkeypatch):
    first = outcomes(run, Status.SUCCESS)[0]
    other = relabelled({first.sentence_id: first.adversarial_prediction})
    known = {"made-up": OWN, "corrected": other}
    monkeypatch.setattr("benchmark.datasets.find_dataset", lambda name, *_: known[name])
    asked = ("regold", "corrected", "--results", one_seed.results, "--victim", "minilm/made-up")
    code, out, _ = gauntlet(*asked, "--attack", "deepwordbug-ii", "--json")
    (table,) = json.loads(out)
    assert code == 0
    assert table["rows"][0]["annotation_errors"] == 1
    code, out, _ = gauntlet(*asked)
    assert code == 0
    assert "1 of 30 sentences are labelled otherwise in corrected" in " ".join(out.split())
    known["corrected"] = Dataset("corrected", {"test": OWN.split("test")[:3]}, "tests")
    code, out, err = gauntlet(*asked)
    assert code == 0
    assert "left out: corrected (test) has not the sentence" in err
    code, _, err = gauntlet(*asked, "--attack", "clare")
    assert code == 2
    assert "no finished run of that kind" in err
