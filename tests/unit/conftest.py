"""Fixtures shared by the unit tests."""

from __future__ import annotations

import pytest
from small_training import CPU, SENTENCES, made_up, new_trainee, small_network
from stubs import LABELS

from benchmark.metrics import Example
from benchmark.probe import Probe
from benchmark.victims.recipe import Recipe
from benchmark.victims.training import AdapterTrainee


@pytest.fixture
def candidates(monkeypatch):
    """The candidates that reach the victim, in order, those that are only measured left out."""
    found, judge = [], Probe._judge

    def spy(probe, candidate, prediction):
        found.append(candidate)
        return judge(probe, candidate, prediction)

    monkeypatch.setattr(Probe, "_judge", spy)
    return found


class StubJudges:
    """Finds everything alike and faultless."""

    def __init__(self):
        self.identity = {"similarity": "stub", "grammar_errors": "stub"}

    def judge(self, outcomes, sentences, *more):
        return [Example(outcome, 1.0, {}) for outcome in outcomes]


@pytest.fixture
def judges(monkeypatch):
    """Judges that load nothing."""
    monkeypatch.setattr("benchmark.judging.Judges.named", staticmethod(lambda *names: StubJudges()))


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """One tiny language model a family; all read 64 pieces at most."""
    from tiny_models import CAUSAL, MASKED, causal, save_masked

    from benchmark.resources.language_models.causal import CausalLanguageModel
    from benchmark.resources.language_models.masked import masked_model_from_folder

    root = tmp_path_factory.mktemp("models")
    found = {name: masked_model_from_folder(str(save_masked(root / name, name, 64)), CPU) for name in MASKED}
    for name in CAUSAL:
        found[name] = CausalLanguageModel(*causal(name, 64), name, f"tiny {name}", CPU)
    return found


@pytest.fixture(scope="module")
def small_glove(tmp_path_factory):
    """GloVe is a few words, and the CNN-LSTM-CRF narrow."""
    with small_network(tmp_path_factory.mktemp("glove")):
        yield


@pytest.fixture(scope="module")
def dataset():
    """Sixteen made-up sentences."""
    return made_up()


@pytest.fixture
def cnn(dataset):
    """A CNN-LSTM-CRF under training, on normalised embeddings."""
    trainee = new_trainee(dataset, normalised=True)
    trainee.network.eval()
    return trainee


@pytest.fixture(scope="module")
def minilm_in_training():
    """A MiniLM adapter under training."""
    trainee = AdapterTrainee(Recipe("minilm", "", "", 1), LABELS, SENTENCES, CPU)
    trainee.network.eval()
    return trainee
