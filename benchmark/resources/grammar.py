"""Grammar checkers: LanguageTool's rules, in process without Java, or LanguageTool itself.

Both are given running text (see `detokenizing`) in US English with all default rules, and every match counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from importlib.metadata import version
from typing import Any, Protocol

from benchmark.engine import Ask
from benchmark.errors import BadInput, MissingResource, first_line
from benchmark.resources.detokenizing import RULES_VERSION

__all__ = [
    "CATEGORIES",
    "CHECKERS",
    "DEFAULT_CHECKER",
    "GrammarChecker",
    "InProcessChecker",
    "LanguageToolChecker",
    "checker_named",
]

CATEGORIES = ("typos", "grammar", "casing", "other")
DEFAULT_CHECKER = "lingotweaker"
CHECKERS = (DEFAULT_CHECKER, "languagetool", "languagetool:URL")
_THREADS = 2


class GrammarChecker(Protocol):
    """Counts what is wrong in texts.

    Attributes:
        identity: name and version, for column headers.
    """

    identity: str

    def count(self, texts: Sequence[str]) -> list[Counter[str]]:
        """Return for each text the number of matches in each of `CATEGORIES`."""


class InProcessChecker:
    """LanguageTool's rules through LingoTweaker, in this process."""

    def __init__(self) -> None:
        self.identity = (
            f"LingoTweaker {version('lingotweaker')}, rules {version('lingotweaker-data-en')}, "
            f"detokenizer {RULES_VERSION}"
        )

    def answer(self, questions: Sequence[str]) -> list[int]:
        """Return the number of matches in each text, for the engine."""
        return [sum(counts.values()) for counts in self.count(questions)]

    async def errors(self, texts: Sequence[str]) -> list[int]:
        """Return the number of matches in each text, through the engine."""
        return await Ask(self, texts)

    def count(self, texts: Sequence[str]) -> list[Counter[str]]:
        """Count matches; the checker lets go of Python's lock, so threads help."""
        engine = _engine()
        with ThreadPoolExecutor(_THREADS) as pool:
            return list(pool.map(lambda text: _by_category(m["category_id"] for m in engine.check(text)), texts))


class LanguageToolChecker:
    """LanguageTool through `language-tool-python`: its own Java server, or a server somewhere.

    Args:
        server: address of a LanguageTool-compatible server; None starts one (needs Java, downloads LanguageTool).

    Raises:
        MissingResource: the package, Java or the server is not there.
    """

    def __init__(self, server: str | None = None) -> None:
        try:
            import language_tool_python
        except ImportError:
            raise MissingResource("the LanguageTool judge needs: pip install 'ner-gauntlet[languagetool]'") from None
        try:
            self._tool = language_tool_python.LanguageTool("en-US", remote_server=server)
            self._tool.check("A first text .")
        except Exception as error:
            where = f"at {server}" if server else "on this machine (it needs Java, and a download at first use)"
            raise MissingResource(
                f"no LanguageTool {where}: {first_line(error)}; --grammar lingotweaker works without, "
                "--grammar languagetool:http://HOST:PORT takes a server"
            ) from error
        self._where = server or "on this machine"
        self.identity = (
            f"LanguageTool through language-tool-python {version('language-tool-python')}"
            f"{', remote server' if server else ''}, detokenizer {RULES_VERSION}"
        )

    def count(self, texts: Sequence[str]) -> list[Counter[str]]:
        """Count matches, one text at a time.

        Raises:
            MissingResource: the server has gone.
        """
        try:
            return [_by_category(match.category for match in self._tool.check(text)) for text in texts]
        except Exception as error:
            raise MissingResource(
                f"LanguageTool ({self._where}) stopped answering: {first_line(error)}; "
                "start it again and run the same command to go on"
            ) from error


def checker_named(name: str) -> GrammarChecker:
    """Return a checker: `lingotweaker`, `languagetool` or `languagetool:URL`.

    Raises:
        BadInput: no such checker.
        MissingResource: what it needs is not there.
    """
    if name == DEFAULT_CHECKER:
        return InProcessChecker()
    kind, _, server = name.partition(":")
    if kind == "languagetool":
        return LanguageToolChecker(server or None)
    raise BadInput(f"unknown grammar judge {name!r}; known: {', '.join(CHECKERS)}")


def _by_category(categories: Any) -> Counter[str]:
    known = {"TYPOS": "typos", "GRAMMAR": "grammar", "CASING": "casing"}
    return Counter(known.get(category, "other") for category in categories)


@lru_cache(maxsize=1)
def _engine() -> Any:
    import lingotweaker_data_en
    import lt_py

    # Without the explicit folder a stray ./data in the working directory would be taken for the rules.
    return lt_py.Engine("en-US", data_dir=lingotweaker_data_en.data_dir())
