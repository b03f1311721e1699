"""Paraphrasers: the same said with other syntax, every mention kept as it is."""

from benchmark.resources.paraphrasing.contract import Paraphrase, Paraphraser, Question
from benchmark.resources.paraphrasing.finding import DEFAULT_PARAPHRASER, paraphraser_named

__all__ = ["DEFAULT_PARAPHRASER", "Paraphrase", "Paraphraser", "Question", "paraphraser_named"]
