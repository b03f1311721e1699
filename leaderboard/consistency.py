"""Interpretation consistency (Chen & Ji 2022, section 5.2): does a victim see an adversarial text as the clean one?

The words of both texts are attributed by integrated gradients from zero vectors, and two numbers compare the words that
are aligned: Kendall's tau-b of the attributions, and the share of the k most attributed words that are the same (a
replaced word counts as the word that it replaces). Of few words k is half of them at most, or all would be the same
whatever they are worth; beside the share stands what chance gives, k of n words. For named-entity recognition the paper
leaves open, and here is decided: F is the summed log-probability of the gold labels of one mention's tokens; a
sentence's number is the mean over its mentions; words without a partner (inserted, deleted, merged) are left out;
sentences with fewer than three aligned words, or whose attributions are all alike, have no number. Attributions are
signed.

Stored are adversarial texts of successes alone, so what is compared are successes (all texts, under the goal
`perturbed`). At least one prediction of a success is wrong, and a wrong one mixes in; so the same numbers are told of
the mentions that are predicted right on both texts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau

from benchmark.alignment import adversarial_sentence
from benchmark.contracts import Victim
from benchmark.datasets import Dataset
from benchmark.errors import BadInput
from benchmark.tag_schemes import Span, tags_to_spans
from benchmark.threat import Access
from benchmark.types import Outcome, Sentence, Status
from benchmark.victims.white_box import Attribution, AttributionService, Target, WhiteBox
from leaderboard.rows import Run

__all__ = ["Agreement", "Consistency", "aligned", "compared", "consistency"]

STEPS = 50
TOP = 5
_FEWEST = 3


class Agreement(NamedTuple):
    """How far two attributions of the same words agree.

    Attributes:
        tau: Kendall's tau-b, from -1 to 1.
        top: share of the k most attributed words that are the same.
        chance: that of words picked at random, k of n words.
    """

    tau: float
    top: float
    chance: float


@dataclass(frozen=True)
class Consistency:
    """Of one run.

    Attributes:
        kendall_tau: mean over sentences; None where no sentence has one.
        top_shared: share of the five most attributed words that stay the same, the mean over sentences; of fewer than
            ten words half of them.
        top_by_chance: the same of words picked at random.
        sentences: how many there are behind them.
        kendall_tau_right: over the mentions that are predicted right on both texts.
        top_shared_right: the same.
        sentences_right: how many sentences have such a mention.
    """

    kendall_tau: float | None
    top_shared: float | None
    top_by_chance: float | None
    sentences: int
    kendall_tau_right: float | None
    top_shared_right: float | None
    sentences_right: int

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return asdict(self)


class _Pair(NamedTuple):
    """One mention on both texts.

    Attributes:
        sentence: its number.
        questions: of the clean text and of the adversarial one.
        words: aligned words, by index in both.
        right: whether it is predicted right on both.
    """

    sentence: int
    questions: tuple[Attribution, Attribution]
    words: tuple[tuple[int, int], ...]
    right: bool


def consistency(run: Run, victim: Victim, dataset: Dataset, steps: int = STEPS) -> Consistency:
    """Compare the attributions of clean and adversarial texts.

    Args:
        run: finished, against the victim.
        victim: whose attributions are asked; on its own adversarial examples.
        dataset: the run's, for the text.
        steps: of the integral.

    Raises:
        BadInput: the victim is another one or gives no gradients, or the data set is another version of the run's.
    """
    spec = run.spec
    if victim.fingerprint != spec.victim_fingerprint:
        raise BadInput(f"run {run.run_id} was made against other weights than those of {victim.name} here")
    if victim.access < Access.GRADIENTS or not hasattr(victim, "tables"):
        raise BadInput(f"{victim.name} gives no gradients, so its words cannot be attributed")
    sentences = run.sentences_of(dataset)
    inside = cast("WhiteBox", victim)
    pairs: list[_Pair] = []
    for number, (name, example) in enumerate(run.examples.items()):
        if example.outcome.status is Status.SUCCESS:
            pairs += _pairs(number, sentences[name], example.outcome, inside, steps)
    answers = AttributionService(inside).answer([question for pair in pairs for question in pair.questions])
    found = [
        (pair, agreement)
        for pair, before, after in zip(pairs, answers[::2], answers[1::2], strict=True)
        if (agreement := compared(before, after, pair.words)) is not None
    ]
    all_of_them = _means([(pair.sentence, agreement) for pair, agreement in found])
    tau, top, _, behind = _means([(pair.sentence, agreement) for pair, agreement in found if pair.right])
    return Consistency(*all_of_them, tau, top, behind)


def compared(
    before: NDArray[np.float64], after: NDArray[np.float64], words: Sequence[tuple[int, int]], top: int = TOP
) -> Agreement | None:
    """Compare two attributions over aligned words.

    Args:
        before: (words,) of the clean text.
        after: (words,) of the adversarial text.
        words: aligned words, by index in both.
        top: how many of the most attributed words are compared; half of them where there are fewer than twice as many.

    Returns:
        None where there are fewer than three aligned words, or one attribution does not tell them apart.
    """
    if len(words) < _FEWEST:
        return None
    one, other = (np.array([of[pair[side]] for pair in words]) for side, of in enumerate((before, after)))
    tau = float(kendalltau(one, other, variant="b").statistic)
    if np.isnan(tau):
        return None
    k = min(top, len(words) // 2)
    first, second = (set(np.argsort(-numbers, kind="stable")[:k].tolist()) for numbers in (one, other))
    return Agreement(tau, len(first & second) / k, k / len(words))


def aligned(sentence: Sentence) -> tuple[tuple[int, int], ...]:
    """Return the words of an adversarial sentence that stand for one original word, with that, in their order."""
    return tuple((sources[0], j) for j, sources in enumerate(sentence.sources) if len(sources) == 1)


def _pairs(number: int, original: Sentence, outcome: Outcome, victim: WhiteBox, steps: int) -> Iterator[_Pair]:
    """Yield the mentions of a sentence that both texts have, mentions in their order."""
    adversarial = adversarial_sentence(original, outcome.edits, outcome.adversarial_gold)
    if len(original.spans) != len(adversarial.spans):
        return
    words, table = aligned(adversarial), next(iter(victim.tables))
    found = set(tags_to_spans(outcome.clean)), set(tags_to_spans(outcome.adversarial_prediction))
    for spans in zip(original.spans, adversarial.spans, strict=True):
        targets = [_target(text, span, victim) for text, span in zip((original, adversarial), spans, strict=True)]
        if all(targets):
            before, after = (
                Attribution(text.tokens, target, steps=steps, table=table)
                for text, target in zip((original, adversarial), targets, strict=True)
            )
            right = all(span in said for span, said in zip(spans, found, strict=True))
            yield _Pair(number, (before, after), words, right)


def _target(sentence: Sentence, span: Span, victim: WhiteBox) -> Target:
    return tuple((i, sentence.tags[i]) for i in range(span.start, span.end) if sentence.tags[i] in victim.labels)


def _means(found: Sequence[tuple[int, Agreement]]) -> tuple[float | None, float | None, float | None, int]:
    """Average over the mentions of each sentence, then over sentences."""
    by_sentence: dict[int, list[Agreement]] = {}
    for number, agreement in found:
        by_sentence.setdefault(number, []).append(agreement)
    if not by_sentence:
        return None, None, None, 0
    of_sentences = [[fmean(numbers) for numbers in zip(*own, strict=True)] for own in by_sentence.values()]
    tau, top, chance = (round(fmean(numbers), 6) for numbers in zip(*of_sentences, strict=True))
    return tau, top, chance, len(by_sentence)
