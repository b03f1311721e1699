"""What verification says: what is wrong, and what could not be looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

__all__ = ["TEXT_NOT_HERE", "Finding", "NotChecked", "Report"]

TEXT_NOT_HERE = "text not here"


class Finding(NamedTuple):
    """One thing that is wrong.

    Attributes:
        file: path below what was verified.
        field: where in the file.
        wrong: what stands there.
        expected: what should.
    """

    file: str
    field: str
    wrong: str
    expected: str

    @property
    def line(self) -> str:
        """The finding as one line."""
        return f"{self.file}: {self.field}: {self.wrong}; expected {self.expected}"


class NotChecked(NamedTuple):
    """One thing that could not be looked at.

    Attributes:
        file: path below what was verified.
        field: where in the file.
        why: a few words.
    """

    file: str
    field: str
    why: str

    @property
    def line(self) -> str:
        """The gap as one line."""
        return f"{self.file}: {self.field}: not checked: {self.why}"


@dataclass(frozen=True)
class Report:
    """All that verification has to say.

    Attributes:
        runs: how many runs were looked at.
        findings: what is wrong; none, and the results hold.
        not_checked: what could not be looked at.
    """

    runs: int
    findings: tuple[Finding, ...]
    not_checked: tuple[NotChecked, ...]

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return {
            "runs": self.runs,
            "findings": [finding._asdict() for finding in self.findings],
            "not_checked": [gap._asdict() for gap in self.not_checked],
        }
