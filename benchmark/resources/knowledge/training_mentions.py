"""What the training mentions of a data set tell: which names there are of each type, and where they stand."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from benchmark.types import Sentence, Tokens

__all__ = ["Setting", "TrainingMention", "training_mentions"]

# Sports results, not prose: at least this share of the words are numbers, or one is a score.
_NUMBERS = 0.15
_SCORE = re.compile(r"\d{1,3}-\d{1,3}")
_BUSINESS_WORDS = (
    "billion bond bonds bourse company contract earnings factory firm investors investment loan market markets merger "
    "million percent pct price prices profit profits quarter revenue sales shareholders share shares stake stock "
    "stocks subsidiary tonnes trading"
)
_BUSINESS = frozenset(_BUSINESS_WORDS.split())


class Setting(StrEnum):
    """What kind of sentence a mention stands in."""

    RESULTS = "results"
    BUSINESS = "business"
    PROSE = "prose"


@dataclass(slots=True)
class TrainingMention:
    """A mention of one type, whatever its casing.

    Attributes:
        type: in the data set.
        spellings: how often it is spelled how.
        settings: how often it stands where.
    """

    type: str
    spellings: Counter[Tokens] = field(default_factory=Counter)
    settings: Counter[Setting] = field(default_factory=Counter)

    @property
    def name(self) -> Tokens:
        """Its commonest spelling, in capitals only where it has no other."""
        return max(self.spellings, key=lambda name: (not " ".join(name).isupper(), self.spellings[name], name))

    @property
    def setting(self) -> Setting:
        """Where it stands most often."""
        return max(Setting, key=lambda setting: self.settings[setting])


def training_mentions(sentences: Iterable[Sentence]) -> list[TrainingMention]:
    """Return the mentions of a training split, sorted by type and name."""
    found: dict[tuple[str, Tokens], TrainingMention] = defaultdict(lambda: TrainingMention(""))
    for sentence in sentences:
        spans = sentence.spans
        if not spans:
            continue
        setting = _setting(sentence.tokens)
        for span in spans:
            name = sentence.tokens[span.start : span.end]
            mention = found[span.type, tuple(word.lower() for word in name)]
            mention.type = span.type
            mention.spellings[name] += 1
            mention.settings[setting] += 1
    return [found[key] for key in sorted(found)]


def _setting(tokens: Tokens) -> Setting:
    numbers = sum(word[0].isdigit() for word in tokens)
    if numbers >= _NUMBERS * len(tokens) or any(_SCORE.fullmatch(word) for word in tokens):
        return Setting.RESULTS
    return Setting.PROSE if _BUSINESS.isdisjoint(word.lower() for word in tokens) else Setting.BUSINESS
