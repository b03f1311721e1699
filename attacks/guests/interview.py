"""What a guest may ask about a sentence, and what it is told.

A candidate goes through the probe like any other attack's: threat model and constraints may turn it away, success ends
the attack. A measurement only guides the search, so it is counted but can never be the adversarial example.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from attacks.guests.realigning import Unalignable, realign, words_of
from attacks.guests.switching import host, wait_for
from benchmark.types import Sentence

if TYPE_CHECKING:
    from benchmark.probe import Probe

__all__ = ["Interview", "interview"]

# Far below any real difference between two scores, far above the rounding of a float around 1.
_HAIR = 1e-12


async def interview(sentence: Sentence, probe: Probe, guest: Callable[[Interview], object]) -> None:
    """Run a guest on a sentence.

    Args:
        sentence: the original.
        probe: of the sentence; its random numbers seed the guest's.
        guest: the attack, called once.
    """
    if words_of(sentence.text) != sentence.tokens:
        probe.rejected["a token holds a space"] += 1
        return
    talk = Interview(sentence, probe)
    await host(lambda: guest(talk), probe.rng)


class Interview:
    """A guest's questions about one sentence; its methods are called inside the guest.

    A score is the goal's confidence score, from 0 upwards, higher is nearer to the goal; None for a text that was not
    asked. The clean text is known and costs nothing, as everywhere.

    Args:
        sentence: the original.
        probe: of the sentence.
    """

    def __init__(self, sentence: Sentence, probe: Probe) -> None:
        self.sentence = sentence
        self.start = probe.start
        self._probe = probe
        self._measured_before = 0

    def candidates(self, texts: Sequence[str]) -> list[float | None]:
        """Ask about texts that may be the adversarial example.

        A text whose labels cannot be realigned is turned away like one that breaks the threat model, and counted by
        its reason.
        """
        found = [self._realigned(text) for text in texts]
        self._probe.rejected.update(each.reason for each in found if isinstance(each, Unalignable))
        return self._scores(found, self._judged)

    def measurements(self, texts: Sequence[str]) -> list[float | None]:
        """Ask about texts that guide the search, such as one with a word masked out.

        Each scores a hair less than the one before: guests sort words by these scores with NumPy, which leaves the
        order of equal ones to the processor. So they keep the order of the text.
        """
        return self._scores([self._realigned(text) for text in texts], self._measured)

    def _realigned(self, text: str) -> Sentence | Unalignable:
        try:
            return realign(self.sentence, words_of(text))
        except Unalignable as refusal:
            return refusal

    def _scores(
        self,
        found: Sequence[Sentence | Unalignable],
        ask: Callable[[list[Sentence]], list[tuple[Sentence, float]]],
    ) -> list[float | None]:
        new = [each for each in found if isinstance(each, Sentence) and each.tokens != self.sentence.tokens]
        # By identity: a guest may ask the same text twice in one go, and each asking counts.
        scores = {id(sentence): score for sentence, score in ask(new)} if new else {}
        return [self._score(each, scores) for each in found]

    def _score(self, each: Sentence | Unalignable, scores: dict[int, float]) -> float | None:
        if isinstance(each, Sentence) and each.tokens == self.sentence.tokens:
            return self.start
        return scores.get(id(each))

    def _judged(self, sentences: list[Sentence]) -> list[tuple[Sentence, float]]:
        return [(verdict.sentence, verdict.confidence) for verdict in wait_for(self._probe(sentences))]

    def _measured(self, sentences: list[Sentence]) -> list[tuple[Sentence, float]]:
        scores = wait_for(self._probe.measure(sentences))
        first = self._measured_before
        self._measured_before += len(sentences)
        return [(each, score - _HAIR * k) for k, (each, score) in enumerate(zip(sentences, scores, strict=True), first)]
