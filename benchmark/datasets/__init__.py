"""Data sets: where sentences with gold labels come from.

`newsroom` is embedded. Any other name is looked for as a folder `NAME/{train,dev,test}.conll` (or `.jsonl`) in the data
folder, then on the Hugging Face hub; a path to a file or folder works too.
"""

from __future__ import annotations

from benchmark.datasets.dataset import Dataset
from benchmark.datasets.finding import DATASETS, find_dataset

__all__ = ["DATASETS", "Dataset", "find_dataset"]
