"""Intervals, paired tests and rankings: pure functions of numbers, no input or output.

    totals          sums over sentences or documents, and the statistics computed from them
    intervals       Wilson, bootstrap, median
    paired          two rows on the same sentences: McNemar, approximate randomisation, interval of the difference
    multiplicity    Holm's correction
    ranking         all pairs of a board: rank intervals, tie groups
    power           what a number of sentences can tell apart
    robust_f1       the worst case over several attacks

`paired.mcnemar` compares attack rates and `paired.approximate_randomisation` compares F1, which is no mean over
sentences. The latter is also the test of attack rates where sentences come in documents.
"""
