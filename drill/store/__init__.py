"""The learner's data in one SQLite file: an append-only log and what is derived from it."""

from drill.store.entry import Recorded, Review
from drill.store.store import Store

__all__ = ["Recorded", "Review", "Store"]
