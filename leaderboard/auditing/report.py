"""The page: one file that opens from the disk, asks for nothing and runs no script."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

from benchmark.metrics import Value
from leaderboard.auditing.chosen import chosen, shown
from leaderboard.auditing.findings import Findings
from leaderboard.auditing.hardening import gains, helped, registered
from leaderboard.export import FORMATS
from leaderboard.site.addresses import Addresses
from leaderboard.site.example_pages import type_hues
from leaderboard.site.pages import environment
from leaderboard.site.readers import Readers, readers_of
from leaderboard.site.shown_tables import shown_table

__all__ = ["broken_off", "caution", "headline", "record", "report"]

_NOWHERE = Addresses((), (), (), (), ())


def headline(findings: Findings) -> str:
    """Say in two sentences how the model fares, on all the data first: attacked is what it is good at."""
    audit, count, valid = findings.audit, len(findings.sentences), findings.broken_validly
    return (
        f"Clean F1 on {audit.data} is {100 * (audit.clean.value or 0):.1f}. Of {count} sentences in which "
        f"{audit.victim.name} misses next to no mention, edits that show no sign of changing the right answer "
        f"break {round((valid.value or 0) * count)}: {_percent(valid)}; in the worst case F1 on them falls from "
        f"{100 * findings.clean_f1:.1f} to {100 * findings.robust_validly.value:.1f}."
    )


def caution(findings: Findings) -> str:
    """Say what is taken for granted in the headline, and whether anybody has looked."""
    unread = "" if _people(findings) else "; nobody has read these texts"
    return f"An edit inside a mention is taken to keep its type{unread}."


def broken_off(findings: Findings) -> str:
    """Say how many attacks ended in an error, what they count as and what to do; nothing where none did."""
    count = findings.errors
    if not count:
        return ""
    attacks, count_as, them = ("attack", "counts", "it") if count == 1 else ("attacks", "count", "them")
    return (
        f"{count} {attacks} on a sentence broke off with an error and {count_as} as held. The traceback is in "
        f"errors.log beside the run; the same command with --retry-errors tries {them} again."
    )


def record(findings: Findings, command: str) -> dict[str, Any]:
    """Return all that the page says in numbers, JSON-ready."""
    audit = findings.audit
    return {
        "headline": headline(findings),
        "caution": caution(findings),
        "model": {"name": audit.victim.name, "fingerprint": audit.victim.fingerprint},
        "data": {"name": audit.dataset.name, "split": audit.split, "hash": audit.dataset.hash(audit.split)},
        "suite": audit.suite,
        "compared": list(audit.comparison.words),
        "sentences": len(findings.sentences),
        "resolution": findings.resolution,
        "errors": findings.errors,
        "broken": findings.broken.to_json(),
        "broken_validly": findings.broken_validly.to_json(),
        "clean_f1": audit.clean.to_json(),
        "robust_f1": {"value": round(findings.robust.value, 6), "valid_only": round(findings.robust_validly.value, 6)},
        "label_validity": findings.validity.to_json(),
        "runs": [run.run_id for run in audit.runs],
        "judges": dict(audit.runs[0].judges),
        "command": command,
        "tables": json.loads(FORMATS["json"](list(findings.tables.values()))),
    }


def report(findings: Findings, results: Path, command: str) -> str:
    """Return the page as HTML.

    Args:
        findings: of the audit.
        results: where its runs are, and perhaps others with defended models.
        command: that makes the page again.

    Raises:
        MissingResource: Jinja2 is not installed.
    """
    audit = findings.audit
    templates = environment()
    examples = [shown(success) for success in chosen(findings)]
    hues = type_hues(sorted({kind for one in examples for kind in one.types}))
    tables = {name: shown_table(t, k, _NOWHERE) for k, (name, t) in enumerate(findings.tables.items(), 1)}
    defended = gains(results, audit.dataset.name)
    context: Mapping[str, Any] = {
        "headline": headline(findings),
        "caution": caution(findings),
        "broken_off": broken_off(findings),
        "findings": findings,
        "audit": audit,
        "tables": tables,
        "examples": examples,
        "hues": hues,
        "percent": _percent,
        "helped": list(helped(defended)),
        "gains": [shown_table(table, 100 + k, _NOWHERE) for k, table in enumerate(defended)],
        "registered": registered(),
        "results": results,
        "people": _people(findings),
        "command": command,
        "version": version("ner-gauntlet"),
        "style": (files("leaderboard.site") / "static" / "site.css").read_text(encoding="utf-8"),
    }
    return templates.get_template("audit.html").render(context)


def _people(findings: Findings) -> list[tuple[str, Readers]]:
    """Return what people said of the successes of each attack, where somebody was asked."""
    read = [(run.spec.attack, readers_of(run)) for run in findings.audit.runs]
    return [(attack, readers) for attack, readers in read if readers is not None]


def _percent(value: Value) -> str:
    """Return a share with its interval."""
    if value.value is None:
        return f"not known, {value.reason}"
    return f"{100 * value.value:.0f} % (95 % interval: {100 * (value.low or 0):.0f}–{100 * (value.high or 0):.0f} %)"
