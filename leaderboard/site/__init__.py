"""The leaderboard as a static site: pages that open from a disk, with no network and no third party's script.

building        from a reading of results to a folder
pages           a page, and how pages become files
addresses       which page speaks of which attack, victim, data set, defense, run
material        what all pages stand on, computed once
shown_tables    a board's table as cells to be printed
charts          curves and Pareto plots as SVG
contests        any two rows of a table compared
heats           tables as heat maps
readers         what people said of adversarial examples
marking         a sentence before and after an attack as marked words
texts           the text of data sets that are at hand
..._pages       one module a kind of page
"""
