"""Language models that fill gaps for attacks and judge how fluent a text is."""

from benchmark.resources.language_models.contract import Gap, LanguageModel, LogProbability, Proposal, Seen
from benchmark.resources.language_models.finding import DEFAULT_LANGUAGE_MODEL, language_model_named

__all__ = [
    "DEFAULT_LANGUAGE_MODEL",
    "Gap",
    "LanguageModel",
    "LogProbability",
    "Proposal",
    "Seen",
    "language_model_named",
]
