from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .tiny import save_tiny_models, tiny_pipeline

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def pipe() -> Any:
    import torch

    torch.set_num_threads(1)
    return tiny_pipeline()


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like `labs/models`, with random weights."""
    folder = tmp_path_factory.mktemp("models")
    save_tiny_models(folder, ROOT / "labs" / "models" / "judge.py")
    return folder
