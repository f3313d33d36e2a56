"""The README says what is so: its keys, its commands, its files."""

from __future__ import annotations

import re
from pathlib import Path

import click

from docs.make_pictures import END, START, key_table
from drill.cli import cli

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_key_table_is_that_of_the_app() -> None:
    shown = README.split(START)[1].split(END)[0]
    assert shown == key_table(), "run: python docs/make_pictures.py"


def test_every_command_is_in_the_readme_and_has_help() -> None:
    context = click.Context(cli)
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None and command.help, name
        assert f"`drill {name}" in README, name
        if isinstance(command, click.Group):
            for sub, child in command.commands.items():
                assert child.help, f"{name} {sub}"
                assert f"`drill {name} {sub}" in README, f"{name} {sub}"


def test_every_linked_file_is_there() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        if "://" not in target:
            assert (ROOT / target).is_file(), target


def test_every_make_target_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"`?make (\w+)", README):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
