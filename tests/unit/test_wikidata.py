"""Wikidata: a small graph behind a local SPARQL endpoint that also fails in every way."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from benchmark.engine import Engine, Job, ServiceFailed
from benchmark.errors import MissingResource
from benchmark.resources.knowledge import Link, Siblings, knowledge_named, sparql
from benchmark.resources.knowledge.sparql import Endpoint, quoted
from benchmark.resources.knowledge.wikidata import Wikidata

pyoxigraph = pytest.importorskip("pyoxigraph")
pytest.importorskip("httpx")

# Numbers of classes are Wikidata's; the rest of the graph is made up.
GRAPH = """
@prefix wd: <http://www.wikidata.org/entity/> .
@prefix wdt: <http://www.wikidata.org/prop/direct/> .
@prefix wikibase: <http://wikiba.se/ontology#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .

wd:Q5119 wdt:P279 wd:Q515 .
wd:Q515 wdt:P279 wd:Q2221906 .
wd:Q901 rdfs:label "Avenia"@en ; skos:altLabel "The Old Town"@en ; wdt:P31 wd:Q5119 ; wikibase:sitelinks 90 .
wd:Q902 rdfs:label "Bréla"@en, "Brela-Stadt"@de ; wdt:P31 wd:Q5119 ; wikibase:sitelinks 80 .
wd:Q903 rdfs:label "Corvo"@en ; wdt:P31 wd:Q5119 ; wikibase:sitelinks 95 .
wd:Q904 rdfs:label "Dunmere"@en ; wdt:P31 wd:Q515 ; wikibase:sitelinks 40 .
wd:Q905 rdfs:label "Avenia"@en ; wdt:P31 wd:Q515 ; wikibase:sitelinks 30 .
wd:Q906 rdfs:label "Hamlet, Lower"@en ; wdt:P31 wd:Q5119 ; wikibase:sitelinks 60 .
wd:Q907 rdfs:label "Forgotten"@en ; wdt:P31 wd:Q5119 ; wikibase:sitelinks 2 .
wd:Q910 rdfs:label "Avenia"@en ; wdt:P31 wd:Q5 ; wdt:P106 wd:Q33999 ; wikibase:sitelinks 99 .
wd:Q911 rdfs:label "Mira Lund"@en ; wdt:P31 wd:Q5 ; wdt:P106 wd:Q33999 ; wikibase:sitelinks 50 .
wd:Q912 rdfs:label "The \\"Duke\\" {of} \\\\ Hill"@en ; wdt:P31 wd:Q515 ; wikibase:sitelinks 20 .
"""


class Server:
    """A SPARQL endpoint; replies that are queued come before real answers."""

    def __init__(self):
        self.store = pyoxigraph.Store()
        self.store.load(input=GRAPH.encode(), format=pyoxigraph.RdfFormat.TURTLE)
        self.replies = []
        self.queries = []
        self.headers = []
        self.release = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.queries.append(parse_qs(urlsplit(self.path).query)["query"][0])
                outer.headers.append(dict(self.headers))
                (outer.replies.pop(0) if outer.replies else outer.answer)(self)

            def log_message(self, *args):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/sparql"
        threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def answer(self, request):
        found = self.store.query(self.queries[-1])
        send(request, 200, found.serialize(format=pyoxigraph.QueryResultsFormat.JSON))

    def close(self):
        self.release.set()
        self.http.shutdown()
        self.http.server_close()


def send(request, status, body=b"", **headers):
    request.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **headers}.items():
        request.send_header(name.replace("_", "-"), value)
    request.end_headers()
    request.wfile.write(body)


def status(code, **headers):
    return lambda request: send(request, code, b"no", **headers)


def body(content):
    return lambda request: send(request, 200, content)


@pytest.fixture
def server():
    found = Server()
    yield found
    found.close()


class Clock:
    """Time that passes by sleeping only."""

    def __init__(self):
        self.now = 100.0
        self.slept = []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def endpoint(server, clock, tmp_path):
    return Endpoint(server.url, tmp_path / "cache", timeout=0.5, sleep=clock.sleep, clock=clock)


@pytest.fixture
def wikidata(server, endpoint):
    found = Wikidata(server.url, f"wikidata:{server.url}", endpoint)
    server.queries.clear()
    return found


def link(wikidata, text, kind):
    return wikidata.answer([Link(tuple(text.split()), kind)])[0]


# --- what the graph says ----------------------------------------------------------------------------------------------


def test_a_label_is_linked_to_the_best_known_item_whose_class_fits(wikidata):
    entity = link(wikidata, "Avenia", "LOC")
    assert (entity.name, entity.source) == (("Avenia",), "Q901")
    assert entity.classes == ("P31 Q5119", "P31/P279 Q515")
    assert link(wikidata, "Avenia", "PER").source == "Q910"
    assert link(wikidata, "Avenia", "PER").classes == ("P106 Q33999",)
    assert link(wikidata, "Avenia", "ORG") is None


def test_aliases_and_capitals_are_linked_too(wikidata):
    assert link(wikidata, "The Old Town", "LOC").name == ("Avenia",)
    assert link(wikidata, "CORVO", "GPE").name == ("Corvo",)
    assert link(wikidata, "Brela-Stadt", "LOC") is None
    assert link(wikidata, "Nowhere", "LOC") is None


def test_siblings_are_of_the_class_the_best_known_first(wikidata):
    (names,) = wikidata.answer([Siblings("P31 Q5119", "LOC")])
    # Neither what tokenizers would part nor what hardly any Wikipedia knows.
    assert names == (("Corvo",), ("Avenia",), ("Brela",))


def test_a_superclass_has_the_members_of_its_subclasses(wikidata):
    (names,) = wikidata.answer([Siblings("P31/P279 Q515", "LOC")])
    assert names == (("Corvo",), ("Avenia",), ("Brela",), ("Dunmere",))


def test_humans_are_of_their_occupation(wikidata):
    assert wikidata.answer([Siblings("P106 Q33999", "PER")]) == [(("Avenia",), ("Mira", "Lund"))]


def test_types_without_a_root_are_unknown_and_nobody_is_asked(wikidata, server):
    assert wikidata.knows_type("PERSON")
    assert wikidata.knows_type("corporation")
    assert not wikidata.knows_type("CARDINAL")
    assert wikidata.answer([Link(("three",), "CARDINAL"), Link((), "LOC"), Siblings("P31 Q1 } #", "LOC")]) == [
        None,
        None,
        (),
    ]
    assert server.queries == []


# --- escaping ---------------------------------------------------------------------------------------------------------


def test_a_mention_with_quotes_braces_and_backslashes_is_found(wikidata):
    assert link(wikidata, 'The "Duke" {of} \\ Hill', "LOC").source == "Q912"


@pytest.mark.parametrize(
    "word",
    [
        '"',
        "\\",
        "{",
        "}",
        'x"@en } #',
        "a\nb",
        "a\r\tb",
        "'",
        "\x00",
        "\x7f",
        "\u2028",
        "\ud800",
        "𝒳",
        "\\u0022",
        "?x",
        "<>",
    ],
)
def test_nothing_leaves_its_literal(wikidata, word):
    assert wikidata.answer([Link((word,), "LOC")]) == [None]


@pytest.mark.parametrize("text", ["plain", 'a"b', "a\\", "a\nb\tc", "{é}", "𝒳", "\x01"])
def test_quoted_text_is_read_back(text):
    (row,) = pyoxigraph.Store().query(f"SELECT ({quoted(text)} AS ?t) {{}}")
    assert row["t"].value == text


# --- manners ----------------------------------------------------------------------------------------------------------


def test_the_user_agent_says_who_it_is(endpoint, server):
    endpoint.require()
    assert server.headers[0]["User-Agent"].startswith("ner-gauntlet/")
    assert server.headers[0]["Accept"] == "application/sparql-results+json"


def test_queries_keep_a_distance(endpoint, clock):
    for number in range(3):
        endpoint.select(f"SELECT ({number} AS ?n) {{}}")
    assert clock.slept == [0, 0.5, 0.5]


def test_what_was_asked_before_is_not_asked_again(wikidata, server, clock, tmp_path):
    first = link(wikidata, "Avenia", "LOC")
    asked = len(server.queries)
    again = Endpoint(server.url, tmp_path / "cache", sleep=clock.sleep, clock=clock)
    assert link(Wikidata(server.url, "wikidata", again), "Avenia", "LOC") == first
    assert len(server.queries) == asked + 1  # the question whether it is there
    elsewhere = Endpoint(server.url, tmp_path / "other", sleep=clock.sleep, clock=clock)
    elsewhere.select(server.queries[0])
    assert len(server.queries) == asked + 2


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"answer": 3}', '{"answer": {"results": {"bindings": [3]}}}'])
def test_a_damaged_cache_is_asked_again_and_mended(endpoint, server, tmp_path, damage):
    query = "SELECT (1 AS ?n) {}"
    assert endpoint.select(query) == [{"n": "1"}]
    (file,) = (tmp_path / "cache").glob("*.json")
    file.write_text(damage)
    assert endpoint.select(query) == [{"n": "1"}]
    assert json.loads(file.read_text())["query"] == query
    assert len(server.queries) == 2


def test_a_cache_that_cannot_be_written_is_done_without(server, clock, tmp_path):
    (tmp_path / "file").write_text("")
    endpoint = Endpoint(server.url, tmp_path / "file", sleep=clock.sleep, clock=clock)
    assert endpoint.select("SELECT (1 AS ?n) {}") == [{"n": "1"}]


# --- failures ---------------------------------------------------------------------------------------------------------

QUERY = "SELECT (1 AS ?n) {}"


def test_retry_after_seconds_is_honoured(endpoint, server, clock):
    server.replies = [status(429, Retry_After="17")]
    assert endpoint.select(QUERY) == [{"n": "1"}]
    assert clock.slept == [0, 17]


def test_retry_after_a_date_is_honoured(endpoint, server, clock):
    when = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    server.replies = [status(503, Retry_After=when)]
    assert endpoint.select(QUERY) == [{"n": "1"}]
    assert 20 < clock.slept[1] <= 30


@pytest.mark.parametrize("told", ["soon", "-5", "Thu, 01 Jan 1970 00:00:00 GMT", ""])
def test_a_senseless_retry_after_is_as_none(endpoint, server, clock, told):
    server.replies = [status(429, Retry_After=told)]
    assert endpoint.select(QUERY) == [{"n": "1"}]
    assert clock.slept == [0, 1]


def test_nobody_waits_for_hours(endpoint, server, clock):
    server.replies = [status(429, Retry_After="7200")]
    with pytest.raises(MissingResource, match="429 Too Many Requests, and wants to be left alone for 7200 seconds"):
        endpoint.select(QUERY)
    assert clock.slept == [0]


TROUBLE = {
    "server error": (status(500), "answered 500 Internal Server Error"),
    "too many": (status(429), "answered 429 Too Many Requests"),
    "garbage": (body(b"<html>busy</html>"), "did not answer in SPARQL's JSON"),
    "not text": (body(b"\xff\xfe\x00"), "did not answer in SPARQL's JSON"),
    "other JSON": (body(b'{"error": "x"}'), "did not answer in SPARQL's JSON"),
    "a list": (body(b"[]"), "did not answer in SPARQL's JSON"),
    "broken off": (body(b'{"results": {"bindings": [{"n": {"val'), "not to the end"),
    "nothing": (body(b""), "did not answer in SPARQL's JSON"),
}


@pytest.mark.parametrize("trouble", TROUBLE)
def test_passing_trouble_is_waited_out(endpoint, server, clock, trouble):
    server.replies = [TROUBLE[trouble][0]] * 4
    assert endpoint.select(QUERY) == [{"n": "1"}]
    assert clock.slept == [0, 1, 2, 4, 8]


@pytest.mark.parametrize("trouble", TROUBLE)
def test_lasting_trouble_is_told_in_one_line_and_not_remembered(endpoint, server, trouble):
    reply, told = TROUBLE[trouble]
    server.replies = [reply] * 5
    with pytest.raises(MissingResource, match=told) as error:
        endpoint.select(QUERY)
    assert str(error.value).startswith(server.url)
    assert "\n" not in str(error.value)
    assert endpoint.select(QUERY) == [{"n": "1"}]


def test_a_connection_that_breaks_off_is_tried_again(endpoint, server):
    def broken(request):
        request.send_response(200)
        request.send_header("Content-Length", "1000")
        request.end_headers()
        request.wfile.write(b'{"results"')

    server.replies = [broken]
    assert endpoint.select(QUERY) == [{"n": "1"}]


def test_an_answer_that_does_not_come_in_time(server, clock, tmp_path):
    endpoint = Endpoint(server.url, tmp_path / "cache", timeout=0.05, sleep=clock.sleep, clock=clock)
    server.replies = [lambda request: server.release.wait(20)] * 5
    with pytest.raises(MissingResource, match="did not answer in time"):
        endpoint.select(QUERY)
    assert len(server.queries) == 5


def test_a_query_that_is_refused_is_not_repeated(endpoint, server):
    server.replies = [status(400)]
    with pytest.raises(MissingResource, match="answered 400 Bad Request"):
        endpoint.select(QUERY)
    assert len(server.queries) == 1


def test_after_one_lasting_failure_others_are_not_waited_for(endpoint, server, clock):
    server.replies = [status(500)] * 7
    for number in range(3):
        with pytest.raises(MissingResource):
            endpoint.select(f"SELECT ({number} AS ?n) {{}}")
    assert len(server.queries) == 7
    assert endpoint.select(QUERY) == [{"n": "1"}]
    server.replies = [status(500)] * 4
    assert endpoint.select("SELECT (2 AS ?n) {}") == [{"n": "2"}]


# --- said before anything is attacked ---------------------------------------------------------------------------------


def test_an_endpoint_that_is_there_is_asked_once(server, endpoint):
    knowledge = Wikidata(server.url, "wikidata", endpoint)
    assert server.queries == ["ASK {}"]
    assert server.url in knowledge.identity


@pytest.fixture
def no_wait(monkeypatch):
    monkeypatch.setattr(sparql.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(
        Endpoint.__init__, "__kwdefaults__", {**Endpoint.__init__.__kwdefaults__, "sleep": lambda s: None}
    )


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/sparql", "nonsense", "ftp://127.0.0.1/x", "http://[", "http://"])
def test_an_endpoint_that_is_not_there_is_told_in_one_line(url, no_wait):
    with pytest.raises(MissingResource, match="is the address right, and are you online") as error:
        knowledge_named(f"wikidata:{url}")
    assert url in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("reply", [status(404), status(500), body(b"<html>"), body(b'{"results": {"bindings": []}}')])
def test_a_page_that_is_no_endpoint_is_told(reply, server, endpoint):
    server.replies = [reply] * 2
    with pytest.raises(MissingResource, match=server.url) as error:
        Wikidata(server.url, "wikidata", endpoint)
    assert "\n" not in str(error.value)


def test_a_missing_library_is_told(monkeypatch, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "httpx", None)
    with pytest.raises(MissingResource, match=r"httpx: pip install 'ner-gauntlet\[knowledge\]'"):
        Endpoint("http://127.0.0.1:9", tmp_path)


def test_a_failure_later_on_is_the_error_of_the_job_that_asked(wikidata, server):
    async def ask(text):
        return await wikidata.link((text,), "LOC")

    # The batch, then each question by itself: the first one is in vain twice, the second one gets through.
    server.replies = [status(400), status(400)]
    done = {
        job.name: job for job in Engine().run([Job(name, lambda name=name: ask(name)) for name in ("Avenia", "Corvo")])
    }
    assert isinstance(done["Avenia"].error, ServiceFailed)
    assert "answered 400" in str(done["Avenia"].error)
    assert done["Corvo"].result.source == "Q903"
