"""Defenses: one file each; the loop, schedules and data they share beside them."""
