"""What to cite beside a table, as BibTeX."""

from __future__ import annotations

from collections.abc import Sequence

from leaderboard.citations import GAUNTLET, Citation
from leaderboard.export.to_latex import escaped
from leaderboard.tables import Table

__all__ = ["to_bibtex"]


def to_bibtex(tables: Sequence[Table]) -> str:
    """Return Gauntlet's entry and one for each paper that the tables lean on, the fuller one where there are two."""
    found = {GAUNTLET.title.lower(): GAUNTLET}
    for table in tables:
        for citation in table.citations:
            known = found.get(citation.title.lower())
            if known is None or len(citation.more) > len(known.more):
                found[citation.title.lower()] = citation
    return "\n".join(_entry(citation) for citation in found.values())


def _entry(citation: Citation) -> str:
    authors = " and ".join(map(escaped, citation.authors))
    fields = {
        "author": f"{{{authors}}}" if citation.organisation else authors,
        # Inner braces keep capitals as they are.
        "title": f"{{{escaped(citation.title)}}}",
        **({"year": str(citation.year)} if citation.year else {}),
        **{name: escaped(value) for name, value in citation.more.items()},
    }
    body = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items())
    return f"@{citation.kind}{{{citation.label},\n{body}}}\n"
