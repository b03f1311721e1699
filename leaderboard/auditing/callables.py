"""A function of the user's as a model, named MODULE:FUNCTION. Naming it is asking for it to be imported and run."""

from __future__ import annotations

import hashlib
import importlib
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark.api import CallableVictim
from benchmark.errors import BadInput, first_line
from benchmark.types import Prediction, Tags, Tokens
from benchmark.victims.finding import VICTIMS
from benchmark.victims.label_map import types_of

__all__ = ["SettledVictim", "callable_named", "is_callable_name", "settled"]


def is_callable_name(name: str) -> bool:
    """Tell whether a name has the form MODULE:FUNCTION; a family of victims comes before a module of its name."""
    module, colon, function = name.partition(":")
    return bool(colon) and module not in VICTIMS and all(map(str.isidentifier, [*module.split("."), function]))


def callable_named(name: str) -> CallableVictim:
    """Import a function and make it a victim.

    It maps a list of texts (lists of tokens) to a list of IOB2 tag lists. One with an attribute `labels`, the label
    set, returns for each text a (tokens, labels) array of probabilities instead. What is attacked is `settled`.

    Args:
        name: MODULE:FUNCTION; the module is looked for among the installed ones, then in the working directory.

    Raises:
        BadInput: no such module or function, a file's name, or the module breaks off.
    """
    module_name, _, function_name = name.partition(":")
    if module_name.endswith(".py"):
        raise BadInput(f"{name} names a file; write {module_name.removesuffix('.py')}:{function_name}, without .py")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)
    try:
        module = importlib.import_module(module_name)
    except Exception as error:  # whatever a stranger's module does
        missing = isinstance(error, ModuleNotFoundError) and error.name == module_name.partition(".")[0]
        raise BadInput(
            f"no module {module_name!r} to import from here, and no family of models has this name; MODEL is "
            "hf:REPO, path:FOLDER, spacy:PIPELINE, minilm/DATASET or MODULE:FUNCTION"
            if missing
            else f"the module {module_name} cannot be imported: {type(error).__name__}: {first_line(error)}"
        ) from error
    function: Any = getattr(module, function_name, None)
    if not callable(function):
        raise BadInput(f"the module {module_name} has no function {function_name!r}; MODEL is MODULE:FUNCTION")
    return CallableVictim(function, getattr(function, "labels", ()), name)


@dataclass
class SettledVictim:
    """A callable of which all is known that a run's specification tells; see `Victim`."""

    victim: CallableVictim
    labels: Tags
    fingerprint: str

    def __post_init__(self) -> None:
        self.name = self.victim.name
        self.access = self.victim.access
        self.unknown_word = self.victim.unknown_word
        self.settings = self.victim.settings

    def fits(self, tokens: Tokens) -> bool:
        """As the callable."""
        return self.victim.fits(tokens)

    def predict(self, batch: Sequence[Tokens]) -> list[Prediction]:
        """As the callable."""
        return self.victim.predict(batch)


def settled(victim: CallableVictim, answers: Sequence[Prediction], never_said: Iterable[str] = ()) -> SettledVictim:
    """Find out what only answers tell: the labels of a function that gives tags, and what tells it from another one.

    A function's source says nothing of the weights behind it, so its answers to the clean texts go into its
    fingerprint: a stored run is read back only as long as they stay the same.

    Args:
        victim: the function.
        answers: to the clean texts.
        never_said: types that it is asked for although it gave none of them, where it does not name its labels.
    """
    types = sorted({*types_of(tag for answer in answers for tag in answer.tags), *never_said})
    labels = victim.labels or ("O", *(f"{mark}-{kind}" for kind in types for mark in "BI"))
    said = "\n".join(" ".join(answer.tags) for answer in answers)
    return SettledVictim(victim, labels, hashlib.sha256(f"{victim.fingerprint}\n{said}".encode()).hexdigest())
