"""Grammar judges: the real one in this process, and LanguageTool's protocol against a server made here."""

from __future__ import annotations

import json
import socket
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest

from benchmark.errors import BadInput, MissingResource
from benchmark.resources import grammar
from benchmark.resources.grammar import (
    CATEGORIES,
    CHECKERS,
    DEFAULT_CHECKER,
    InProcessChecker,
    LanguageToolChecker,
    checker_named,
)


@pytest.fixture(scope="module")
def checker():
    return InProcessChecker()


def test_a_clean_sentence_has_no_errors(checker):
    assert checker.count(["He goes to school every day."]) == [Counter()]


def test_an_injected_agreement_error_is_a_grammar_error(checker):
    before, after = checker.count(["He goes to school every day.", "He go to school every day."])
    assert after - before == Counter(grammar=1)


def test_an_injected_typo_is_a_typo(checker):
    before, after = checker.count(["They receive mail.", "They recieve mail."])
    assert after - before == Counter(typos=1)


def test_a_lower_case_opening_is_a_casing_error(checker):
    before, after = checker.count(["The house is big.", "the house is big."])
    assert after - before == Counter(casing=1)


def test_two_spaces_are_another_error(checker):
    before, after = checker.count(["This is good.", "This is  good."])
    assert after - before == Counter(other=1)


def test_every_match_counts_and_falls_into_one_of_the_categories(checker):
    (found,) = checker.count(["he go to  the schol and recieve mail."])
    assert found["typos"] == 2
    assert found["casing"] == 1
    assert found["other"] >= 1
    assert set(found) <= set(CATEGORIES)


def test_counts_come_in_the_order_of_the_texts_and_do_not_depend_on_the_others(checker):
    texts = ["They recieve mail.", "They receive mail.", "He go home.", ""] * 8
    together = checker.count(texts)
    assert together == [count for text in texts for count in checker.count([text])]
    assert together[:4] == together[-4:]
    assert together[0] != together[1]


def test_no_texts_give_no_counts(checker):
    assert checker.count([]) == []


def test_words_outside_ascii_before_an_error_do_not_change_the_count(checker):
    """Offsets in bytes, UTF-16 units or characters: only the number of matches is read."""
    plain, wide = checker.count(["Good. They recieve mail.", "Good 😀. They recieve mail."])
    assert plain["typos"] == 1
    assert wide["typos"] == plain["typos"]
    assert wide["grammar"] == plain["grammar"]


def test_a_stray_data_folder_in_the_working_directory_is_not_taken_for_the_rules(checker, tmp_path):
    (tmp_path / "data" / "en" / "rules").mkdir(parents=True)
    (tmp_path / "data" / "en" / "rules" / "grammar.xml").write_text("not rules")
    grammar._engine.cache_clear()
    try:
        assert checker.count(["He go to school every day.", "They recieve mail."]) == [
            Counter(grammar=1),
            Counter(typos=1),
        ]
    finally:
        grammar._engine.cache_clear()


def test_the_identity_names_versions(checker):
    assert "LingoTweaker" in checker.identity
    assert "rules" in checker.identity
    assert "detokenizer" in checker.identity


def test_checkers_are_found_by_name():
    assert isinstance(checker_named(DEFAULT_CHECKER), InProcessChecker)
    with pytest.raises(BadInput) as refused:
        checker_named("grammarly")
    assert all(name in str(refused.value) for name in CHECKERS)


# What the made-up server finds: word, rule, category as LanguageTool names them.
FINDINGS = [
    ("recieve", "MORFOLOGIK_RULE_EN_US", "TYPOS"),
    ("go", "HE_VERB_AGR", "GRAMMAR"),
    ("he", "UPPERCASE_SENTENCE_START", "CASING"),
    ("very", "VERY", "STYLE"),
]


class Handler(BaseHTTPRequestHandler):
    """LanguageTool's JSON API, as far as the client uses it."""

    def do_GET(self):
        self._answer([{"name": "English (US)", "code": "en", "longCode": "en-US"}])

    def do_POST(self):
        asked = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode(), keep_blank_values=True)
        self.server.asked.append((self.path, asked))
        self._answer(
            {
                "software": {"name": "LanguageTool", "version": "6.5", "apiVersion": 1},
                "language": {"name": "English (US)", "code": "en-US"},
                "matches": self._matches(asked["text"][0]),
            }
        )

    def _matches(self, text):
        found = []
        for word, rule, category in FINDINGS:
            if word not in text.replace(".", " ").split():
                continue
            at = text.index(word)
            found.append(
                {
                    "message": "A mistake.",
                    "shortMessage": "",
                    "replacements": [{"value": "other"}],
                    "offset": at,
                    "length": len(word),
                    "context": {"text": text, "offset": at, "length": len(word)},
                    "sentence": text,
                    "rule": {
                        "id": rule,
                        "description": "",
                        "issueType": "other",
                        "category": {"id": category, "name": category},
                    },
                }
            )
        return found

    def _answer(self, record):
        body = self.server.broken or json.dumps(record).encode()
        self.send_response(500 if self.server.broken else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        """Say nothing."""


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked, server.broken = [], b""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def address(server):
    return f"http://127.0.0.1:{server.server_port}"


def test_languagetool_matches_are_counted_by_category(server):
    judge = checker_named(f"languagetool:{address(server)}")
    assert isinstance(judge, LanguageToolChecker)
    counts = judge.count(["All is well.", "he go very slow.", "They recieve mail. They go."])
    assert counts == [Counter(), Counter(casing=1, grammar=1, other=1), Counter(typos=1, grammar=1)]


def test_languagetool_is_asked_in_us_english_with_all_default_rules_and_the_text_as_it_is(server):
    text = "Zoë & Ana: 100% “sure” 😀?"
    LanguageToolChecker(address(server)).count([text])
    path, asked = server.asked[-1]
    assert path == "/v2/check"
    assert asked["language"] == ["en-US"]
    assert asked["text"] == [text]
    assert not {"enabledOnly", "disabledRules", "disabledCategories"} & {k for k, v in asked.items() if v != [""]}


def test_languagetool_says_that_it_was_remote_but_not_where(server):
    identity = LanguageToolChecker(address(server)).identity
    assert "remote server" in identity
    assert address(server) not in identity  # results are published; addresses are not


def assert_one_line(error, *words):
    message = str(error.value)
    assert message.splitlines() == [message]
    assert all(word in message for word in words)


def test_a_missing_languagetool_server_is_told_in_one_line():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and never listening: nobody answers there
        where = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(MissingResource) as missing:
            checker_named(f"languagetool:{where}")
    assert_one_line(missing, where, "lingotweaker")


def test_a_server_that_is_no_languagetool_is_told_in_one_line(server):
    server.broken = b"<html>\n<body>\nInternal error\n</body></html>"
    with pytest.raises(MissingResource) as missing:
        LanguageToolChecker(address(server))
    assert_one_line(missing, address(server))


def test_a_languagetool_server_that_breaks_later_is_told_in_one_line(server):
    judge = LanguageToolChecker(address(server))
    server.broken = b"out of\nmemory"
    with pytest.raises(MissingResource) as missing:
        judge.count(["All is well."])
    assert_one_line(missing, address(server))
