"""OpenAttack's attackers (Zeng et al. 2021) as attacks of ours: `openattack:NAME`, with `context_only` if wished.

OpenAttack downloads what it leans on from its own server and partly unpickles it. Nothing is downloaded here: what is
missing is named. Some attackers lower the case of the whole text first, mentions included; with `context_only` such a
candidate is turned away.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import metadata
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from attacks.guests.packages import require_package
from benchmark.contracts import Attack, attack
from benchmark.errors import BadInput, MissingResource, first_line
from benchmark.registry import did_you_mean
from benchmark.threat import Access, Touch

if TYPE_CHECKING:
    from benchmark.probe import Probe
    from benchmark.types import Sentence

__all__ = ["CATALOGUE", "Attacker", "attacker_named"]


class Attacker(NamedTuple):
    """One of OpenAttack's attackers.

    Attributes:
        name: of its class in `OpenAttack.attackers`.
        paper: where it comes from.
        access: predictions or probabilities.
        tokens: it takes a tokenizer and is given the tokens as they are: "plain", or "tagged" with parts of speech.
        model: of the Hugging Face hub, that it loads.
        encoder: it loads the Universal Sentence Encoder by TensorFlow Hub.
        gradients: it reads the gradients of a text classifier, which no recogniser has.
    """

    name: str
    paper: str
    access: Access = Access.SCORES
    tokens: str | None = None
    model: str | None = None
    encoder: bool = False
    gradients: bool = False


CATALOGUE: Mapping[str, Attacker] = MappingProxyType(
    {
        "bae": Attacker(
            "BAEAttacker",
            "Garg & Ramakrishnan 2020, BAE: BERT-based Adversarial Examples for Text Classification",
            model="bert-base-uncased",
            encoder=True,
        ),
        "bert-attack": Attacker(
            "BERTAttacker",
            "Li et al. 2020, BERT-ATTACK: Adversarial Attack Against BERT Using BERT",
            model="bert-base-uncased",
        ),
        "deepwordbug": Attacker(
            "DeepWordBugAttacker",
            "Gao et al. 2018, Black-box Generation of Adversarial Text Sequences to Evade Deep Learning Classifiers",
            tokens="plain",
        ),
        "fd": Attacker(
            "FDAttacker",
            "Papernot et al. 2016, Crafting Adversarial Input Sequences for Recurrent Neural Networks",
            gradients=True,
        ),
        "gan": Attacker(
            "GANAttacker", "Zhao et al. 2018, Generating Natural Adversarial Examples", access=Access.LABELS
        ),
        "genetic": Attacker(
            "GeneticAttacker",
            "Alzantot et al. 2018, Generating Natural Language Adversarial Examples",
            tokens="tagged",
        ),
        "hotflip": Attacker(
            "HotFlipAttacker",
            "Ebrahimi et al. 2018, HotFlip: White-Box Adversarial Examples for Text Classification",
            access=Access.LABELS,
            tokens="tagged",
        ),
        "pso": Attacker(
            "PSOAttacker",
            "Zang et al. 2020, Word-level Textual Adversarial Attacking as Combinatorial Optimization",
            tokens="tagged",
        ),
        "pwws": Attacker(
            "PWWSAttacker",
            "Ren et al. 2019, Generating Natural Language Adversarial Examples "
            "through Probability Weighted Word Saliency",
            tokens="tagged",
        ),
        "scpn": Attacker(
            "SCPNAttacker",
            "Iyyer et al. 2018, Adversarial Example Generation with Syntactically Controlled Paraphrase Networks",
            access=Access.LABELS,
            tokens="plain",
        ),
        "textbugger": Attacker(
            "TextBuggerAttacker",
            "Li et al. 2019, TextBugger: Generating Adversarial Text Against Real-world Applications",
            tokens="plain",
        ),
        "textfooler": Attacker(
            "TextFoolerAttacker",
            "Jin et al. 2020, Is BERT Really Robust? A Strong Baseline for Natural Language Attack",
            tokens="tagged",
            encoder=True,
        ),
        "uat": Attacker(
            "UATAttacker",
            "Wallace et al. 2019, Universal Adversarial Triggers for Attacking and Analyzing NLP",
            access=Access.LABELS,
            tokens="plain",
        ),
        "viper": Attacker(
            "VIPERAttacker",
            "Eger et al. 2019, Text Processing Like Humans Do: Visually Attacking and Shielding NLP Systems",
            access=Access.LABELS,
        ),
    }
)


def attacker_named(name: str, parameters: Mapping[str, Any]) -> Attack:
    """Return an attacker of OpenAttack as an attack of ours (`openattack:NAME`).

    Raises:
        BadInput: no such attacker or parameter, or one that reads a text classifier's gradients.
        MissingResource: OpenAttack is not installed, or something the attacker downloads is not there.
    """
    if name not in CATALOGUE:
        raise BadInput(f"unknown attacker openattack:{name}; {did_you_mean(name, list(CATALOGUE))}")
    configured = _attacker_class(name, Touch.ANY).configured(parameters)
    if configured.parameters["context_only"]:
        configured = _attacker_class(name, Touch.CONTEXT).configured(parameters)
    return configured


@cache
def _attacker_class(name: str, touch: Touch) -> type[Attack]:
    about = CATALOGUE[name]

    @attack(f"openattack:{name}", access=about.access, touch=touch, paper=about.paper)
    class FromAttacker(Attack):
        """An attacker of OpenAttack that takes our goal for a classifier of two classes.

        Attributes:
            context_only: leave gold mentions as they are.
        """

        context_only: bool = False

        def __post_init__(self) -> None:
            _built(name)  # what is missing is said now

        @property
        def parameters(self) -> dict[str, Any]:
            """Our parameters, and OpenAttack's release, which decides an outcome as well."""
            return {**super().parameters, "openattack": metadata.version("OpenAttack")}

        async def run(self, sentence: Sentence, probe: Probe) -> None:
            """Let OpenAttack's attacker work."""
            from attacks.guests.interview import interview
            from attacks.guests.openattack_victim import attack_text

            await interview(sentence, probe, lambda talk: attack_text(_built(name), talk))

    return FromAttacker


