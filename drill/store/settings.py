"""Settings that belong to the data and travel with it: a name and a JSON value."""

from __future__ import annotations

import json
from typing import Any

from drill.store.db import Access


class Settings:
    """Key and value, durable on return."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def get(self, name: str, default: Any = None) -> Any:
        """The value of `name`, or `default` where it was never set."""
        row = self._access.row("SELECT value FROM settings WHERE name = ?", (name,))
        return default if row is None else json.loads(row[0])

    def set(self, name: str, value: Any) -> None:
        """Store a value that JSON can hold; raises TypeError for another."""
        text = json.dumps(value)
        with self._access.write() as connection:
            connection.execute(
                "INSERT INTO settings (name, value) VALUES (?, ?) "
                "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                (name, text),
            )

    def delete(self, name: str) -> None:
        """Forget a setting, so that its default holds again."""
        with self._access.write() as connection:
            connection.execute("DELETE FROM settings WHERE name = ?", (name,))

    def all(self) -> dict[str, Any]:
        """Every setting."""
        rows = self._access.rows("SELECT name, value FROM settings ORDER BY name")
        return {name: json.loads(value) for name, value in rows}
