"""`python -m benchmark.cli`: the same as the command `gauntlet`."""

from __future__ import annotations

from benchmark.cli.main import main

main()
