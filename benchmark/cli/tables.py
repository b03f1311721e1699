"""Results as tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from benchmark.spec import canonical_json

__all__ = ["attack_table", "json_row"]

# What may differ between the rows of one table; everything else must be the same.
_OF_THE_ROW = {"attack", "attack_version", "parameters", "constraints", "resources", "touch", "access", "seed"}

# (metric, header, scale, digits); a column is a value here.
_COLUMNS = (
    ("attack_rate", "Attack\nrate %", 100, 1),
    ("valid_attack_rate", "Valid\nrate %", 100, 1),
    ("attack_rate@32", "within\n32 q.", 100, 1),
    ("modification_rate", "Mod\n%", 100, 1),
    ("similarity", "Sim\n%", 100, 1),
    ("grammar_errors", "ΔGErr", 1, 2),
    ("l_score.tokens", "L-\nScore %", 100, 1),
    ("f1.strict.before", "F1\nbefore", 100, 1),
    ("f1.strict.after", "F1\nafter", 100, 1),
    ("queries", "Queries", 1, 1),
)


def json_row(result: dict[str, Any]) -> dict[str, Any]:
    """Return the row that `--json` prints for a run."""
    spec = result["spec"]
    return {
        "attack": spec["attack"],
        "victim": spec["victim"],
        "dataset": spec["dataset"],
        "seed": spec["seed"],
        "goal": spec["goal"],
        "parameters": spec["parameters"],
        "constraints": spec["constraints"],
        "run_id": result["run_id"],
        "judges": result["judges"],
        "metrics": result["metrics"],
        "per_type": result["per_type"],
    }


def attack_table(results: Sequence[dict[str, Any]]) -> Iterator[Table]:
    """Yield one table for each victim, data set and protocol: only rows that can be compared stand together."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for result in results:
        shared = {name: value for name, value in result["spec"].items() if name not in _OF_THE_ROW}
        groups.setdefault(canonical_json([shared, result["judges"]]), []).append(result)
    for rows in groups.values():
        spec, judges = rows[0]["spec"], rows[0]["judges"]
        table = Table(
            title=escape(
                f"{spec['victim']} on {spec['dataset']} ({spec['split']}): {len(spec['sentence_ids'])} sentences, "
                f"{spec['goal']}, {spec['mode']}, {spec['queries']} queries"
            ),
            caption=escape(
                f"Second line: 95 % intervals (Wilson for rates, bootstrap else). Similarity: {judges['similarity']}. "
                f"Grammar: {judges['grammar_errors']}. Valid: {judges.get('label_risk', 'not judged')}."
                f"{_left_out(rows)}"
            ),
            box=SIMPLE_HEAD,
            padding=(0, 1, 0, 0),
            title_justify="left",
            caption_justify="left",
        )
        table.add_column("Attack", no_wrap=True)
        for _, header, _, _ in _COLUMNS:
            table.add_column(header, justify="right")
        for result in sorted(rows, key=lambda r: -(r["metrics"]["attack_rate"]["value"] or 0.0)):
            table.add_row(
                escape(_label(result["spec"])), *(_cell(result["metrics"].get(m), s, d) for m, _, s, d in _COLUMNS)
            )
        yield table


def _left_out(rows: Sequence[dict[str, Any]]) -> str:
    """Tell what the rates do not speak of."""
    too_long = rows[0]["spec"]["selection"]["passed_over"].get("too long for the victim", 0)
    told = f" Left out up front: {too_long} sentences too long for the victim." if too_long else ""
    for name in ("error", "skipped"):
        counts = [(row["spec"]["attack"], row["metrics"][f"{name}.count"]["value"]) for row in rows]
        hit = ", ".join(f"{attack} {count:.0f}" for attack, count in counts if count)
        told += f" Sentences that ended as {name}: {hit}." if hit else ""
    return told


def _label(spec: dict[str, Any]) -> str:
    parts = [spec["attack"]]
    parameters = {k: v for k, v in spec["parameters"].items() if not isinstance(v, dict)}
    parts += [f"{k}={v}" for k, v in parameters.items() if v != _default(spec["attack"], k)]
    if spec["constraints"]:
        parts.append(f"+ {spec['constraints']}")
    if spec["seed"]:
        parts.append(f"seed {spec['seed']}")
    return " ".join(parts)


def _default(attack: str, parameter: str) -> Any:
    from benchmark.finding import ATTACKS

    if attack not in ATTACKS:  # a member of a family shows what was set
        return None
    return ATTACKS.get(attack).configured({}).parameters.get(parameter)


def _cell(metric: dict[str, Any] | None, scale: int, digits: int) -> str:
    if metric is None or metric["value"] is None:  # a metric may be younger than the result
        return "n/a"
    text = f"{metric['value'] * scale:.{digits}f}"
    if metric["low"] is None or metric["high"] is None:
        return text
    # Intervals in whole units where the number itself has one digit: they are wide anyway, and rows stay short.
    digits = max(0, digits - 1)
    return f"{text}\n[dim]{metric['low'] * scale:.{digits}f}–{metric['high'] * scale:.{digits}f}[/dim]"
