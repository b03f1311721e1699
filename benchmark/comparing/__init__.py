"""How fast attacks run: our engine, other projects' ways of attacking, and the limit that the models set.

Everything that is compared has the same victim, sentences, candidates, constraints, goal and budget, and models that
nobody has asked yet. What is timed is attacking alone: models are loaded and have run in before. Each repeat takes all
ways and back ends in another order, so that a noisy moment hits all alike; the medians are compared.

The limit is the *pure forward*: the distinct questions that our engine put to each model, put once more, all in one go
and to models that remember nothing. What an engine adds (searching, scoring, batches that are not full) is the rest.

A back end is the victim's. On the one that other projects run on, PyTorch, the sentence encoder of a constraint is on
PyTorch as well; on others it is where our engine has it. The language model is on PyTorch everywhere.

Ways of other projects are found by entry point (group `gauntlet.comparisons`).
"""

from __future__ import annotations

from benchmark.comparing.findings import Comparison, Measured
from benchmark.comparing.measuring import COMPARISONS, compare
from benchmark.comparing.reference import REFERENCE
from benchmark.comparing.ways import LIMIT, OURS, Attacked, OthersWay, Way

__all__ = [
    "COMPARISONS",
    "LIMIT",
    "OURS",
    "REFERENCE",
    "Attacked",
    "Comparison",
    "Measured",
    "OthersWay",
    "Way",
    "compare",
]
