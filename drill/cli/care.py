"""Undo, set-up, paths and shell completion."""

from __future__ import annotations

import click
from msgspec.structs import replace

from drill.cli.output import NO, emit, json_option, opened, stop


@click.command()
def undo() -> None:
    """Take back the last answer or mark of this machine, of any session; again: the one before.

    Where a log of `drill after` was the last thing, that log is taken back whole, as
    `drill after remove` does. Passed over are older logs, what a placement took as known, what an
    interview brought forward, and what came from another machine. Exits 1 if there is nothing.
    """
    from drill.services.after_kept import last_done, remove

    with opened() as drill:
        log = last_done(drill)
        if log:
            from drill.services.after_text import removal

            print(f"taken back: {removal(remove(drill, log))}")
            return
        undone = drill.store.undo()
    if undone is None:
        stop("there is nothing to take back", NO)
    print(f"taken back: {undone.item_id}")


@click.command()
@click.option("--date", "day", default=None, help="2026-12-20, 20.12.2026 or `21 days`; `` clears.")
@click.option("--minutes", default=None, help="Minutes a day.")
@click.option("--role", default=None, help="serving, research, applied or any.")
@click.option("--level", default=None, help="junior, mid, senior or staff.")
@json_option
def setup(
    day: str | None, minutes: str | None, role: str | None, level: str | None, as_json: bool
) -> None:
    """Show or change what drill knows about you."""
    from drill.domain.memory.study_day import date_of_day
    from drill.services.profile import (
        ProfileError,
        known_level,
        known_role,
        read_date,
        read_minutes,
        to_json,
    )

    with opened() as drill:
        profile = drill.profile
        try:
            if day is not None:
                today = date_of_day(drill.store.today())
                profile = replace(profile, interview=read_date(day, today))
            if minutes is not None:
                profile = replace(profile, minutes=read_minutes(minutes))
            if role is not None:
                profile = replace(profile, role=known_role(role))
            if level is not None:
                profile = replace(profile, level=known_level(level))
        except ProfileError as error:
            stop(str(error))
        if profile != drill.profile:
            profile = replace(profile, done=True)
            drill.keep_profile(profile)
    if as_json:
        emit(to_json(profile))
        return
    print(f"interview      {profile.interview or 'no date'}")
    print(f"minutes a day  {profile.minutes}")
    print(f"role           {profile.role or 'any'}")
    print(f"level          {profile.level}")


@click.command("paths")
@json_option
def paths(as_json: bool) -> None:
    """Where everything is kept."""
    from drill import paths as where

    rows = {
        "home": where.home(),
        "database": where.database(),
        "config": where.config_file(),
        "logs": where.log_dir(),
        "runs": where.runs_dir(),
        "backups": where.backup_dir(),
        "packs": where.user_packs_dir(),
        "trusted packs": where.trust_file(),
        "built-in pack": where.builtin_pack(),
    }
    if as_json:
        emit({name: str(path) for name, path in rows.items()})
        return
    for name, path in rows.items():
        print(f"{name:<14} {path}")


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print a completion script: `eval "$(drill completion bash)"`."""
    from click.shell_completion import get_completion_class

    from drill.cli import cli

    found = get_completion_class(shell)
    assert found is not None
    print(found(cli, {}, "drill", "_DRILL_COMPLETE").source())
