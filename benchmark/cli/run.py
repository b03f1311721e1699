"""gauntlet run: attack, and print the table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from benchmark.cli.console import (
    DataDir,
    Device,
    Json,
    Results,
    errors,
    given,
    output,
    print_json,
    print_rows,
    progress_report,
)
from benchmark.engine import BATCH_SIZE, CONCURRENCY
from benchmark.errors import BadInput

__all__ = ["run"]


def run(
    suite: Annotated[str | None, typer.Argument(help="A suite (`gauntlet list suites`) or a TOML file.")] = None,
    attack: Annotated[list[str] | None, typer.Option(help="Attack; may be repeated.", show_default=False)] = None,
    victim: Annotated[list[str] | None, typer.Option(help="Victim; may be repeated. Default: minilm/newsroom.")] = None,
    dataset: Annotated[list[str] | None, typer.Option(help="Data set; may be repeated. Default: newsroom.")] = None,
    split: Annotated[str | None, typer.Option(help="Split of the data set. Default: test.")] = None,
    limit: Annotated[int | None, typer.Option(help="Sentences, at most. Default: 256.")] = None,
    goal: Annotated[
        list[str] | None, typer.Option(help="What counts as success; may be repeated. Default: untargeted-strict.")
    ] = None,
    mode: Annotated[str | None, typer.Option(help="first-success or escalate. Default: first-success.")] = None,
    queries: Annotated[int | None, typer.Option(help="Query budget a sentence. Default: 512.")] = None,
    seed: Annotated[list[int] | None, typer.Option(help="Seed; may be repeated. Default: 0.")] = None,
    param: Annotated[
        list[str] | None,
        typer.Option(help="NAME=VALUE, a parameter of the attack; may be repeated.", show_default=False),
    ] = None,
    constraints: Annotated[
        str | None,
        typer.Option(help="Profile of constraints on top of the attack's own: adjusted.", show_default=False),
    ] = None,
    pooling: Annotated[str | None, typer.Option(help="first-piece or characters. Default: first-piece.")] = None,
    backend: Annotated[
        str | None,
        typer.Option(
            help="What computes a transformer: openvino, onnxruntime, torch, torch-compile or auto "
            "(openvino on a CPU, torch on CUDA). Default: auto."
        ),
    ] = None,
    precision: Annotated[str | None, typer.Option(help="float32, bfloat16 or int8. Default: float32.")] = None,
    label_map: Annotated[
        str | None,
        typer.Option(help="Victim's labels to the data set's: PERSON=PER,GPE=LOC,DATE=O.", show_default=False),
    ] = None,
    scheme: Annotated[str | None, typer.Option(help="Tag scheme of local files: IOB1, IOB2, BIOES, BILOU.")] = None,
    encoder: Annotated[str | None, typer.Option(help="Sentence encoder for similarity.", show_default=False)] = None,
    grammar: Annotated[
        str | None, typer.Option(help="Grammar judge: lingotweaker, languagetool[:URL].", show_default=False)
    ] = None,
    fluency: Annotated[
        str | None, typer.Option(help="Language model that judges fluency: smollm2.", show_default=False)
    ] = None,
    device: Device = "auto",
    data_dir: DataDir = None,
    results: Results = Path("results"),
    concurrency: Annotated[int, typer.Option(help="Sentences attacked at once; changes no result.")] = CONCURRENCY,
    batch_size: Annotated[
        int, typer.Option(help="Texts handed to the victim at a time; changes no result.")
    ] = BATCH_SIZE,
    reverse: Annotated[bool, typer.Option("--reverse", help="Last sentence first; changes no result.")] = False,
    executor: Annotated[
        str, typer.Option(help="Where sentences are attacked: local, or ray, on a cluster; changes no result.")
    ] = "local",
    ray_address: Annotated[
        str | None,
        typer.Option(help="A running Ray cluster, HOST:PORT. Default: RAY_ADDRESS, or one on this machine."),
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Processes of Ray. Default: one a CPU, or all GPUs.")] = None,
    gpus_per_worker: Annotated[
        float | None, typer.Option(help="GPUs of each process of Ray; 0.5: two share one. Default: none.")
    ] = None,
    retry_errors: Annotated[
        bool, typer.Option("--retry-errors", help="Attack sentences again that ended in errors.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, attack nothing.")] = False,
    json: Json = False,
) -> int:
    """Run a suite, or one attack on one victim, and print the table.

    Finished runs are read back; interrupted ones go on where they stopped. Attacks that need more than a victim gives
    are passed over in a suite, and named. Where a victim stands beside defended ones, these are asked about what broke
    it, for the defenses board.
    """
    from dataclasses import replace

    from benchmark.calls import literal, named_values
    from benchmark.executors import executor_named
    from benchmark.plan import EngineOptions
    from benchmark.runner import run_grid
    from benchmark.store import kept_victims
    from benchmark.suites import load_suite, make_suite
    from benchmark.victims import VictimOptions
    from benchmark.workshop import Workshop
    from leaderboard.rows import own_run
    from leaderboard.transferring import transfer_to_defended

    engine_options = EngineOptions(concurrency, batch_size, reverse, retry_errors)
    overrides = given(
        {
            "attacks": attack,
            "victims": victim,
            "datasets": dataset,
            "split": split,
            "limit": limit,
            "goals": goal,
            "mode": mode,
            "queries": queries,
            "seeds": seed,
            "constraints": constraints,
            "pooling": pooling,
            "backend": backend,
            "precision": precision,
            "scheme": scheme,
            "label_map": label_map,
        }
    )
    if param:
        if not attack or len(attack) != 1:
            raise BadInput("--param goes with exactly one --attack")
        parameters = {key: literal(value) for key, value in named_values(param).items()}
        overrides["attacks"] = [{"name": attack[0], "parameters": parameters}]
    options = VictimOptions(device=device, data_dir=data_dir, kept=kept_victims(results))
    if suite is None and not attack:
        raise BadInput("name a suite (gauntlet run quick) or an attack (gauntlet run --attack deepwordbug-i)")
    chosen = load_suite(suite, overrides, options) if suite else make_suite("command line", overrides, options)
    plans = [replace(plan, encoder=encoder, grammar=grammar, fluency=fluency) for plan in chosen.plans]
    chosen_executor = executor_named(executor, ray_address, workers, gpus_per_worker)
    if dry_run:
        _tell(plans, json)
        return 0
    with chosen_executor as entered, progress_report() as progress:
        workshop = Workshop(progress)
        done, lacking = run_grid(plans, results, workshop, engine_options, entered)
        made = [(own_run(report.folder), plan) for plan, report in done]
        compared = transfer_to_defended(results, made, workshop)
    for lack in dict.fromkeys(map(str, lacking)):  # seeds, goals and data sets lack the same
        errors.print(f"passed over: {lack}", markup=False, highlight=False, soft_wrap=True)
    found = [report.result for _, report in done]
    if json:
        from benchmark.cli.tables import json_row

        print_json([json_row(result) for result in found])
    else:
        from benchmark.cli.tables import print_tables
        from leaderboard.boards.attacks import attacks_board
        from leaderboard.rows import Reading

        print_tables(attacks_board(Reading(results, tuple(run for run, _ in made))), output)
        attacked = sum(report.attacked for _, report in done)
        errors.print(
            f"{attacked} sentences attacked; runs: {len(done)}, in {results / 'runs'}"
            + ("" if attacked else " (all were finished before)")
            + (f"; the table of defenses: gauntlet board defenses --results {results}" if compared else ""),
            highlight=False,
        )
    return int(any(result["metrics"]["error.count"]["value"] for result in found))


def _tell(plans: list[Any], json: bool) -> None:
    """Check names and say what would be done."""
    from benchmark.backends import require_backend
    from benchmark.datasets.finding import require_dataset
    from benchmark.defending import defense_named
    from benchmark.finding import attack_named, profile_named
    from benchmark.goals import goal_named
    from benchmark.threat import Budget
    from benchmark.victims.finding import TRAINED, parse_name, require_pooling

    rows = []
    for plan in plans:
        attack_named(plan.attack, plan.parameters)
        profile_named(plan.constraints)
        goal_named(plan.goal)
        Budget(plan.queries)
        victim = parse_name(plan.victim)
        require_dataset(plan.dataset, plan.options.data_dir)
        if victim.family in TRAINED:
            require_dataset(victim.rest, plan.options.data_dir)
        while victim.defense:
            defense_named(victim.defense)
            victim = parse_name(victim.base)
        require_pooling(plan.options.pooling)
        require_backend(plan.options.backend, plan.options.precision)
        rows.append(
            {
                "attack": plan.attack,
                "parameters": dict(plan.parameters),
                "constraints": plan.constraints,
                "victim": plan.victim,
                "dataset": plan.dataset,
                "sentences": plan.selection.limit,
                "queries": plan.queries,
                "goal": plan.goal,
                "seed": plan.seed,
            }
        )
    print_rows(rows, json=json, title=f"runs: {len(rows)}; nothing attacked")
