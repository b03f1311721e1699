"""Names of defended victims, what identifies them, and how they are found, trained and listed."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from safetensors.torch import load_file
from small_training import made_up, write_conll
from stubs import StubVictim, lexicon

from benchmark.defending import DEFENSES, FrontEnd, TrainedDefense, defense, defense_named, fitted
from benchmark.defending.finding import name_of
from benchmark.errors import BadInput, VictimLacks
from benchmark.victims import VictimOptions, find_victim
from benchmark.victims.cnn_lstm_crf import CNN_LSTM_CRF
from benchmark.victims.finding import parse_name, split_name
from benchmark.victims.minilm import BUNDLED
from benchmark.victims.recipe import cache_folder

TRAINED = [name for name in DEFENSES if issubclass(DEFENSES.get(name), TrainedDefense)]
OF_TRANSFORMERS = {"flat"}
# The sentences are sixteen; the settings make a training of three steps an epoch.
BASE = "cnn-lstm-crf/mine(batch_size=6,epochs=10,learning_rate=0.01)"
SHORT = "cnn-lstm-crf/mine(batch_size=6,epochs=1)"
ATTACKS = {
    "augment": "augment(deepwordbug-i,n=3,queries=24)",
    "random-augment": "random-augment(n=3)",
    "adversarial-rounds": "adversarial-rounds(attack=random-edit,rounds=2,n=3,goal=perturbed)",
}


pytestmark = pytest.mark.usefixtures("small_glove")


@pytest.fixture
def data(tmp_path):
    return write_conll(made_up(), tmp_path / "data")


@pytest.fixture
def options(data):
    return VictimOptions(device="cpu", data_dir=data)


# --- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("minilm/wnut17", ("minilm", "wnut17", {}, "", "minilm/wnut17")),
        ("minilm/wnut17+mat", ("minilm", "wnut17", {}, "mat", "minilm/wnut17")),
        ("minilm/wnut17(seed=1)", ("minilm", "wnut17", {"seed": 1}, "", "minilm/wnut17(seed=1)")),
        (
            "minilm/wnut17(seed=1,learning_rate=0.5)+augment(clare(x=a+b),n=2)",
            (
                *("minilm", "wnut17", {"seed": 1, "learning_rate": 0.5}),
                *("augment(clare(x=a+b),n=2)", "minilm/wnut17(seed=1,learning_rate=0.5)"),
            ),
        ),
        ("hf:dslim/bert+spell-check", ("hf", "dslim/bert", {}, "spell-check", "hf:dslim/bert")),
        ("minilm/a+mat+spell-check(edits=2)", ("minilm", "a", {}, "spell-check(edits=2)", "minilm/a+mat")),
        ("path:./c++model", ("path", "./c++model", {}, "", "path:./c++model")),
        ("path:./model(1)", ("path", "./model(1)", {}, "", "path:./model(1)")),
    ],
)
def test_names_are_parted(name, parts):
    assert parse_name(name) == parts
    assert split_name(name) == parts[:2]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("minilm/newsroom+matt", "unknown defense 'matt'; did you mean mat"),
        ("minilm/newsroom+mat(omga=0.1)", "defense mat has no parameter 'omga'; it has: weight, word_norm"),
        ("minilm/newsroom+mat(omega=far)", r"omega must be float \(now 0.02\), not 'far'"),
        ("minilm/newsroom+mat(0.1)", "defense mat: '0.1' is the value of what"),
        ("minilm/newsroom+augment", r"defense augment needs its attack: augment\(ATTACK\)"),
        ("minilm/newsroom+augment(clare,attack=bae)", "defense augment is given attack twice"),
        ("minilm/newsroom+augment(clrae)", "unknown attack 'clrae'; did you mean clare"),
        ("minilm/newsroom+augment(clare(5))", "parameters of an attack are written NAME=VALUE"),
        ("minilm/newsroom+augment(clare,goal=harm)", "unknown goal 'harm'"),
        ("minilm/newsroom+augment(clare,schedule=later)", "schedule must be one of from-scratch, continue"),
        ("minilm/newsroom+augment(clare,n=-1)", "n must be at least 0, not -1"),
        ("minilm/newsroom+mix-up(n=0)", "n must be at least 1, not 0"),
        ("minilm/newsroom+mat+embedding-at", "embedding-at trains a victim that has no other defense"),
        ("spacy:en_core_web_sm+mat", r"mat trains a victim of its own: minilm/DATASET\+mat or"),
        ("minilm/newsroom(sed=1)+mat", "a training has no setting 'sed'; it has: seed, sentences"),
        ("minilm/newsroom(seed=x)+mat", "seed must be a whole number of at least 0, not 'x'"),
        ("minilm/newsroom(5)", "settings are written NAME=VALUE"),
        ("minilm/newsroom(epochs=0)", "epochs must be a whole number of at least 1, not 0"),
        ("minilm/newsroom(learning_rate=0)", "learning_rate must be a number above 0, not 0"),
        ("minilm/newsrom+mat", "unknown data set 'newsrom'"),
    ],
)
def test_wrong_names_are_told_in_one_line_before_anything_is_trained(name, told, monkeypatch):
    monkeypatch.setattr("benchmark.training.loop.train", None)
    with pytest.raises(BadInput, match=told) as error:
        find_victim(name, VictimOptions(device="cpu"))
    assert "\n" not in str(error.value)


def test_an_attack_of_a_defense_that_its_base_cannot_be_asked_is_a_mistake_in_a_suite_too(options, monkeypatch):
    monkeypatch.setattr("benchmark.workshop.find_victim", lambda name, options: StubVictim(lexicon({})))
    with pytest.raises(BadInput, match="cannot be trained: attack hotflip-subword needs") as told:
        find_victim(f"{SHORT}+augment(hotflip-subword,n=3)", options)
    assert not isinstance(told.value, VictimLacks)


def test_a_name_is_written_with_what_differs_from_the_defaults():
    assert name_of(defense_named("mat")) == "mat"
    assert name_of(defense_named("mat(omega=0.02,mask_rate=1)")) == "mat(mask_rate=1.0)"
    assert defense_named("mat(mask_rate=1)").parameters == defense_named("mat(mask_rate=1.0)").parameters
    assert type(defense_named("mat(mask_rate=1)").parameters["mask_rate"]) is float
    wordy = "augment(attack=deepwordbug-i(max_edit_distance=5),schedule=continue,n=500)"
    short = "augment(deepwordbug-i(max_edit_distance=5),schedule=continue)"
    assert name_of(defense_named(wordy)) == short
    assert defense_named(short) == defense_named(wordy)


def test_every_defense_has_a_card_of_its_own_and_a_summary():
    for name in DEFENSES:
        card = DEFENSES.get(name).card
        assert (card.name, card.version > 0, card.summary.endswith(".")) == (name, True, True)


def test_a_class_with_another_ones_card_is_refused(monkeypatch):
    class Mine(DEFENSES.get("identity")):
        """Inherits the card."""

    monkeypatch.setitem(DEFENSES._targets, "mine", Mine)
    with pytest.raises(BadInput, match="no card of its own; decorate it with @defense"):
        defense_named("mine")


# --- identity ---------------------------------------------------------------------------------------------------------


def identity(name, options):
    """Return the recipe by which a victim would be trained."""
    seen = {}

    class Stop(Exception):  # noqa: N818
        pass

    def train(architecture, recipe, *_):
        seen["recipe"] = recipe
        raise Stop

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(CNN_LSTM_CRF), "train", train)
        with pytest.raises(Stop):
            find_victim(name, options)
    return seen["recipe"]


def test_whatever_decides_the_outcome_is_in_the_identity(options):
    names = [
        *("mat", "mat(omega=0.1)", "embedding-at", "identity", "word-dropout", "word-dropout(rate=0.2)"),
        *("augment(deepwordbug-i)", "augment(deepwordbug-ii)", "augment(deepwordbug-i,n=5)"),
        *("augment(deepwordbug-i(max_edit_distance=5))", "augment(deepwordbug-i,goal=untargeted-strict)"),
        *("augment(deepwordbug-i,queries=64)", "augment(deepwordbug-i,schedule=continue)"),
    ]
    bases = ("cnn-lstm-crf/mine", "cnn-lstm-crf/mine(seed=1)", "cnn-lstm-crf/mine(sentences=9)")
    recipes = [identity(f"{base}+{name}", options) for base in bases for name in names]
    assert len({recipe.id for recipe in recipes}) == len(recipes)
    assert len({cache_folder(recipe) for recipe in recipes}) == len(recipes)
    assert identity("cnn-lstm-crf/mine", options).id not in {recipe.id for recipe in recipes}


def test_versions_are_in_the_identity(options, monkeypatch):
    name = "cnn-lstm-crf/mine+augment(deepwordbug-i)"
    before = identity(name, options)
    told = before.defense
    assert (told["name"], told["version"], told["parameters"]["n"]) == ("augment", 1, 500)
    assert (told["attack"]["name"], told["attack"]["version"]) == ("deepwordbug-i", 1)
    assert told["plain"] == identity("cnn-lstm-crf/mine", options).id
    from benchmark.finding import ATTACKS

    attack, augment = ATTACKS.get("deepwordbug-i"), DEFENSES.get("augment")
    with monkeypatch.context() as patch:
        patch.setattr(attack, "card", replace(attack.card, version=2))
        assert identity(name, options).id != before.id
    with monkeypatch.context() as patch:
        patch.setattr(augment, "card", replace(augment.card, version=2))
        assert identity(name, options).id != before.id
    assert identity(name, options).id == before.id


# --- training ---------------------------------------------------------------------------------------------------------


def folder_of(victim):
    """Where a victim lies in this test's cache."""
    (found,) = Path(os.environ["XDG_CACHE_HOME"]).glob(f"gauntlet/victims/*{victim.settings['recipe']}")
    return found


