"""Names with parameters in parentheses, as in augment(deepwordbug-i(max_edit_distance=5), n=500)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from benchmark.errors import BadInput

__all__ = ["is_call", "literal", "named_values", "parsed", "spelled"]


def is_call(text: str) -> bool:
    """Tell whether a text has the form NAME(…)."""
    return re.fullmatch(r"[^()]+\(.*\)", text) is not None


def parsed(text: str) -> tuple[str, list[str], dict[str, str]]:
    """Part NAME(VALUE, NAME=VALUE, …), or a bare NAME, into the name, the values without names, and those with.

    Values stay texts; commas and equals signs within parentheses are part of a value.

    Raises:
        BadInput: parentheses do not match, a value is missing, or a name comes twice.
    """
    name, parenthesis, inside = text.partition("(")
    if not parenthesis:
        return text, [], {}
    if not text.endswith(")") or not name:
        raise BadInput(f"{text!r} is not of the form NAME(VALUE, NAME=VALUE)")
    unnamed: list[str] = []
    named: dict[str, str] = {}
    for item in _split(inside[:-1], text):
        match = re.fullmatch(r"(\w+)\s*=\s*(.*)", item)
        if not item or (named and not match) or (match and (not match[2] or match[1] in named)):
            raise BadInput(f"{text!r}: {item!r} is no value; the form is NAME(VALUE, NAME=VALUE)")
        if match:
            named[match[1]] = match[2]
        else:
            unnamed.append(item)
    return name, unnamed, named


def named_values(items: list[str]) -> dict[str, str]:
    """Read the NAME=VALUE of a repeated option; values stay texts.

    Raises:
        BadInput: an item is of another form.
    """
    named = {}
    for item in items:
        name, equals, value = item.partition("=")
        if not equals:
            raise BadInput(f"--param {item!r} is not NAME=VALUE")
        named[name] = value
    return named


def spelled(name: str, named: Mapping[str, Any], unnamed: Sequence[str] = ()) -> str:
    """Write a name and its parameters so that `parsed` reads them; without parameters the bare name."""
    items = ",".join([*unnamed, *(f"{key}={_written(value)}" for key, value in named.items())])
    return f"{name}({items})" if items else name


def literal(text: str) -> Any:
    """Read a number or a truth value where it is one, else keep the text."""
    if text in {"true", "false"}:
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _split(inside: str, text: str) -> list[str]:
    """Cut at the commas outside parentheses."""
    items, depth = [""], 0
    for letter in inside:
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if depth < 0:
            break
        if letter == "," and not depth:
            items.append("")
        else:
            items[-1] += letter
    if depth:
        raise BadInput(f"{text!r}: parentheses do not match")
    return [item.strip() for item in items]
