"""Guests: the recipes of TextAttack and the attackers of OpenAttack, under our goals, budgets and threat model.

A guest keeps its own search and its own edits. What it asks of its model goes to the probe instead: `realigning` turns
its text back into a `Sentence` that carries the gold labels, `interview` says which texts are candidates and which
only guide the search, and `switching` lets a guest, which knows nothing of coroutines, wait for the answer.

The packages live in an environment of their own (`constraints-guests.txt`), because they need older releases of
libraries that we use; nothing here imports them before an attack of theirs is asked for.
"""
