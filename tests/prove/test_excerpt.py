"""Excerpts of installed source, found without importing it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from importlib import invalidate_caches
from pathlib import Path

import pytest

from drill.domain.questions import Code, Excerpt, LineBody, LineFault, NumberBody
from drill.packs.excerpt import ExcerptError, cut, place

FILES = {
    "__init__.py": """
__version__ = "3.1.4+local"
from typing import TYPE_CHECKING
from . import lazy
_import_structure = {"lazy.hidden": ["OnlyListed"]}
_import_structure["lazy.more"] = ["ByKey"]
_import_structure["lazy.more"].append("Appended")
try:
    from .absent import nothing
except ImportError:
    from .utils.dummy_things_objects import *
if TYPE_CHECKING:
    from .pipes import Pipe, helper as assist
    from .stars import *
raise RuntimeError("this package must never be imported")
""",
    "utils/__init__.py": "",
    "utils/dummy_things_objects.py": "class Second:\n    def go(self):\n        dummy\n",
    "lazy/__init__.py": "",
    "lazy/hidden.py": "class OnlyListed:\n    value = 1\n",
    "lazy/more.py": "def ByKey():\n    return 2\n\n\ndef Appended():\n    return 3\n",
    "pipes.py": '''
import functools
from typing import overload
from .base import Base
from . import base as ground


def helper(x):
    return x + 1


class Pipe(Base, ground.Other):
    """A pipe."""

    @functools.wraps
    def __call__(
        self,
        steps,
    ):
        noise = self.start()

        for t in range(steps):
            # scale it
            noise = self.step(noise, t)
            if t > 3:
                noise = noise * 2
        return noise

    @property
    def scale(self):
        return self._scale

    @scale.setter
    def scale(self, value):
        self._scale = value

    @overload
    def start(self): ...
    def start(self):
        return 0.0


if True:
    def late():
        return "late"

renamed = helper
TABLE = {
    "a": 1,
    "b": 2,
}
''',
    "base.py": """
from elsewhere import Unknown


class Base(Unknown):
    def step(self, noise, t):
        return noise - t


class Other:
    def stop(self):
        return None
