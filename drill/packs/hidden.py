"""Characters that are not shown as they stand: control characters and turners of direction."""

from __future__ import annotations

import re

HIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""All control characters but tab and line end, and the bidirectional ones."""
HIDDEN_IN_JSON = re.compile(
    r"\\u(?:00(?:0[0-8bcef]|1[0-9a-f]|7f|[89][0-9a-f])|20(?:2[a-e]|6[6-9]))", re.IGNORECASE
)
"""The same, written as escapes."""