@cache
def _built(name: str) -> Any:
    """Make an attacker of OpenAttack, or tell what it lacks."""
    attack_name, about = f"openattack:{name}", CATALOGUE[name]
    if about.gradients:
        raise BadInput(f"{attack_name} reads the gradients of a text classifier, which no recogniser has")
    require_package("OpenAttack", attack_name)
    _require_models(attack_name, about)
    import OpenAttack

    from attacks.guests.openattack_victim import GivenTokens

    OpenAttack.DataManager.setAutoDownload(False)
    try:
        options = {} if about.tokens is None else {"tokenizer": GivenTokens(tags=about.tokens == "tagged")}
        return getattr(OpenAttack.attackers, about.name)(**options)
    except OpenAttack.exceptions.DataNotExistException as missing:
        what, folder = missing.args
        raise MissingResource(
            f"{attack_name} needs OpenAttack's {what}, which is not at {folder}; fetch it with: "
            f"python -c \"import OpenAttack; OpenAttack.download('{what}')\""
        ) from missing
    except Exception as error:  # whatever its libraries raise
        raise MissingResource(f"{attack_name} cannot be made by OpenAttack: {first_line(error)}") from error


def _require_models(attack_name: str, about: Attacker) -> None:
    """Look for what OpenAttack has no name for."""
    from attacks.guests.needs import hub_model, package

    needs = [hub_model(about.model)] if about.model else []
    if about.encoder:
        needs.append(package("tensorflow_hub", "tensorflow-hub"))
    missing = [need.what for need in needs if not need.is_there()]
    if missing:
        raise MissingResource(f"{attack_name} needs {'; and '.join(missing)}")
