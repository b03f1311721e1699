"""Training a victim: one loop for every architecture, and for every defense that changes how it learns.

An architecture says how sentences become a loss (`trainee`), a defense what is different from plain training (`hooks`),
the loop does the rest: epochs, order, schedules, the choice of the best epoch, checkpoints. A training that was
interrupted goes on after its last finished epoch and ends in the same weights.
"""
