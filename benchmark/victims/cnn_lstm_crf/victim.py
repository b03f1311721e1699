"""The CNN-LSTM-CRF as a victim, with its inside open.

Texts go through the network in fixed shapes, as in `benchmark.word_pieces`: the text alone decides the shape in which
it is read, by its length and by its longest word, so that no answer depends on its neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from benchmark.device import rows_per_forward
from benchmark.errors import BadInput
from benchmark.threat import Access
from benchmark.types import Prediction, Tags, Tokens
from benchmark.victims.cnn_lstm_crf.vocabulary import UNKNOWN, LookedUp, Vocabulary
from benchmark.victims.white_box import EmbeddingTable, Units
from benchmark.word_pieces import LENGTH_STEP, fixed_shapes

if TYPE_CHECKING:
    import torch

    from benchmark.victims.cnn_lstm_crf.network import CnnLstmCrf, Rows

__all__ = ["CnnLstmCrfVictim"]

LONGEST_TEXT = 512
_SHORTEST_SPELLING = 16


class CnnLstmCrfVictim:
    """A victim around the network.

    Tags are the most probable sequence (Viterbi), probabilities the marginals of each word. A word's tag may differ
    from its most probable label: the best sequence need not hold the best label at every place.

    Args:
        network: in evaluation mode.
        vocabulary: of its tables.
        labels: in the order of its columns.
        name: the victim's name.
        fingerprint: of the files it was read from.
        device: torch device.
    """

    access = Access.GRADIENTS
    unknown_word = UNKNOWN

    def __init__(
        self,
        network: CnnLstmCrf,
        vocabulary: Vocabulary,
        labels: Sequence[str],
        name: str,
        fingerprint: str,
        device: torch.device,
    ) -> None:
        self.name = name
        self.fingerprint = fingerprint
        self.labels: Tags = tuple(labels)
        self.rows = rows_per_forward(device)
        self.settings: Mapping[str, Any] = {
            "backend": f"torch-{device.type}",
            "precision": "float32",
            "rows": self.rows,
            "length_step": LENGTH_STEP,
            "shortest_spelling": _SHORTEST_SPELLING,
        }
        self._network = network.to(device)
        self._vocabulary = vocabulary
        self._device = device

    def fits(self, tokens: Tokens) -> bool:
        """Tell whether the whole text goes into the model; a word may have any length."""
        return 0 < len(tokens) <= LONGEST_TEXT

    def predict(self, batch: Sequence[Tokens]) -> list[Prediction]:
        """Tag each text.

        Raises:
            BadInput: a text is empty or longer than the model can read; ask `fits` first.
        """
        import torch

        answers: dict[int, Prediction] = {}
        for shape in self._shapes(batch):
            rows = self._rows(shape)
            with torch.inference_mode():
                emissions = self._network.emissions(self._network.look_up(rows), rows)
                paths = self._network.crf.decode(emissions, rows.lengths)
                marginals = self._network.crf.log_marginals(emissions, rows.lengths).exp().float().cpu().numpy()
            for k, text, path, own in zip(shape.members, shape.texts, paths, marginals, strict=False):
                answers[k] = Prediction(tuple(self.labels[label] for label in path), own[: len(text)])
        return [answers[k] for k in range(len(batch))]

    @cached_property
    def tables(self) -> Mapping[str, EmbeddingTable]:
        """Words, those that training did not see included, and characters."""
        vocabulary, network = self._vocabulary, self._network
        own, glove = (table.detach().cpu().numpy() for table in (network.words.weight, network.glove))
        return {
            "words": EmbeddingTable(
                np.concatenate([own, glove]),
                [*vocabulary.words, *vocabulary.others],
                lambda word: (vocabulary.look_up(word).word,),
            ),
            "characters": EmbeddingTable(
                network.characters.weight.detach().cpu().numpy(),
                vocabulary.characters,
                lambda word: vocabulary.look_up(word).characters,
            ),
        }

    def batches(self, texts: Sequence[Tokens]) -> Iterator[tuple[list[int], Units]]:
        """See `WhiteBox`; what is looked up are words and characters.

        Raises:
            BadInput: as in `predict`.
        """
        import torch

        for shape in self._shapes(texts):
            rows = self._rows(shape)
            with torch.no_grad():
                vectors = self._network.look_up(rows)
            places: dict[str, list[list[tuple[int, ...]]]] = {
                "words": [[(k,) for k in range(len(text))] for text in shape.texts],
                "characters": [
                    [tuple(k * shape.longest + c for c in range(len(word.characters))) for k, word in enumerate(text)]
                    for text in shape.texts
                ],
            }
            yield shape.members, Units(vectors._asdict(), rows, places)

    def log_probabilities(self, vectors: Mapping[str, torch.Tensor], inputs: Any) -> torch.Tensor:
        """See `WhiteBox`: log-marginals; places beyond a text's end get zero."""
        from benchmark.victims.cnn_lstm_crf.network import Vectors

        emissions = self._network.emissions(Vectors(**vectors), inputs)
        return self._network.crf.log_marginals(emissions, inputs.lengths).float()

    def _shapes(self, texts: Sequence[Tokens]) -> Iterator[_Shape]:
        looked_up = [[self._vocabulary.look_up(word) for word in tokens] for tokens in texts]
        buckets: dict[int, list[int]] = {}
        for k, text in enumerate(looked_up):
            if not 0 < len(text) <= LONGEST_TEXT:
                raise BadInput(f"{self.name} reads texts of 1 to {LONGEST_TEXT} words, not of {len(text)}")
            # Powers of two, so that a word of any length has a shape and there are few of them.
            longest = max(len(word.characters) for word in text)
            buckets.setdefault(max(_SHORTEST_SPELLING, 1 << (longest - 1).bit_length()), []).append(k)
        for longest, members in sorted(buckets.items()):
            lengths = [len(looked_up[k]) for k in members]
            for length, group in fixed_shapes(lengths, self.rows, LONGEST_TEXT):
                chosen = [members[k] for k in group]
                yield _Shape(length, longest, chosen, [looked_up[k] for k in chosen])

    def _rows(self, shape: _Shape) -> Rows:
        from benchmark.victims.cnn_lstm_crf.network import rows_of_words

        return rows_of_words(shape.texts, self.rows, shape.length, shape.longest).to(self._device)


class _Shape(NamedTuple):
    """Texts that go through the network together: padded length and spelling, the texts' indexes and their words."""

    length: int
    longest: int
    members: list[int]
    texts: list[list[LookedUp]]
