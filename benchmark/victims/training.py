"""MiniLM under training: low-rank adapter and head on a frozen encoder."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from benchmark.errors import BadInput, first_line
from benchmark.quiet import silent_transformers
from benchmark.resources.encoders import minilm_folder
from benchmark.training.schedules import warm_up_then_decay
from benchmark.training.trainee import Alternatives, Batch, Trainee
from benchmark.types import Sentence
from benchmark.victims.recipe import Recipe
from benchmark.victims.transformer import TransformerVictim
from benchmark.word_pieces import WordPieces

if TYPE_CHECKING:
    import torch

    from benchmark.contracts import Victim

__all__ = ["AdapterTrainee", "with_adapter"]

_IGNORE = -100  # transformers' mark for pieces without a label
_DROPOUT = 0.1
_TABLE = "pieces"
_WEIGHTS = "adapter_model.safetensors"
# Sentences that are read to see whether a network is alive, and how far what it says of their words must spread.
_SIGNS_OF_LIFE = 32
_ALIVE = 1e-3


class _WordsOfASize(NamedTuple):
    """Words that are as many pieces: their texts, the means of their pieces' vectors, and by pieces their rows."""

    words: Sequence[str]
    vectors: torch.Tensor
    rows: Mapping[tuple[int, ...], int]


