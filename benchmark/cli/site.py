"""gauntlet site: the leaderboard as a folder of pages."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from benchmark.cli.board import Attacks, Datasets, Victims, asked_for, tell_damage
from benchmark.cli.console import Results, errors, require_results

__all__ = ["site_app"]

site_app = typer.Typer(help="Build the leaderboard's site, or show it.", no_args_is_help=True)

Out = Annotated[Path, typer.Option(help="Folder of the site.")]


@site_app.command()
def build(
    results: Results = Path("results"),
    out: Out = Path("site"),
    dataset: Datasets = None,
    victim: Victims = None,
    attack: Attacks = None,
    data_dir: Annotated[
        Path | None,
        typer.Option(help="Folder of data sets whose text the site may show; GAUNTLET_DATA is not asked."),
    ] = None,
    scheme: Annotated[str, typer.Option(help="Tag scheme of local CoNLL files.")] = "IOB2",
) -> None:
    """Write the site: pages that open from the disk and need no network.

    Text is put back for embedded data sets and those in --data-dir; for others places stand for words.
    """
    from leaderboard.rows import read_runs
    from leaderboard.site.building import build_site
    from leaderboard.site.texts import Texts

    require_results(results)
    reading = read_runs(results, asked_for(dataset, victim, attack))
    if reading.unfinished:
        errors.print(f"unfinished runs left out: {reading.unfinished} (gauntlet status)", highlight=False)
    pages = build_site(reading, out, Texts(data_dir, scheme))
    told = f"{pages} pages of {len(reading.runs)} runs: open {out / 'index.html'}"
    errors.print(told, markup=False, highlight=False, soft_wrap=True)
    tell_damage(reading)


@site_app.command()
def serve(
    out: Out = Path("site"),
    port: Annotated[int, typer.Option(help="0 takes a free one.")] = 8000,
) -> None:
    """Show a built site at an address of this machine until interrupted; it opens from the disk just as well."""
    from benchmark.errors import BadInput

    if not (out / "index.html").is_file():
        raise BadInput(f"no site in {out}; first: gauntlet site build --out {out}")
    try:
        server = _server(out, port)
    except OSError as error:
        raise BadInput(f"port {port} cannot be used ({error.strerror}); pass another one with --port") from None
    with server:
        errors.print(f"http://127.0.0.1:{server.server_address[1]}/ (Ctrl-C ends it)", highlight=False)
        server.serve_forever()


def _server(out: Path, port: int) -> Any:
    """Return a server of a folder for this machine alone."""
    from functools import partial
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

    class Handler(SimpleHTTPRequestHandler):
        def end_headers(self) -> None:
            # Nothing from elsewhere is loaded; styles stand in the pages' attributes too.
            policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src data:"
            self.send_header("Content-Security-Policy", policy)
            super().end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class calls it so
            """Say nothing of each request."""

    return ThreadingHTTPServer(("127.0.0.1", port), partial(Handler, directory=str(out)))
