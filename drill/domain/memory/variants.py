"""Which presentation of an item is shown: its variant and the order of its options."""

from __future__ import annotations

import hashlib


def presentation_seed(item_id: str, past_reviews: int) -> int:
    """Seed of the next presentation, 0 to 2**31 - 1, stable over processes and machines.

    The same item asked again has another seed; asked after an undo, the same one.
    """
    digest = hashlib.sha256(f"present {item_id} {past_reviews}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1
