"""What a proof's hash covers."""

from __future__ import annotations

import pytest

from drill.packs.installed import needed_by, stamp, versions
from drill.packs.proof_hash import reach

SOURCE = '''
"""Module text."""
import math
from diffusers import DDIMScheduler, UNet2DModel

LIMIT = 3
table: dict[str, int] = {"a": 1}


def helper(n):
    """Text."""
    return n + LIMIT


def first():
    return helper(1)


def second():
    return math.sqrt(2)


def third():
    from peft import LoraConfig
    return DDIMScheduler, LoraConfig


class Thing:
    """Text."""
    size = table["a"]


def fourth():
    return Thing().size
'''


def digests(source: str) -> dict[str, str]:
    return {f: reach(source, [f]).digest for f in ("first", "second", "third", "fourth")}


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ('"""Module text."""', '"""Other."""', set()),
        ('    """Text."""\n    return n', '    """More."""\n\n    # why\n    return n', set()),
        ("LIMIT = 3", "LIMIT = 4", {"first"}),
        ("n + LIMIT", "n - LIMIT", {"first"}),
        ("helper(1)", "helper(2)", {"first"}),
        ("sqrt(2)", "sqrt(3)", {"second"}),
        ('{"a": 1}', '{"a": 2}', {"fourth"}),
        ("DDIMScheduler, UNet2DModel", "DDIMScheduler, UNet2DModel, DDPMPipeline", set()),
        ("from diffusers import DDIM", "from diffusers.schedulers import DDIM", {"third"}),
        ("LIMIT = 3", "LIMIT = 3\nmath.pi\n", {"first", "second", "third", "fourth"}),
    ],
)
def test_an_edit_reaches_what_depends_on_it(old: str, new: str, changed: set[str]) -> None:
    assert SOURCE.count(old) == 1
    before, after = digests(SOURCE), digests(SOURCE.replace(old, new))
    assert {name for name in before if before[name] != after[name]} == changed


def test_packages_and_missing_functions() -> None:
    assert reach(SOURCE, ["first"]).packages == ()
    assert reach(SOURCE, ["second"]).packages == ("math",)
    assert reach(SOURCE, ["third"]).packages == ("diffusers", "peft")
    assert reach(SOURCE, ["first", "nobody"]).missing == ("nobody",)


def test_the_hash_is_the_same_under_every_python() -> None:
    """A committed ledger outlives the interpreter that wrote it: this value may not move."""
    source = 'def f(x: int) -> str:\n    return f"{x!r:>{3}}" + "a" * x[0]\n'
    assert reach(source, ["f"]).digest == "5b86d88d4d3d2b26"


def test_versions_that_a_result_depends_on() -> None:
    assert needed_by(["math", "json"]) == ()
    assert needed_by(["torch"]) == ("torch", "numpy")
    assert needed_by(["diffusers"]) == ("torch", "diffusers", "transformers", "numpy")
    assert needed_by(["drill"]) == ("torch", "diffusers", "transformers", "peft", "numpy")
    assert stamp({"numpy": "2.4", "torch": "2.13"}) == "torch 2.13, numpy 2.4"


@pytest.mark.labs
def test_installed_versions_agree_with_the_metadata() -> None:
    from importlib.metadata import version

    found = versions()
    assert list(found) == ["torch", "diffusers", "transformers", "peft", "numpy"]
    assert found == {name: version(name).partition("+")[0] for name in found}
