"""The report in a real browser: nothing is fetched, nothing overflows, it prints and can be heard.

Skipped where there is no Chromium; `.ci/run` installs one.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.report.browser import Page, find, opened
from tests.report.conftest import Seeded

pytestmark = pytest.mark.skipif(not find(), reason="there is no Chromium here")

TOO_WIDE = """
(() => {
  for (const d of document.querySelectorAll('details')) d.open = true;
  const room = document.documentElement.clientWidth;
  const found = [`page ${document.documentElement.scrollWidth}`];
  for (const e of document.body.querySelectorAll('*')) {
    const box = e.getBoundingClientRect();
    const name = `${e.tagName}.${e.getAttribute('class')}`;
    const hidden = e.closest('.skip, .hidden') !== null;
    if (!hidden && box.width && (box.right > room + 1 || box.left < -1))
      found.push(`${name} from ${Math.round(box.left)} to ${Math.round(box.right)}`);
    if (e.scrollWidth > e.clientWidth + 1 && e.clientWidth && !hidden && !(e instanceof SVGElement)
        && getComputedStyle(e).display !== 'inline')
      found.push(`${name} holds ${e.scrollWidth} in ${e.clientWidth}`);
  }
  return found;
})()
"""
CONTRAST = """
(() => {
  const channel = c => { c /= 255; return c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4; };
  const numbers = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => .2126 * channel(r) + .7152 * channel(g) + .0722 * channel(b);
  const behind = e => {
    for (; e; e = e.parentElement) {
      const c = numbers(getComputedStyle(e).backgroundColor);
      if (c.length === 3 || c[3] > 0) return c;
    }
    return [255, 255, 255];
  };
  const found = {};
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; node = walk.nextNode();) {
    const e = node.parentElement;
    if (!node.data.trim() || e.closest('title, desc, .hidden, .skip')) continue;
    const style = getComputedStyle(e);
    const ink = numbers(e instanceof SVGElement ? style.fill : style.color);
    const [a, b] = [light(ink), light(behind(e))].sort((x, y) => y - x);
    const ratio = (a + .05) / (b + .05);
    const name = `${e.tagName}.${e.getAttribute('class')}`;
    found[name] = Math.min(found[name] ?? 99, Math.round(100 * ratio) / 100);
  }
  return found;
})()
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with opened(tmp_path_factory.mktemp("profile")) as found:
        yield found


@pytest.fixture(scope="module")
def files(
    tmp_path_factory: pytest.TempPathFactory, new: Seeded, one: Seeded, long: Seeded
) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    made = {}
    for name, seeded in (("new", new), ("one", one), ("long", long)):
        made[name] = folder / f"{name}.html"
        made[name].write_text(seeded.text(), encoding="utf-8")
    return made


@pytest.mark.parametrize("name", ["new", "one", "long"])
@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_is_fetched_and_nothing_overflows(
    page: Page, files: dict[str, Path], name: str, width: int
) -> None:
    page.open(files[name], width)
    assert [each for each in page.requests if not each.startswith("data:")] == []
    assert page.errors == []
    assert page.evaluate(TOO_WIDE) == [f"page {width}"]


def test_what_is_fetched_and_what_overflows_would_be_seen(page: Page, tmp_path: Path) -> None:
    (tmp_path / "near.png").write_bytes(b"no picture")
    broken = tmp_path / "broken.html"
    broken.write_text('<img src="near.png"><p style="width:500px">wide</p><script>x.y</script>')
    page.open(broken, 360)
    assert page.requests and page.errors
    assert page.evaluate(TOO_WIDE) != ["page 360"]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_text_stands_out(page: Page, files: dict[str, Path], dark: bool) -> None:
    page.open(files["long"], 1280, dark=dark)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    ratios: dict[str, float] = page.evaluate(CONTRAST)
    assert len(ratios) > 30
    assert {name: ratio for name, ratio in ratios.items() if ratio < 4.5} == {}
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (paper == "rgb(255, 255, 255)") is not dark
    assert len(page.screenshot()) > 10_000


def test_a_screen_reader_finds_its_way(page: Page, files: dict[str, Path]) -> None:
    page.open(files["long"], 1280)
    headings = page.headings()
    assert headings[0] == (1, "Study report for the interview on 20 December 2026")
    levels = [level for level, _ in headings]
    assert levels.count(1) == 1 and levels.count(2) >= 8
    assert all(b - a <= 1 for a, b in pairwise(levels)), headings
    roles = page.roles()
    for landmark in ("main", "banner", "contentinfo", "navigation"):
        assert roles.count(landmark) == 1, landmark
    assert roles.count("image") + roles.count("img") >= 5
    assert "columnheader" in roles and "rowheader" in roles


def test_it_prints(page: Page, files: dict[str, Path], tmp_path: Path) -> None:
    page.open(files["long"], 1280, dark=True)
    pdf = page.printed()
    assert pdf.startswith(b"%PDF")
    assert 5 < len(re.findall(rb"/Type\s*/Page\b", pdf)) < 40
    if shutil.which("pdftotext"):
        (tmp_path / "it.pdf").write_bytes(pdf)
        told = subprocess.run(
            ["pdftotext", str(tmp_path / "it.pdf"), "-"], capture_output=True, text=True, check=True
        ).stdout
        words: Any = " ".join(told.split())
        assert "Summary" in words and "Next steps" in words
        assert "claims held" in words and "Measured:" in words, "claims are open in print"
        assert "Candidate" not in words, "transcripts are left to the report of one interview"
