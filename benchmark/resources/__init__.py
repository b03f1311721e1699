"""Models and tools that attacks and metrics lean on, each named with its version."""
