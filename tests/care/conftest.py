"""A small bank, so that nothing large is compiled for each test."""

from __future__ import annotations

from tests.user_packs.conftest import _small_bank

__all__ = ["_small_bank"]
