"""Every number of a result, computed again from the stored examples.

Numbers are stored with six digits. One unit in the last of them is allowed, because sums of real numbers depend on the
machine in their last bits; counts, reasons and missing values must be the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from benchmark.metrics import METRICS, per_type, rejections
from leaderboard.plain_text import shown
from leaderboard.verifying.finding import Finding
from leaderboard.verifying.stored_run import StoredRun

__all__ = ["LAST_DIGIT", "metric_faults"]

LAST_DIGIT = 1.5e-6


def metric_faults(run: StoredRun) -> Iterator[Finding]:
    """Yield numbers that do not follow from the examples."""
    if run.spec is None or run.examples is None or run.result is None:
        return
    try:
        wanted = {metric.name: metric.value(run.examples, run.spec.queries).to_json() for metric in METRICS}
        computed = per_type(run.examples)
    except (ValueError, LookupError) as error:  # tags and tokens of different numbers, say
        yield run.finding("examples.parquet", "rows", f"no metrics follow ({type(error).__name__})", "rows that fit")
        return
    yield from _differences(run, "metrics.", run.result["metrics"], wanted)
    stored = run.result["per_type"]
    for kind in sorted({*stored, *computed}):
        yield from _differences(run, f"per_type.{kind[:80]}.", stored.get(kind, {}), computed.get(kind, {}))
    counted = rejections(run.examples)
    if run.result["rejected"] != counted:
        yield run.finding("result.json", "rejected", shown(run.result["rejected"]), shown(counted))


def _differences(
    run: StoredRun, where: str, stored: Mapping[str, Mapping[str, Any]], wanted: Mapping[str, Mapping[str, Any]]
) -> Iterator[Finding]:
    for name in sorted({*stored, *wanted}):
        if name not in stored:
            told = "delete result.json, and `gauntlet results` computes it again"
            yield run.finding("result.json", where + name, "missing", f"{wanted[name].get('value')}; {told}")
        elif name not in wanted:
            yield run.finding("result.json", where + name[:80], "unknown metric", "none of that name")
        else:
            for part in ("value", "low", "high", "n", "reason"):
                found, expected = stored[name].get(part), wanted[name].get(part)
                if not _same(found, expected):
                    yield run.finding("result.json", f"{where}{name}.{part}", shown(found), shown(expected))


def _same(found: Any, expected: Any) -> bool:
    if isinstance(found, float) and isinstance(expected, float):
        return abs(found - expected) <= LAST_DIGIT
    return bool(found == expected)
