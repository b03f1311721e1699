"""A linear-chain conditional random field over IOB2 labels (Lafferty et al. 2001).

    score(y | x) = start[y_1] + sum_t emission[t, y_t] + sum_t transition[y_t, y_t+1] + end[y_n]

Sequences that are not valid IOB2 (an `I-X` that continues no X) have no probability: neither in training, nor in the
marginals, nor in decoding. `pytorch-crf` (2019) and `torchcrf` (2020) are no longer kept, and neither gives marginals;
`pyt-crf` wants Python 3.12. Hence this module, tested against the enumeration of all sequences.

All sums run in double precision: a long text's scores reach thousands, and log-marginals are small differences of
them. Texts of a batch are padded at their end; no answer depends on what stands there.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

__all__ = ["LinearChainCrf"]

# Log-score of what IOB2 forbids, in sums. Its exponential is zero in double precision, but unlike minus infinity it has
# gradients, so that an attack may aim at any label. Decoding takes minus infinity.
_IMPOSSIBLE = -1e3


class LinearChainCrf(nn.Module):
    """Scores of transitions, and what follows from them and a network's emissions.

    Args:
        labels: IOB2 labels, in the order of the emissions' columns.
    """

    may_start: torch.Tensor
    may_follow: torch.Tensor

    def __init__(self, labels: Sequence[str]) -> None:
        super().__init__()
        self.starts = nn.Parameter(torch.empty(len(labels)).uniform_(-0.1, 0.1))
        self.ends = nn.Parameter(torch.empty(len(labels)).uniform_(-0.1, 0.1))
        self.transitions = nn.Parameter(torch.empty(len(labels), len(labels)).uniform_(-0.1, 0.1))
        start = [not label.startswith("I-") for label in labels]
        follow = [[not b.startswith("I-") or a[2:] == b[2:] for b in labels] for a in labels]
        self.register_buffer("may_start", torch.tensor(start), persistent=False)
        self.register_buffer("may_follow", torch.tensor(follow), persistent=False)

    def log_likelihood(self, emissions: torch.Tensor, tags: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Return the (rows,) log-probabilities of whole sequences.

        Args:
            emissions: (rows, words, labels).
            tags: (rows, words) label indexes; any beyond a text's end.
            lengths: (rows,) words of each text, at least one.
        """
        emissions = emissions.double()
        starts, ends, transitions = self._scores(_IMPOSSIBLE)
        inside = _inside(emissions, lengths)
        at = emissions.gather(2, tags[:, :, None])[:, :, 0]
        between = transitions[tags[:, :-1], tags[:, 1:]]
        last = tags.gather(1, lengths[:, None] - 1)[:, 0]
        score = (at * inside).sum(1) + (between * inside[:, 1:]).sum(1) + starts[tags[:, 0]] + ends[last]
        alphas = self._forward(emissions, lengths)
        return score - (alphas[-1] + ends).logsumexp(-1)

    def log_marginals(self, emissions: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Return (rows, words, labels) log p(label | text), by forward–backward, differentiable; zero beyond the end.

        The logarithm of a probability that IOB2 makes zero (`I-X` on a first word) is about -1000.
        """
        emissions = emissions.double()
        _, ends, transitions = self._scores(_IMPOSSIBLE)
        inside = _inside(emissions, lengths)
        alphas = self._forward(emissions, lengths)
        beta = ends.expand_as(alphas[0])
        betas = [beta]
        for t in range(emissions.shape[1] - 1, 0, -1):
            before = (transitions + (emissions[:, t] + beta)[:, None, :]).logsumexp(-1)
            beta = torch.where(inside[:, t, None], before, beta)
            betas.append(beta)
        total = (alphas[-1] + ends).logsumexp(-1)
        marginals = torch.stack(alphas, 1) + torch.stack(betas[::-1], 1) - total[:, None, None]
        return marginals.masked_fill(~inside[:, :, None], 0)

    @torch.no_grad()
    def decode(self, emissions: torch.Tensor, lengths: torch.Tensor) -> list[list[int]]:
        """Return each text's most probable sequence of label indexes (Viterbi 1967); it is valid IOB2."""
        emissions = emissions.double()
        starts, ends, transitions = self._scores(-torch.inf)
        inside = _inside(emissions, lengths)
        best = starts + emissions[:, 0]
        pointers = []
        for t in range(1, emissions.shape[1]):
            highest, pointer = (best[:, :, None] + transitions).max(1)
            best = torch.where(inside[:, t, None], highest + emissions[:, t], best)
            pointers.append(pointer)
        last = (best + ends).argmax(-1).tolist()
        back = torch.stack(pointers).tolist() if pointers else []
        paths = []
        for row, (label, length) in enumerate(zip(last, lengths.tolist(), strict=True)):
            path = [label]
            for t in range(length - 2, -1, -1):
                path.append(back[t][row][path[-1]])
            paths.append(path[::-1])
        return paths

    def _forward(self, emissions: torch.Tensor, lengths: torch.Tensor) -> list[torch.Tensor]:
        """Return for each word the (rows, labels) log-sums over all sequences up to it; beyond the end the last."""
        starts, _, transitions = self._scores(_IMPOSSIBLE)
        inside = _inside(emissions, lengths)
        alphas = [starts + emissions[:, 0]]
        for t in range(1, emissions.shape[1]):
            following = (alphas[-1][:, :, None] + transitions).logsumexp(1) + emissions[:, t]
            alphas.append(torch.where(inside[:, t, None], following, alphas[-1]))
        return alphas

    def _scores(self, impossible: float) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return starts, ends and transitions, with the score of what IOB2 forbids."""
        starts = self.starts.double().masked_fill(~self.may_start, impossible)
        transitions = self.transitions.double().masked_fill(~self.may_follow, impossible)
        return starts, self.ends.double(), transitions


def _inside(emissions: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Return (rows, words): which words belong to the text."""
    return torch.arange(emissions.shape[1], device=lengths.device) < lengths[:, None]
