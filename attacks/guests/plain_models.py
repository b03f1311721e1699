"""Models as other projects run them: texts in the order they come, padded to the longest beside them.

They share weights, word pieces and pooling with the models they are made from, so that they give the same answers, up
to the rounding that comes with other shapes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from benchmark.backends import Batch
from benchmark.resources.language_models.masked import MaskedLanguageModel
from benchmark.victims.transformer import TransformerVictim
from benchmark.word_pieces import padded

if TYPE_CHECKING:
    import torch

    from benchmark.types import Prediction, Tokens

__all__ = ["PlainLanguageModel", "PlainVictim"]


class PlainVictim(TransformerVictim):
    """A victim that takes texts in batches as they come.

    Args:
        victim: loaded.
        batch: texts a forward, at most.
    """

    def __init__(self, victim: TransformerVictim, batch: int) -> None:
        import torch

        vars(self).update(vars(victim))
        self._batch = batch
        # PyTorch spreads a forward over all cores, other back ends spread forwards, so they get one for each core.
        self._parts = 1 if str(self.settings["backend"]).startswith("torch") else torch.get_num_threads()

    def predict(self, batch: Sequence[Tokens]) -> list[Prediction]:
        """Tag each text."""
        import torch

        answers: list[Prediction] = []
        for start in range(0, len(batch), self._batch):
            words = [self._pieces.of(text) for text in batch[start : start + self._batch]]
            logits = np.concatenate(self._forward(self._padded([self._pieces.row(text) for text in words])))
            probabilities = torch.from_numpy(logits).softmax(dim=-1).numpy()
            answers += [self._pool(text, row) for text, row in zip(words, probabilities, strict=True)]
        return answers

    def _padded(self, rows: Sequence[list[int]]) -> list[Batch]:
        """Pad rows to the longest."""
        longest, size = max(map(len, rows)), -(-len(rows) // self._parts)
        parts = [rows[start : start + size] for start in range(0, len(rows), size)]
        return [Batch(*padded(part, len(part), longest, self._pieces.tokenizer.pad_token_id or 0)) for part in parts]


class PlainLanguageModel(MaskedLanguageModel):
    """A language model that fills one gap a forward.

    Args:
        model: loaded.
    """

    def __init__(self, model: MaskedLanguageModel) -> None:
        vars(self).update(vars(model))

    def _log_probabilities(
        self, places: Mapping[tuple[int, ...], Iterable[int]]
    ) -> Iterator[tuple[tuple[int, ...], int, torch.Tensor]]:
        """Yield text, place and (vocabulary,) log-probabilities, a text a forward."""
        import torch

        for row, own in places.items():
            ids = torch.tensor([row], device=self._device)
            with torch.inference_mode():
                (encoded,) = self._encode(input_ids=ids, attention_mask=torch.ones_like(ids))
                at = list(own)
                scores = self._head(encoded[at]).float().log_softmax(-1).cpu()
            for place, numbers in zip(at, scores, strict=True):
                yield row, place, numbers
