"""A causal language model as an infiller, and as a judge of fluency.

A causal model sees only what stands left of a gap. So proposals are drawn from P(word | left), for all gaps of a text
in one forward, and each is then judged by P(right | left, word), which is one more forward a proposal. The first word
of a text has no left side: there many more proposals are drawn.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
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
# Raised when answers change.
_VERSION = 2


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
        self.name = name
        self._model = model
        self._device = device
        self._rows = rows_per_forward(device)
        shapes = f"{self._rows} x {LENGTH_STEP}, {_DRAFTS}/{_FIRST_DRAFTS} drafts"
        self.identity = f"{identity} on {device.type}, {shapes}, version {_VERSION}"
        self._pieces = WordPieces(tokenizer, name)
        self._words = whole_words(self._pieces)
        self._word_ids = sorted(self._words)
        # Something must stand before the first word for it to have a probability.
        start = tokenizer.eos_token_id if tokenizer.bos_token_id is None else tokenizer.bos_token_id
        self._start = (int(start),)
        self._longest = int(model.config.max_position_embeddings)

    def fits(self, tokens: Tokens) -> bool:
        """Tell whether the whole text, and one word more, goes into the model."""
        return len(tokens) > 0 and len(self._row(tokens)) < self._longest

    def answer(self, questions: Sequence[Gap | LogProbability]) -> list[tuple[Proposal, ...] | float]:
        """Draft, then judge; a visible word does not help a model that has not come to it yet."""
        gaps = [question for question in questions if isinstance(question, Gap)]
        drafts = self._drafts(gaps)
        texts = [_with(gap.tokens, gap.at, word) for gap, words in zip(gaps, drafts, strict=True) for word in words]
        plain = [question.tokens for question in questions if isinstance(question, LogProbability)]
        scores = self._log_probabilities([*texts, *plain])
        proposals, done = [], 0
        for gap, words in zip(gaps, drafts, strict=True):
            own = scores[done : done + len(words)]
            done += len(words)
            top = max(own, default=0.0)
            weights = [math.exp(score - top) for score in own]
            ranked = sorted(
                (Proposal(word, weight / sum(weights)) for word, weight in zip(words, weights, strict=True)),
                key=lambda proposal: -proposal.probability,
            )
            proposals.append(proposals_like(gap.tokens[gap.at], ranked, gap.k))
        filled, judged = iter(proposals), iter(scores[done:])
        return [next(filled) if isinstance(question, Gap) else next(judged) for question in questions]

    def _drafts(self, gaps: Sequence[Gap]) -> list[list[str]]:
        """Return for each gap the likeliest words after its left side."""
        texts = list(dict.fromkeys(gap.tokens for gap in gaps))
        drafts: dict[tuple[Tokens, int], list[str]] = {}
        wanted: dict[Tokens, set[int]] = {}
        for gap in gaps:
            wanted.setdefault(gap.tokens, set()).add(gap.at)
        rows = [self._row(tokens) for tokens in texts]
        for group, scores in self._forwards(rows):
            for k, own in zip(group, scores, strict=False):
                starts = self._pieces.starts(self._pieces.of(texts[k]))
                for at in sorted(wanted[texts[k]]):
                    # The piece before a word's first piece predicts it; `_start` shifts all by one.
                    after_left = own[starts[at]][self._word_ids]
                    best = after_left.topk(min(_DRAFTS if at else _FIRST_DRAFTS, len(self._word_ids))).indices
                    words = (self._words[self._word_ids[index]] for index in best.tolist())
                    # In the casing of the place a draft can have more pieces than the word that stands there.
                    drafts[texts[k], at] = [word for word in words if self.fits(_with(texts[k], at, word))]
        return [drafts[gap.tokens, gap.at] for gap in gaps]

    def _log_probabilities(self, texts: Sequence[Tokens]) -> list[float]:
        """Return each text's log-probability."""
        import torch

        rows = [self._row(tokens) for tokens in texts]
        found: dict[int, float] = {}
        for group, scores in self._forwards(rows):
            for k, own in zip(group, scores, strict=False):
                pieces = torch.tensor(rows[k][1:])
                found[k] = float(own[: len(pieces)].gather(1, pieces[:, None]).double().sum())
        return [found[k] for k in range(len(texts))]

    def _forwards(self, rows: Sequence[tuple[int, ...]]) -> Any:
        """Yield (which rows, (rows, length, vocabulary) log-probabilities of the next piece)."""
        import torch

        longest = max(map(len, rows), default=0)
        if longest > self._longest:
            raise BadInput(f"a text of {longest} pieces is too long for {self.name} ({self._longest} at most)")
        for length, group in fixed_shapes([len(row) for row in rows], self._rows, self._longest):
            # Padding stands on the right, where a causal model does not look.
            ids, mask = rows_of_one_shape([rows[k] for k in group], self._rows, length, 0)
            with torch.inference_mode():
                logits = self._model(input_ids=ids.to(self._device), attention_mask=mask.to(self._device)).logits
                yield group, logits.float().log_softmax(-1).cpu()

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


def _with(tokens: Tokens, at: int, word: str) -> Tokens:
    return (*tokens[:at], cased_like(word, tokens[at]), *tokens[at + 1 :])
