"""Transformers with a token-classification head, from the hub or from a folder.

Independent answers. The same text gives the same bits whatever stands beside it only if the matrices that go through
the network have the same shape. So texts are grouped by length (rounded up to a multiple of `LENGTH_STEP` pieces) and
every forward has exactly `rows` texts; the last one is filled up. A test checks this promise on the real MiniLM.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.device import choose_device, rows_per_forward
from benchmark.errors import BadInput, MissingResource, first_line
from benchmark.threat import Access
from benchmark.types import Prediction, Tags, Tokens
from benchmark.victims.finding import POOLINGS, VictimOptions, require_pooling
from benchmark.victims.label_map import require_iob2_labels

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

__all__ = ["TransformerVictim", "fingerprint_of", "from_folder", "from_hub", "silent_transformers"]

LENGTH_STEP = 8
# Everything a token classifier is read from. Weights come as safetensors only: a pickle can run code when it is read.
_FILES = (
    *("*.safetensors", "*.safetensors.index.json", "config.json", "tokenizer*", "special_tokens_map.json"),
    *("added_tokens.json", "vocab*", "merges.txt", "*.model"),
)
_TOKENIZER = ("tokenizer.json", "vocab*", "*.model", "merges.txt")
_PICKLES = ("pytorch_model*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")


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
        if not tokenizer.is_fast:
            raise BadInput(f"the tokenizer of {name} is not a fast one; convert it with transformers first")
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
        self._tokenizer = tokenizer
        self._device = device
        self._pieces: dict[str, tuple[int, ...]] = {}
        self._prefix, self._suffix = self._special_pieces()
        self.max_pieces = min(_positions(model.config), tokenizer.model_max_length)

    def fits(self, tokens: Tokens) -> bool:
        """Tell whether the whole text goes into the model."""
        return len(tokens) > 0 and sum(map(len, self._pieces_of(tokens))) + self._overhead <= self.max_pieces

    def predict(self, batch: Sequence[Tokens]) -> list[Prediction]:
        """Tag each text.

        Raises:
            BadInput: a text is longer than the model can read; ask `fits` first.
        """
        words = [self._pieces_of(tokens) for tokens in batch]
        buckets: dict[int, list[int]] = {}
        for k, pieces in enumerate(words):
            length = sum(map(len, pieces)) + self._overhead
            if length > self.max_pieces:
                raise BadInput(f"a text of {length} pieces is too long for {self.name} ({self.max_pieces} at most)")
            buckets.setdefault(min(-(-length // LENGTH_STEP) * LENGTH_STEP, self.max_pieces), []).append(k)
        answers: dict[int, Prediction] = {}
        for length, members in sorted(buckets.items()):
            for start in range(0, len(members), self.rows):
                group = members[start : start + self.rows]
                probabilities = self._forward([words[k] for k in group], length)
                for k, row in zip(group, probabilities, strict=False):
                    answers[k] = self._pool(words[k], row)
        return [answers[k] for k in range(len(batch))]

    def encode(self, tokens: Tokens) -> tuple[list[int], list[int]]:
        """Return the pieces of a text with the special ones, and the index of each word's first piece."""
        words = self._pieces_of(tokens)
        pieces = [*self._prefix, *(piece for word in words for piece in word), *self._suffix]
        ends = np.cumsum([len(word) for word in words]) + len(self._prefix)
        return pieces, [int(end) - len(word) for end, word in zip(ends, words, strict=True)]

    def _forward(self, texts: list[list[tuple[int, ...]]], length: int) -> NDArray[np.float32]:
        """Return (rows, length, labels) probabilities of each piece."""
        import torch

        ids = torch.full((self.rows, length), self._tokenizer.pad_token_id or 0)
        mask = torch.zeros((self.rows, length), dtype=torch.long)
        for row in range(self.rows):
            text = texts[row] if row < len(texts) else texts[0]
            pieces = [*self._prefix, *(piece for word in text for piece in word), *self._suffix]
            ids[row, : len(pieces)] = torch.tensor(pieces)
            mask[row, : len(pieces)] = 1
        with torch.inference_mode():
            logits = self._model(input_ids=ids.to(self._device), attention_mask=mask.to(self._device)).logits
            return logits.float().softmax(dim=-1).cpu().numpy()  # type: ignore[no-any-return]

    def _pool(self, words: list[tuple[int, ...]], pieces: NDArray[np.float32]) -> Prediction:
        """From pieces to words."""
        ends = np.cumsum([len(word) for word in words]) + len(self._prefix)
        starts = ends - [len(word) for word in words]
        if self.settings["pooling"] == "first-piece":
            probabilities = pieces[starts]
            return Prediction(tuple(self.labels[k] for k in probabilities.argmax(axis=-1)), probabilities)
        rows = []
        tags = []
        for word, start, end in zip(words, starts, ends, strict=True):
            weights = np.array([self._characters(piece) for piece in word], dtype=np.float32)
            own = pieces[start:end]
            rows.append((weights[:, None] * own).sum(axis=0) / weights.sum())
            # SeqAttack lets each piece vote for its own label; this can differ from the argmax of the mean above.
            votes = np.zeros(len(self.labels), dtype=np.float32)
            np.add.at(votes, own.argmax(axis=-1), weights * own.max(axis=-1))
            tags.append(self.labels[int(votes.argmax())])
        return Prediction(tuple(tags), np.stack(rows))

    def _pieces_of(self, tokens: Tokens) -> list[tuple[int, ...]]:
        """Cut words into pieces, each word by itself, remembered. A word that normalises to nothing is unknown."""
        new = [word for word in dict.fromkeys(tokens) if word not in self._pieces]
        if new:
            encoded = self._tokenizer([[word] for word in new], is_split_into_words=True, add_special_tokens=False)
            if len(self._pieces) > 500_000:  # noqa: PLR2004 - bounds memory in runs with endless misspellings
                self._pieces.clear()
                return self._pieces_of(tokens)
            for word, pieces in zip(new, encoded["input_ids"], strict=True):
                self._pieces[word] = tuple(pieces) or (self._tokenizer.unk_token_id,)
        return [self._pieces[word] for word in tokens]

    @property
    def _overhead(self) -> int:
        return len(self._prefix) + len(self._suffix)

    def _special_pieces(self) -> tuple[list[int], list[int]]:
        """Find what the tokenizer puts before and after a text."""
        (word,) = self._pieces_of(("a",))
        whole = self._tokenizer([["a"]], is_split_into_words=True)["input_ids"][0]
        at = next(k for k in range(len(whole)) if tuple(whole[k : k + len(word)]) == word)
        return list(whole[:at]), list(whole[at + len(word) :])

    def _characters(self, piece: int) -> int:
        text = self._tokenizer.convert_ids_to_tokens(piece)
        return max(1, len(text.removeprefix("##").lstrip("\u0120\u2581")))


