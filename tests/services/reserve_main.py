"""`python -m tests.services.reserve_main PACK ARGUMENTS`: drill over that pack alone.

Every item of it is asked as if proven; all else is drill as it is.
"""

from __future__ import annotations

import sys
from pathlib import Path


def main(pack: str, *arguments: str) -> None:
    """Run the command line."""
    from drill import paths
    from drill.cli import cli
    from drill.services.app import Drill

    paths.packs = lambda: [Path(pack)]
    Drill.standings = property(lambda drill: dict.fromkeys(drill.bank.heads, "proven"))  # type: ignore[method-assign,assignment]
    cli(list(arguments), prog_name="drill")


if __name__ == "__main__":
    main(*sys.argv[1:])
