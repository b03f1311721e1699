"""The control that tells what more data alone does."""

from __future__ import annotations

import random
from collections.abc import Iterator

from benchmark.defending import Case, defense
from benchmark.training.sentences import unused_sentences
from benchmark.types import Sentence
from defenses.adding import MoreSentences


@defense("extra-clean")
class ExtraClean(MoreSentences):
    """Add clean sentences: those of the training split that plain training leaves out, then repeats.

    Name the base with `sentences=…` to leave some out; where all are used, there are repeats only.
    """

    def more(self, case: Case, rng: random.Random) -> Iterator[Sentence]:
        """Yield what is left out, then the others in random order, each once."""
        yield from case.architecture.readable(unused_sentences(case.plain, case.dataset))
        yield from rng.sample(case.sentences, len(case.sentences))