def weights_of(victim):
    return load_file(folder_of(victim) / "model.safetensors")


@pytest.fixture
def shared_cache(tmp_path_factory, monkeypatch):
    """One cache for the tests that train on the same sentences."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "shared-cache"))


@pytest.mark.usefixtures("shared_cache")
def test_identity_has_the_weights_of_plain_training(options):
    plain, control = find_victim(BASE, options), find_victim(f"{BASE}+identity", options)
    one, other = weights_of(plain), weights_of(control)
    assert one.keys() == other.keys()
    assert all((one[name] == other[name]).all() for name in one)
    # The victims are two, for they are named by two recipes.
    assert plain.fingerprint != control.fingerprint
    assert plain.settings["recipe"] != control.settings["recipe"]


@pytest.mark.usefixtures("shared_cache")
@pytest.mark.parametrize("name", sorted(set(TRAINED) - {"identity"} - OF_TRANSFORMERS))
def test_every_defense_trains_other_weights_is_cached_and_found_again(name, options, monkeypatch):
    full = f"{BASE}+{ATTACKS.get(name, name)}"
    victim = find_victim(full, options)
    card = json.loads((folder_of(victim) / "recipe.json").read_text(encoding="utf-8"))
    assert card["name"] == victim.name == full
    assert card["defense"]["name"] == name
    assert card["dataset"] == "mine"
    cost = json.loads((folder_of(victim) / "cost.json").read_text(encoding="utf-8"))
    assert cost["training_seconds"] > 0
    assert (cost.get("victim_queries", 0) > 0) == (name in ATTACKS)
    plain = weights_of(find_victim(BASE, options))
    assert not (plain["emitting.weight"] == weights_of(victim)["emitting.weight"]).all()
    monkeypatch.setattr("benchmark.training.loop.train", None)  # nothing is trained again
    again = find_victim(full, options)
    assert (again.name, again.fingerprint, again.settings) == (victim.name, victim.fingerprint, victim.settings)


@pytest.mark.parametrize("name", ["mat(sentence_rate=1.0,mask_rate=0.5)", "word-dropout"])
def test_twice_trained_is_the_same(name, options, tmp_path, monkeypatch):
    found = []
    for cache in ("one", "two"):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / cache))
        victim = find_victim(f"{SHORT}+{name}", options)
        found.append((victim.fingerprint, (folder_of(victim) / "model.safetensors").read_bytes()))
    assert found[0] == found[1]


def test_the_fingerprint_leaves_out_what_the_training_took(options):
    victim = find_victim(f"{SHORT}+identity", options)
    folder = folder_of(victim)
    (folder / "cost.json").write_text("{}")
    assert find_victim(f"{SHORT}+identity", options).fingerprint == victim.fingerprint
    card = json.loads((folder / "recipe.json").read_text(encoding="utf-8"))
    (folder / "recipe.json").write_text(json.dumps(card | {"dev_f1": [1.0]}))
    assert find_victim(f"{SHORT}+identity", options).fingerprint != victim.fingerprint


def test_minilm_learns_by_mat(options):
    """One step over few sentences: frozen embeddings are perturbed, words masked and replaced; the adapter learns."""
    made = fitted(parse_name("minilm/mine(sentences=8,epochs=1)+mat(mask_rate=0.5,sentence_rate=1)"), options)
    assert made.name == "minilm/mine(epochs=1,sentences=8)+mat(sentence_rate=1.0,mask_rate=0.5)"
    weights = load_file(made.folder / "adapter_model.safetensors")
    learnt = [tensor.abs().sum() > 0 for key, tensor in weights.items() if "lora_B" in key]  # zero at first
    assert learnt
    assert all(learnt)


# --- on the command line ----------------------------------------------------------------------------------------------


def test_the_command_trains_lists_shows_and_runs_it(gauntlet, data):
    options = ("--data-dir", data, "--device", "cpu")
    defend = ("defend", "--defense", "mix-up", "--param", "n=4", "--victim", "cnn-lstm-crf", "--dataset", "mine")
    code, out, err = gauntlet(*defend, *options, "--epochs", "1", "--seed", "2", "--json")
    assert code == 0, err
    told = json.loads(out)
    name = "cnn-lstm-crf/mine(epochs=1,seed=2)+mix-up(n=4)"
    assert told["name"] == told["card"]["name"] == name
    assert told["card"]["made"] == {"added": 4, "wanted": 4}
    assert set(told["f1.strict"]) == {"dev", "test"}
    assert told["cost"]["training_seconds"] > 0
    _, out, _ = gauntlet("list", "victims", "--json")
    assert {"name": name, "kind": "defended"}.items() <= next(r for r in json.loads(out) if r["name"] == name).items()
    code, out, err = gauntlet(*defend, *options, "--epochs", "1", "--seed", "2")
    assert code == 0, err
    assert "sentences added: 4, wanted: 4" in out
    assert "F1 (strict)" in out
    run = ("run", "--attack", "identity", "--victim", name, "--dataset", "mine", "--limit", "2", "--dry-run", "--json")
    code, out, err = gauntlet(*run, *options)
    assert code == 0, err
    assert json.loads(out)[0]["victim"] == name


def test_the_command_lists_and_shows_defenses(gauntlet):
    _, out, _ = gauntlet("list", "defenses", "--json")
    rows = {row["name"]: row for row in json.loads(out)}
    assert set(rows) == set(DEFENSES)
    assert rows["spell-check"]["kind"] == "front end"
    _, out, _ = gauntlet("show", "mat", "--json")
    shown = json.loads(out)
    assert shown["parameters"]["mask_rate"] == 0.9
    assert "Masked Adversarial Training" in shown["paper"]
    assert "mat.py" in shown["defined in"]
    # An attack has this name, too.
    _, out, _ = gauntlet("show", "+identity", "--json")
    assert json.loads(out)["kind"] == "training"
    _, out, _ = gauntlet("show", "identity", "--json")
    assert "touches" in json.loads(out)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--defense", "mat", "--victim", "bert", "--dataset", "newsroom"), "'bert' is no architecture"),
        (("--defense", "spell-check", "--dataset", "newsroom"), "spell-check trains nothing: name a victim"),
        (("--defense", "mat", "--dataset", "newsroom", "--param", "omega"), "--param 'omega' is not NAME=VALUE"),
    ],
)
def test_what_cannot_be_trained_is_told(gauntlet, arguments, told):
    code, out, err = gauntlet("defend", *arguments)
    assert (code, out) == (2, "")
    assert told in " ".join(err.split())


def test_a_front_end_may_come_from_elsewhere_and_stand_before_any_victim(monkeypatch, options):
    trained_on = []

    @defense("whisper")
    class Whisper(FrontEnd):
        """Reads everything in lower case."""

        def before(self, victim, training):
            trained_on.append(len(training))
            victim.name = f"{victim.name}+whisper"
            return victim

    monkeypatch.setitem(DEFENSES._targets, "whisper", Whisper)
    assert find_victim(f"{SHORT}+mat+whisper", options).name == f"{SHORT}+mat+whisper"
    assert find_victim(f"path:{BUNDLED / 'minilm-newsroom'}+whisper").name == "path:minilm-newsroom+whisper"
    assert trained_on == [16, 0]
