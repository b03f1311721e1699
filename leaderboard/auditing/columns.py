"""The columns of an audit's tables; adding one is adding a value here and a cell in `findings`."""

from __future__ import annotations

from leaderboard.auditing.fates import FATES
from leaderboard.tables import Column

__all__ = ["ATTACKS", "BY_KIND", "OUTCOMES", "SEEN", "SIGNS", "TYPES"]

_F1 = Column("f1", "F1", "strict F1 of mentions, in per cent", 100, 1, headline=True)
_BROKEN = Column("broken", "Broken %", "share of the sentences attacked that broke", 100, 1, headline=True)
_VALID = Column(
    "valid", "Likely valid %", "the same, counting only texts whose gold labels are likely still right", 100, 1
)
OUTCOMES = (
    Column("text", "Texts", "which texts, and which of them count"),
    Column("sentences", "Sentences", "how many", 1, 0),
    _F1,
)
ATTACKS = (
    Column("attack", "Attack", "name in the registry"),
    _BROKEN,
    _VALID,
    Column("f1", "F1 after", "strict F1 after this attack; sentences that held count too", 100, 1),
    Column("edited", "Words edited %", "of a text that broke the model, mean", 100, 1),
    Column("queries", "Queries", "texts put to the model until it broke, median", 1, 0),
    Column("about", "What it does", "summary of the attack's card"),
)
BY_KIND = (
    Column("kind", "Kind of edit", "told from the texts themselves, whichever attack made them"),
    _BROKEN,
    _VALID,
    Column("about", "What it is", "in words"),
)
TYPES = (
    Column("type", "Type", "of entity"),
    Column("mentions", "Mentions", "gold mentions in the sentences attacked", 1, 0),
    Column("before", "F1 clean", "strict F1 on the clean texts", 100, 1),
    Column(
        "after",
        "F1 worst case",
        "lowest strict F1 over all attacks, likely valid texts",
        100,
        1,
        headline=True,
    ),
    *(
        Column(name, f"{name.capitalize()} %", f"share of the mentions in the worst case of their type: {says}", 100, 1)
        for name, says in FATES.items()
        if name != "found"
    ),
)
SEEN = (
    Column("mentions_are", "Mentions", "whether the training data have a mention of these words, in any letters"),
    Column("number", "Number", "gold mentions in the sentences attacked", 1, 0),
    Column("before", "Recall clean", "share found on the clean texts, borders and type right", 100, 1),
    Column(
        "after",
        "Recall worst case",
        "lowest share found, likely valid texts",
        100,
        1,
        headline=True,
    ),
)
SIGNS = (
    Column("flag", "Sign", "by rules and two small taggers"),
    Column("share", "Of successes %", "share of all successes of all attacks that show it", 100, 1, headline=True),
    Column("counts", "Counts as valid", "whether a success with this sign still counts as likely valid"),
    Column("about", "What it says", "in words"),
)
