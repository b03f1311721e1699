"""The CNN-LSTM-CRF under training, from nothing but GloVe."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmark.errors import BadInput, first_line
from benchmark.training.schedules import falling_to
from benchmark.training.trainee import Alternatives, Batch, Trainee
from benchmark.types import Sentence
from benchmark.victims.cnn_lstm_crf.victim import CnnLstmCrfVictim
from benchmark.victims.cnn_lstm_crf.vocabulary import MASK, UNKNOWN_CHARACTER, UNKNOWN_WORD, Vocabulary, glove
from benchmark.victims.recipe import CnnLstmCrfRecipe

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    from benchmark.contracts import Victim
    from benchmark.victims.cnn_lstm_crf.network import CnnLstmCrf, Rows

__all__ = ["CnnLstmCrfTrainee", "new_network"]

_LAST_RATE = 0.1  # of the learning rate, reached in equal ratios
_WEIGHTS, _VOCABULARY = "model.safetensors", "vocabulary.json"


class CnnLstmCrfTrainee(Trainee):
    """The network with fresh weights, but for the words that GloVe knows.

    What is looked up are the vectors of words and characters, in tables of these names. They are normalised if asked
    (see `normalising`); the stored tables then hold the normalised vectors.

    Args:
        recipe: of the training.
        labels: IOB2 labels.
        sentences: that give it its vocabulary.
        device: torch device.
        normalised: train on normalised embeddings.
    """

    schedule = staticmethod(falling_to(_LAST_RATE))
    longest_gradient = 5.0

    def __init__(
        self,
        recipe: CnnLstmCrfRecipe,
        labels: Sequence[str],
        sentences: Sequence[Sentence],
        device: torch.device,
        *,
        normalised: bool = False,
    ) -> None:
        import torch

        from benchmark.victims.cnn_lstm_crf.network import CnnLstmCrf
        from benchmark.victims.cnn_lstm_crf.normalising import NormalisedCnnLstmCrf

        self.device = device
        self.patience = recipe.patience
        self.normalised = normalised
        texts = [sentence.tokens for sentence in sentences]
        vocabulary = Vocabulary.of(texts, glove().words)
        words, characters = vocabulary.counts(texts)
        torch.manual_seed(recipe.seed)
        kind = NormalisedCnnLstmCrf if normalised else CnnLstmCrf
        self._network = new_network(vocabulary, labels, kind).to(device)
        if isinstance(self._network, NormalisedCnnLstmCrf):
            self._network.weigh(words, characters)
        self.network = self._network
        self.victim: Victim = CnnLstmCrfVictim(self._network, vocabulary, labels, "in training", "", device)
        self._vocabulary = vocabulary
        self._columns = {label: k for k, label in enumerate(labels)}
        self._chances = (
            _chances_of_unknown(vocabulary.words, words, recipe.unknown, len(vocabulary.others)),
            _chances_of_unknown(vocabulary.characters, characters, recipe.unknown),
        )

    def optimizer(self, rate: float) -> torch.optim.Optimizer:
        """See `Trainee`."""
        import torch

        return torch.optim.Adam(self.trained.values(), lr=rate)

    def begin_epoch(self, rng: random.Random) -> None:
        """Seed dropout and the draws of unknown words."""
        import torch

        torch.manual_seed(rng.getrandbits(63))

    def encode(self, sentences: Sequence[Sentence], room_for: Iterable[str] = ()) -> Batch:
        """Return a batch's rows, rare words taken for unknown ones by chance, and its (sentences, words) labels."""
        import torch

        from benchmark.victims.cnn_lstm_crf.network import rows_of_words

        texts = [[self._vocabulary.look_up(word) for word in sentence.tokens] for sentence in sentences]
        length = max(map(len, texts))
        longest = max(len(word.characters) for text in texts for word in text)
        longest = max(longest, *(len(self._vocabulary.look_up(word).characters) for word in room_for), 1)
        tags = torch.zeros((len(sentences), length), dtype=torch.long)
        for row, sentence in enumerate(sentences):
            tags[row, : len(sentence)] = torch.tensor([self._columns[tag] for tag in sentence.tags])
        rows = _with_unknown(rows_of_words(texts, len(sentences), length, longest), *self._chances)
        return Batch(sentences, rows.to(self.device), tags.to(self.device))

    def vectors(self, batch: Batch) -> dict[str, torch.Tensor]:
        """See `Trainee`."""
        return self._network.look_up(batch.inputs)._asdict()

    def present(self, batch: Batch) -> dict[str, torch.Tensor]:
        """See `Trainee`."""
        import torch

        rows: Rows = batch.inputs
        words = torch.arange(rows.words.shape[1], device=self.device) < rows.lengths[:, None]
        return {"words": words, "characters": ((rows.characters != 0) & words[:, :, None]).flatten(1)}

    def loss(self, batch: Batch, vectors: Mapping[str, torch.Tensor] | None = None) -> torch.Tensor:
        """Return the mean negative log-likelihood of the sentences."""
        from benchmark.victims.cnn_lstm_crf.network import Vectors

        if vectors is None:
            return self._network.loss(batch.inputs, batch.tags)
        emissions = self._network.emissions(Vectors(**vectors), batch.inputs)
        return -self._network.crf.log_likelihood(emissions, batch.tags, batch.inputs.lengths).mean()

    def with_words(self, batch: Batch, words: Mapping[tuple[int, int], str | None]) -> Batch:
        """See `Trainee`; a hidden word becomes the word `<Mask>` of one character, which is its own."""
        import torch

        rows: Rows = batch.inputs
        rows = rows._replace(words=rows.words.clone(), characters=rows.characters.clone())
        for (row, at), text in words.items():
            word, spelling = self._vocabulary.look_up(MASK if text is None else text)
            rows.words[row, at] = word
            rows.characters[row, at] = 0
            rows.characters[row, at, : len(spelling)] = torch.tensor(spelling, device=self.device)
        return batch._replace(inputs=rows)

    def alternatives(self, word: str) -> Alternatives:
        """Return the words of the training split, in lower case, and their vectors before any normalisation."""
        row, _ = self._vocabulary.look_up(word)
        first = self._vocabulary.words.index(MASK) + 1
        table = self._network.words.weight.detach()
        own = table[row] if row < len(table) else self._network.glove[row - len(table)]
        itself = row - first if first <= row < len(table) else None
        return Alternatives(self._vocabulary.words[first:], table[first:], own, itself)

    def scale(self, table: str) -> float:
        """See `Trainee`."""
        weight: torch.Tensor = getattr(self._network, table).weight
        return float(weight.detach().square().mean().sqrt())

    def state(self) -> dict[str, torch.Tensor]:
        """Return the weights as the victim needs them."""
        from benchmark.victims.cnn_lstm_crf.normalising import NormalisedCnnLstmCrf

        network = self._network
        state = network.normalised_state() if isinstance(network, NormalisedCnnLstmCrf) else network.state_dict()
        return {name: tensor.detach().cpu().clone() for name, tensor in state.items()}

    def continue_from(self, folder: Path) -> None:
        """See `Trainee`."""
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            vocabulary = (folder / _VOCABULARY).read_text(encoding="utf-8")
            if vocabulary != self._vocabulary.to_json():
                raise ValueError("it was trained on other words")
            self._network.load_state_dict(load_file(folder / _WEIGHTS))
        except (OSError, ValueError, RuntimeError, SafetensorError) as error:
            raise BadInput(f"training cannot go on from the victim in {folder}: {first_line(error)}") from None

    def save(self, state: Mapping[str, torch.Tensor], folder: Path) -> None:
        """Write weights and vocabulary."""
        from safetensors.torch import save_file

        save_file(dict(state), folder / _WEIGHTS)
        (folder / _VOCABULARY).write_text(self._vocabulary.to_json(), encoding="utf-8")


