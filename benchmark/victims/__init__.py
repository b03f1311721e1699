"""Victims: the named-entity recognisers under attack.

Names: `minilm/DATASET` (bundled or trained on first use), `cnn-lstm-crf/DATASET` (trained on first use),
`hf:REPOSITORY`, `path:FOLDER`, `spacy:PIPELINE`.
"""

from __future__ import annotations

from benchmark.victims.finding import VICTIMS, VictimOptions, find_victim
from benchmark.victims.label_map import LabelMap, require_same_types

__all__ = ["VICTIMS", "LabelMap", "VictimOptions", "find_victim", "require_same_types"]
