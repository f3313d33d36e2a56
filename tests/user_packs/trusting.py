"""Trusting a pack in a home, for tests that run its code."""

from __future__ import annotations

import os
from pathlib import Path
from unittest.mock import patch

from drill.services import user_packs


def trust(home: Path, name: str) -> None:
    """Trust the pack as it stands now."""
    with patch.dict(os.environ, DRILL_HOME=str(home)):
        user_packs.trust(user_packs.one(name))
