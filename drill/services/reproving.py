"""Proving stale keys again in the background: `python -m drill.services.reproving`.

The app starts this as a process of its own while nothing else runs, and ends it when it quits.
Every result is kept in the learner's own ledger as it comes, so that ending it loses little.
"""

from __future__ import annotations

import os
import sys


def main() -> int:
    """Prove again what is held back; returns how many still fail, at most 100."""
    os.nice(10)
    from drill.packs.ledger import LOCAL
    from drill.packs.verify import reprove
    from drill.services.app import Drill

    with Drill() as drill:
        stale = drill.stale()
        if not stale:
            return 0
        outcomes = reprove(
            drill.bank,
            stale,
            drill.cache_dir / LOCAL,
            drill.cache_dir,
            trusted=drill.trusted_roots(),
        )
    return min(100, sum(not outcome.ok for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
