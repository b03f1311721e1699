"""Transformers with a token-classification head, from the hub or from a folder.

Texts go through the network in fixed shapes, so that no answer depends on its neighbours; see `benchmark.word_pieces`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.device import choose_device, rows_per_forward
from benchmark.errors import BadInput
from benchmark.model_files import fetch_from_hub, fingerprint_of, load_transformer
from benchmark.threat import Access
from benchmark.types import Prediction, Tags, Tokens
from benchmark.victims.finding import POOLINGS, VictimOptions, require_pooling
from benchmark.victims.label_map import require_iob2_labels
from benchmark.word_pieces import LENGTH_STEP, WordPieces, fixed_shapes, positions, rows_of_one_shape

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

__all__ = ["TransformerVictim", "from_folder", "from_hub"]


class TransformerVictim:
    """A victim around a transformers model.

    Args:
        model: an `AutoModelForTokenClassification`.
        tokenizer: its fast tokenizer.
        name: the victim's name.
        fingerprint: of the files it was read from.
        device: torch device.
        pooling: how a word's distribution follows from its pieces': "first-piece" takes the first piece's;
            "characters" weighs pieces by their length in characters (as SeqAttack does).
    """

    access = Access.SCORES

    def __init__(
        self, model: Any, tokenizer: Any, name: str, fingerprint: str, device: torch.device, pooling: str = POOLINGS[0]
    ) -> None:
        require_pooling(pooling)
        self.name = name
        self.fingerprint = fingerprint
        self.unknown_word: str = tokenizer.unk_token or "[UNK]"
        self.labels: Tags = tuple(str(model.config.id2label[k]) for k in range(model.config.num_labels))
        self.rows = rows_per_forward(device)
        self.settings: Mapping[str, Any] = {
            "backend": f"torch-{device.type}",
            "precision": "float32",
            "pooling": pooling,
            "rows": self.rows,
            "length_step": LENGTH_STEP,
        }
        self._model = model.to(device).eval()
        self._device = device
        self._pieces = WordPieces(tokenizer, name)
        self.max_pieces = min(positions(model.config), tokenizer.model_max_length)

    def fits(self, tokens: Tokens) -> bool:
        """Tell whether the whole text goes into the model."""
        return len(tokens) > 0 and self._pieces.length(self._pieces.of(tokens)) <= self.max_pieces

    def predict(self, batch: Sequence[Tokens]) -> list[Prediction]:
        """Tag each text.

        Raises:
            BadInput: a text is longer than the model can read; ask `fits` first.
        """
        words = [self._pieces.of(tokens) for tokens in batch]
        lengths = [self._pieces.length(text) for text in words]
        longest = max(lengths, default=0)
        if longest > self.max_pieces:
            raise BadInput(f"a text of {longest} pieces is too long for {self.name} ({self.max_pieces} at most)")
        answers: dict[int, Prediction] = {}
        for length, group in fixed_shapes(lengths, self.rows, self.max_pieces):
            probabilities = self._forward([self._pieces.row(words[k]) for k in group], length)
            for k, row in zip(group, probabilities, strict=False):
                answers[k] = self._pool(words[k], row)
        return [answers[k] for k in range(len(batch))]

    def encode(self, tokens: Tokens) -> tuple[list[int], list[int]]:
        """Return the pieces of a text with the special ones, and the index of each word's first piece."""
        words = self._pieces.of(tokens)
        return self._pieces.row(words), self._pieces.starts(words)

    def _forward(self, texts: list[list[int]], length: int) -> NDArray[np.float32]:
        """Return (rows, length, labels) probabilities of each piece."""
        import torch

        ids, mask = rows_of_one_shape(texts, self.rows, length, self._pieces.tokenizer.pad_token_id or 0)
        with torch.inference_mode():
            logits = self._model(input_ids=ids.to(self._device), attention_mask=mask.to(self._device)).logits
            return logits.float().softmax(dim=-1).cpu().numpy()  # type: ignore[no-any-return]

    def _pool(self, words: list[tuple[int, ...]], pieces: NDArray[np.float32]) -> Prediction:
        """From pieces to words."""
        starts = self._pieces.starts(words)
        if self.settings["pooling"] == "first-piece":
            probabilities = pieces[starts]
            return Prediction(tuple(self.labels[k] for k in probabilities.argmax(axis=-1)), probabilities)
        rows = []
        tags = []
        for word, start in zip(words, starts, strict=True):
            weights = np.array([self._characters(piece) for piece in word], dtype=np.float32)
            own = pieces[start : start + len(word)]
            rows.append((weights[:, None] * own).sum(axis=0) / weights.sum())
            # SeqAttack lets each piece vote for its own label; this can differ from the argmax of the mean above.
            votes = np.zeros(len(self.labels), dtype=np.float32)
            np.add.at(votes, own.argmax(axis=-1), weights * own.max(axis=-1))
            tags.append(self.labels[int(votes.argmax())])
        return Prediction(tuple(tags), np.stack(rows))

    def _characters(self, piece: int) -> int:
        text = self._pieces.tokenizer.convert_ids_to_tokens(piece)
        return max(1, len(text.removeprefix("##").lstrip("\u0120\u2581")))


def from_folder(folder: str, options: VictimOptions) -> TransformerVictim:
    """Load a victim from a folder with safetensors weights, tokenizer and configuration, or one `gauntlet train` made.

    Raises:
        BadInput: no such folder, weights missing or pickled, labels not IOB2 and no label map given.
    """
    path = Path(folder)
    name = f"path:{path.resolve().name}"  # results name the folder, not where it lies on one machine
    if (path / "recipe.json").is_file():
        from benchmark.victims.minilm import load_adapter

        return load_adapter(path, name, options)
    return _load(path, name, options)


def from_hub(repository: str, options: VictimOptions) -> TransformerVictim:
    """Load a victim from the Hugging Face hub, `OWNER/MODEL` or `OWNER/MODEL@REVISION`; only safetensors are fetched.

    Raises:
        MissingResource: the hub cannot be reached or has no such repository.
        BadInput: as `from_folder`.
    """
    return _load(fetch_from_hub(repository, "victim"), f"hf:{repository}", options)


def _load(folder: Path, name: str, options: VictimOptions) -> TransformerVictim:
    model, tokenizer = load_transformer(folder, "AutoModelForTokenClassification", "token classifier")
    victim = TransformerVictim(
        model, tokenizer, name, fingerprint_of(folder), choose_device(options.device), options.pooling
    )
    if options.label_map is None:
        require_iob2_labels(victim.labels, str(folder))
    return victim
