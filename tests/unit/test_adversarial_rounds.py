"""Training in rounds of attacks: when the victim is attacked, what is learnt of it, and that it survives a crash."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from small_training import CPU, training_case
from stubs import sentence

from benchmark.errors import BadInput
from benchmark.victims.cnn_lstm_crf import CNN_LSTM_CRF
from defenses.adversarial_rounds import AdversarialRounds, Rounds
from defenses.continued import Continued

SETTINGS = {"epochs": 4, "batch_size": 6, "learning_rate": 0.01}
BASE = "cnn-lstm-crf/mine(batch_size=6,epochs=4,learning_rate=0.01)"
# Any other text counts as a success, so that there are always as many as are wanted.
EDITED = AdversarialRounds(attack="random-edit", rounds=2, n=5, goal="perturbed", among="perturbed")
FILES = ("model.safetensors", "recipe.json", "vocabulary.json")

pytestmark = pytest.mark.usefixtures("small_glove")


@pytest.fixture
def case(tmp_path, tmp_path_factory, monkeypatch):
    """Make the case of a training; the base victim is trained once for all tests."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "rounds-cache"))
    return training_case(tmp_path, BASE, SETTINGS)


class Noting(Rounds):
    """Notes for each epoch of which round it is, and what stands beside the sentences."""

    def __init__(self, case, settings):
        super().__init__(case, settings)
        self.seen = []

    def sentences(self, trainee, epoch, given, drawn):
        given = super().sentences(trainee, epoch, given, drawn)
        self.seen.append((self._round, dict(self._partners)))
        return given


def trained(case, folder, settings=EDITED, report=lambda *_: None):
    """Train and return the hooks; resumes what was interrupted."""
    found = []
    case = replace(case, options=replace(case.options, report=report))

    def prepare(work):
        found.append(Noting(replace(case, work=work), settings))
        return replace(settings.regimen(replace(case, work=work)), hooks=found[0])

    CNN_LSTM_CRF.train(settings.recipe(case.plain), case.dataset, folder, "v", CPU, report, prepare)
    return found[0]


def test_epochs_and_rate_follow_from_the_rounds(case):
    recipe = replace(EDITED, clean=2, epochs=3).recipe(case.plain)
    assert (recipe.epochs, recipe.learning_rate) == (2 + 2 * 3, 0.002)
    assert Rounds(case, replace(EDITED, clean=2, epochs=3)).chosen_from == 5
    assert EDITED.regimen(case).start == case.base_folder
    assert EDITED.leans_on["attack"]["name"] == "random-edit"


def test_each_round_attacks_the_victim_as_it_is_and_replaces_what_the_last_one_left(case, tmp_path):
    settings = replace(EDITED, epochs=2)
    hooks = trained(case, tmp_path / "v", settings)
    assert [number for number, _ in hooks.seen] == [0, 1, 1, 2, 2]
    rounds = [partners for _, partners in hooks.seen]
    assert rounds[0] == {}
    assert [len(partners) for partners in rounds[1:]] == [5] * 4
    assert rounds[1] == rounds[2] != rounds[3] == rounds[4]
    originals = {s.id: s for s in case.sentences}
    assert all(s.tokens != originals[k].tokens and s.tags == originals[k].tags for k, s in rounds[3].items())
    card = json.loads((tmp_path / "v" / "recipe.json").read_text())
    cost = json.loads((tmp_path / "v" / "cost.json").read_text())
    assert [told["added"] for told in card["made"]["rounds"]] == [5, 5]
    assert cost["victim_queries"] == sum(told["victim_queries"] for told in card["made"]["rounds"]) > 0
    assert cost["attacking_seconds"] > 0
    assert len(card["dev_f1"]) == 5


def stopping(*stages):
    """A report that stops the training once at each (stage, done)."""
    left = list(stages)

    def report(told, now, total):
        if left and left[0][0] in told and now >= left[0][1]:
            left.pop(0)
            raise KeyboardInterrupt

    return report


