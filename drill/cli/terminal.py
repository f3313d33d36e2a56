"""Whether a full-screen app can be shown here."""

from __future__ import annotations

import os
import sys


def why_no_app() -> str:
    """Why the app cannot open on this terminal, with the way out; empty where it can.

    Textual itself never asks: without a terminal it writes escape sequences into the pipe.
    """
    streams = (sys.stdin, sys.stdout, sys.__stderr__)
    if not all(stream is not None and stream.isatty() for stream in streams):
        return "this is not a terminal; use `drill session --plain`, or `drill --help`"
    if os.environ.get("TERM", "") in ("", "dumb"):
        return "TERM names no capable terminal; use `drill session --plain`"
    return ""
