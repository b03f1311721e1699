"""Transformers with a token-classification head, from the hub or from a folder.

Texts go through the network in fixed shapes, so that no answer depends on its neighbours; see `benchmark.word_pieces`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.backends import AUTO, Batch, forward_of, network_of
from benchmark.device import choose_device, rows_per_forward
from benchmark.errors import BadInput
from benchmark.model_files import fetch_from_hub, fingerprint_of, load_transformer
from benchmark.threat import Access
from benchmark.types import Prediction, Tags, Tokens
from benchmark.victims.finding import POOLINGS, VictimOptions, require_pooling
from benchmark.victims.label_map import require_iob2_labels
from benchmark.victims.recipe import architecture_in
from benchmark.victims.white_box import EmbeddingTable, Units
from benchmark.word_pieces import LENGTH_STEP, WordPieces, fixed_shapes, padded, positions, rows_of_one_shape

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    from benchmark.victims.cnn_lstm_crf.victim import CnnLstmCrfVictim

__all__ = ["TransformerVictim", "from_folder", "from_hub"]


class TransformerVictim:
    """A victim around a transformers model.

    Args:
        model: an `AutoModelForTokenClassification`.
        tokenizer: its fast tokenizer.
        name: the victim's name.
        fingerprint: of the files it was read from.
        device: torch device.
        backend: see `benchmark.backends`.
        precision: see `benchmark.backends`.
        pooling: how a word's distribution follows from its pieces': "first-piece" takes the first piece's;
            "characters" weighs pieces by their length in characters (as SeqAttack does).
    """

    access = Access.GRADIENTS

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        name: str,
        fingerprint: str,
        device: torch.device,
        pooling: str = POOLINGS[0],
        backend: str = AUTO,
        precision: str = "float32",
    ) -> None:
        require_pooling(pooling)
        self.name = name
        self.fingerprint = fingerprint
        self.unknown_word: str = tokenizer.unk_token or "[UNK]"
        self.labels: Tags = tuple(str(model.config.id2label[k]) for k in range(model.config.num_labels))
        self._model = model.to(device).eval()
        self.max_pieces = min(positions(model.config), tokenizer.model_max_length)
        self._forward = forward_of(
            network_of(self._model, "logits"), model.config.vocab_size, self.max_pieces, device, backend, precision
        )
        self.settings: Mapping[str, Any] = {**self._forward.settings, "pooling": pooling}
        self._device = device
        self._pieces = WordPieces(tokenizer, name)

    def fits(self, tokens: Tokens) -> bool:
        """Tell whether the whole text goes into the model."""
        return len(tokens) > 0 and self._pieces.length(self._pieces.of(tokens)) <= self.max_pieces

    def predict(self, batch: Sequence[Tokens]) -> list[Prediction]:
        """Tag each text.

        Raises:
            BadInput: a text is longer than the model can read; ask `fits` first.
        """
        import torch

        rows, padding = self._forward.rows, self._pieces.tokenizer.pad_token_id or 0
        shapes = list(self._shapes(batch, rows, self._forward.length_step))
        batches = [
            Batch(*padded([self._pieces.row(text) for text in words], rows, length, padding))
            for length, _, words in shapes
        ]
        answers: dict[int, Prediction] = {}
        for (_, group, words), logits in zip(shapes, self._forward(batches), strict=True):
            probabilities = torch.from_numpy(logits).softmax(dim=-1).numpy()
            for k, text, row in zip(group, words, probabilities, strict=False):
                answers[k] = self._pool(text, row)
        return [answers[k] for k in range(len(batch))]

    @cached_property
    def tables(self) -> Mapping[str, EmbeddingTable]:
        """The word pieces' vectors, before positions and normalisation are added."""
        vectors = self._model.get_input_embeddings().weight.detach().float().cpu().numpy()
        texts = self._pieces.tokenizer.convert_ids_to_tokens(range(len(vectors)))
        return {"pieces": EmbeddingTable(vectors, texts, lambda word: self._pieces.of((word,))[0])}

    def batches(self, texts: Sequence[Tokens]) -> Iterator[tuple[list[int], Units]]:
        """See `WhiteBox`; what is looked up are word pieces. Gradients come from PyTorch whatever the back end.

        Raises:
            BadInput: as in `predict`.
        """
        import torch

        size = rows_per_forward(self._device)
        for length, group, words in self._shapes(texts, size, LENGTH_STEP):
            rows = [self._pieces.row(text) for text in words]
            ids, mask = rows_of_one_shape(rows, size, length, self._pieces.tokenizer.pad_token_id or 0)
            with torch.no_grad():
                vectors = self._model.get_input_embeddings()(ids.to(self._device))
            starts = [self._pieces.starts(text) for text in words]
            places = [
                [tuple(range(start, start + len(word))) for start, word in zip(own, text, strict=True)]
                for own, text in zip(starts, words, strict=True)
            ]
            weights = torch.zeros(size, length, length)  # no text has more words than pieces
            for row, text in enumerate(words):
                for word, (pieces, place) in enumerate(zip(text, places[row], strict=True)):
                    weights[row, word, list(place)] = torch.from_numpy(self._weights(pieces))
            yield (
                group,
                Units({"pieces": vectors}, (mask.to(self._device), weights.to(self._device)), {"pieces": places}),
            )

    def log_probabilities(self, vectors: Mapping[str, torch.Tensor], inputs: Any) -> torch.Tensor:
        """See `WhiteBox`; words without a place in a text get the log-probability zero."""
        import torch

        mask, weights = inputs
        logits: torch.Tensor = self._model(inputs_embeds=vectors["pieces"], attention_mask=mask).logits.float()
        if self.settings["pooling"] == "first-piece":
            # Each word is one piece, so its logarithm is exact however sure the model is.
            return torch.matmul(weights, logits.log_softmax(dim=-1))
        return torch.matmul(weights, logits.softmax(dim=-1)).clamp_min(1e-30).log()

    def encode(self, tokens: Tokens) -> tuple[list[int], list[int]]:
        """Return the pieces of a text with the special ones, and the index of each word's first piece."""
        words = self._pieces.of(tokens)
        return self._pieces.row(words), self._pieces.starts(words)

    def _shapes(
        self, texts: Sequence[Tokens], rows: int, step: int
    ) -> Iterator[tuple[int, list[int], list[list[tuple[int, ...]]]]]:
        """Yield length, indexes and words of texts that go through the network together."""
        words = [self._pieces.of(tokens) for tokens in texts]
        lengths = [self._pieces.length(text) for text in words]
        longest = max(lengths, default=0)
        if longest > self.max_pieces:
            raise BadInput(f"a text of {longest} pieces is too long for {self.name} ({self.max_pieces} at most)")
        for length, group in fixed_shapes(lengths, rows, self.max_pieces, step):
            yield length, group, [words[k] for k in group]

    def _pool(self, words: list[tuple[int, ...]], pieces: NDArray[np.float32]) -> Prediction:
        """From pieces to words."""
        starts = self._pieces.starts(words)
        if self.settings["pooling"] == "first-piece":
            probabilities = pieces[starts]
            return Prediction(tuple(self.labels[k] for k in probabilities.argmax(axis=-1)), probabilities)
        rows = []
        tags = []
        for word, start in zip(words, starts, strict=True):
            weights = self._weights(word)
            own = pieces[start : start + len(word)]
            rows.append((weights[:, None] * own).sum(axis=0))
            # SeqAttack lets each piece vote for its own label; this can differ from the argmax of the mean above.
            votes = np.zeros(len(self.labels), dtype=np.float32)
            np.add.at(votes, own.argmax(axis=-1), weights * own.max(axis=-1))
            tags.append(self.labels[int(votes.argmax())])
        return Prediction(tuple(tags), np.stack(rows))

    def _weights(self, word: tuple[int, ...]) -> NDArray[np.float32]:
        """Return the share of each of a word's pieces in the word's distribution."""
        if self.settings["pooling"] == "first-piece":
            first = np.zeros(len(word), dtype=np.float32)
            first[0] = 1
            return first
        characters = np.array([self._characters(piece) for piece in word], dtype=np.float32)
        characters /= characters.sum()
        return characters

    def _characters(self, piece: int) -> int:
        text = self._pieces.tokenizer.convert_ids_to_tokens(piece)
        return max(1, len(text.removeprefix("##").lstrip("\u0120\u2581")))


def from_folder(folder: str, options: VictimOptions) -> TransformerVictim | CnnLstmCrfVictim:
    """Load a victim from a folder with safetensors weights, tokenizer and configuration, or one `gauntlet train` made.

    Raises:
        BadInput: no such folder, weights missing or pickled, labels not IOB2 and no label map given.
    """
    path = Path(folder)
    name = f"path:{path.resolve().name}"  # results name the folder, not where it lies on one machine
    if (path / "recipe.json").is_file():
        if architecture_in(path) == "cnn-lstm-crf":
            from benchmark.victims.cnn_lstm_crf import load_folder

            return load_folder(path, name, options)
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
        model,
        tokenizer,
        name,
        fingerprint_of(folder),
        choose_device(options.device),
        options.pooling,
        options.backend,
        options.precision,
    )
    if options.label_map is None:
        require_iob2_labels(victim.labels, str(folder))
    return victim
