"""Adversarial attacks on named-entity recognition, one file an attack."""