def _positions(config: Any) -> int:
    """Return how many pieces a model can read; without a table of positions there is no limit of its own."""
    table = getattr(config, "max_position_embeddings", None) or sys.maxsize
    # RoBERTa's table starts after its padding index, so two of its places cannot be used.
    shifted = "roberta" in config.model_type or config.model_type == "camembert"
    return table - 2 if shifted else table


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
    from huggingface_hub import snapshot_download

    name, _, revision = repository.partition("@")
    try:
        folder = snapshot_download(name, revision=revision or None, allow_patterns=list(_FILES))
    except Exception as error:
        raise MissingResource(
            f"victim hf:{repository} cannot be fetched from the hub: {first_line(error)}; "
            "a copy on disk works as path:FOLDER"
        ) from error
    return _load(Path(folder), f"hf:{repository}", options)


def _load(folder: Path, name: str, options: VictimOptions) -> TransformerVictim:
    require_safetensors(folder)
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModelForTokenClassification, AutoTokenizer

    try:
        with silent_transformers():
            model, loading = AutoModelForTokenClassification.from_pretrained(
                folder, use_safetensors=True, trust_remote_code=False, output_loading_info=True, dtype=torch.float32
            )
            tokenizer = AutoTokenizer.from_pretrained(
                folder, use_fast=True, add_prefix_space=True, trust_remote_code=False
            )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise BadInput(f"{folder} cannot be loaded as a token classifier: {first_line(error)}") from error
    if loading["missing_keys"]:
        missing = ", ".join(sorted(loading["missing_keys"])[:4])
        raise BadInput(f"{folder} is no trained token classifier: its weights lack {missing}; fine-tune it first")
    victim = TransformerVictim(
        model, tokenizer, name, fingerprint_of(folder), choose_device(options.device), options.pooling
    )
    if options.label_map is None:
        require_iob2_labels(victim.labels, str(folder))
    return victim


@contextmanager
def silent_transformers() -> Iterator[None]:
    """Keep transformers from printing bars and reports; what matters is said by us."""
    from transformers import logging

    before = logging.get_verbosity()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(before)


def require_safetensors(folder: Path) -> None:
    """Refuse a folder without safetensors weights.

    Raises:
        BadInput: says what is there instead.
    """
    if not folder.is_dir():
        raise BadInput(f"no such victim folder: {folder}")
    if not (folder / "config.json").is_file():
        raise BadInput(f"{folder} has no config.json; save the model with save_pretrained()")
    if any(folder.glob("*.safetensors")):
        if not any(path for pattern in _TOKENIZER for path in folder.glob(pattern)):
            raise BadInput(f"{folder} has no tokenizer files; save the tokenizer there too, with save_pretrained()")
        return
    pickles = [path.name for pattern in _PICKLES for path in folder.glob(pattern)]
    if pickles:
        raise BadInput(
            f"{folder} holds pickled weights ({pickles[0]}), which can run code when read and are never loaded; "
            "save the model again with save_pretrained(safe_serialization=True)"
        )
    raise BadInput(f"{folder} has no weights (*.safetensors)")


def fingerprint_of(folder: Path, patterns: Sequence[str] = _FILES) -> str:
    """Return the sha256 over weights, tokenizer and configuration files, names included."""
    digest = hashlib.sha256()
    for path in sorted({path for pattern in patterns for path in folder.glob(pattern) if path.is_file()}):
        digest.update(path.name.encode())
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
