"""Cards of what was submitted, `RESULTS/cards/NAME-vVERSION.toml`: who made it, where it comes from, its licence.

A card is data. A new version of a component has a card of its own, so that no card is ever changed.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmark.errors import BadInput
from leaderboard.plain_text import fault_in_note, shown
from leaderboard.verifying.finding import Finding

__all__ = ["KINDS", "card_faults", "card_file_faults", "card_file_name", "component_name_fault", "read_card"]

KINDS = ("attack", "defense", "victim")
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST = 40
_LARGEST = 64 * 2**10
# Whether it must be there, and what it says.
_TEXTS: Mapping[str, tuple[bool, str]] = {
    "summary": (True, "one line"),
    "authors": (True, "who made it"),
    "licence": (True, "of the code"),
    "paper": (False, "where it was published"),
    "code": (False, "where the code is"),
    "notes": (False, "anything else"),
}


def component_name_fault(name: str) -> str | None:
    """Return why a component cannot be called so, or None."""
    if len(name) > _LONGEST or not _NAME.fullmatch(name):
        return f"small letters, digits and single hyphens, a letter first, {_LONGEST} at most"
    return None


def read_card(path: Path) -> dict[str, Any]:
    """Return a card.

    Raises:
        BadInput: it cannot be read, or a field is wrong; all of them are named.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise BadInput(f"{path} has more than {_LARGEST} bytes; a card is a few lines")
        card = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"no card {path} ({error.strerror}); `gauntlet new` writes one") from None
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path} is not valid TOML: {error}") from None
    faults = [f"{field}: {wrong}, expected {expected}" for field, wrong, expected in card_faults(card)]
    if faults:
        raise BadInput(f"{path}: " + "; ".join(faults))
    return card


def card_faults(card: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield field, what is wrong with it and what was expected."""
    name, kind, version = card.get("name"), card.get("kind"), card.get("version")
    fault = component_name_fault(name) if isinstance(name, str) else "a name"
    if fault:
        yield "name", shown(name), fault
    if kind not in KINDS:
        yield "kind", shown(kind), f"one of {', '.join(KINDS)}"
    if type(version) is not int or version < 1:
        yield "version", shown(version), "a whole number from 1"
    for field, (must, _) in _TEXTS.items():
        text = card.get(field)
        if text is None and not must:
            continue
        fault = fault_in_note(text) if isinstance(text, str) else "a text"
        if fault:
            yield field, shown(text), fault
    for field in sorted({*card} - {"name", "kind", "version", *_TEXTS}):
        yield shown(field), "unknown field", f"one of name, kind, version, {', '.join(_TEXTS)}"


def card_file_name(card: Mapping[str, Any]) -> str:
    """Return the name under which a card is kept."""
    return f"{card['name']}-v{card['version']}.toml"


def card_file_faults(results: Path) -> Iterator[Finding]:
    """Yield what is wrong with the cards of a results folder."""
    folder = results / "cards"
    if not folder.is_dir() or folder.is_symlink():
        return
    for path in sorted(folder.glob("*.toml")):
        if path.is_symlink() or not path.is_file():
            continue
        file = f"cards/{path.name}"
        try:
            card = read_card(path)
        except BadInput as error:
            yield Finding(
                file, "card", str(error).removeprefix(f"{path}").lstrip(": "), "a card as `gauntlet new` writes"
            )
            continue
        if path.name != card_file_name(card):
            yield Finding(file, "name", shown(path.name), card_file_name(card))
