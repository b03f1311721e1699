"""The command `gauntlet`."""

from __future__ import annotations

import sys
from typing import Any

import typer

from benchmark.cli.audit import audit
from benchmark.cli.bench import bench
from benchmark.cli.board import board
from benchmark.cli.check import check
from benchmark.cli.consistency import consistency
from benchmark.cli.console import errors, quiet_libraries
from benchmark.cli.defend import defend
from benchmark.cli.export import export
from benchmark.cli.human_audit import human_audit_app
from benchmark.cli.ledger import ledger_app
from benchmark.cli.listing import list_app, show
from benchmark.cli.new import new
from benchmark.cli.regold import regold
from benchmark.cli.replay import replay
from benchmark.cli.results import results, status
from benchmark.cli.run import run
from benchmark.cli.setup import setup
from benchmark.cli.site import site_app
from benchmark.cli.submit import submit
from benchmark.cli.train import train
from benchmark.cli.train_mlm import train_mlm
from benchmark.cli.transfer import transfer
from benchmark.cli.verify import verify
from benchmark.errors import BadInput, Busy, CannotSave, CorruptResult, GauntletError, MissingResource

__all__ = ["EXIT_CODES", "app", "main"]

EXIT_CODES: dict[type[GauntletError], int] = {
    BadInput: 2,
    MissingResource: 3,
    CannotSave: 4,
    CorruptResult: 5,
    Busy: 6,
}
_FAULT, _INTERRUPTED = 70, 130

# Typer may carry its own copy of click, so the base of usage errors is taken from Typer's.
_Usage: Any = next(base for base in typer.BadParameter.__mro__ if base.__name__ == "ClickException")

_EPILOG = (
    "Exit codes: 0 done; 1 done, but some sentences ended in an error, or a check failed; 2 bad input or usage; "
    "3 something is missing; 4 results cannot be saved; 5 stored results are damaged; 6 another process is writing; "
    "70 a fault of ours; 130 interrupted (run the same command again to go on)."
)

app = typer.Typer(
    name="gauntlet",
    help="Run your named-entity recogniser through adversarial attacks.",
    epilog=_EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(run)
app.command()(audit)
app.add_typer(list_app, name="list")
app.command()(show)
app.command()(status)
app.command()(results)
app.command()(board)
app.command()(export)
app.command()(transfer)
app.command()(consistency)
app.command()(regold)
app.command()(train)
app.command()(defend)
app.command()(train_mlm)
app.command()(setup)
app.command()(bench)
app.command()(new)
app.command()(check)
app.command()(submit)
app.command()(verify)
app.command()(replay)
app.add_typer(ledger_app, name="ledger")
app.add_typer(human_audit_app, name="human-audit")
app.add_typer(site_app, name="site")


def main() -> None:
    """Entry point: errors become one plain line and an exit code; `--debug` shows the traceback as well."""
    debug = "--debug" in sys.argv
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    quiet_libraries()
    try:
        code = app(arguments, prog_name="gauntlet", standalone_mode=False)
        if code == _INTERRUPTED:
            raise KeyboardInterrupt
    except typer.Exit as end:
        code = end.exit_code
    except _Usage as error:
        error.show()
        code = error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        errors.print("interrupted; run the same command again to go on", style="yellow", markup=False)
        code = _INTERRUPTED
    except GauntletError as error:
        if debug:
            errors.print_exception()
        _one_line(str(error))
        code = next((EXIT_CODES[kind] for kind in type(error).__mro__ if kind in EXIT_CODES), _FAULT)
    except Exception as error:  # noqa: BLE001 - the last resort: still one line
        if debug:
            errors.print_exception()
        _one_line(f"a fault in gauntlet: {type(error).__name__}: {error} (run again with --debug to see where)")
        code = _FAULT
    sys.exit(code if isinstance(code, int) else 0)


def _one_line(message: str) -> None:
    errors.print("error: " + " ".join(message.split()), style="red", markup=False, highlight=False, soft_wrap=True)
