"""Results go by an attack's name and version, so no class may travel under another's."""

from __future__ import annotations

import pytest

from attacks.identity import Identity
from benchmark import finding
from benchmark.api import attack
from benchmark.contracts import attack as decorate
from benchmark.errors import BadInput
from benchmark.registry import Registry
from benchmark.threat import Access


class WithoutCard(Identity):
    """Forgot its decorator."""


@decorate("mine", access=Access.LABELS)
class Mine(Identity):
    """Has one."""


@pytest.fixture
def registry(monkeypatch):
    registry = Registry("attack")
    monkeypatch.setattr(finding, "ATTACKS", registry)
    return registry


@pytest.mark.parametrize(("name", "cls"), [("other", Identity), ("other", WithoutCard), ("identity", WithoutCard)])
def test_a_class_without_a_card_of_its_own_is_refused(registry, name, cls):
    registry.register(name, cls)
    with pytest.raises(BadInput, match="card of its own"):
        attack(lambda texts: [["O"] * len(t) for t in texts], [(["a"], ["O"])], name)


def test_a_subclass_with_its_own_card_runs(registry):
    registry.register("mine", Mine)
    (outcome,) = attack(lambda texts: [["B-PER"] for _ in texts], [(["Ana"], ["B-PER"])], "mine")
    assert outcome.status == "failed"