def new_network(vocabulary: Vocabulary, labels: Sequence[str], kind: type[CnnLstmCrf]) -> CnnLstmCrf:
    """Return a network with fresh weights, but for the words that GloVe knows."""
    import torch

    table = glove()
    network = kind(vocabulary, labels, table.of(vocabulary.others))
    known = [k for k, word in enumerate(vocabulary.words) if word in table.rows]
    with torch.no_grad():
        span = (3 / table.vectors.shape[1]) ** 0.5  # as Ma & Hovy, section 3.1
        network.words.weight.uniform_(-span, span)
        network.words.weight[known] = torch.from_numpy(table.of([vocabulary.words[k] for k in known]))
        network.characters.weight[1:].uniform_(-((3 / 30) ** 0.5), (3 / 30) ** 0.5)
    return network


def _chances_of_unknown(
    units: Sequence[str], counts: NDArray[np.int64], unknown: float, others: int = 0
) -> torch.Tensor:
    """Return for each word, or each character, the chance to be taken for an unknown one.

    Special ones never are, nor are the `others` that the training split does not have.
    """
    import torch

    chance = np.append(unknown / (unknown + counts), np.zeros(others))
    chance[: units.index(MASK) + 1] = 0
    return torch.from_numpy(chance.astype(np.float32))


def _with_unknown(rows: Rows, words: torch.Tensor, characters: torch.Tensor) -> Rows:
    """Take rare words and characters for unknown ones, by chance."""
    import torch

    return rows._replace(
        words=rows.words.masked_fill(torch.rand(rows.words.shape) < words[rows.words], UNKNOWN_WORD),
        characters=rows.characters.masked_fill(
            torch.rand(rows.characters.shape) < characters[rows.characters], UNKNOWN_CHARACTER
        ),
    )
