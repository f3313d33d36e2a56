"""Which presentation of an item is shown: its variant and the order of its options."""

from __future__ import annotations

import hashlib


def presentation_seed(item_id: str, past_reviews: int) -> int:
    """Seed of the next presentation, 0 to 2**31 - 1, stable over processes and machines.

    Seeds of one item follow each other, so that a bank that takes the variant from the seed walks
    through all variants before one comes again. After an undo the same seed comes back.
    """
    digest = hashlib.sha256(f"present {item_id}".encode()).digest()
    return ((int.from_bytes(digest[:4], "big") >> 1) + past_reviews) % 2**31
