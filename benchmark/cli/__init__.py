"""The command line: one file a verb. The composition root; it alone may import every package."""
