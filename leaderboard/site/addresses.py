"""Where the page about a thing is: names that strangers chose become file names that are safe everywhere."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from leaderboard.tables import printable

__all__ = ["Addresses", "slug"]

_LONGEST = 60


def slug(name: str) -> str:
    """Return a file name for a name: small letters, digits and hyphens; where that loses something, a hash as well."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:_LONGEST]
    if plain and plain == name:
        return plain
    return f"{plain}-{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:6]}".strip("-")


@dataclass(frozen=True)
class Addresses:
    """Which names have a page of their own.

    Attributes:
        attacks: names.
        victims: names.
        datasets: names.
        defenses: names.
        runs: run ids.
    """

    attacks: tuple[str, ...]
    victims: tuple[str, ...]
    datasets: tuple[str, ...]
    defenses: tuple[str, ...]
    runs: tuple[str, ...]

    def attack(self, label: str) -> str | None:
        """Return the page of an attack; the label may say more than its name."""
        return _page("attacks", self.attacks, label)

    def victim(self, label: str) -> str | None:
        """Return the page of a victim; the label may say more than its name."""
        return _page("victims", self.victims, label)

    def dataset(self, label: str) -> str | None:
        """Return the page of a data set."""
        return _page("data", self.datasets, label)

    def defense(self, label: str) -> str | None:
        """Return the page of a defense."""
        return _page("defenses", self.defenses, label)

    def run(self, run_id: str) -> str | None:
        """Return the page with a run's examples."""
        return _page("examples", self.runs, run_id)


def _page(folder: str, names: Iterable[str], label: str) -> str | None:
    """Return the page of the longest name that a label is or begins with."""
    label = printable(label)  # as tables show it
    fitting = [name for name in names if f"{label} ".startswith(f"{printable(name)} ")]
    return f"{folder}/{slug(max(fitting, key=len))}.html" if fitting else None