def test_interrupted_in_an_attack_and_within_a_round_it_ends_in_the_same_bytes(case, tmp_path):
    settings = replace(EDITED, epochs=2)
    trained(case, tmp_path / "whole", settings)
    # In the first attack; before the second epoch of the second round, whose attack is not to be repeated.
    report = stopping(("attacking", 2), ("epoch 4: dev F1", 0))
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            trained(case, tmp_path / "broken", settings, report)
    hooks = trained(case, tmp_path / "broken", settings)
    assert [number for number, _ in hooks.seen] == [2]
    for name in FILES:
        assert (tmp_path / "broken" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_random_rounds_keep_to_the_sentences_that_could_be_broken(case, tmp_path):
    bare = sentence("twelve boats left", "O O O", name="bare")
    splits = {**case.dataset.splits, "train": (*case.sentences, bare)}
    case = replace(case, dataset=replace(case.dataset, splits=splits))
    for among, there in (("perturbed", True), ("untargeted", False)):
        hooks = trained(case, tmp_path / among, replace(EDITED, n=0, among=among))
        assert ["bare" in partners for number, partners in hooks.seen if number] == [there, there]


def test_a_round_in_which_nothing_breaks_is_told_even_where_all_there_are_are_wanted(case, tmp_path, caplog):
    trained(case, tmp_path / "whole", replace(EDITED, attack="identity", goal="untargeted", n=0))
    told = [record.getMessage() for record in caplog.records if "round 1, found 0 sentences" in record.getMessage()]
    assert len(told) == 1


def test_where_no_attack_succeeds_the_rounds_are_their_control(case, tmp_path):
    """The control of as many epochs goes the same way, rate and choice of the last epoch included."""
    trained(case, tmp_path / "rounds", replace(EDITED, attack="identity", goal="untargeted", rounds=3))
    control = Continued(epochs=4)
    recipe, prepare = control.recipe(case.plain), lambda work: control.regimen(replace(case, work=work))
    CNN_LSTM_CRF.train(recipe, case.dataset, tmp_path / "control", "v", CPU, prepare=prepare)
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("rounds", "control")]
    assert weights[0] == weights[1] != (case.base_folder / "model.safetensors").read_bytes()


def test_what_another_network_left_is_not_learnt(case, tmp_path):
    """As after a network died: its successor has other weights when the round begins."""
    trainee = CNN_LSTM_CRF.trainee(case.plain, ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"], case.sentences, CPU)
    hooks = Rounds(case, EDITED)
    hooks.sentences(trainee, 1, case.sentences, None)
    journal = case.work / "round-1" / "journal.jsonl"
    left = journal.read_bytes()
    with journal.open("ab") as file:
        file.write(b"torn")
    Rounds(case, EDITED).sentences(trainee, 1, case.sentences, None)
    assert journal.read_bytes() == left  # gone on from
    (case.work / "round-1" / "of the other").write_text("")
    with torch.no_grad():
        trainee.network.emitting.bias += 1
    Rounds(case, EDITED).sentences(trainee, 1, case.sentences, None)
    assert not (case.work / "round-1" / "of the other").exists()


def test_clean_and_attacked_sentences_count_alike(case):
    class Trainee:
        """Its loss is the mean length."""

        def encode(self, sentences):
            return sentences

        def loss(self, batch):
            return sum(map(len, batch)) / len(batch)

    clean = [sentence("a b", "O O", "s0"), sentence("c d e f", "O O O O", "s1"), sentence("g", "O", "s2")]
    hooks = Rounds(case, EDITED)
    assert hooks.loss(Trainee(), clean, None) == 7 / 3
    hooks._partners = {"s1": sentence("c d x y e f", "O O O O O O", "s1"), "s9": clean[0]}
    assert hooks.loss(Trainee(), clean, None) == pytest.approx(7 / 3 + 6 / 3)
    hooks._partners["s2"] = sentence("z z z", "O O O", "s2")
    assert hooks.loss(Trainee(), clean, None) == pytest.approx(7 / 3 + (6 + 3) / 3)


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"rounds": 0}, "rounds must be at least 1, not 0"),
        ({"clean": -1}, "clean must be at least 0, not -1"),
        ({"epochs": 0}, "epochs must be at least 1, not 0"),
        ({"n": -1}, "n must be at least 0, not -1"),
    ],
)
def test_wrong_parameters_are_told(parameters, told):
    with pytest.raises(BadInput, match=told):
        AdversarialRounds(**parameters)


@pytest.mark.parametrize(
    ("attack", "told"),
    [
        ("hotflip-char", "adversarial-rounds attacks a victim in training, and hotflip-char needs its gradients"),
        ("textfoolr", "unknown attack 'textfoolr'; did you mean textfooler"),
    ],
)
def test_attacks_that_do_not_go_with_it_are_told_before_anything_is_trained(attack, told):
    with pytest.raises(BadInput, match=told):
        _ = AdversarialRounds(attack=attack).leans_on
