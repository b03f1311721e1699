"""What an audit counts: by hand the same; and what it compares."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from board_runs import made_up
from stubs import LABELS, StubVictim, lexicon, sentence

from benchmark.alignment import edit_script
from benchmark.datasets import Dataset
from benchmark.errors import BadInput
from benchmark.label_risk import invalidates
from benchmark.metrics import Example
from benchmark.metrics.span_f1 import span_counts
from benchmark.statistics.power import smallest_separable_gap
from benchmark.tag_schemes import strict_spans
from benchmark.types import Outcome, Prediction, Sentence, Status
from benchmark.victims import LabelMap
from leaderboard.auditing import findings as numbers
from leaderboard.auditing.callables import callable_named, settled
from leaderboard.auditing.chosen import MOST, chosen, shown
from leaderboard.auditing.comparing import compare_types, require_mentions, restricted, with_all_types
from leaderboard.auditing.edit_kinds import kinds_of
from leaderboard.auditing.fates import told
from leaderboard.auditing.findings import Findings
from leaderboard.auditing.hardening import gains, helped
from leaderboard.auditing.running import Request, audit
from leaderboard.boards import BOARDS
from leaderboard.tables import Column, table
from leaderboard.trials import succeeded

ANA = sentence("Ana Ruiz left New York on Friday", "B-PER I-PER O B-LOC I-LOC O O")


def won(run):
    return {name for name, e in run.examples.items() if e.outcome.status is Status.SUCCESS}


def won_validly(run):
    return {name for name in won(run) if not invalidates(run.examples[name].label_risk)}


def test_a_sentence_is_broken_if_any_attack_breaks_it(findings):
    runs = findings.audit.runs
    assert len(findings.sentences) == 20
    assert findings.broken.value == len(set.union(*map(won, runs))) / 20
    assert findings.broken_validly.value == len(set.union(*map(won_validly, runs))) / 20
    assert findings.validity.value == sum(map(len, map(won_validly, runs))) / sum(map(len, map(won, runs)))
    assert 0 < findings.broken_validly.value < findings.broken.value


def test_the_worst_case_is_below_each_attack_and_above_it_are_the_valid_texts(findings):
    after = [run.metrics["f1.strict.after"].value for run in findings.audit.runs]
    assert findings.robust.value <= min(after)
    assert findings.robust.value < findings.robust_validly.value < findings.clean_f1
    rows = findings.by_attack.frame.set_index("attack")
    for run in findings.audit.runs:
        row = rows.loc[run.spec.attack]
        for name, key in (("broken", "attack_rate"), ("valid", "valid_attack_rate"), ("f1", "f1.strict.after")):
            assert row[name] == pytest.approx(run.metrics[key].value, abs=1e-6)
        assert (row["broken.low"], row["broken.high"]) == pytest.approx(
            (run.metrics["attack_rate"].low, run.metrics["attack_rate"].high), abs=1e-6
        )


def test_fates_of_a_type_add_up(findings):
    rows = findings.by_type.frame
    gold = [span.type for e in findings.audit.runs[0].examples.values() for span in strict_spans(e.outcome.gold)]
    assert dict(zip(rows["type"], rows["mentions"], strict=True)) == {kind: gold.count(kind) for kind in set(gold)}
    shares = rows[["found", "missed", "other type", "other borders"]].sum(axis=1)
    assert shares.tolist() == pytest.approx([1.0] * len(rows))


def attacked_once(findings, *predictions, risks=((), ())):
    """Findings on one sentence, seen PER "Ana" and unseen ORG "Acme"; each attack leads to one of the predictions."""
    gold = ("B-PER", "O", "B-ORG")
    runs = []
    for run, said, risk in zip(findings.audit.runs, predictions, risks, strict=True):
        outcome = Outcome(
            "one", None, 3, Status.SUCCESS, gold, gold,
            unseen=(False, True), adversarial_gold=gold, adversarial_prediction=said,
        )  # fmt: skip
        spec = dataclasses.replace(run.spec, sentence_ids=("one",))
        runs.append(dataclasses.replace(run, spec=spec, examples={"one": Example(outcome, label_risk=risk)}))
    dataset = Dataset("one", {"test": (Sentence("one", ("Ana", "left", "Acme"), gold),)}, "one")
    return Findings(dataclasses.replace(findings.audit, dataset=dataset, trained_on="a file", runs=tuple(runs)))


def test_the_worst_case_of_a_type_and_of_a_group_is_its_own(findings):
    both = attacked_once(findings, ("O", "O", "B-ORG"), ("B-PER", "O", "B-PER"))
    assert both.robust.value == pytest.approx(1 / 2)  # ORG is taken for PER, or PER missed with F1 2/3
    types = both.by_type.frame.set_index("type")
    assert types["after"].to_dict() == {"ORG": 0, "PER": 0}
    assert (types["other type"]["ORG"], types["missed"]["PER"]) == (1, 1)
    assert both.by_seen.frame["after"].tolist() == [0, 0]


def test_texts_that_are_likely_invalid_count_in_no_type_and_no_group(findings):
    lost = attacked_once(findings, ("O", "O", "B-ORG"), ("B-PER", "O", "O"), risks=(("mention-lost",), ()))
    assert lost.by_type.frame.set_index("type")["after"].to_dict() == {"ORG": 0, "PER": 1}
    assert lost.by_seen.frame["after"].tolist() == [1, 0]
    for table_of in (lost.by_type, lost.by_seen):
        assert "Only texts whose labels are likely still right count" in " ".join(table_of.notes)


def test_the_order_of_the_attacks_changes_no_table(findings):
    both = attacked_once(findings, ("O", "O", "B-ORG"), ("B-LOC", "O", "O"))
    for found in (findings, both):
        turned = Findings(dataclasses.replace(found.audit, runs=found.audit.runs[::-1]))
        for name, own in found.tables.items():
            assert turned.tables[name].frame.equals(own.frame), name


def test_the_weakest_type_and_the_easiest_kind_are_named(findings):
    types, kinds = findings.by_type.frame, findings.by_kind.frame
    assert types["mentions"].min() >= numbers.ENOUGH_MENTIONS
    assert findings.weakest_type["after"] == types["after"].min()
    assert findings.easiest_kind["valid"] == kinds["valid"].max() > 0


def test_the_smallest_gap_is_said_plainly(findings):
    won = [{name for name, e in run.examples.items() if succeeded(e)} for run in findings.audit.runs]
    gap = smallest_separable_gap(20, len(won[0] ^ won[1]) / 20)
    assert f"two attacks must differ by about {100 * gap:.0f} points to be told apart" in findings.resolution
    one = attacked_once(findings, ("O", "O", "B-ORG"), ("B-PER", "O", "O"))
    assert one.resolution == "These sentences are too few to tell two attacks apart."


def test_few_mentions_make_no_weakest_type_and_no_interval(findings, monkeypatch):
    commonest = findings.by_type.frame["mentions"].max()
    monkeypatch.setattr(numbers, "ENOUGH_MENTIONS", commonest)
    types = findings.by_type.frame
    few = types["mentions"] < commonest
    assert 0 < few.sum() < len(types)
    for end in ("before.low", "before.high", "after.low", "after.high"):
        assert types[end].isna().tolist() == few.tolist()
    assert findings.weakest_type["mentions"] == commonest
    one = attacked_once(findings, ("O", "O", "B-ORG"), ("B-PER", "O", "O"))
    assert one.weakest_type is None


def test_seen_and_unseen_only_where_the_training_is_known(findings, bench):
    assert findings.by_seen is None
    half = made_up().split("test")[:1]
    known = {token for s in half for token, tag in zip(s.tokens, s.tags, strict=True) if tag != "O"}
    train = bench / "train.conll"
    train.write_text("".join(f"{t} {g}\n" for t, g in zip(half[0].tokens, half[0].tags, strict=True)))
    request = Request("tagger:tag", str(bench / "mine.conll"), train=train)
    rows = Findings(audit(request, bench / "results")).by_seen.frame.set_index("mentions_are")
    attacked = [s for s in made_up().split("test") if s.id in findings.sentences]
    mentions = [s.tokens[span.start] for s in attacked for span in s.spans]
    assert rows["number"]["seen in training"] == sum(mention in known for mention in mentions)
    assert rows["number"].sum() == len(mentions)
    assert (rows["before"] == 1).all()
    assert (rows["after"] < 1).all()


def test_examples_are_valid_short_and_of_all_attacks(findings):
    found = chosen(findings)
    names = [own.outcome.sentence_id for own in found]
    assert len(names) == len(set(names)) == min(MOST, round(findings.broken_validly.value * 20))
    assert all(own.valid for own in found)
    assert {own.run.spec.attack for own in found[:2]} == {"casing", "deepwordbug-labels"}
    assert all(shown(own).wrong and own.kinds for own in found)


@pytest.mark.parametrize(
    ("change", "kinds"),
    [
        (lambda s: s.replace(0, "ana"), ("casing",)),
        (lambda s: s.replace(2, "lfet"), ("character",)),
        (lambda s: s.replace(3, "Nw"), ("character",)),
        (lambda s: s.replace(3, "Old"), ("entity",)),
        (lambda s: s.replace(2, "reached"), ("word",)),
        (lambda s: s.insert(2, "then"), ("insertion",)),
        (lambda s: s.delete(5), ("word",)),
        (lambda s: s.delete(4), ("entity",)),
        (lambda s: s.replace_span(s.spans[1], ["Rio", "de", "Janeiro"]), ("entity",)),
        (lambda s: s.replace(2, "reached").insert(2, "then").replace(0, "ANA"), ("casing", "insertion", "word")),
        (lambda s: s.paraphrase(["Ana", "Ruiz", "quit", "New", "York"], s.spans), ("word",)),
    ],
)
def test_kinds_of_edits_are_told_from_the_text(change, kinds):
    text = change(ANA)
    said = {"adversarial_gold": text.tags, "adversarial_prediction": ("O",) * len(text)}
    outcome = Outcome(ANA.id, None, 7, Status.SUCCESS, ANA.tags, ANA.tags, edits=edit_script(ANA, text), **said)
    assert kinds_of(outcome, ANA) == kinds


def test_what_is_wrong_is_told_in_words():
    assert told(ANA, ANA.tags) == []
    assert told(ANA, ("B-PER", "I-PER", "O", "B-ORG", "I-ORG", "O", "O")) == ["LOC “New York” is taken for ORG"]
    assert told(ANA, ("B-PER", "O", "O", "O", "O", "O", "B-MISC")) == [
        "PER “Ana Ruiz” is read as PER “Ana”", "LOC “New York” is missed", "“Friday” is taken for MISC",
    ]  # fmt: skip


def victim_with(*types):
    return StubVictim(lexicon({}), labels=("O", *(f"{mark}-{kind}" for kind in types for mark in "BI")))


def data_with(*types):
    sentences = tuple(sentence(f"Word{k} here", f"B-{kind} O") for k, kind in enumerate(types))
    return Dataset("mine", {"test": sentences}, "mine.conll")


def test_types_that_agree_are_compared_as_they_are():
    found = compare_types(victim_with("LOC", "PER"), data_with("PER", "LOC"), None)
    assert (found.types, found.label_map, [*found.words]) == (("LOC", "PER"), None, ["Compared: LOC, PER."])


def test_ontonotes_is_read_as_conll_and_told_so():
    found = compare_types(victim_with("PERSON", "GPE", "ORG", "DATE", "EVENT"), data_with("PER", "LOC", "ORG"), None)
    assert found.label_map.pairs == {"DATE": "O", "EVENT": "O", "GPE": "LOC", "ORG": "ORG", "PERSON": "PER"}
    assert found.left_out_of_model == ("DATE", "EVENT")
    assert "GPE as LOC, PERSON as PER" in " ".join(found.words)


def test_what_only_one_side_knows_is_left_out_and_told():
    dataset = data_with("PER", "LOC", "MISC")
    found = compare_types(victim_with("PER", "LOC", "date"), dataset, None)
    assert found.types == ("LOC", "PER")
    told_so = " ".join(found.words)
    assert "not compared: date." in told_so
    assert "does not know it: MISC." in told_so
    left = restricted(dataset, found.types)
    assert left.types == ("LOC", "PER")
    assert (left.name, left.hash("test") == dataset.hash("test")) == ("mine(LOC,PER)", False)
    assert restricted(dataset, ("LOC", "MISC", "PER")) is dataset


def test_a_map_of_the_users_is_taken_at_its_word():
    found = compare_types(victim_with("PER"), data_with("PER", "LOC"), LabelMap.parse("human=PER,*=O"))
    assert (found.types, found.standard) == (("PER",), False)
    assert "as you said: human as PER" in " ".join(found.words)


def test_nothing_in_common_is_refused_with_a_way_out():
    with pytest.raises(BadInput, match="--label-map PERSON=PER"):
        compare_types(victim_with("human"), data_with("PER"), None)


@pytest.mark.parametrize(("source", "way_out"), [("mine.conll", "B-PER in the last"), ("mine.jsonl", "spans such as")])
def test_data_without_a_mention_are_refused_with_a_way_out(source, way_out):
    with pytest.raises(BadInput, match=way_out):
        require_mentions(Dataset("mine", {"test": (sentence("a b", "O O"),)}, source))


def test_answers_tell_two_functions_of_one_source_apart(bench):
    answers = [Prediction(("B-PER", "O")), Prediction(("O",))]
    one, same, other = (settled(callable_named("tagger:tag"), own) for own in (answers, answers, answers[::-1]))
    assert one.labels == ("O", "B-PER", "I-PER")
    assert one.fingerprint == same.fingerprint != other.fingerprint


def test_a_type_that_a_function_never_finds_counts_as_missed(bench, monkeypatch):
    import tagger

    def blind(texts):
        return [[tag if tag[2:] != "LOC" else "O" for tag in tags] for tags in tagger.tag(texts)]

    monkeypatch.setattr(tagger, "blind", blind, raising=False)
    request = Request("tagger:blind", str(bench / "mine.conll"), limit=3)
    found = audit(request, bench / "results")
    assert found.comparison.types == ("LOC", "ORG", "PER")
    assert "the model never says LOC; all mentions of it count as missed" in " ".join(found.comparison.words)
    gold = [span for text in found.dataset.split("test") for span in text.spans]
    located = sum(span.type == "LOC" for span in gold)
    assert located > 0
    assert found.clean.value <= 2 * (len(gold) - located) / (2 * len(gold) - located)


def test_what_a_function_of_ontonotes_never_finds_counts_as_missed():
    found = with_all_types(compare_types(victim_with("PERSON", "GPE"), data_with("PER", "LOC", "ORG"), None))
    assert (found.types, found.standard) == (("LOC", "ORG", "PER"), True)
    assert found.never_said == ("ORG",)


def test_probabilities_come_with_their_labels(bench, monkeypatch):
    import tagger

    def sure(texts):
        return [np.tile(np.eye(len(LABELS), dtype=np.float32)[0], (len(text), 1)) for text in texts]

    sure.labels = LABELS
    monkeypatch.setattr(tagger, "sure", sure, raising=False)
    victim = callable_named("tagger:sure")
    assert victim.labels == LABELS
    assert victim.predict([("a", "b")])[0].tags == ("O", "O")


def test_gains_are_those_of_the_defenses_board(one_seed):
    (own,) = gains(one_seed.results, "made-up")
    board = BOARDS["defenses"].tables(one_seed)[0].frame
    assert own.frame["gain"].tolist()[0] == board["gain"].tolist()[0]
    keys = {column.key for column in own.columns}
    assert {"victim", "robust_f1", "gain", "clean_f1"} <= keys <= {"victim", "robust_f1", "gain", "clean_f1", "flags"}


def test_a_defense_helped_if_its_gain_is_above_chance():
    columns = [Column("victim", "", ""), Column("gain", "", "", 100, 1)]
    bounds = [("above", 0.01, 0.2), ("around", -0.01, 0.2), ("below", -0.3, -0.1)]
    rows = [{"victim": name, "gain": 0.1, "gain.low": low, "gain.high": high} for name, low, high in bounds]
    own = table("t", columns, [{"victim": "base"}, *rows], shared={"dataset": "made-up"})
    assert [*helped([own])] == [("above", 0.1, 0.01, 0.2, "made-up")]


@pytest.mark.usefixtures("bench")
def test_clean_f1_counts_sentences_that_the_model_gets_wrong(findings):
    import tagger

    texts = made_up().split("test")
    counts = np.array(
        [span_counts(s.tags, tags) for s, tags in zip(texts, tagger.tag([s.tokens for s in texts]), strict=True)]
    )
    right, predicted, gold = counts.sum(axis=0)
    assert findings.audit.clean.n == len(texts)
    assert findings.audit.clean.value == pytest.approx(2 * right / (predicted + gold))
    assert findings.audit.clean.value < 1
