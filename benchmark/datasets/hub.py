"""Data sets from the Hugging Face hub, by repository and Parquet revision; no loading script is ever run.

The hub's own Parquet branch moves with its repository; what was read is held by the content hash in every result.

Needs the extra `hub` (`pip install 'ner-gauntlet[hub]'`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmark.datasets.dataset import Dataset
from benchmark.errors import BadInput, MissingResource, first_line
from benchmark.tag_schemes import to_iob2
from benchmark.types import Sentence

__all__ = ["HUB_DATASETS", "HubDataset", "load_from_hub"]

# The branch that the hub itself converts every data set to Parquet on.
_PARQUET = "refs/convert/parquet"


@dataclass(frozen=True)
class HubDataset:
    """Where a data set lives on the hub and how its columns are called.

    Attributes:
        repository: "owner/name".
        config: configuration; on the hub's Parquet branch the folder's name.
        revision: a Parquet revision.
        tokens: column of tokens.
        tags: column of tags (class labels or strings).
        splits: our split names to the hub's.
        scheme: tag scheme; "IO" for type names without B-/I- marks.
        document: column that names the document, if any.
        names: tag names in the order of the integers, where the column itself does not tell.
    """

    repository: str
    config: str | None = None
    revision: str = _PARQUET
    tokens: str = "tokens"
    tags: str = "ner_tags"
    splits: Mapping[str, str] = field(default_factory=lambda: {"train": "train", "dev": "validation", "test": "test"})
    scheme: str = "IOB2"
    document: str | None = None
    names: tuple[str, ...] = ()


# tner/ontonotes5 stores numbers without names; this is their order.
_ONTONOTES5 = (
    "O B-CARDINAL B-DATE I-DATE B-PERSON I-PERSON B-NORP B-GPE I-GPE B-LAW I-LAW B-ORG I-ORG B-PERCENT I-PERCENT "
    "B-ORDINAL B-MONEY I-MONEY B-WORK_OF_ART I-WORK_OF_ART B-FAC B-TIME I-CARDINAL B-LOC B-QUANTITY I-QUANTITY I-NORP "
    "I-LOC B-PRODUCT I-TIME B-EVENT I-EVENT I-FAC B-LANGUAGE I-PRODUCT I-ORDINAL I-LANGUAGE"
)

HUB_DATASETS: dict[str, HubDataset] = {
    "conll2003": HubDataset("eriktks/conll2003", "conll2003"),
    "ontonotes5": HubDataset("tner/ontonotes5", "ontonotes5", tags="tags", names=tuple(_ONTONOTES5.split())),
    "wnut17": HubDataset("leondz/wnut_17", "wnut_17"),
    "wikigold": HubDataset("DFKI-SLT/wikigold_conll", "default", splits={"test": "train"}),
    "few-nerd": HubDataset("DFKI-SLT/few-nerd", config="supervised", scheme="IO"),
    **{
        f"crossner-{domain}": HubDataset("DFKI-SLT/cross_ner", config=domain)
        for domain in ("ai", "literature", "music", "politics", "science")
    },
}


def load_from_hub(name: str, where: HubDataset) -> Dataset:
    """Load a data set from the hub or, in the hub's format, from a local folder given as the repository.

    Raises:
        MissingResource: the `datasets` package or the hub cannot be reached.
        BadInput: columns or tags are not as described.
    """
    try:
        import datasets
    except ImportError:
        raise MissingResource("data sets from the hub need: pip install 'ner-gauntlet[hub]'") from None
    datasets.disable_progress_bars()
    splits = {}
    for ours, theirs in where.splits.items():
        try:
            rows = _load(datasets, where, theirs)
        except Exception as error:
            raise MissingResource(
                f"data set {name} ({where.repository}) cannot be loaded from the hub: {first_line(error)}; "
                "with a local copy, pass --data-dir (a folder with "
                f"{name}/test.conll)"
            ) from error
        for column in (where.tokens, where.tags):
            if column not in rows.column_names:
                raise BadInput(f"{where.repository} has no column {column!r}; it has: {', '.join(rows.column_names)}")
        splits[ours] = tuple(_sentences(rows, where, ours))
    return Dataset(name, splits, f"hub {where.repository}@{where.revision}")


def _load(datasets: Any, where: HubDataset, split: str) -> Any:
    if where.revision != _PARQUET:
        return datasets.load_dataset(where.repository, where.config, split=split, revision=where.revision)
    # The Parquet branch has a folder for each configuration and split, and knows nothing of configurations.
    pattern = f"{where.config}/{split}/*.parquet"
    return datasets.load_dataset(where.repository, data_files={split: pattern}, split=split, revision=_PARQUET)


def _sentences(rows: Any, where: HubDataset, split: str) -> Iterable[Sentence]:
    names = where.names or _names(rows.features[where.tags])
    for number, row in enumerate(rows):
        if not names and any(isinstance(tag, int) for tag in row[where.tags]):
            raise BadInput(
                f"column {where.tags!r} of {where.repository} holds plain numbers; their names are not known"
            )
        raw = [names[tag] if isinstance(tag, int) else str(tag) for tag in row[where.tags]]
        if not raw:
            continue
        try:
            tags = to_iob2(_mark(raw), "IOB1") if where.scheme == "IO" else to_iob2(raw, where.scheme)
        except BadInput as error:
            raise BadInput(f"{where.repository}, {split} row {number}: {error}") from None
        document = str(row[where.document]) if where.document else None
        yield Sentence(f"{split}-{number}", tuple(row[where.tokens]), tags, document=document)


def _names(feature: Any) -> list[str]:
    """Read the class labels' names off a column; empty where tags are strings already."""
    inner = getattr(feature, "feature", feature)
    return list(getattr(inner, "names", []))


def _mark(types: list[str]) -> list[str]:
    return ["O" if name == "O" else f"I-{name}" for name in types]


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
