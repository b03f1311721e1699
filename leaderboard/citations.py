"""What a table should be cited with: Gauntlet itself, the papers of its attacks, the papers whose rows it shows."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import version

from benchmark.errors import GauntletError

__all__ = ["GAUNTLET", "Citation", "of_attacks"]


@dataclass(frozen=True)
class Citation:
    """A bibliographic entry.

    Attributes:
        kind: BibTeX's word for it.
        authors: "Given Family" each, or family names alone; the last may be "others".
        year: of publication; None where there is none.
        title: in full.
        more: other fields.
        key: to cite it by; made of author, year and title if empty.
        organisation: the author is one, whose name has no parts.
    """

    kind: str
    authors: tuple[str, ...]
    year: int | None
    title: str
    more: Mapping[str, str]
    key: str = ""
    organisation: bool = False

    @property
    def label(self) -> str:
        """The key: first author, year and the first word of the title, unless it has one of its own."""
        first = self.authors[0].rsplit(" ", 1)[-1]
        return _plain(self.key or f"{first}{self.year or ''}{self.title.split(' ', 1)[0]}")


GAUNTLET = Citation(
    "misc",
    ("The Gauntlet developers",),
    None,
    "Gauntlet: a benchmark for the robustness of named-entity recognition",
    {"note": f"Version {version('ner-gauntlet')}"},
    "gauntlet",
    organisation=True,
)

# As attack cards name their paper: "Gao et al. 2018, Title".
_CARD = re.compile(r"(?P<authors>.+?) (?P<year>\d{4}), (?P<title>.+)")


def of_attacks(names: Iterable[str]) -> tuple[Citation, ...]:
    """Return the papers of attacks, as far as the attacks are installed and their cards name one."""
    from benchmark.finding import ATTACKS

    found = {}
    for name in sorted(set(names)):
        try:
            card = ATTACKS.get(name).card
        except GauntletError:
            continue
        if match := _CARD.fullmatch(card.paper or ""):
            authors = re.split(r" & |, ", match["authors"].replace(" et al.", " & others"))
            found[card.paper] = Citation("misc", tuple(authors), int(match["year"]), match["title"], {})
    return tuple(found.values())


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    return re.sub(r"[^a-z0-9]", "", letters.lower())
