"""Chromium for tests of pages: what a page complains of, or asks of the network, fails the test."""

from __future__ import annotations

from pathlib import Path

import pytest

CHROMIUM = Path("/usr/bin/chromium")
WIDE = 1440
# Would run if it were not escaped.
HOSTILE = "</style></script><img/src=x/onerror=alert(1)>"


@pytest.fixture(scope="module")
def browser():
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")
    if not CHROMIUM.is_file():
        pytest.skip(f"no browser at {CHROMIUM}: apt-get install chromium")
    with api.sync_playwright() as playwright:
        # Chromium refuses to run as root inside its own sandbox, which is how containers run it.
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def tab(browser):
    """Open tabs; whatever one complains of, or asks of the network, fails the test in the end."""
    opened, wrong = [], []

    def watched(request):
        if not request.url.startswith(("file:", "data:", "blob:", "http://127.0.0.1:")):
            wrong.append(request.url)

    def make(path=None, **options):
        context = browser.new_context(viewport={"width": WIDE, "height": 900}, **options)
        page = context.new_page()
        page.on("console", lambda message: wrong.append(message.text) if message.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
        page.on("request", watched)
        opened.append(context)
        if path:
            page.goto(path.as_uri())
        return page

    yield make
    for context in opened:
        context.close()
    assert not wrong


def serious(page, *, colours_only=False):
    """What axe finds that keeps readers out: rule and the first places."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed").Axe()
    options = {"preload": False} | ({"runOnly": ["color-contrast"]} if colours_only else {})
    violations = axe.run(page, options=options).response["violations"]
    bad = [v for v in violations if v["impact"] in {"serious", "critical"}]
    return [(v["id"], [node["html"][:120] for node in v["nodes"][:3]]) for v in bad]
