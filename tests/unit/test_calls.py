"""Names with parameters in parentheses."""

from __future__ import annotations

import pytest

from benchmark.calls import is_call, literal, named_values, parsed, spelled
from benchmark.errors import BadInput


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("mat", ("mat", [], {})),
        ("mat()", None),
        ("mat(omega=0.1)", ("mat", [], {"omega": "0.1"})),
        ("augment(bert-attack)", ("augment", ["bert-attack"], {})),
        ("augment( bert-attack , n = 5 )", ("augment", ["bert-attack"], {"n": "5"})),
        ("a(b(c=1,d=2),n=3)", ("a", ["b(c=1,d=2)"], {"n": "3"})),
        ("a(x=b(c=1,d=2))", ("a", [], {"x": "b(c=1,d=2)"})),
        ("a(goal=targeted(PER))", ("a", [], {"goal": "targeted(PER)"})),
        ("a(", None),
        ("a(b", None),
        ("a(b))", None),
        ("a(b)(c)", None),
        ("a(b)c", None),
        ("(b)", None),
        ("a(,)", None),
        ("a(n=1,n=2)", None),
        ("a(n=1,b)", None),
        ("a(n=)", None),
    ],
)
def test_names_are_parted_and_wrong_ones_told_in_one_line(text, parts):
    if parts is None:
        with pytest.raises(BadInput) as told:
            parsed(text)
        assert "\n" not in str(told.value)
    else:
        assert parsed(text) == parts


def test_what_is_spelled_is_read_again():
    named = {"n": 5, "share": 0.25, "on": True, "like": "b(c=1,d=2)"}
    text = spelled("a", named, ["x"])
    assert text == "a(x,n=5,share=0.25,on=true,like=b(c=1,d=2))"
    name, unnamed, read = parsed(text)
    assert (name, unnamed, {key: literal(value) for key, value in read.items()}) == ("a", ["x"], named)
    assert spelled("a", {}) == "a"


def test_a_call_has_parentheses_behind_a_name():
    assert is_call("wnut17(seed=1)")
    assert not any(map(is_call, ("wnut17", "(seed=1)", "wnut17(seed=1", "a(b)/c")))


def test_options_are_read_as_texts():
    assert named_values(["a=1", "b=x=y"]) == {"a": "1", "b": "x=y"}
    with pytest.raises(BadInput, match="--param 'c' is not NAME=VALUE"):
        named_values(["c"])
