"""Verifying stored results: one module a family of checks; nothing that was submitted is executed."""
