"""Questions to a SPARQL endpoint: not too fast, asked again where that may help, answers remembered on disk."""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.errors import CannotSave, MissingResource, first_line
from benchmark.store import write_atomically

if TYPE_CHECKING:
    import httpx

__all__ = ["Endpoint", "Row", "quoted"]

Row = dict[str, str]

# Seconds between the starts of two queries, and for one query.
_INTERVAL = 0.5
_TIMEOUT = 60.0
# Tries of a query, seconds before the second one (twice as long before each further one), and the longest wait.
_TRIES = 5
_FIRST_WAIT = 1.0
_LONGEST_WAIT = 120.0
# Too many queries, or trouble on their side that may pass.
_AGAIN = frozenset({429, 500, 502, 503, 504})


class Endpoint:
    """A SPARQL endpoint.

    Args:
        url: where.
        folder: answers are kept here.
        timeout: seconds for one query.
        sleep: waits so many seconds.
        clock: tells seconds since whenever.

    Raises:
        MissingResource: there is no httpx.
    """

    def __init__(
        self,
        url: str,
        folder: Path,
        *,
        timeout: float = _TIMEOUT,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        try:
            import httpx
        except ImportError:
            raise MissingResource("SPARQL needs httpx: pip install 'ner-gauntlet[knowledge]'") from None
        self.url = url
        self._folder = folder
        self._sleep = sleep
        self._clock = clock
        self._next = clock()
        self._tries = _TRIES
        self._client = httpx.Client(
            timeout=timeout,
            follow_redirects=True,
            headers={
                "Accept": "application/sparql-results+json",
                # Wikimedia's policy wants to be told who asks.
                "User-Agent": f"ner-gauntlet/{version('ner-gauntlet')} (benchmark of named-entity recognition) "
                f"python-httpx/{httpx.__version__}",
            },
        )

    def require(self) -> None:
        """Make sure that it answers at all.

        Raises:
            MissingResource: it does not.
        """
        try:
            answer = self._asked("ASK {}", tries=2)
        except MissingResource as error:
            raise MissingResource(f"{error}; is the address right, and are you online?") from None
        if not isinstance(answer.get("boolean"), bool):
            raise MissingResource(f"{self.url} is no SPARQL endpoint: it does not answer ASK {{}} by true or false")

    def select(self, query: str) -> list[Row]:
        """Return the rows that answer a query: values by variable.

        Raises:
            MissingResource: the endpoint does not answer, or not as it should.
        """
        name = hashlib.sha256(f"{self.url}\n{query}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
        path = self._folder / f"{name}.json"
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            return _rows(json.loads(path.read_text(encoding="utf-8"))["answer"])
        answer = self._asked(query, self._tries)
        rows = _rows(answer)
        # A cache that cannot be written costs time, nothing else.
        with contextlib.suppress(OSError, CannotSave):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, json.dumps({"url": self.url, "query": query, "answer": answer}) + "\n")
        return rows

    def _asked(self, query: str, tries: int) -> dict[str, object]:
        """Return the endpoint's JSON answer, asking up to `tries` times."""
        for attempt in range(1, tries + 1):
            self._sleep(max(0.0, self._next - self._clock()))
            self._next = self._clock() + _INTERVAL
            trouble, wait = self._attempt(query)
            if isinstance(trouble, dict):
                self._tries = _TRIES
                return trouble
            if wait is None or attempt == tries:
                break
            backoff = _FIRST_WAIT * 2 ** (attempt - 1)
            if wait > _LONGEST_WAIT:
                trouble += f", and wants to be left alone for {wait:.0f} seconds"
                break
            self._next = self._clock() + max(wait, backoff)
        # Where one query failed for good, others are not waited for as long, until one gets through.
        self._tries = 1
        raise MissingResource(f"{self.url} {trouble}")

    def _attempt(self, query: str) -> tuple[dict[str, object] | str, float | None]:
        """Return an answer; or what went wrong and how long to wait at least, None if waiting is in vain."""
        import httpx

        try:
            response = self._client.get(self.url, params={"query": query})
        except httpx.TimeoutException:
            return "did not answer in time", 0.0
        except httpx.TransportError as error:
            return f"cannot be reached ({first_line(error)})", 0.0
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return f"cannot be asked ({first_line(error)})", None
        if response.status_code != httpx.codes.OK:
            again = response.status_code in _AGAIN
            told = f"answered {response.status_code} {response.reason_phrase}"
            return told, _retry_after(response) if again else None
        return _checked(response)


def _checked(response: httpx.Response) -> tuple[dict[str, object] | str, float | None]:
    """Return a response's answer; a query that takes too long ends in the midst of one."""
    try:
        answer: dict[str, object] = response.json()
        _rows(answer)
    except (ValueError, KeyError, TypeError, AttributeError):
        return "did not answer in SPARQL's JSON, or not to the end", 0.0
    return answer, None


def quoted(text: str) -> str:
    """Return text as a string literal of SPARQL."""
    # JSON's escapes are SPARQL's as well, as long as there are no surrogates.
    return json.dumps(text.encode("utf-8", "replace").decode("utf-8"), ensure_ascii=False)


def _rows(answer: dict[str, object]) -> list[Row]:
    """Return an answer's rows; an ASK's has none."""
    if isinstance(answer.get("boolean"), bool):
        return []
    bindings = answer["results"]["bindings"]  # type: ignore[index]
    return [{name: _text(term["value"]) for name, term in row.items()} for row in bindings]


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a value is no text")
    return value


def _retry_after(response: httpx.Response) -> float:
    """Return the seconds to wait that a response asks for: a number or a date; 0 if it does not say."""
    told = response.headers.get("Retry-After", "")
    with contextlib.suppress(ValueError):
        return max(0.0, float(told))
    with contextlib.suppress(ValueError, TypeError):
        when = parsedate_to_datetime(told)
        return max(0.0, (when.replace(tzinfo=when.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
    return 0.0