class AdapterTrainee(Trainee):
    """MiniLM with a fresh adapter and head; its embeddings are frozen and never normalised.

    What is looked up are the vectors of word pieces, in the one table "pieces".

    Args:
        recipe: of the training.
        labels: IOB2 labels.
        sentences: whose words are alternatives of one another.
        device: torch device.
    """

    schedule = staticmethod(warm_up_then_decay)
    longest_gradient = 1.0

    def __init__(
        self, recipe: Recipe, labels: Sequence[str], sentences: Sequence[Sentence], device: torch.device
    ) -> None:
        import torch
        from peft import LoraConfig, TaskType, get_peft_model
        from transformers import AutoTokenizer

        torch.manual_seed(recipe.seed)
        config = LoraConfig(
            task_type=TaskType.TOKEN_CLS,
            r=recipe.rank,
            lora_alpha=2 * recipe.rank,
            lora_dropout=_DROPOUT,
            target_modules="all-linear",
            modules_to_save=["classifier"],
        )
        self.device = device
        self._model: Any = get_peft_model(_fresh_model(minilm_folder(), labels), config).to(device)
        self.network = self._model
        tokenizer = AutoTokenizer.from_pretrained(minilm_folder())
        # Its weights still change, so no other library may hold a copy of them.
        self._reader = TransformerVictim(self._model, tokenizer, "in training", "", device, backend="torch")
        self.victim: Victim = self._reader
        self._columns = {label: k for k, label in enumerate(labels)}
        self._words = WordPieces(tokenizer, recipe.architecture)
        self._mask: int = tokenizer.mask_token_id
        self._sentences = sentences
        self._by_size: dict[int, _WordsOfASize] = {}
        self._architecture = recipe.architecture

    def optimizer(self, rate: float) -> torch.optim.Optimizer:
        """See `Trainee`."""
        import torch

        return torch.optim.AdamW(self.trained.values(), lr=rate)

    def is_dead(self, sentences: Sequence[Sentence]) -> bool:
        """Tell whether the network says the same of every word."""
        texts = [s.tokens for s in sentences[:_SIGNS_OF_LIFE] if self.victim.fits(s.tokens)]
        said = np.concatenate([answer.probabilities for answer in self.victim.predict(texts)])
        return float(said.std(axis=0).max()) < _ALIVE

    def encode(self, sentences: Sequence[Sentence], room_for: Iterable[str] = ()) -> Batch:  # noqa: ARG002
        """Put pieces, mask and labels into tensors of one length; alternatives have as many pieces, so they have room.

        Only the first piece of a word has a label. Long sentences are cut here.
        """
        import torch

        rows = [self._reader.encode(sentence.tokens) for sentence in sentences]
        length = max(len(pieces) for pieces, _ in rows)
        ids = torch.zeros((len(sentences), length), dtype=torch.long)
        mask = torch.zeros_like(ids)
        wanted = torch.full_like(ids, _IGNORE)
        for k, (sentence, (pieces, starts)) in enumerate(zip(sentences, rows, strict=True)):
            ids[k, : len(pieces)] = torch.tensor(pieces)
            mask[k, : len(pieces)] = 1
            for start, tag in zip(starts, sentence.tags, strict=True):
                wanted[k, start] = self._columns[tag]
        longest = self._reader.max_pieces
        inputs = ids[:, :longest].to(self.device), mask[:, :longest].to(self.device)
        return Batch(sentences, inputs, wanted[:, :longest].to(self.device))

    def vectors(self, batch: Batch) -> dict[str, torch.Tensor]:
        """See `Trainee`."""
        ids, _ = batch.inputs
        return {_TABLE: self._model.get_input_embeddings()(ids).detach().requires_grad_()}

    def present(self, batch: Batch) -> dict[str, torch.Tensor]:
        """See `Trainee`; the special pieces at both ends belong to the text."""
        return {_TABLE: batch.inputs[1].bool()}

    def loss(self, batch: Batch, vectors: Mapping[str, torch.Tensor] | None = None) -> torch.Tensor:
        """Return the mean cross-entropy over the words."""
        ids, mask = batch.inputs
        read = {"input_ids": ids} if vectors is None else {"inputs_embeds": vectors[_TABLE]}
        loss: torch.Tensor = self._model(**read, attention_mask=mask, labels=batch.tags).loss
        return loss

    def with_words(self, batch: Batch, words: Mapping[tuple[int, int], str | None]) -> Batch:
        """See `Trainee`; a hidden word has the mask in the place of each of its pieces."""
        import torch

        ids, mask = batch.inputs
        ids = ids.clone()
        for (row, at), word in words.items():
            tokens = batch.sentences[row].tokens
            _, starts = self._reader.encode(tokens)
            (own,) = self._words.of((tokens[at],))
            new = (self._mask,) * len(own) if word is None else self._words.of((word,))[0]
            assert len(new) == len(own)
            there = ids[row, starts[at] : starts[at] + len(own)]  # fewer, or none, where a long sentence was cut
            there.copy_(torch.tensor(new[: len(there)]))
        return batch._replace(inputs=(ids, mask))

    def alternatives(self, word: str) -> Alternatives:
        """Return the words of as many pieces, as the tokenizer tells words apart."""
        (pieces,) = self._words.of((word,))
        words, vectors, rows = self._of_size(len(pieces))
        return Alternatives(words, vectors, self._table[list(pieces)].mean(0), rows.get(pieces))

    def scale(self, table: str) -> float:  # noqa: ARG002 - there is one only
        """See `Trainee`."""
        return float(self._table.square().mean().sqrt())

    def state(self) -> dict[str, torch.Tensor]:
        """Return adapter and head."""
        from peft import get_peft_model_state_dict

        return {name: tensor.detach().cpu().clone() for name, tensor in get_peft_model_state_dict(self._model).items()}

    def continue_from(self, folder: Path) -> None:
        """See `Trainee`."""
        from peft import set_peft_model_state_dict
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            stored = {name: tensor.float() for name, tensor in load_file(folder / _WEIGHTS).items()}
            wanted = self.state()
            if {name: t.shape for name, t in stored.items()} != {name: t.shape for name, t in wanted.items()}:
                raise ValueError("it is of another shape")
        except (OSError, ValueError, SafetensorError) as error:
            raise BadInput(f"training cannot go on from the adapter in {folder}: {first_line(error)}") from None
        set_peft_model_state_dict(self._model, stored)

    def save(self, state: Mapping[str, torch.Tensor], folder: Path) -> None:
        """Write the adapter in half precision, with its configuration."""
        from safetensors.torch import save_file

        save_file({name: tensor.half() for name, tensor in state.items()}, folder / _WEIGHTS)
        config = self._model.peft_config["default"].to_dict()
        config |= {"base_model_name_or_path": self._architecture, "inference_mode": True}
        config = {key: sorted(value) if isinstance(value, set) else value for key, value in config.items()}
        text = json.dumps(config, indent=1, sort_keys=True)
        (folder / "adapter_config.json").write_text(text + "\n", encoding="utf-8")

    @cached_property
    def _table(self) -> torch.Tensor:
        """The frozen vectors of all pieces."""
        table: torch.Tensor = self._model.get_input_embeddings().weight.detach()
        return table

    def _of_size(self, size: int) -> _WordsOfASize:
        """Return the training words of so many pieces; of those that the tokenizer does not tell apart the first."""
        import torch

        if size not in self._by_size:
            texts = tuple(sorted({word for sentence in self._sentences for word in sentence.tokens}, reverse=True))
            found = {pieces: word for word, pieces in zip(texts, self._words.of(texts), strict=True)}
            found = {pieces: word for pieces, word in found.items() if len(pieces) == size}
            ids = torch.tensor(list(found), dtype=torch.long, device=self.device).reshape(-1, size)
            rows = {pieces: row for row, pieces in enumerate(found)}
            self._by_size[size] = _WordsOfASize(list(found.values()), self._table[ids].mean(1), rows)
        return self._by_size[size]


def with_adapter(base: Path, folder: Path, labels: Sequence[str]) -> Any:
    """Return the encoder with the adapter of `folder` merged into it.

    Raises:
        BadInput: the adapter does not fit.
    """
    from peft import PeftModel
    from safetensors import SafetensorError

    try:
        return PeftModel.from_pretrained(_fresh_model(base, labels), str(folder)).merge_and_unload()
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, AttributeError, SafetensorError) as error:
        raise BadInput(f"the adapter in {folder} cannot be loaded: {first_line(error)}") from error


def _fresh_model(base: Path, labels: Sequence[str]) -> Any:
    import torch
    from transformers import AutoModelForTokenClassification

    with silent_transformers():  # the head is new on purpose
        return AutoModelForTokenClassification.from_pretrained(
            base,
            id2label=dict(enumerate(labels)),
            label2id={label: k for k, label in enumerate(labels)},
            use_safetensors=True,
            dtype=torch.float32,
        )
