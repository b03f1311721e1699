"""TextAttack's ways of running an attack of ours, to be measured beside our engine (`gauntlet bench`).

Both are its own loop; what differs is how the victim is asked. SeqAttack's `NERModelWrapper` forwards one text at a
time, whatever TextAttack hands it; a wrapper of TextAttack's own forwards all it is handed, 32 at most.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING

from attacks.guests.textattack_import import import_textattack
from attacks.guests.word_swaps import SWAPS
from benchmark.errors import BadInput, MissingResource
from benchmark.resources.loading import Resources

if TYPE_CHECKING:
    from benchmark.attacking import Assault
    from benchmark.comparing.ways import Attacked
    from benchmark.contracts import Attack
    from benchmark.types import Sentence

__all__ = ["InBatches", "OneTextAForward"]

# TextAttack's `model_batch_size`.
_BATCH = 32


class InBatches:
    """TextAttack's loop, up to 32 texts a forward, padded to the longest of them."""

    texts_a_forward = _BATCH

    def require(self, attack: Attack) -> None:
        """See `OthersWay`."""
        if attack.card.name not in SWAPS:
            raise BadInput(f"{attack.card.name} cannot be run by TextAttack's loop; those that can: {', '.join(SWAPS)}")
        if find_spec("textattack") is None:
            raise MissingResource(
                "gauntlet bench needs TextAttack, which has an environment of its own: `make guests`, then "
                "`.venv-guests/bin/gauntlet bench`"
            )
        import_textattack("gauntlet bench")

    def equipped(self, assault: Assault) -> Assault:
        """Let the victim and the language model be asked as TextAttack asks; a constraint's models stay as they are."""
        from attacks.guests.plain_models import PlainLanguageModel, PlainVictim
        from benchmark.resources.language_models.masked import MaskedLanguageModel
        from benchmark.victims.transformer import TransformerVictim

        victim, resources = assault.victim, assault.resources
        if not isinstance(victim, TransformerVictim):
            raise BadInput(f"gauntlet bench compares transformers (minilm/..., hf:..., path:...), not {victim.name}")
        models = {kind: getattr(resources, kind) for kind in resources.identities}
        if isinstance(models.get("language_model"), MaskedLanguageModel):
            models["language_model"] = PlainLanguageModel(models["language_model"])
        return replace(assault, victim=PlainVictim(victim, self.texts_a_forward), resources=Resources(models))

    def attack(self, assault: Assault, sentences: Sequence[Sentence], tick: Callable[[], None]) -> dict[str, Attacked]:
        """See `OthersWay`."""
        from attacks.guests.textattack_loop import attack_in_textattack

        return attack_in_textattack(assault, sentences, tick)


class OneTextAForward(InBatches):
    """SeqAttack's way: TextAttack's loop, one text a forward, at its own length."""

    texts_a_forward = 1
