"""The app over the sample pack, past its first run."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from drill.services.app import Drill
from drill.tui.app import DrillApp


@pytest.fixture
def app(drill: Drill) -> DrillApp:
    drill.keep_profile(replace(drill.profile, done=True, minutes=200))
    return DrillApp(drill)
