"""A golden outcome for each attack: behaviour cannot change without a new version.

The victim is a formula, so the goldens hold on every machine; attributions, which PyTorch adds up, but for their last
digits. After a meant change raise the attack's version, then write its new golden with
`GAUNTLET_WRITE_GOLDEN=1 pytest tests/contract/test_golden_outcomes.py`.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest
from stubs import LABELS, StubWhiteBox, sentence, stub_resources

from attacks.static_attack import StaticAttack
from benchmark.api import attack
from benchmark.finding import ATTACKS
from benchmark.journal import outcome_to_json
from benchmark.types import Prediction

FOLDER = Path(__file__).parent.parent / "golden"
NAMES = {"Ana": "B-PER", "Ruiz": "I-PER", "Tallinn": "B-ORG", "Water": "I-ORG", "Chad": "B-LOC", "Kenyan": "B-MISC"}
SENTENCES = [
    sentence("Ana Ruiz left Tallinn Water on Friday .", "B-PER I-PER O B-ORG I-ORG O O O", "a"),
    sentence(
        "Two Kenyan runners , it was said , had crossed Chad by bicycle .", "O B-MISC O O O O O O O O B-LOC O O O", "b"
    ),
    sentence('" Nobody in Chad complained , " the spokesman added later .', "O O O B-LOC O O O O O O O O", "c"),
    sentence("It rained all day .", "O O O O O", "d"),
]


class FormulaVictim(StubWhiteBox):
    """Knows six names by heart, in one casing, and trusts them by what stands around them."""

    def __init__(self):
        super().__init__(lambda tokens: ())

    def _predict(self, tokens):
        rows = np.full((len(tokens), len(LABELS)), 0.01)
        for i, token in enumerate(tokens):
            wanted = LABELS.index(NAMES.get(token, "O"))
            near = " ".join(tokens[max(0, i - 2) : i + 3])
            doubt = int(hashlib.sha256(near.encode()).hexdigest()[:4], 16) / 0xFFFF
            rows[i, wanted] = 0.92 - 0.5 * doubt if wanted else 0.92
            rows[i, 0 if wanted else 7] += 0.5 * doubt
        tags = tuple(LABELS[k] for k in rows.argmax(axis=1))
        return Prediction(tags, rows.astype(np.float32))


@pytest.mark.parametrize("name", list(ATTACKS))
@pytest.mark.parametrize("mode", ["first-success", "escalate"])
def test_an_attack_does_what_its_version_did(name, mode):
    card = ATTACKS.get(name).card
    # The one text that a static attack makes seldom breaks a victim, and an outcome shows only what reached the goal.
    goal = "perturbed" if issubclass(ATTACKS.get(name), StaticAttack) else "untargeted-strict"
    outcomes = attack(
        FormulaVictim(), SENTENCES, name, goal=goal, queries=60, seed=7, mode=mode, resources=stub_resources()
    )
    found = json.loads(json.dumps([outcome_to_json(outcome) for outcome in outcomes]))
    path = FOLDER / f"{name}-v{card.version}-{mode}.json"
    if os.environ.get("GAUNTLET_WRITE_GOLDEN"):
        path.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
    assert path.is_file(), f"{name} version {card.version} has no golden; see the text of this file"
    golden = json.loads(path.read_text())
    shares, golden_shares = ([record.pop("attributions", None) or [] for record in told] for told in (found, golden))
    assert found == golden, f"{name} behaves differently; a meant change needs a new version"
    for own, wanted in zip(shares, golden_shares, strict=True):
        assert own == pytest.approx(wanted, abs=1e-5)  # of at most 1; processors round otherwise


def test_the_goldens_show_attacks_that_work():
    """A golden of failures only would protect nothing."""
    for name in ATTACKS:
        if name == "identity":
            continue
        (path,) = FOLDER.glob(f"{name}-v*-first-success.json")
        statuses = [record["status"] for record in json.loads(path.read_text())]
        assert "success" in statuses, name
        # Of a text without mentions only the goal of the static attacks has a use.
        assert (statuses[3] == "skipped") is not issubclass(ATTACKS.get(name), StaticAttack)
