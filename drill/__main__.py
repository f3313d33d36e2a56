"""Entry of the `drill` command: the app without arguments, the command line with them."""

from __future__ import annotations

import gc
import sys

# Imports and the first screen make a hundred thousand objects that live as long as the process:
# looking through them again and again costs a tenth of the start.
gc.set_threshold(100_000, 20, 20)


def main() -> int:
    """Open the app, or run one command; returns the exit code."""
    try:
        if len(sys.argv) == 1:
            return _app()
        from drill.cli import cli

        cli(prog_name="drill")
        return 0
    finally:
        # What is left ends with the process; looking through it once more costs a command 10 ms.
        gc.freeze()


def _app() -> int:
    from drill.cli.terminal import why_no_app

    reason = why_no_app()
    if reason:
        print(f"drill: {reason}", file=sys.stderr)  # noqa: T201
        return 2
    from drill.tui.app import run

    return run()


if __name__ == "__main__":
    sys.exit(main())
