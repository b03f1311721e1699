"""Conditions an attack puts on its own candidates."""
