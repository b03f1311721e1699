"""From a reading of results to a folder of files. The same results give the same bytes, but for `info.json`."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Callable, Iterator
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from benchmark.errors import BadInput, CannotSave
from leaderboard.rows import Reading
from leaderboard.site.board_pages import board_files, board_pages
from leaderboard.site.compare_pages import compare_pages
from leaderboard.site.component_pages import component_pages
from leaderboard.site.example_pages import example_pages
from leaderboard.site.material import Material
from leaderboard.site.pages import Page, environment, rendered
from leaderboard.site.record_pages import record_pages
from leaderboard.site.texts import Texts

__all__ = ["INFO", "build_site", "site_files"]

INFO = "info.json"

# The kinds of pages; adding one is adding a value here.
PAGES: tuple[Callable[[Material], Iterator[Page]], ...] = (
    board_pages,
    compare_pages,
    component_pages,
    example_pages,
    record_pages,
)


def site_files(reading: Reading, texts: Texts) -> Iterator[tuple[str, str]]:
    """Yield path and content of each file, but for `info.json`; damage that is met is noted in the reading.

    Raises:
        MissingResource: the packages of the site are not installed.
    """
    templates = environment()
    material = Material(reading, texts)
    for of_a_kind in PAGES:
        for page in of_a_kind(material):
            yield page.path, rendered(page, templates)
    yield from board_files(material)
    for file in sorted((files(__package__) / "static").iterdir(), key=lambda file: file.name):
        yield f"static/{file.name}", file.read_text(encoding="utf-8")


def build_site(reading: Reading, out: Path, texts: Texts) -> int:
    """Write the site; an older site there is replaced, once the new one is whole.

    Returns:
        How many pages it has.

    Raises:
        BadInput: the folder holds something that is no site.
        CannotSave: the disk is full, say.
        MissingResource: the packages of the site are not installed.
    """
    if out.exists() and not (out / INFO).is_file() and (not out.is_dir() or any(out.iterdir())):
        raise BadInput(f"{out} is there and is no site of ours; pass a new or an empty folder with --out")
    scratch = out.with_name(f".{out.name}.partial")
    pages = 0
    try:
        shutil.rmtree(scratch, ignore_errors=True)
        for path, content in site_files(reading, texts):
            file = scratch / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, encoding="utf-8", errors="replace", newline="\n")
            pages += path.endswith(".html")
        info = {
            "built": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            "ner-gauntlet": version("ner-gauntlet"),
            "runs": len(reading.runs),
            "pages": pages,
        }
        (scratch / INFO).write_text(json.dumps(info, indent=1) + "\n", encoding="utf-8")
        if out.exists():
            shutil.rmtree(out)
        scratch.replace(out)
    except OSError as error:
        shutil.rmtree(scratch, ignore_errors=True)
        raise CannotSave(f"cannot write {error.filename or out}: {error.strerror}") from error
    return pages
