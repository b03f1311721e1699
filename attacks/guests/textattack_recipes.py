"""TextAttack's recipes, and attacks put together from its parts, as attacks of ours.

`textattack:NAME` may touch any token; with `context_only` it must leave the mentions alone. From Python,
`textattack_attack` makes an attack class from a transformation, constraints and a search method::

    ATTACKS.register("mine", textattack_attack("mine", transformation, constraints, search_method))
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING, Any

from attacks.guests.textattack_catalogue import CATALOGUE
from attacks.guests.textattack_import import import_textattack, quiet_textattack, stop_words_in_force
from benchmark.contracts import Attack, attack
from benchmark.errors import BadInput, MissingResource, first_line
from benchmark.registry import did_you_mean
from benchmark.threat import Access, Touch

if TYPE_CHECKING:
    from attacks.guests.textattack_goal import Ingredients
    from benchmark.probe import Probe
    from benchmark.types import Sentence

__all__ = ["recipe_named", "textattack_attack"]

FRAMEWORK = "Morris et al. 2020, TextAttack: A Framework for Adversarial Attacks, Data Augmentation and Training in NLP"


def recipe_named(name: str, parameters: Mapping[str, Any]) -> Attack:
    """Return a recipe of TextAttack as an attack of ours (`textattack:NAME`).

    Raises:
        BadInput: no such recipe or parameter, or a recipe that reads a text classifier's gradients.
        MissingResource: TextAttack is not installed, or something the recipe downloads is not there.
    """
    if name not in CATALOGUE:
        raise BadInput(f"unknown recipe textattack:{name}; {did_you_mean(name, list(CATALOGUE))}")
    configured = _recipe_class(name, Touch.ANY).configured(parameters)
    if configured.parameters["context_only"]:
        configured = _recipe_class(name, Touch.CONTEXT).configured(parameters)
    return configured


def textattack_attack(
    name: str,
    transformation: Any,
    constraints: Sequence[Any],
    search_method: Any,
    *,
    touch: Touch = Touch.ANY,
    version: int = 1,
) -> type[Attack]:
    """Make an attack from parts of TextAttack.

    Args:
        name: under which it is registered.
        transformation: a `textattack.transformations.Transformation`.
        constraints: `textattack.constraints`, those on what may be modified at all among them.
        search_method: a `textattack.search_methods.SearchMethod`.
        touch: which tokens it may edit.
        version: to be raised whenever the parts change.

    Raises:
        BadInput: the parts do not fit together, or one reads a text classifier's gradients.
        MissingResource: TextAttack is not installed.
    """
    import_textattack(name)
    from attacks.guests.textattack_goal import Ingredients

    parts = Ingredients(transformation, tuple(constraints), search_method)
    parts.require_fitting(name)

    @attack(name, access=Access.SCORES, touch=touch, version=version, paper=FRAMEWORK)
    class Parts(_TextAttack):
        """Parts of TextAttack put together by the user."""

        def ingredients(self) -> Ingredients:
            """Return the user's parts."""
            return parts

    return Parts


class _TextAttack(Attack):
    """A search of TextAttack under our probe."""

    @abstractmethod
    def ingredients(self) -> Ingredients:
        """Return what it is made of."""

    @property
    def parameters(self) -> dict[str, Any]:
        """Our parameters, and what else decides an outcome: TextAttack's release and whose stop words it uses."""
        return {
            **super().parameters,
            "textattack": metadata.version("textattack"),
            "stop_words": stop_words_in_force(),
        }

    async def run(self, sentence: Sentence, probe: Probe) -> None:
        """Let TextAttack search."""
        from attacks.guests.interview import interview
        from attacks.guests.textattack_goal import search

        ingredients = self.ingredients()
        await interview(sentence, probe, lambda talk: search(ingredients, talk))


@cache
def _recipe_class(name: str, touch: Touch) -> type[Attack]:
    recipe = CATALOGUE[name]

    @attack(f"textattack:{name}", access=Access.SCORES, touch=touch, paper=recipe.paper)
    class FromRecipe(_TextAttack):
        """A recipe of TextAttack, with our goal in the place of its own.

        Attributes:
            context_only: leave gold mentions as they are.
        """

        context_only: bool = False

        def __post_init__(self) -> None:
            self.ingredients()  # what is missing is said now

        def ingredients(self) -> Ingredients:
            """Return the recipe's parts."""
            return _built(name)

    return FromRecipe


@cache
def _built(name: str) -> Ingredients:
    """Build a recipe of TextAttack, or tell what it lacks."""
    attack_name, recipe = f"textattack:{name}", CATALOGUE[name]
    if recipe.gradients:
        raise BadInput(f"{attack_name} reads the gradients of a text classifier, which no recogniser has")
    import_textattack(attack_name)
    missing = [need.what for need in recipe.needs if not need.is_there()]
    if missing:
        raise MissingResource(f"{attack_name} needs {'; and '.join(missing)}")
    from textattack import attack_recipes
    from textattack.models.wrappers import ModelWrapper

    from attacks.guests.textattack_goal import Ingredients

    class NoModel(ModelWrapper):  # type: ignore[misc]  # TextAttack is not typed
        """Takes a classifier's place while a recipe is built."""

        model = None

        def __call__(self, text_input_list: Any, **_: Any) -> Any:
            raise NotImplementedError

    try:
        with quiet_textattack(), _no_downloads():
            built = getattr(attack_recipes, recipe.builder).build(NoModel(), **recipe.options)
    except Exception as error:  # whatever its libraries raise
        raise MissingResource(f"{attack_name} cannot be built by TextAttack: {first_line(error)}") from error
    parts = Ingredients(
        built.transformation, (*built.pre_transformation_constraints, *built.constraints), built.search_method
    )
    parts.require_fitting(attack_name)
    return parts


@contextmanager
def _no_downloads() -> Iterator[None]:
    """Keep TextAttack from asking NLTK's server for what is there already."""
    import nltk

    before = nltk.download
    nltk.download = lambda *_, **__: True
    try:
        yield
    finally:
        nltk.download = before
