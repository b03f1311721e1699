"""Whether a guest's package is installed, and the one line that says how to get it."""

from __future__ import annotations

from importlib.util import find_spec

from benchmark.errors import MissingResource

__all__ = ["require_package"]


def require_package(module: str, attack: str) -> None:
    """Make sure that a guest's package can be imported.

    Args:
        module: top-level module of the package.
        attack: whose attack it is, for the message.

    Raises:
        MissingResource: it is not installed.
    """
    if find_spec(module) is None or find_spec("greenlet") is None:
        raise MissingResource(
            f"{attack} needs {module}, which is not installed; it has older requirements than we do, so: "
            "pip install -c constraints-guests.txt 'ner-gauntlet[guests]' in an environment of its own"
        )
