"""Packs of the learner's own: adding them, trusting them, and what they cannot do before."""
