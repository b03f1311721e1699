"""Beam search where gradients choose among more edits than could be asked about (Ebrahimi et al. 2018, section 3.3)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from attacks.search.first_order import gold, read, rises
from benchmark.victims.white_box import Gradient

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmark.probe import Probe
    from benchmark.types import Sentence, Tokens
    from benchmark.victims.white_box import Gradients

__all__ = ["Flips", "Path", "again_and_again", "beam_on_answers", "beam_on_estimates"]


class Path(NamedTuple):
    """A text some edits away from the original, and the sum of the rises of the loss that were estimated for them."""

    sentence: Sentence
    rise: float = 0.0


class Flips:
    """The edits of a sentence, each word's at most once, ranked at any text on the way.

    Args:
        words: by place, what could stand there instead.
        probe: gives gradients, one query a text.
        blind: draw ranks by chance and leave the gradients unasked.
    """

    def __init__(self, words: Mapping[int, Sequence[str]], probe: Probe, *, blind: bool = False) -> None:
        self._probe = probe
        self._blind = blind
        self._tables = probe.embedding_tables
        self._original = probe.clean.sentence
        # A word that stands in several places is looked up once.
        asked = {i: (self._original.tokens[i], tuple(others)) for i, others in words.items() if others}
        readings = {key: read(*key, self._tables) for key in set(asked.values())}
        self._places = {i: readings[key] for i, key in asked.items()}

    async def steepest(self, paths: Sequence[Path], most: int) -> list[list[Path]]:
        """Return for each path the `most` that lead one edit further and are estimated to raise the loss most."""
        if self._blind or not self._places:
            return [self._best(path, None, most) for path in paths]
        questions = [Gradient(path.sentence.tokens, self._target(path.sentence)) for path in paths]
        answers = await self._probe.gradients(questions)
        return [self._best(path, answer, most) for path, answer in zip(paths, answers, strict=True)]

    def _target(self, sentence: Sentence) -> tuple[tuple[int, str], ...]:
        return gold(sentence, self._probe.clean.labels)

    def _best(self, path: Path, answer: Gradients | None, most: int) -> list[Path]:
        found: list[tuple[float, int, str]] = []
        for i, readings in self._places.items():
            if path.sentence.tokens[i] != self._original.tokens[i]:
                continue
            estimates = self._estimates(i, answer)
            highest = np.argsort(-estimates, kind="stable")[:most]
            found += [(float(estimates[k]), i, readings.words[1 + k]) for k in highest]
        found.sort(key=lambda edit: -edit[0])
        return [Path(path.sentence.replace(i, word), path.rise + rise) for rise, i, word in found[:most]]

    def _estimates(self, i: int, answer: Gradients | None) -> NDArray[np.float64]:
        readings = self._places[i]
        if answer is None:
            return np.array([self._probe.rng.random() for _ in readings.words[1:]])
        return rises(readings, self._tables, {name: slopes[i] for name, slopes in answer.by_table.items()})


async def beam_on_estimates(sentence: Sentence, flips: Flips, probe: Probe, *, width: int, steps: int) -> None:
    """Keep the paths whose estimated rises sum highest; the victim is asked only whether they succeed.

    Where fewer queries are left than the beam could use, half of them go to gradients.

    Args:
        sentence: where to start.
        flips: ranks the edits.
        probe: judges.
        width: paths kept from step to step.
        steps: most edits of a path.
    """
    beam = [Path(sentence)]
    for _ in range(steps):
        onwards = await flips.steepest(beam[: max(1, probe.queries_left // 2)], width)
        highest = sorted(_distinct(onwards), key=lambda path: -path.rise)[:width]
        verdicts = await probe(path.sentence for path in highest)
        admitted = {verdict.sentence.tokens for verdict in verdicts}
        beam = [path for path in highest if path.sentence.tokens in admitted]
        if not beam:
            return


async def beam_on_answers(
    sentence: Sentence, flips: Flips, probe: Probe, *, width: int, steps: int, verified: int
) -> None:
    """Let estimates only propose: ask about the best few of each text and keep what the victim's answers favour.

    Args:
        sentence: where to start.
        flips: ranks the edits.
        probe: judges.
        width: texts kept from step to step.
        steps: most edits of a text.
        verified: edits of a text that are asked about.
    """
    beam = [Path(sentence)]
    for _ in range(steps):
        affordable = max(1, probe.queries_left // (verified + 1))
        onwards = await flips.steepest(beam[:affordable], verified)
        verdicts = await probe(path.sentence for path in _distinct(onwards))
        nearest = sorted(verdicts, key=lambda verdict: -verdict.confidence)[:width]
        beam = [Path(verdict.sentence) for verdict in nearest]
        if not beam:
            return


async def again_and_again(search: Callable[[], Awaitable[None]], probe: Probe) -> None:
    """Search until the budget is spent or a search asks nothing: what a search by chance needs to be a fair control."""
    left = None
    while left != probe.queries_left:
        left = probe.queries_left
        await search()


def _distinct(onwards: Sequence[Sequence[Path]]) -> list[Path]:
    """Return each text once, by its highest path: two edits in either order lead to the same one."""
    found: dict[Tokens, Path] = {}
    for paths in onwards:
        for path in paths:
            known = found.setdefault(path.sentence.tokens, path)
            if path.rise > known.rise:
                found[path.sentence.tokens] = path
    return list(found.values())
