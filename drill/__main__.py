"""Entry of the `drill` command: the app without arguments, the command line with them."""

from __future__ import annotations

import sys


def main() -> int:
    """Open the app, or run one command; returns the exit code."""
    if len(sys.argv) == 1:
        from drill.cli.terminal import why_no_app

        reason = why_no_app()
        if reason:
            print(f"drill: {reason}", file=sys.stderr)  # noqa: T201
            return 2
        from drill.tui.app import run

        return run()
    from drill.cli import cli

    cli(prog_name="drill")
    return 0


if __name__ == "__main__":
    sys.exit(main())
