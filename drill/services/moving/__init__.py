"""Data that moves: exports and their merging, the bank as an Anki package, cards of the learner."""
