"""gauntlet list, gauntlet show: what there is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from benchmark.cli.console import DataDir, Json, Results, output, print_json, print_rows
from benchmark.errors import BadInput

__all__ = ["list_app", "show"]

list_app = typer.Typer(
    help="List attacks, defenses, victims, data sets, suites, constraints or flags.", no_args_is_help=True
)


@list_app.command()
def attacks(json: Json = False) -> None:
    """List the attacks."""
    print_rows(_attacks(), json=json)


@list_app.command()
def victims(json: Json = False) -> None:
    """List bundled and trained victims, and the families that take a name."""
    print_rows(_victims(), json=json)


@list_app.command()
def datasets(data_dir: DataDir = None, json: Json = False) -> None:
    """List the data sets: embedded, in the data folder, on the hub."""
    print_rows(_datasets(data_dir), json=json)


@list_app.command()
def defenses(json: Json = False) -> None:
    """List the defenses; `+NAME` behind a victim's name puts one on."""
    print_rows(_defenses(), json=json)


@list_app.command()
def suites(json: Json = False) -> None:
    """List the suites."""
    print_rows(_suites(), json=json)


@list_app.command()
def constraints(json: Json = False) -> None:
    """List the profiles of constraints that can be put on top of any attack's own."""
    from benchmark.finding import CONSTRAINTS, profile_named

    profiles = [profile_named(name) for name in CONSTRAINTS]
    rows = [{"name": p.name, "version": p.version, "leans on": dict(p.resources)} for p in profiles if p]
    print_rows(rows, json=json)


@list_app.command()
def flags(json: Json = False) -> None:
    """List the signs that a success's gold labels are no longer right, and which of them make it invalid."""
    from benchmark.label_risk import FLAGS

    rows = [
        {
            "flag": name,
            "invalidates": flag.invalidates if json else "yes" if flag.invalidates else "no",
            "sign": flag.meaning,
        }
        for name, flag in FLAGS.items()
    ]
    print_rows(rows, json=json)


def show(
    name: Annotated[
        str, typer.Argument(help="An attack, a defense (or +NAME), a suite, a data set, a victim or a run id.")
    ],
    data_dir: DataDir = None,
    results: Results = Path("results"),
    json: Json = False,
) -> None:
    """Show one thing in detail."""
    from benchmark.registry import did_you_mean
    from benchmark.store import RunFolder

    # A defense that shares its name with an attack is shown with its plus.
    defended = [row | {"name": name} for row in _defenses() for name in (row["name"], f"+{row['name']}")]
    catalogue = {row["name"]: row for row in (*defended, *_attacks(), *_suites(), *_datasets(data_dir), *_victims())}
    if name in catalogue:
        record = catalogue[name] | _details(name)
    elif (folder := RunFolder(results, name)).spec_file.is_file():
        record = folder.read_result() if folder.result_file.is_file() else folder.read_spec().to_json()
    else:
        raise BadInput(f"nothing is called {name!r}; {did_you_mean(name, list(catalogue))}")
    if json:
        print_json(record)
        return
    for key, value in record.items():
        output.print(f"[bold]{escape(str(key))}[/bold]  {escape(str(value))}", soft_wrap=True)


def _attacks() -> list[dict[str, Any]]:
    from benchmark.finding import ATTACK_FAMILIES, ATTACKS

    rows: list[dict[str, Any]] = []
    for name in ATTACKS:
        card = ATTACKS.get(name).card
        rows.append(
            {
                "name": name,
                "version": card.version,
                "needs": card.access.name.lower(),
                "touches": card.touch.value,
                "summary": card.summary,
            }
        )
    about = {
        "textattack": "textattack:RECIPE, in the guests' environment",
        "openattack": "openattack:ATTACKER, in the guests' environment",
    }
    for family in ATTACK_FAMILIES:
        row = {"name": family, "version": "", "needs": "", "touches": ""}
        rows.append({**row, "summary": about.get(family, f"{family}:NAME, from a plug-in")})
    return rows


def _defenses() -> list[dict[str, Any]]:
    from benchmark.defending import DEFENSES, FrontEnd

    found = [(DEFENSES.get(name), name) for name in DEFENSES]
    return [
        {
            "name": name,
            "version": defense.card.version,
            "kind": "front end" if issubclass(defense, FrontEnd) else "training",
            "summary": defense.card.summary,
        }
        for defense, name in found
    ]


def _victims() -> list[dict[str, Any]]:
    import json

    from platformdirs import user_cache_path

    from benchmark.victims.finding import VICTIMS
    from benchmark.victims.minilm import BUNDLED

    rows = []
    for path in sorted(BUNDLED.glob("*/recipe.json")):
        card = json.loads(path.read_text(encoding="utf-8"))
        rows.append(
            {"name": f"minilm/{card['dataset']}", "kind": "bundled", "about": f"dev F1 {max(card['dev_f1']):.3f}"}
        )
    for path in sorted((user_cache_path("gauntlet") / "victims").glob("*/recipe.json")):
        card = json.loads(path.read_text(encoding="utf-8"))
        rows.append(
            {
                "name": card.get("name", f"{card['architecture']}/{card['dataset']}"),
                "kind": "defended" if "defense" in card else "trained",
                "about": f"dev F1 {max(card['dev_f1']):.3f}",
            }
        )
    about = {
        "minilm": "minilm/DATASET: trained on first use",
        "cnn-lstm-crf": "cnn-lstm-crf/DATASET: after Ma & Hovy (2016); trained on first use, wants GloVe",
        "hf": "hf:OWNER/MODEL: a token classifier from the Hugging Face hub",
        "path": "path:FOLDER: a token classifier on disk (safetensors)",
        "spacy": "spacy:PIPELINE: a spaCy pipeline with an entity recogniser, labels only",
    }
    rows += [{"name": family, "kind": "family", "about": about.get(family, "from a plug-in")} for family in VICTIMS]
    return rows


def _datasets(data_dir: Path | None) -> list[dict[str, Any]]:
    from benchmark.datasets.finding import DATASETS, data_folder, local_names
    from benchmark.datasets.hub import HUB_DATASETS

    rows = [{"name": name, "where": "embedded" if name == "newsroom" else "plug-in"} for name in DATASETS]
    folder = data_folder(data_dir)
    rows += [{"name": name, "where": f"local, {folder}"} for name in local_names(data_dir)]
    taken = {row["name"] for row in rows}
    rows += [{"name": n, "where": f"hub, {where.repository}"} for n, where in HUB_DATASETS.items() if n not in taken]
    return rows


def _suites() -> list[dict[str, Any]]:
    from benchmark.suites import load_suite, suite_names

    rows = []
    for name in suite_names():
        suite = load_suite(name)
        rows.append({"name": name, "runs": len(suite.plans), "description": suite.description})
    return rows


def _details(name: str) -> dict[str, Any]:
    """Return what `list` leaves out: parameters, paper and place of an attack or a defense."""
    from dataclasses import fields

    from benchmark.defending import DEFENSES
    from benchmark.finding import ATTACKS

    if name in ATTACKS:
        attack = ATTACKS.get(name)
        return {
            "parameters": attack.configured({}).parameters,
            "leans on": dict(attack.configured({}).resources),
            "paper": attack.card.paper,
            "defined in": ATTACKS.origin(name),
        }
    if (bare := name.removeprefix("+")) in DEFENSES:
        defense = DEFENSES.get(bare)
        return {
            "parameters": {field.name: field.default for field in fields(defense)},  # type: ignore[arg-type]
            "paper": defense.card.paper,
            "defined in": DEFENSES.origin(bare),
        }
    return {}
