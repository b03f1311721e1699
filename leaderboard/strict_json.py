"""JSON from strangers: finite numbers, no name twice, no broken characters, no nesting without end."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any, NoReturn

__all__ = ["loads"]

# Far below where Python gives up, so that whoever walks through a value does not.
_DEEPEST = 100


def loads(content: bytes) -> Any:
    """Read JSON.

    Raises:
        ValueError: what is wrong, in a few words.
    """
    try:
        value = json.loads(
            content.decode("utf-8"), object_pairs_hook=_object, parse_constant=_not_finite, parse_float=_finite
        )
        json.dumps(value, ensure_ascii=False).encode("utf-8")  # \ud800 is a character to JSON, but none to UTF-8
    except UnicodeError as error:
        raise ValueError(f"not UTF-8 ({error.reason})") from None  # type: ignore[attr-defined]
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if _is_deeper(value, _DEEPEST):
        raise ValueError("nested too deeply")
    return value


def _is_deeper(value: Any, levels: int) -> bool:
    level = [value]
    for _ in range(levels):
        level = [part for one in level if isinstance(one, dict | list) for part in _parts(one)]
    return bool(level)


def _parts(value: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice[:80]!r} stands there twice")
    return record


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _not_finite(text)


def _not_finite(text: str) -> NoReturn:
    raise ValueError(f"{text[:80]} is no finite number")
