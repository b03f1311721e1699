"""Errors a user can do something about.

    GauntletError
    |- BadInput        something given is wrong: a file, a name, a number
    |   `- VictimLacks    a victim does not give what an attack needs
    |- MissingResource a model, package or server is not there; the message holds the command that brings it
    |- CorruptResult   stored results do not agree with themselves
    |- CannotSave      a result could not be written
    `- Busy            another process is writing the same run

The command line prints the message of any of these as one plain line; every message names the way out.
"""

from __future__ import annotations

__all__ = [
    "BadInput",
    "Busy",
    "CannotSave",
    "CorruptResult",
    "GauntletError",
    "MissingResource",
    "VictimLacks",
    "first_line",
]


class GauntletError(Exception):
    """Base of all errors that are the situation's fault, not the program's."""


class BadInput(GauntletError):  # noqa: N818 - reads better where it is raised
    """Something the user gave cannot be used as it is."""


class VictimLacks(BadInput):
    """A victim does not give what an attack needs; in a grid of both this is no mistake."""


class MissingResource(GauntletError):  # noqa: N818
    """A model, a package or a server that is needed is not there."""


class CorruptResult(GauntletError):  # noqa: N818
    """A stored result or journal does not agree with its checksum or with itself."""


class CannotSave(GauntletError):  # noqa: N818
    """A result could not be written."""


class Busy(GauntletError):  # noqa: N818
    """Another process holds the lock of the run."""


def first_line(error: BaseException) -> str:
    """Return the first line of what a library says went wrong, or the error's name where it says nothing."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
