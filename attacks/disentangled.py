"""Disentangled attribution: edit the few words that the victim's answer leans on most.

A mention's word vectors are first rewritten through a code from which its context can hardly be read. The paper finds
that without this nearly all attributed words are context words (its table 2), so that the weaknesses at mentions stay
unseen; `context_share.*` measures it on each run. What the paper leaves open is decided so: attributions are of the
summed log-probabilities of the gold labels of all entity words; a word's share is the sum over its word pieces, and its
size counts, not its sign; function words, numbers, marks and context words that are written like names ("Friday") are
passed over, and so is a word without substitutes; candidates are asked one by one, the most similar first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from attacks.candidates.entity_substitution import substitutes
from attacks.constraints.edited_words import EditedWordsStayOutside
from attacks.constraints.names import NoNewNames
from attacks.search.first_order import gold
from benchmark.contracts import Attack, Constraint, PredictionConstraint, attack
from benchmark.errors import BadInput
from benchmark.resources.capitalised_words import usually_capitalised
from benchmark.resources.disentangling import DEFAULT_DISENTANGLER
from benchmark.resources.encoders import DEFAULT_ENCODER
from benchmark.resources.knowledge import DEFAULT_KNOWLEDGE
from benchmark.resources.language_models import DEFAULT_LANGUAGE_MODEL
from benchmark.resources.stop_words import is_stop_word
from benchmark.threat import Access
from benchmark.types import Sentence, Span, Tokens
from benchmark.victims.white_box import Attribution, Method

if TYPE_CHECKING:
    from benchmark.probe import Probe
    from benchmark.victims.white_box import EmbeddingTable

__all__ = ["Disentangled"]

ORDERS = ("attribution", "random")
MODES = ("both", "context", "entity")
# The language model offers so many times more words than are wanted; function words and names are left out.
MORE = 4


@attack(
    "disentangled",
    version=2,
    access=Access.GRADIENTS,
    paper="Jin et al. 2023, Adversarial Named-Entity Recognition with Word Attributions and Disentanglement",
)
class Disentangled(Attack):
    """Replace the words with the largest attributions: mentions by their like, context words by what fits the gap.

    Attributes:
        words: how many places are edited, words or mentions (the paper's K: 1, 2, 3).
        mode: "both", or only "context" words or "entity" words.
        order: "attribution", or "random" for the ablation.
        disentangle: rewrite the mentions' vectors before attributing (section 3.1).
        attribution: "integrated-gradients" (section 3.2), "gradient-times-input" or "saliency".
        steps: of the integral, each a gradient query; fewer where the budget would not last for the candidates, of
            which half is theirs, and where it lasts for none the order is random.
        signed: rank by the share itself, so that words that speak against the gold labels come last.
        proposals: words that may take the place of a context word.
        names: names that may take the place of a mention.
        same_length: only names of as many words.
        sentences: how many candidates the victim is asked about.
        ranked_by_similarity: keep and ask the most similar candidates first (section 3.4); otherwise any.
        language_model: fills the gaps.
        knowledge: knows the names.
        encoder: of the similarity.
        disentangler: rewrites the vectors.
    """

    words: int = 1
    mode: str = "both"
    order: str = "attribution"
    disentangle: bool = True
    attribution: str = Method.INTEGRATED_GRADIENTS.value
    steps: int = 32
    signed: bool = False
    proposals: int = 5
    names: int = 10
    same_length: bool = True
    sentences: int = 10
    ranked_by_similarity: bool = True
    language_model: str = DEFAULT_LANGUAGE_MODEL
    knowledge: str = DEFAULT_KNOWLEDGE
    encoder: str = DEFAULT_ENCODER
    disentangler: str = DEFAULT_DISENTANGLER

    def __post_init__(self) -> None:
        for name in ("words", "steps", "proposals", "names", "sentences"):
            if getattr(self, name) < 1:
                raise BadInput(f"{name} must be at least 1, not {getattr(self, name)}")
        for name, known in (("mode", MODES), ("order", ORDERS), ("attribution", tuple(Method))):
            if getattr(self, name) not in known:
                raise BadInput(f"{name} must be one of {', '.join(known)}, not {getattr(self, name)!r}")

    @property
    def resources(self) -> Mapping[str, str]:
        """What its mode and switches need."""
        wanted = {
            "language_model": (self.language_model, self.mode != "entity"),
            "knowledge": (self.knowledge, self.mode != "context"),
            "encoder": (self.encoder, self.ranked_by_similarity),
            "disentangler": (self.disentangler, self.disentangle and self.order == "attribution"),
        }
        return {kind: name for kind, (name, needed) in wanted.items() if needed}

    @property
    def constraints(self) -> Sequence[Constraint]:
        """No names come into the context."""
        return (NoNewNames(),)

    @property
    def prediction_constraints(self) -> Sequence[PredictionConstraint]:
        """An edited context word that the victim takes for an entity does not count."""
        return (EditedWordsStayOutside(),)

    async def run(self, sentence: Sentence, probe: Probe) -> None:
        """Pick places, combine their substitutes in a beam, ask about the candidates until one succeeds."""
        beam = [sentence]
        for place, new in (await self.picked(sentence, probe)).items():
            combined = [_with(words, place, kept) for kept in beam for words in new if not _is_there(words, kept)]
            beam = await self.best(sentence, await probe.allowed(combined), probe) or beam
        for candidate in beam:
            if candidate is not sentence:
                await probe([candidate])

    async def picked(self, sentence: Sentence, probe: Probe) -> dict[int | Span, list[Tokens]]:
        """Return the most important places that have substitutes, with these."""
        picked: dict[int | Span, list[Tokens]] = {}
        chosen: list[int] = []
        for i in await self.ranked(sentence, probe):
            place = _mention_or_word(sentence, i)
            if place not in picked and (new := await self.substitutes(sentence, place, probe)):
                picked[place] = new
                chosen.append(i)
            if len(picked) == self.words:
                break
        probe.chosen = chosen
        return picked

    async def ranked(self, sentence: Sentence, probe: Probe) -> list[int]:
        """Order the words that may be edited by their attributions (section 3.2)."""
        words = [i for i in range(len(sentence)) if self.may_edit(sentence, i, probe)]
        affordable = max(probe.queries_left - self.sentences, probe.queries_left // 2)
        if self.order == "attribution" and probe.attributed is None and words and affordable:
            (shares,) = await probe.attributions([self.question(sentence, min(self.steps, affordable), probe)])
            probe.attributed = tuple((shares if self.signed else np.abs(shares)).tolist())
        if probe.attributed is None:
            probe.rng.shuffle(words)
            return words
        known = probe.attributed
        return sorted(words, key=lambda i: -known[i])

    def may_edit(self, sentence: Sentence, i: int, probe: Probe) -> bool:
        """Words of mentions, and context words that mean something and look like no entity, as `mode` has it."""
        if sentence.inside(i):
            return self.mode != "context"
        word = sentence.tokens[i]
        means_something = not is_stop_word(word) and any(character.isalpha() for character in word)
        looks_like_none = probe.clean.prediction.tags[i] == "O" and not _written_like_a_name(sentence, i)
        return self.mode != "entity" and means_something and looks_like_none

    def question(self, sentence: Sentence, steps: int, probe: Probe) -> Attribution:
        """Ask how much each word bears the gold labels, with the mentions rewritten (equation 2)."""
        name, table = next(iter(probe.embedding_tables.items()))
        instead = self.rewritten(sentence, table, probe) if self.disentangle else ()
        target = gold(sentence, probe.clean.labels)
        return Attribution(sentence.tokens, target, Method(self.attribution), steps, name, instead)

    def rewritten(self, sentence: Sentence, table: EmbeddingTable, probe: Probe) -> tuple[tuple[int, bytes], ...]:
        """Return the entity words' new vectors."""
        entity = [i for i in range(len(sentence)) if sentence.inside(i)]
        if not entity:
            return ()
        own = [table.looked_up(sentence.tokens[i]) for i in entity]
        context = [table.looked_up(word) for i, word in enumerate(sentence.tokens) if not sentence.inside(i)]
        around = np.concatenate(context) if context else np.zeros((0, table.vectors.shape[1]), np.float32)
        new = probe.resources.disentangler.rewritten(np.concatenate(own), around)
        parts = np.split(new, np.cumsum([len(rows) for rows in own])[:-1])
        return tuple((i, rows.astype(np.float32).tobytes()) for i, rows in zip(entity, parts, strict=True))

    async def substitutes(self, sentence: Sentence, place: int | Span, probe: Probe) -> list[Tokens]:
        """Return what may stand at a place (section 3.3): names of the mention's kind, or words that fit the gap."""
        if isinstance(place, Span):
            knowledge = probe.resources.knowledge
            return await substitutes(
                sentence, place, knowledge, probe.rng, limit=self.names, same_length=self.same_length
            )
        model = probe.resources.language_model
        if not model.fits(sentence.tokens):
            return []
        (found,) = await model.fill(sentence.tokens, [place], MORE * self.proposals)
        neighbours = {word.lower() for word in sentence.tokens[max(0, place - 1) : place + 2]}
        plain = [p.word for p in found if not is_stop_word(p.word) and not usually_capitalised(p.word)]
        fitting: list[Tokens] = [(word,) for word in plain if word.lower() not in neighbours]
        return fitting[: self.proposals]

    async def best(self, sentence: Sentence, candidates: Sequence[Sentence], probe: Probe) -> list[Sentence]:
        """Return the candidates most similar to the original (section 3.4), or any."""
        if not self.ranked_by_similarity:
            return probe.rng.sample(candidates, min(self.sentences, len(candidates)))
        cosines = await probe.resources.encoder.similarities(sentence.text, [c.text for c in candidates])
        order = sorted(zip(cosines, range(len(candidates)), strict=True), key=lambda pair: (-pair[0], pair[1]))
        return [candidates[k] for _, k in order[: self.sentences]]


def _written_like_a_name(sentence: Sentence, i: int) -> bool:
    """Tell whether a word has a capital that its place does not explain, or is usually written with one."""
    capital = i > 0 and sentence.tokens[i][:1].isupper() and not sentence.text.isupper()
    return capital or usually_capitalised(sentence.tokens[i])


def _mention_or_word(sentence: Sentence, i: int) -> int | Span:
    return next((span for span in sentence.spans if span.start <= i < span.end), i)


def _is_there(words: Tokens, text: Sentence) -> bool:
    """Tell whether a mention has these words already."""
    mentions = (text.tokens[span.start : span.end] for span in text.spans)
    return [word.lower() for word in words] in [[word.lower() for word in mention] for mention in mentions]


def _with(words: Tokens, place: int | Span, current: Sentence) -> Sentence:
    """Put words where a word or mention of the original stands now; other mentions may have changed their length."""
    first = place.start if isinstance(place, Span) else place
    now = _mention_or_word(current, current.sources.index((first,)))
    return current.replace_span(now, words) if isinstance(now, Span) else current.replace(now, *words)
