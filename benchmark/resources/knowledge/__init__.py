"""Knowledge bases: what kind of thing a mention names, and what else is of that kind."""

from benchmark.resources.knowledge.contract import Entity, KnowledgeBase, Link, Question, Siblings
from benchmark.resources.knowledge.finding import DEFAULT_KNOWLEDGE, knowledge_named

__all__ = ["DEFAULT_KNOWLEDGE", "Entity", "KnowledgeBase", "Link", "Question", "Siblings", "knowledge_named"]
