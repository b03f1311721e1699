"""Masked language models (Devlin et al. 2019), from the hub or from a folder, and our own bundled one."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.device import rows_per_forward
from benchmark.errors import BadInput
from benchmark.model_files import fetch_from_hub, fingerprint_of, load_transformer
from benchmark.resources.encoders import minilm_folder
from benchmark.resources.language_models.contract import (
    Gap,
    LanguageModel,
    LogProbability,
    Proposal,
    Seen,
    proposals_like,
)
from benchmark.resources.language_models.whole_words import whole_words
from benchmark.word_pieces import LENGTH_STEP, WordPieces, fixed_shapes, positions, rows_of_one_shape

if TYPE_CHECKING:
    import torch

    from benchmark.types import Tokens

__all__ = ["BUNDLED", "MaskedLanguageModel", "masked_model_from_folder", "masked_model_from_hub", "minilm_mlm"]

BUNDLED = Path(__file__).parent / "bundled" / "minilm-mlm"

# Places that go through the head at once: the head is a large product, and its shape must be fixed as well.
_HEAD_ROWS = 32
# A vocabulary may hold a word in so many casings (red, Red, RED), of which one is proposed.
_CASINGS = 3

_Row = tuple[int, ...]


class MaskedLanguageModel(LanguageModel):
    """A model with a masked-language-model head.

    Only words that are one piece in the vocabulary are proposed. Whether a piece is a whole word is asked of the
    tokenizer itself (the piece's text, cut again, must give the same piece), so that it holds for WordPiece, BPE and
    SentencePiece alike. A word of several pieces is hidden behind one mask, so that one word is proposed for it; the
    products of piece-wise proposals that BERT-Attack's code builds are mostly no words.

    Args:
        model: an `AutoModelForMaskedLM`.
        tokenizer: its fast tokenizer.
        name: as given on the command line.
        fingerprint: of the files it was read from.
        device: torch device.
    """

    def __init__(self, model: Any, tokenizer: Any, name: str, fingerprint: str, device: torch.device) -> None:
        import torch

        if tokenizer.mask_token_id is None:
            raise BadInput(f"{name} has no mask token, so it is no masked language model")
        self.name = name
        self._encode, self._head = _encoder_and_head(model.to(device).eval())
        self._device = device
        self._rows = rows_per_forward(device)
        self._pieces = WordPieces(tokenizer, name)
        self._mask = (int(tokenizer.mask_token_id),)
        self._longest = min(positions(model.config), tokenizer.model_max_length)
        self._words = whole_words(self._pieces)
        if not self._words:
            raise BadInput(f"the vocabulary of {name} holds no whole words")
        self._word_ids = torch.tensor(sorted(self._words))
        self.identity = f"{name} {fingerprint[:16]}, float32 on {device.type}, {self._rows} x {LENGTH_STEP}"

    def fits(self, tokens: Tokens) -> bool:
        """Tell whether the whole text, and one word more, goes into the model."""
        return len(tokens) > 0 and self._pieces.length(self._pieces.of(tokens)) < self._longest

    def answer(self, questions: Sequence[Gap | LogProbability]) -> list[tuple[Proposal, ...] | float]:
        """Answer in forwards of fixed shape; gaps of one text that leave it as it is share a forward."""
        answers: list[tuple[Proposal, ...] | float] = [()] * len(questions)
        gaps: dict[_Row, dict[int, list[tuple[int, Gap]]]] = {}
        for number, question in enumerate(questions):
            if isinstance(question, LogProbability):
                answers[number] = self._pseudo_log_likelihood(question.tokens)
                continue
            words = self._pieces.of(question.tokens)
            if question.seen is Seen.HIDDEN or len(words[question.at]) > 1:
                words[question.at] = self._mask
            at = self._pieces.starts(words)[question.at]
            gaps.setdefault(tuple(self._pieces.row(words)), {}).setdefault(at, []).append((number, question))
        for row, at, scores in self._log_probabilities(gaps):
            for number, gap in gaps[row][at]:
                answers[number] = proposals_like(gap.tokens[gap.at], self._likeliest(scores, gap.k), gap.k)
        return answers

    def _likeliest(self, scores: torch.Tensor, k: int) -> list[Proposal]:
        """Return enough of the likeliest whole words for `k` to be left when doubles in other casings drop out."""
        own = scores[self._word_ids]
        most = min(_CASINGS * (k + 1), len(self._word_ids))
        # Of equally likely words the first of the vocabulary come first, whatever `k` is.
        best = (own >= own.topk(most).values[-1]).nonzero()[:, 0]
        values, order = own[best].sort(descending=True, stable=True)
        pieces = self._word_ids[best[order[:most]]].tolist()
        return [
            Proposal(self._words[piece], value)
            for piece, value in zip(pieces, values[:most].exp().tolist(), strict=True)
        ]

    def _pseudo_log_likelihood(self, tokens: Tokens) -> float:
        """Return the sum over pieces of log P(piece | all others) (Salazar et al. 2020, section 2.1)."""
        row = tuple(self._pieces.row(self._pieces.of(tokens)))
        hidden: dict[_Row, list[int]] = {}
        for at in range(len(self._pieces.prefix), len(row) - len(self._pieces.suffix)):
            hidden.setdefault((*row[:at], *self._mask, *row[at + 1 :]), []).append(at)
        found = {at: float(scores[row[at]]) for _, at, scores in self._log_probabilities(hidden)}
        logs = [found[at] for at in sorted(found)]
        # As many at a time as a forward has rows: sums in another order would differ in the last bit from stored ones.
        return sum((sum(logs[k : k + self._rows]) for k in range(0, len(logs), self._rows)), 0.0)

    def _log_probabilities(self, places: Mapping[_Row, Iterable[int]]) -> Iterator[tuple[_Row, int, torch.Tensor]]:
        """Yield text, place and (vocabulary,) log-probabilities; the head sees blocks of one shape."""
        import torch

        encodings = self._encodings(places)
        while block := list(itertools.islice(encodings, _HEAD_ROWS)):
            filled = [*block, *block[:1] * (_HEAD_ROWS - len(block))]
            with torch.inference_mode():
                logits = self._head(torch.stack([vector for _, _, vector in filled]))[: len(block)]
                scores = logits.float().log_softmax(-1).cpu()
            for (row, at, _), own in zip(block, scores, strict=True):
                yield row, at, own

    def _encodings(self, places: Mapping[_Row, Iterable[int]]) -> Iterator[tuple[_Row, int, torch.Tensor]]:
        """Yield text, place and the encoder's (size,) vector of it; the encoder sees rows of one shape."""
        import torch

        rows = list(places)
        longest = max(map(len, rows), default=0)
        if longest > self._longest:
            raise BadInput(f"a text of {longest} pieces is too long for {self.name} ({self._longest} at most)")
        padding = self._pieces.tokenizer.pad_token_id or 0
        for length, group in fixed_shapes([len(row) for row in rows], self._rows, self._longest):
            ids, mask = rows_of_one_shape([rows[k] for k in group], self._rows, length, padding)
            with torch.inference_mode():
                encoded = self._encode(input_ids=ids.to(self._device), attention_mask=mask.to(self._device))
            for n, k in enumerate(group):
                for at in places[rows[k]]:
                    yield rows[k], at, encoded[n, at].clone()  # a view would keep all of `encoded` while it waits


def masked_model_from_folder(folder: str, device: torch.device) -> MaskedLanguageModel:
    """Load a masked language model from a folder: `AutoModelForMaskedLM`, or what `gauntlet train-mlm` made.

    Raises:
        BadInput: no such folder, weights missing or pickled, no masked language model.
    """
    path = Path(folder)
    name = f"path:{path.resolve().name}"
    if (path / "recipe.json").is_file():
        return _adapted(path, name, device)
    return _load(path, name, device)


def masked_model_from_hub(repository: str, device: torch.device) -> MaskedLanguageModel:
    """Load a masked language model from the hub, `NAME` or `NAME@REVISION`; only safetensors are fetched.

    Raises:
        MissingResource: the hub cannot be reached or has no such repository.
        BadInput: as `masked_model_from_folder`.
    """
    return _load(fetch_from_hub(repository, "language model"), repository, device)


def minilm_mlm(device: torch.device) -> MaskedLanguageModel:
    """Load the bundled model."""
    return _adapted(BUNDLED, "minilm-mlm", device)


def _adapted(folder: Path, name: str, device: torch.device) -> MaskedLanguageModel:
    from transformers import AutoTokenizer

    from benchmark.resources.language_models.training import with_masked_model_adapter

    tokenizer = AutoTokenizer.from_pretrained(minilm_folder())
    fingerprint = fingerprint_of(minilm_folder())[:8] + fingerprint_of(folder, ("adapter_model.safetensors",))[:8]
    return MaskedLanguageModel(with_masked_model_adapter(folder), tokenizer, name, fingerprint, device)


def _load(folder: Path, name: str, device: torch.device) -> MaskedLanguageModel:
    model, tokenizer = load_transformer(folder, "AutoModelForMaskedLM", "masked language model")
    return MaskedLanguageModel(model, tokenizer, name, fingerprint_of(folder), device)


def _encoder_and_head(model: Any) -> tuple[Callable[..., torch.Tensor], Callable[[torch.Tensor], torch.Tensor]]:
    """Part a model, so that the head, as costly as the encoder, sees no more places than it must.

    Where the head is not known by name the whole model serves as the encoder, and nothing is left for the head.
    """
    head = getattr(model, "cls", None) or getattr(model, "lm_head", None)
    if head is None:
        return lambda **inputs: model(**inputs).logits, lambda logits: logits
    return lambda **inputs: model.base_model(**inputs).last_hidden_state, head
