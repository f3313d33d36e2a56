"""The `drill` command line. Commands load when they are called, so that `--help` stays quick.

Exit codes: 0 done, 1 the answer is no or a check failed, 2 usage or environment.
"""

from __future__ import annotations

import importlib

import click

from drill import __version__

_COMMANDS: dict[str, tuple[str, str]] = {
    "session": ("drill.cli.session", "The daily session; --plain asks line by line."),
    "mock": ("drill.cli.mock", "A mock interview, timed and probed; --plain asks line by line."),
    "due": ("drill.cli.due", "What is due today, by topic."),
    "stats": ("drill.cli.stats", "What you remember, by day, topic and confidence."),
    "plan": ("drill.cli.plan", "The plan to the interview day, and how ready you will be."),
    "report": ("drill.cli.report", "Write the study report: HTML, Markdown or JSON."),
    "question": ("drill.cli.question", "Show an item."),
    "grade": ("drill.cli.question", "Grade an answer without recording it."),
    "bank": ("drill.cli.bank", "Check, verify and count the questions."),
    "lab": ("drill.cli.lab", "List, run and show experiments."),
    "after": ("drill.cli.after", "Log what a real interview asked; drafts what the bank lacks."),
    "pack": ("drill.cli.pack", "Questions and labs of your own: add, list, trust, remove."),
    "export": ("drill.cli.moving", "Your history as one file, or the questions for Anki."),
    "import": ("drill.cli.moving", "Merge another machine's history; cards from Markdown or CSV."),
    "tune": ("drill.cli.tuning", "Memory parameters of your own, where they predict better."),
    "undo": ("drill.cli.care", "Take back the last answer."),
    "setup": ("drill.cli.care", "Interview date, minutes a day, role and level."),
    "doctor": ("drill.cli.data_care", "Check the data: integrity, replay against state, clock."),
    "backup": ("drill.cli.data_care", "Make a verified copy of the data, or list them."),
    "restore": ("drill.cli.data_care", "Bring a backup back; what is there now is kept."),
    "paths": ("drill.cli.care", "Where everything is kept."),
    "completion": ("drill.cli.care", "Shell completion for bash, zsh or fish."),
    "worker": ("drill.cli.lab", "The experiment child; speaks JSON lines."),
}


class LazyGroup(click.Group):
    """Knows its commands by name and one line of help; imports one only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(_COMMANDS[cmd_name][0])
        command = getattr(module, cmd_name)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in _COMMANDS:
            import difflib

            near = difflib.get_close_matches(args[0], _COMMANDS, n=1)
            hint = f" Did you mean `{near[0]}`?" if near else ""
            ctx.fail(f"No such command `{args[0]}`.{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 the answer is no or a check failed, 2 usage or environment. "
    "DRILL_HOME moves all state.",
)
@click.version_option(__version__, prog_name="drill")
@click.pass_context
def cli(context: click.Context) -> None:
    """Interview practice for diffusion models and Hugging Face diffusers.

    Without a command the app opens in the terminal.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
