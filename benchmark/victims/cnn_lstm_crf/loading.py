"""From a data set's name or a folder to a CNN-LSTM-CRF."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from benchmark.datasets import Dataset
from benchmark.device import choose_device
from benchmark.errors import BadInput, first_line
from benchmark.training.architecture import Architecture
from benchmark.types import Sentence
from benchmark.victims.cnn_lstm_crf.victim import LONGEST_TEXT, CnnLstmCrfVictim
from benchmark.victims.cnn_lstm_crf.vocabulary import glove, read_vocabulary
from benchmark.victims.finding import VictimOptions, require_own_backend
from benchmark.victims.label_map import require_iob2_labels
from benchmark.victims.recipe import CARD, CnnLstmCrfRecipe, TrainingRecipe, trained_fingerprint

if TYPE_CHECKING:
    import torch

    from benchmark.victims.cnn_lstm_crf.training import CnnLstmCrfTrainee

__all__ = ["CNN_LSTM_CRF", "load_folder"]


class _CnnLstmCrf(Architecture):
    name = "cnn-lstm-crf"

    def recipe_for(self, dataset: Dataset) -> CnnLstmCrfRecipe:
        """Fifteen epochs at most; up to 200 where there are few sentences."""
        epochs = min(200, max(15, -(-75_000 // len(dataset.split("train")))))
        return CnnLstmCrfRecipe(
            self.name,
            dataset.hash("train"),
            dataset.hash("dev"),
            epochs=epochs,
            patience=epochs // 5,
            word_vectors=glove().fingerprint,
        )

    def trainee(
        self,
        recipe: TrainingRecipe,
        labels: Sequence[str],
        sentences: Sequence[Sentence],
        device: torch.device,
        *,
        normalised: bool = False,
    ) -> CnnLstmCrfTrainee:
        """See `Architecture`."""
        from benchmark.victims.cnn_lstm_crf.training import CnnLstmCrfTrainee

        return CnnLstmCrfTrainee(cast("CnnLstmCrfRecipe", recipe), labels, sentences, device, normalised=normalised)

    def readable(self, sentences: Sequence[Sentence]) -> list[Sentence]:
        """Return those that the victim could read (512 words at most)."""
        return [sentence for sentence in sentences if len(sentence) <= LONGEST_TEXT]

    def require(self, options: VictimOptions) -> None:
        """Refuse another back end than PyTorch."""
        require_own_backend(options, self.name, "torch")

    def load(self, folder: Path, name: str, options: VictimOptions) -> CnnLstmCrfVictim:
        """See `Architecture`."""
        return load_folder(folder, name, options)


CNN_LSTM_CRF = _CnnLstmCrf()


def load_folder(folder: Path, name: str, options: VictimOptions) -> CnnLstmCrfVictim:
    """Load what `gauntlet train` made.

    Raises:
        BadInput: the folder's files are not as they should be, or another back end than PyTorch is asked for.
        MissingResource: GloVe is not installed.
    """
    CNN_LSTM_CRF.require(options)
    table = glove()
    again = "delete the folder to train it again"
    try:
        card: dict[str, Any] = json.loads((folder / CARD).read_text(encoding="utf-8"))
        labels, recipe, vectors = list(map(str, card["labels"])), str(card["id"]), card["word_vectors"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        told = f"{type(error).__name__}: {first_line(error)}"
        raise BadInput(f"the card of the victim in {folder} is damaged ({told}); {again}") from None
    if vectors != table.fingerprint:
        raise BadInput(f"the victim in {folder} was trained on other word vectors than are installed; {again}")
    require_iob2_labels(labels, str(folder))
    weights = folder / "model.safetensors"
    if not weights.is_file():
        raise BadInput(f"the victim in {folder} has no model.safetensors; weights in other forms are not read")
    vocabulary = read_vocabulary(folder / "vocabulary.json", table.words)
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from benchmark.victims.cnn_lstm_crf.network import CnnLstmCrf
    from benchmark.victims.cnn_lstm_crf.normalising import GLOVE_MEAN, GLOVE_SPREAD

    others = table.of(vocabulary.others)
    try:
        stored = load_file(weights)
        if GLOVE_MEAN in stored:  # the words that training did not see are looked up as those that it saw
            others = (others - stored.pop(GLOVE_MEAN).numpy()) / stored.pop(GLOVE_SPREAD).numpy()
        network = CnnLstmCrf(vocabulary, labels, others)
        network.load_state_dict(stored)
    except (OSError, KeyError, ValueError, RuntimeError, SafetensorError) as error:
        raise BadInput(f"the weights in {folder} do not fit ({first_line(error)}); {again}") from None
    fingerprint = f"{table.fingerprint[:32]}{trained_fingerprint(folder)[:32]}"
    victim = CnnLstmCrfVictim(network.eval(), vocabulary, labels, name, fingerprint, choose_device(options.device))
    victim.settings = {**victim.settings, "recipe": recipe}
    return victim
