"""What a victim's name tells, as it stands in a run or as a user types it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from benchmark.defending.finding import defense_named, name_of
from benchmark.errors import BadInput, GauntletError
from benchmark.victims.finding import TRAINED, parse_name
from leaderboard.plain_text import LONGEST_NAME

__all__ = [
    "as_recorded",
    "base_of",
    "defense_names",
    "defenses_of",
    "recorded_victim",
    "training_settings",
    "victim_details",
]


def recorded_victim(name: str) -> str:
    """Return a victim's name as runs record it: settings in a fixed order, no defaults of defenses, no path.

    Raises:
        BadInput: no such victim or defense.
    """
    parts = parse_name(name)
    if parts.defense:
        return f"{recorded_victim(parts.base)}+{name_of(defense_named(parts.defense))}"
    if parts.family in TRAINED:
        return parts.undefended
    if parts.family != "path":
        return name
    try:
        return f"path:{Path(parts.rest).resolve().name}"
    except (OSError, RuntimeError, ValueError) as error:
        raise BadInput(f"{name} is no path ({error})") from error


@cache
def as_recorded(name: str) -> str:
    """Return a victim's name as runs record it; a name that leads to none here as it is."""
    try:
        return recorded_victim(name) if len(name) <= LONGEST_NAME else name
    except GauntletError:
        return name


def base_of(victim: str) -> str:
    """Return the name of a victim without its defenses; a name of a form that is not known here is its own base."""
    try:
        parts = parse_name(victim)
    except GauntletError:
        return victim
    return base_of(parts.base) if parts.defense else victim


def defenses_of(victim: str) -> list[str]:
    """Return a victim's defenses in their order, as they are best written; none where its name has no parts.

    A defense that is not known here, or not with these parameters, is one all the same.
    """
    try:
        parts = parse_name(victim)
    except GauntletError:
        return []
    if not parts.defense:
        return []
    try:
        last = name_of(defense_named(parts.defense))
    except GauntletError:
        last = parts.defense
    return [*defenses_of(parts.base), last]


def defense_names(victim: str) -> list[str]:
    """Return the names of a victim's defenses, without their parameters."""
    return [defense.partition("(")[0] for defense in defenses_of(victim)]


def training_settings(victim: str) -> Mapping[str, Any]:
    """Return the settings in a victim's name, of its base where it is defended; nothing of what has none."""
    try:
        return parse_name(base_of(victim)).settings
    except GauntletError:
        return {}


def victim_details(fingerprint: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what tells victims of one name apart, for `told_apart`."""
    # Its end: the beginning is that of the network beneath, the same for all adapters on it.
    return {"weights": fingerprint[-8:], **settings}
