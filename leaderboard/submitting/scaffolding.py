"""A new component: a package of its own with an entry point, a card, a test, and code that works already."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from benchmark.defending import DEFENSES
from benchmark.errors import BadInput, CannotSave
from benchmark.finding import ATTACKS
from benchmark.registry import Registry
from benchmark.victims.finding import TRAINED, VICTIMS
from leaderboard.cards import component_name_fault
from leaderboard.plain_text import shown

__all__ = ["TEMPLATES", "scaffold"]

TEMPLATES = ("attack", "defense", "victim")
_TAKEN: Mapping[str, Registry[Any]] = {"attack": ATTACKS, "defense": DEFENSES, "victim": VICTIMS}


def scaffold(kind: str, name: str, into: Path) -> list[Path]:
    """Write a new component's package into a folder of its name; return its files.

    Args:
        kind: one of `TEMPLATES`.
        name: of the component.
        into: where the folder is made.

    Raises:
        BadInput: no such kind, a name that will not do or is taken, or there is such a folder.
        CannotSave: the folder cannot be written.
    """
    if kind not in TEMPLATES:
        raise BadInput(f"unknown kind {shown(kind)}; known: {', '.join(TEMPLATES)}")
    if fault := component_name_fault(name):
        raise BadInput(f"{kind} {shown(name)}: a name has {fault}")
    module = f"gauntlet_{name.replace('-', '_')}"
    if name in _TAKEN[kind] or name in TRAINED:
        raise BadInput(f"{kind} {name} exists already (`gauntlet list {kind}s`); choose another name")
    if importlib.util.find_spec(module) is not None:
        raise BadInput(f"there is a module {module} already; uninstall it or choose another name")
    folder = into / name
    if folder.exists():
        raise BadInput(f"{folder} is there already; choose another name or folder")
    words = {"name": name, "module": module, "class_name": "".join(part.capitalize() for part in name.split("-"))}
    places = {
        "pyproject.toml": folder / "pyproject.toml",
        "README.md": folder / "README.md",
        "card.toml": folder / "card.toml",
        "module.py": folder / module / "__init__.py",
        "test_contract.py": folder / "tests" / f"test_{module}.py",
    }
    try:
        for template, path in places.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            text = files("leaderboard.submitting").joinpath("templates", kind, f"{template}.txt")
            path.write_text(Template(text.read_text(encoding="utf-8")).substitute(words), encoding="utf-8")
    except OSError as error:
        raise CannotSave(f"cannot write {folder}: {error.strerror}") from error
    return list(places.values())
