"""Examining, mending, backing up and restoring, as a learner does it."""
