"""Defenses: what makes a victim sturdier, by training it otherwise or by standing in front of it.

A defended victim is named BASE+DEFENSE, with parameters in parentheses: `minilm/wnut17+mat`,
`minilm/wnut17(seed=1)+augment(bert-attack,n=1000)`, `hf:OWNER/MODEL+spell-check`. Such a name goes wherever a victim is
named; what has to be trained for it is trained on first use and cached, as plain victims are.
"""

from __future__ import annotations

from benchmark.defending.contract import Case, Defense, DefenseCard, FrontEnd, TrainedDefense, defense
from benchmark.defending.finding import DEFENSES, defense_named
from benchmark.defending.fitting import Fitted, defended, fitted

__all__ = [
    "DEFENSES",
    "Case",
    "Defense",
    "DefenseCard",
    "Fitted",
    "FrontEnd",
    "TrainedDefense",
    "defended",
    "defense",
    "defense_named",
    "fitted",
]
