"""The way of a submission: a scaffold, contract tests for what it becomes, a plan of what is handed in."""
