"""A causal language model as an infiller, and as a judge of fluency.

A causal model sees only what stands left of a gap. So proposals are drawn from P(word | left), and each is then judged
by P(right | left, word). The first word of a text has no left side: there many more proposals are drawn.

What is computed once. A text goes through the network once; what the network remembers of it (keys and values of every
layer) is, cut off before a gap, its memory of the gap's left side, because what stands right does not reach it. All
words for a gap share that memory, and only they and what stands right of them go through the network.

Independent answers. A gap's words fill forwards of their own, whose shapes follow from the gap alone. Texts that are to
be judged whole share forwards of fixed shapes; see `benchmark.word_pieces`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from benchmark.casing import cased_like
from benchmark.device import rows_per_forward
from benchmark.errors import BadInput
from benchmark.resources.language_models.contract import Gap, LanguageModel, LogProbability, Proposal, proposals_like
from benchmark.resources.language_models.smollm2 import load_smollm2, smollm2_identity
from benchmark.resources.language_models.whole_words import whole_words
from benchmark.word_pieces import LENGTH_STEP, WordPieces, fixed_shapes, rows_of_one_shape

if TYPE_CHECKING:
    import torch

    from benchmark.types import Tokens

__all__ = ["CausalLanguageModel", "smollm2"]

# Drafts a gap that are judged by the right side, and for the first word of a text.
_DRAFTS, _FIRST_DRAFTS = 48, 192
# Pieces that go through the network at once, places that go through its head, rows of logits whose sum is taken: the
# first two bound memory, the last stays in the processor's cache.
_PIECES, _HEAD_ROWS, _SUM_ROWS = 4096, 128, 8
# Raised when answers change.
_VERSION = 3


class CausalLanguageModel(LanguageModel):
    """A model with a causal head.

    Args:
        model: an `AutoModelForCausalLM`.
        tokenizer: its fast tokenizer; one that marks word starts by a space.
        name: as given on the command line.
        identity: name, versions, precision.
        device: torch device.
    """

    def __init__(self, model: Any, tokenizer: Any, name: str, identity: str, device: torch.device) -> None:
        import torch

        self.name = name
        # The head is parted from the rest, so that it sees no more places than it must.
        self._encode, self._head = model.base_model, model.get_output_embeddings()
        self._device = device
        self._rows = rows_per_forward(device)
        shapes = f"{self._rows} x {LENGTH_STEP}, {_DRAFTS}/{_FIRST_DRAFTS} drafts"
        self.identity = f"{identity} on {device.type}, {shapes}, version {_VERSION}"
        self._pieces = WordPieces(tokenizer, name)
        self._words = whole_words(self._pieces)
        self._word_ids = torch.tensor(sorted(self._words))
        # Something must stand before the first word for it to have a probability.
        start = tokenizer.eos_token_id if tokenizer.bos_token_id is None else tokenizer.bos_token_id
        self._start = (int(start),)
        self._longest = int(model.config.max_position_embeddings)

    def fits(self, tokens: Tokens) -> bool:
        """Tell whether the whole text, and one word more, goes into the model."""
        return len(tokens) > 0 and len(self._row(tokens)) < self._longest

    def answer(self, questions: Sequence[Gap | LogProbability]) -> list[tuple[Proposal, ...] | float]:
        """Draft, then judge; a visible word does not help a model that has not come to it yet.

        Raises:
            BadInput: a text is longer than the model can read; ask `fits` first.
        """
        import torch

        self._require_short([question.tokens for question in questions])
        places: dict[Tokens, set[int]] = {}
        for question in questions:
            if isinstance(question, Gap):
                places.setdefault(question.tokens, set()).add(question.at)
        whole = list(dict.fromkeys(question.tokens for question in questions if isinstance(question, LogProbability)))
        with torch.inference_mode():
            words = {tokens: self._fill(tokens, own) for tokens, own in places.items()}
            judged = dict(zip(whole, self._log_probabilities(whole), strict=True))
        return [
            proposals_like(question.tokens[question.at], words[question.tokens][question.at], question.k)
            if isinstance(question, Gap)
            else judged[question.tokens]
            for question in questions
        ]

    def _fill(self, tokens: Tokens, places: Iterable[int]) -> dict[int, list[Proposal]]:
        """Return the words for each place, the likeliest first."""
        words, row = self._pieces.of(tokens), self._row(tokens)
        lefts = [len(self._start) + start for start in self._pieces.starts(words)]
        # Up to the last gap there could be: if it were the last one asked for, answers would depend on the others.
        read = self._encode(input_ids=self._ids([row[: lefts[-1]]], lefts[-1]), use_cache=True)
        memory = [(layer.keys, layer.values) for layer in read.past_key_values.layers]
        found = {}
        for at in places:
            left, right = lefts[at], row[lefts[at] + len(words[at]) :]
            after_left = self._head(read.last_hidden_state[0, left - 1 : left])[0].float().log_softmax(-1).cpu()
            drafts = self._drafts(after_left, _DRAFTS if at else _FIRST_DRAFTS)
            cased = [cased_like(draft, tokens[at]) for draft in drafts]
            # In the casing of the place a draft can have more pieces than the word that stands there.
            room = self._longest - 1 - left - len(right)
            pieces = zip(cased, self._pieces.of(tuple(cased)), strict=True)
            endings = {word: own + right for word, own in pieces if len(own) <= room}
            remembered = [(keys[:, :, :left], values[:, :, :left]) for keys, values in memory]
            scores = dict(zip(endings, self._judge(after_left, remembered, list(endings.values())), strict=True))
            found[at] = _ranked([(draft, scores[w]) for draft, w in zip(drafts, cased, strict=True) if w in scores])
        return found

    def _drafts(self, after_left: torch.Tensor, many: int) -> list[str]:
        """Return the likeliest words by their (vocabulary,) log-probabilities."""
        best = after_left[self._word_ids].topk(min(many, len(self._word_ids))).indices
        return [self._words[piece] for piece in self._word_ids[best].tolist()]

    def _judge(
        self,
        after_left: torch.Tensor,
        remembered: list[tuple[torch.Tensor, torch.Tensor]],
        endings: list[tuple[int, ...]],
    ) -> list[float]:
        """Return the log-probability of each ending after one left side.

        Args:
            after_left: (vocabulary,) log-probabilities of the piece after the left side.
            remembered: each layer's keys and values of the left side, (1, heads, pieces, head size).
            endings: pieces of word and right side.
        """
        from transformers import DynamicCache

        found = [float(after_left[ending[0]]) for ending in endings]
        length = max(map(len, endings), default=1) - 1  # nothing is asked of what follows the last piece
        rows = _PIECES // max(1, length) or 1
        for start in range(0, len(endings) if length else 0, rows):
            block = endings[start : start + rows]
            shape = (len(block), -1, -1, -1)
            cache = DynamicCache([(keys.expand(shape), values.expand(shape)) for keys, values in remembered])
            ids = self._ids([ending[:-1] for ending in block], length)
            encoded = self._encode(input_ids=ids, past_key_values=cache, use_cache=True).last_hidden_state
            for k, rest in enumerate(self._sums(encoded, [ending[1:] for ending in block]), start):
                found[k] += rest
        return found

    def _log_probabilities(self, texts: Sequence[Tokens]) -> list[float]:
        """Return each text's log-probability."""
        rows = [self._row(tokens) for tokens in texts]
        found: dict[int, float] = {}
        for length, group in fixed_shapes([len(row) for row in rows], self._rows, self._longest):
            ids, _ = rows_of_one_shape([rows[k] for k in group], self._rows, length, 0)
            encoded = self._encode(input_ids=ids.to(self._device), use_cache=False).last_hidden_state
            found.update(zip(group, self._sums(encoded, [rows[k][1:] for k in group]), strict=True))
        return [found[k] for k in range(len(texts))]

    def _sums(self, encoded: torch.Tensor, pieces: list[tuple[int, ...]]) -> list[float]:
        """Return for each row of (rows, length, size) the log-probability that these pieces follow, one a place."""
        import torch

        asked = [(row, at, piece) for row, own in enumerate(pieces) for at, piece in enumerate(own)]
        found: list[float] = []
        for start in range(0, len(asked), _HEAD_ROWS):
            block = asked[start : start + _HEAD_ROWS]
            filled = torch.tensor(block + asked[:1] * (_HEAD_ROWS - len(block)), device=self._device)
            logits = self._head(encoded[filled[:, 0], filled[:, 1]])[: len(block)]
            for few, follow in zip(torch.split(logits, _SUM_ROWS), torch.split(filled[:, 2:], _SUM_ROWS), strict=False):
                found += few.float().log_softmax(-1).gather(1, follow[: len(few)])[:, 0].tolist()
        logs = iter(found)
        return [sum(itertools.islice(logs, len(own)), 0.0) for own in pieces]

    def _ids(self, rows: Sequence[tuple[int, ...]], length: int) -> torch.Tensor:
        """Return (rows, length) pieces. Padding stands on the right, where a causal model does not look."""
        import torch

        return torch.tensor([(*row, *(0,) * (length - len(row))) for row in rows], device=self._device)

    def _require_short(self, texts: Sequence[Tokens]) -> None:
        longest = max((len(self._row(tokens)) for tokens in texts), default=0)
        if longest > self._longest:
            raise BadInput(f"a text of {longest} pieces is too long for {self.name} ({self._longest} at most)")

    def _row(self, tokens: Tokens) -> tuple[int, ...]:
        return (*self._start, *self._pieces.row(self._pieces.of(tokens)))


def smollm2(device: torch.device) -> CausalLanguageModel:
    """Load the bundled SmolLM2-135M.

    Raises:
        MissingResource: it is not installed.
    """
    identity = smollm2_identity(device)
    model, tokenizer = load_smollm2(device)
    return CausalLanguageModel(model, tokenizer, "smollm2", identity, device)


def _ranked(scores: list[tuple[str, float]]) -> list[Proposal]:
    """Turn words' log-probabilities into probabilities that add up to 1, the likeliest first."""
    top = max((score for _, score in scores), default=0.0)
    weights = [math.exp(score - top) for _, score in scores]
    total = sum(weights)
    proposals = [Proposal(word, weight / total) for (word, _), weight in zip(scores, weights, strict=True)]
    return sorted(proposals, key=lambda proposal: -proposal.probability)
