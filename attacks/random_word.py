"""Random words at random places: the control of every word attack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from attacks.word_attack import WordAttack
from benchmark.contracts import Attack, Constraint, ModelConstraint, PredictionConstraint, attack
from benchmark.errors import BadInput
from benchmark.finding import attack_named
from benchmark.threat import Access, Touch

if TYPE_CHECKING:
    from benchmark.probe import Probe
    from benchmark.types import Sentence, Tokens

# Texts asked at a time: enough to fill a batch, few enough not to overshoot a success by much.
HANDFUL = 8
# Draws, or handfuls, in vain after which there is nothing more to find.
TRIES = 200


@attack("random-word", version=2, access=Access.LABELS, touch=Touch.CONTEXT)
class RandomWord(Attack):
    """Take random candidates of another attack at random places, each from the original text, blind to scores.

    Candidates, constraints and resources are those of the attack it stands beside; its order, its search and its view
    of the victim are not. Compare at equal budget. Whatever parameter is not its own is the other attack's.

    Attributes:
        like: the word attack whose control this is.
        words: how many edits a text has.
        given: parameters of that attack, where they differ from its defaults.
    """

    like: str = "bert-attack"
    words: int = 1
    given: tuple[tuple[str, Any], ...] = ()

    @classmethod
    def configured(cls, parameters: Mapping[str, Any]) -> RandomWord:
        """Make the control, and with it the attack it stands beside.

        Raises:
            BadInput: a parameter that neither has, or a value of the wrong type.
        """
        own = {name: value for name, value in parameters.items() if name in {"like", "words"}}
        others = {name: value for name, value in parameters.items() if name not in own}
        super().configured(own)  # checks their types
        return cls(**own, given=tuple(sorted(others.items())))

    def __post_init__(self) -> None:
        if self.words < 1:
            raise BadInput(f"words must be at least 1, not {self.words}")
        _ = self.model  # a name that is none is told at once

    @cached_property
    def model(self) -> WordAttack:
        """The attack it stands beside."""
        found = attack_named(self.like, dict(self.given))
        if not isinstance(found, WordAttack) or found.card.touch is not Touch.CONTEXT:
            raise BadInput(
                f"random-word is a control of word attacks on the context; {self.like} is none (has it order=random?)"
            )
        return found

    @property
    def resources(self) -> Mapping[str, str]:
        """Those of the attack it stands beside."""
        return self.model.resources

    @property
    def constraints(self) -> Sequence[Constraint]:
        """Those of the attack it stands beside."""
        return self.model.constraints

    @property
    def model_constraints(self) -> Sequence[ModelConstraint]:
        """Those of the attack it stands beside."""
        return self.model.model_constraints

    @property
    def prediction_constraints(self) -> Sequence[PredictionConstraint]:
        """Those of the attack it stands beside."""
        return self.model.prediction_constraints

    @property
    def parameters(self) -> dict[str, Any]:
        """Also those of the attack it stands beside, and its version: they decide the outcome as well."""
        model = {"version": self.model.card.version, **self.model.parameters}
        return {"like": self.like, "words": self.words, **dict(self.given), "model": model}

    async def run(self, sentence: Sentence, probe: Probe) -> None:
        """Ask a handful of new texts at a time until no new one comes up or the budget is spent."""
        seen = {sentence.tokens}
        first = await self.edits(sentence, probe)
        fruitless = 0
        while fruitless < TRIES and (texts := await self.new_texts(sentence, first, seen, probe)):
            fruitless = 0 if await probe(texts) else fruitless + 1  # constraints can turn away all there is

    async def edits(self, sentence: Sentence, probe: Probe) -> list[list[Sentence]]:
        """Return all candidates one edit away, by place."""
        groups = await self.model.edits(sentence, self.model.places(sentence, probe), probe)
        return [group for group in groups if group]

    async def new_texts(
        self, sentence: Sentence, first: list[list[Sentence]], seen: set[Tokens], probe: Probe
    ) -> list[Sentence]:
        """Draw texts that were not drawn before."""
        texts: list[Sentence] = []
        for _ in range(TRIES):
            text = await self.draw(sentence, first, probe)
            if text.tokens not in seen:
                seen.add(text.tokens)
                texts.append(text)
            if len(texts) == HANDFUL:
                break
        return texts

    async def draw(self, sentence: Sentence, first: list[list[Sentence]], probe: Probe) -> Sentence:
        """Edit random places at random; `first` are the candidates of the original text."""
        for k in range(self.words):
            if groups := first if k == 0 else await self.edits(sentence, probe):
                sentence = probe.rng.choice(probe.rng.choice(groups))
        return sentence
