"""Intervals and paired tests: pure functions of numbers, no input or output."""
