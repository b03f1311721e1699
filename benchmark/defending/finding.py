"""From a defense's name, perhaps with parameters, to a defense, and back."""

from __future__ import annotations

from dataclasses import fields

from benchmark.calls import literal, parsed, spelled
from benchmark.defending.contract import Defense
from benchmark.errors import BadInput
from benchmark.registry import Registry

__all__ = ["DEFENSES", "defense_named", "name_of"]

DEFENSES: Registry[type[Defense]] = Registry("defense", "gauntlet.defenses")


def defense_named(text: str) -> Defense:
    """Return a configured defense.

    Args:
        text: NAME, or NAME(VALUE, NAME=VALUE); values without a name are those that must be given, in their order.

    Raises:
        BadInput: no such defense, unknown parameters, values of the wrong type, a text that must be given is not, or
            the class carries another defense's card.
    """
    name, unnamed, named = parsed(text)
    found = DEFENSES.get(name)
    if "card" not in vars(found) or found.card.name != name:
        raise BadInput(
            f"the class registered as {name!r} has no card of its own; decorate it with @defense({name!r}, ...)"
        )
    defaults = {field.name: field.default for field in fields(found)}  # type: ignore[arg-type]  # made a dataclass
    needed = [key for key, default in defaults.items() if default == ""]
    if len(unnamed) > len(needed):
        raise BadInput(f"defense {name}: {unnamed[len(needed)]!r} is the value of what? write NAME=VALUE")
    given = dict(zip(needed, unnamed, strict=False))
    if twice := given.keys() & named.keys():
        raise BadInput(f"defense {name} is given {min(twice)} twice")
    given |= named
    if missing := [key for key in needed if not given.get(key)]:
        raise BadInput(f"defense {name} needs its {missing[0]}: {name}({missing[0].upper()})")
    return found.configured({key: _typed(value, defaults.get(key)) for key, value in given.items()})


def _typed(text: str, default: object) -> object:
    """Read a value as what its parameter is, where it can be; 1 and 1.0 are the same number and make one victim."""
    if isinstance(default, str):
        return text
    value = literal(text)
    return float(value) if isinstance(default, float) and type(value) is int else value


def name_of(defense: Defense) -> str:
    """Return the name that leads to a defense.

    Parameters are left out that have their defaults; what must be given comes without its name.
    """
    unnamed, named = [], {}
    for field in fields(defense):  # type: ignore[arg-type]  # every subclass is made a dataclass
        value = getattr(defense, field.name)
        if field.default == "":
            unnamed.append(value)
        elif value != field.default:
            named[field.name] = value
    return spelled(defense.card.name, named, unnamed)
