"""gauntlet audit: a practitioner's model under the frozen ensemble of attacks, and a page that tells how it breaks."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmark.cli.console import DataDir, Device, Json, Results, errors, output, print_json, progress_report
from benchmark.errors import BadInput

__all__ = ["audit"]


def audit(
    model: Annotated[
        str,
        typer.Argument(
            help="hf:REPO, path:FOLDER, spacy:PIPELINE, minilm/DATASET, or MODULE:FUNCTION of your own, which is "
            "imported and run: texts (lists of tokens) to IOB2 tags."
        ),
    ],
    data: Annotated[
        str, typer.Option(help="A file in CoNLL columns or JSONL, a folder, or a data set. Default: the embedded one.")
    ] = "newsroom",
    train: Annotated[
        Path | None,
        typer.Option(help="File with what the model was trained on, to tell seen from unseen.", show_default=False),
    ] = None,
    label_map: Annotated[
        str | None,
        typer.Option(help="Model's labels to the data's: PERSON=PER,GPE=LOC,*=O.", show_default=False),
    ] = None,
    split: Annotated[str, typer.Option(help="Split of a data set.")] = "test",
    scheme: Annotated[str, typer.Option(help="Tag scheme of files: IOB1, IOB2, BIOES, BILOU.")] = "IOB2",
    limit: Annotated[
        int | None, typer.Option(min=1, help="Sentences attacked, at most. Default: the ensemble's 64.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The page. Default: audit-MODEL.html here.", show_default=False)
    ] = None,
    device: Device = "auto",
    data_dir: DataDir = None,
    results: Results = Path("results"),
    retry_errors: Annotated[
        bool, typer.Option("--retry-errors", help="Attack sentences again that ended in errors.")
    ] = False,
    json: Json = False,
) -> int:
    """Attack a model with the frozen ensemble and write one HTML page that tells how it breaks.

    The runs are ordinary ones in the results folder: what was interrupted goes on, what is finished is read back.
    """
    from benchmark.plan import EngineOptions
    from benchmark.store import write_atomically
    from benchmark.victims import LabelMap, VictimOptions
    from leaderboard.auditing import report
    from leaderboard.auditing.findings import Findings
    from leaderboard.auditing.running import Request
    from leaderboard.auditing.running import audit as run_audit
    from leaderboard.site.addresses import slug

    page = out or Path(f"audit-{slug(model)}.html")
    if page.is_dir() or not page.parent.is_dir():
        raise BadInput(f"the page cannot be written to {page}; --out names a file in a folder that is there")
    mapped = LabelMap.parse(label_map) if label_map else None
    options = VictimOptions(device=device, data_dir=data_dir, scheme=scheme)
    request = Request(model, data, train, split, scheme, mapped, limit, options)
    with progress_report() as told:
        findings = Findings(run_audit(request, results, told, EngineOptions(retry_errors=retry_errors)))
        if not findings.sentences:
            raise BadInput(
                f"no sentence could be attacked with all attacks ({findings.errors} ended in an error); errors.log in "
                f"{results / 'runs'} tells why"
            )
        command = _command(
            model, data=data, train=train, label_map=label_map, split=split, scheme=scheme, limit=limit, device=device,
            data_dir=data_dir, results=results,
        )  # fmt: skip
        told("writing the page", 0, 1)
        write_atomically(page, report.report(findings, results, command))
    if json:
        print_json(report.record(findings, command))
    else:
        for sentence in (report.headline(findings), report.caution(findings), *findings.audit.comparison.words):
            output.print(sentence, markup=False, highlight=False, soft_wrap=True)
    if findings.errors:
        errors.print(report.broken_off(findings), markup=False, highlight=False, soft_wrap=True)
    errors.print(f"read it: {page}", markup=False, highlight=False, soft_wrap=True)
    return int(findings.errors > 0)


def _command(model: str, **options: Any) -> str:
    """Return the command that makes the page again; options that have their defaults are left out."""
    defaults = {"data": "newsroom", "split": "test", "scheme": "IOB2", "device": "auto", "results": Path("results")}
    given = {name: value for name, value in options.items() if value is not None and value != defaults.get(name)}
    named = (part for name, value in given.items() for part in (f"--{name.replace('_', '-')}", str(value)))
    return shlex.join(["gauntlet", "audit", model, *named])