""",
    "stars/__init__.py": "from .one import *\nfrom .two import *\n",
    "stars/one.py": "class First:\n    pass\n",
    "stars/two.py": "class Second:\n    def go(self):\n        return 'second'\n",
}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    root = tmp_path / "site" / "fakelib"
    for name, text in FILES.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(str(root.parent))
    monkeypatch.setenv("DRILL_HOME", str(tmp_path / "home"))
    invalidate_caches()
    yield root
    assert "fakelib" not in sys.modules


def shown(symbol: str, around: str, cache: Path, before: int = 0, after: int = 0) -> str:
    return cut(Excerpt(symbol, around, before, after), cache).text


@pytest.mark.parametrize(
    ("symbol", "around", "name"),
    [
        ("fakelib.Pipe.__call__", "self.step(noise", "Pipe.__call__"),
        ("fakelib.pipes.Pipe.__call__", "self.step(noise", "Pipe.__call__"),
        ("fakelib.assist", "return x + 1", "helper"),
        ("fakelib.pipes.renamed", "return x + 1", "helper"),
        ("fakelib.pipes.late", 'return "late"', "late"),
        ("fakelib.pipes.TABLE", '"b": 2', "TABLE"),
        ("fakelib.Pipe.scale", "return self._scale", "Pipe.scale"),
        ("fakelib.Pipe.start", "return 0.0", "Pipe.start"),
        ("fakelib.Pipe.step", "return noise - t", "Base.step"),
        ("fakelib.Pipe.stop", "return None", "Other.stop"),
        ("fakelib.Second.go", "return 'second'", "Second.go"),
        ("fakelib.OnlyListed", "value = 1", "OnlyListed"),
        ("fakelib.ByKey", "return 2", "ByKey"),
        ("fakelib.Appended", "return 3", "Appended"),
    ],
)
def test_symbols_are_found(
    package: Path, tmp_path: Path, symbol: str, around: str, name: str
) -> None:
    code = cut(Excerpt(symbol, around, 0, 0), tmp_path / "cache")
    assert around in code.text and code.text == code.text.strip()
    assert code.origin == f"fakelib 3.1.4 · {name}"
    again = cut(Excerpt(symbol, around, 0, 0), tmp_path / "cache")  # now by the index
    assert again == code


def test_lines_are_cut_inside_the_symbol_and_dedented(package: Path, tmp_path: Path) -> None:
    assert shown("fakelib.Pipe.__call__", "self.step(noise", tmp_path, 2, 2) == (
        "for t in range(steps):\n"
        "    # scale it\n"
        "    noise = self.step(noise, t)\n"
        "    if t > 3:\n"
        "        noise = noise * 2"
    )
    whole = shown("fakelib.Pipe.__call__", "self.step(noise", tmp_path, 99, 99)
    assert whole.startswith("@functools.wraps\ndef __call__(") and whole.endswith("return noise")
    assert "\n\n" in whole  # an empty line counts as one


@pytest.mark.parametrize(
    ("symbol", "around", "kind", "said"),
    [
        ("nolib.Pipe", "x", "missing-package", "pip install 'diffusion-drill[labs]'"),
        ("fakelib.Nope", "x", "missing-symbol", "`Nope`"),
        ("fakelib.pipes.nope", "x", "missing-symbol", "`nope` stands in `fakelib.pipes`"),
        ("fakelib.Pipe.nope", "x", "missing-symbol", "look in Unknown"),
        ("fakelib.assist.nope", "x", "missing-symbol", "`helper` is no class"),
        ("fakelib.pipes", "x", "missing-symbol", "`pipes`"),
        ("fakelib.Pipe.__call__", "noise", "pattern", "stands in 4 lines"),
        ("fakelib.Pipe.__call__", "guidance", "pattern", "stands in no line"),
        ("fakelib.Pipe.start", "noise", "pattern", "stands in no line"),  # only inside the symbol
    ],
)
def test_what_cannot_be_cut_says_why(
    package: Path, tmp_path: Path, symbol: str, around: str, kind: str, said: str
) -> None:
    with pytest.raises(ExcerptError) as caught:
        cut(Excerpt(symbol, around), tmp_path / "cache")
    assert caught.value.kind == kind
    assert said in str(caught.value) and symbol in str(caught.value)


def test_an_edited_file_is_looked_up_again(package: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    assert shown("fakelib.Pipe.stop", "return", cache) == "return None"
    file = package / "base.py"
    text = file.read_text(encoding="utf-8")
    file.write_text("# a line\n\n" + text.replace("return None", "return 'stopped'"), "utf-8")
    assert shown("fakelib.Pipe.stop", "return", cache) == "return 'stopped'"


def test_a_damaged_or_unwritable_index_costs_time_only(package: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    shown("fakelib.Pipe.stop", "return", cache)
    (index,) = (cache / "excerpts").iterdir()
    for text in ("", "[]", '{"root": 3}', index.read_text("utf-8").replace('"first"', '"f"')):
        index.write_text(text, encoding="utf-8")
        assert shown("fakelib.Pipe.stop", "return", cache) == "return None"
    blocked = tmp_path / "blocked"
    blocked.write_text("a file, not a folder", encoding="utf-8")
    assert shown("fakelib.Pipe.stop", "return", blocked) == "return None"


CODE = Code("a = 1\nb = a + 1\nreturn a, b", origin="fakelib 3.1.4 · f")


def test_patterns_become_lines() -> None:
    fault = LineFault(0, "says", pattern="return")
    body = LineBody((), (fault, LineFault(1)), ("a + 1",))
    placed = place(body, CODE)
    assert isinstance(placed, LineBody)
    assert placed.lines == (2,)
    assert [fault.line for fault in placed.faults] == [3, 1]
    number = NumberBody(1.0)
    assert place(number, CODE) is number


@pytest.mark.parametrize(
    ("key", "fault", "said"),
    [
        ("a", "return", "key pattern `a` stands in lines 1, 2, 3"),
        ("c =", "return", "key pattern `c =` stands in no line"),
        ("a + 1", "a", "fault pattern `a` stands in lines"),
    ],
)
def test_a_pattern_must_stand_in_one_line(key: str, fault: str, said: str) -> None:
    with pytest.raises(ExcerptError, match=said.replace("+", r"\+")) as caught:
        place(LineBody((), (LineFault(0, pattern=fault),), (key,)), CODE)
    assert caught.value.kind == "pattern" and "fakelib 3.1.4" in str(caught.value)


INSTALLED = [
    ("diffusers.StableDiffusionPipeline.__call__", "noise_pred.chunk(2)", "diffusers"),
    ("diffusers.UNet2DConditionModel.forward", "self.conv_out(", "diffusers"),
    ("diffusers.DDIMScheduler.step", "pred_sample_direction =", "diffusers"),
    (
        "diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion.rescale_noise_cfg",
        "noise_pred_rescaled =",
        "diffusers",
    ),
    ("diffusers.StableDiffusionPipeline.do_classifier_free_guidance", "return", "diffusers"),
    ("diffusers.EulerDiscreteScheduler.set_timesteps", "def set_timesteps", "diffusers"),
    ("diffusers.StableDiffusionPipeline.to", "def to(", "diffusers"),
    ("diffusers.UNet2DConditionModel.eval", "def eval", "torch"),
    ("transformers.CLIPTextModel.forward", "def forward", "transformers"),
    ("transformers.T5EncoderModel.forward", "def forward", "transformers"),
    ("peft.LoraConfig", "r: int", "peft"),
    ("peft.tuners.lora.layer.Linear.forward", "lora_B(lora_A(", "peft"),
    ("accelerate.cpu_offload", "def cpu_offload", "accelerate"),
    ("torch.nn.functional.group_norm", "torch.group_norm(", "torch"),
]


@pytest.mark.labs
@pytest.mark.parametrize(("symbol", "around", "package"), INSTALLED)
def test_installed_symbols(
    symbol: str, around: str, package: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    from importlib.metadata import version

    code = cut(Excerpt(symbol, around, 1, 1), tmp_path_factory.getbasetemp() / "index")
    assert around in code.text
    assert code.origin.startswith(f"{package} {version(package).partition('+')[0]} · ")


@pytest.mark.labs
def test_the_source_is_that_of_the_imported_object(tmp_path: Path) -> None:
    """In a child, so that this process stays without torch: the same text as `inspect` finds."""
    script = (
        "import inspect, textwrap, pathlib, sys\n"
        "from drill.packs.excerpt import cut\n"
        "from drill.domain.questions import Excerpt\n"
        "code = cut(Excerpt('diffusers.DDIMScheduler.step', 'pred_sample_direction =', 999, 999),"
        f" pathlib.Path({str(tmp_path)!r}))\n"
        "assert not {'torch', 'diffusers'} & set(sys.modules), 'imported'\n"
        "import diffusers\n"
        "source = textwrap.dedent(inspect.getsource(diffusers.DDIMScheduler.step))\n"
        "assert code.text.split() == source.split()\n"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.labs
def test_the_second_time_is_fast(tmp_path: Path) -> None:
    excerpt = Excerpt("diffusers.StableDiffusionPipeline.__call__", "noise_pred.chunk(2)")
    cut(excerpt, tmp_path)
    times = []
    for _ in range(9):
        started = time.perf_counter()
        cut(excerpt, tmp_path)
        times.append(time.perf_counter() - started)
    assert min(times) < 0.030, times
