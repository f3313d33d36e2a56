"""Headless Chromium over its debugging pipe: one process for all checks, and no further package."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--disable-extensions", "--no-default-browser-check",
    "--hide-scrollbars", "--remote-debugging-pipe",
)  # fmt: skip
PATIENCE = 60.0
"""Seconds that an answer may take."""


def find() -> str:
    """The browser's command; empty where there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), "")


class Page:
    """One tab."""

    def __init__(self, send: int, receive: int) -> None:
        self._send, self._receive = send, receive
        self._waiting = b""
        self._number = 0
        self._session = ""
        self.requests: list[str] = []
        """URLs that were asked for since the last `open`, the page itself left out."""
        self.errors: list[str] = []
        """What the console and the browser's log complained of."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime", "Accessibility"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Call a method of the protocol; raises RuntimeError with what the browser says."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._send, json.dumps(message).encode() + b"\0")
        while True:
            found = self._read()
            if found.get("id") == self._number:
                if "error" in found:
                    raise RuntimeError(f"{method}: {found['error']}")
                result: dict[str, Any] = found.get("result", {})
                return result

    def _read(self) -> dict[str, Any]:
        end = time.monotonic() + PATIENCE
        while b"\0" not in self._waiting:
            ready, _, _ = select.select([self._receive], [], [], end - time.monotonic())
            part = os.read(self._receive, 1 << 20) if ready else b""
            if not part:
                raise RuntimeError("the browser ended" if ready else "the browser does not answer")
            self._waiting += part
        raw, _, self._waiting = self._waiting.partition(b"\0")
        found: dict[str, Any] = json.loads(raw)
        self._note(found)
        return found

    def _note(self, event: dict[str, Any]) -> None:
        params = event.get("params", {})
        match event.get("method"):
            case "Network.requestWillBeSent":
                self.requests.append(params["request"]["url"])
            case "Log.entryAdded":
                self.errors.append(params["entry"]["text"])
            case "Runtime.exceptionThrown" | "Runtime.consoleAPICalled":
                self.errors.append(json.dumps(params)[:300])

    def open(self, path: Path, width: int, *, dark: bool = False) -> None:
        """Show a file in a window of this width, and wait until it is loaded."""
        self.requests, self.errors = [], []
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        self.call("Emulation.setDeviceMetricsOverride", **metrics)
        theme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[theme])
        url = path.as_uri()
        self.call("Page.navigate", url=url)
        while self.evaluate("document.readyState + ' ' + location.href") != f"complete {url}":
            time.sleep(0.02)
        self.requests = [each for each in self.requests if each != url]

    def evaluate(self, script: str) -> Any:
        """The value of an expression in the page."""
        found = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        if "exceptionDetails" in found:
            raise RuntimeError(str(found["exceptionDetails"])[:500])
        return found["result"].get("value")

    def headings(self) -> list[tuple[int, str]]:
        """Level and name of the headings as a screen reader is told them."""
        found = []
        for node in self.call("Accessibility.getFullAXTree")["nodes"]:
            if node.get("role", {}).get("value") == "heading":
                properties = {p["name"]: p["value"].get("value") for p in node["properties"]}
                level = properties["level"]
                found.append((int(level), str(node["name"]["value"])))
        return found

    def roles(self) -> list[str]:
        """All roles of the accessibility tree."""
        nodes = self.call("Accessibility.getFullAXTree")["nodes"]
        return [node.get("role", {}).get("value", "") for node in nodes if not node.get("ignored")]

    def screenshot(self, height: int | None = None, top: int = 0) -> bytes:
        """A PNG of the window, or of `height` pixels of the page from `top` on."""
        more: dict[str, Any] = {}
        if height is not None:
            width = self.evaluate("innerWidth")
            clip = {"x": 0, "y": top, "width": width, "height": height, "scale": 1}
            more = {"clip": clip, "captureBeyondViewport": True}
        found = self.call("Page.captureScreenshot", format="png", **more)
        return base64.b64decode(found["data"])

    def printed(self) -> bytes:
        """The page as a PDF."""
        found = self.call("Page.printToPDF", preferCSSPageSize=True, printBackground=False)
        return base64.b64decode(found["data"])


@contextmanager
def opened(profile: Path) -> Iterator[Page]:
    """A browser with an empty profile in a folder; ends with the block."""
    to_read, send = os.pipe()
    receive, to_write = os.pipe()
    # The protocol is spoken over descriptors 3 and 4.
    shell = f'exec "$0" "$@" 3<&{to_read} 4>&{to_write}'
    command = ["bash", "-c", shell, find(), *FLAGS, f"--user-data-dir={profile}"]
    child = subprocess.Popen(
        command,
        pass_fds=(to_read, to_write),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    os.close(to_read)
    os.close(to_write)
    try:
        yield Page(send, receive)
    finally:
        os.close(send)
        os.close(receive)
        child.terminate()
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
