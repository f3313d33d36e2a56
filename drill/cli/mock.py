"""`drill mock`: a mock interview, its siblings, and former ones."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn, cast

import click

from drill.cli.output import NO, OK, emit, json_option, opened, say, stop

if TYPE_CHECKING:
    from drill.domain.interview.choosing import Settings
    from drill.services.app import Drill
    from drill.services.mock import Mock

LENGTHS = ("15", "30", "45", "60")
LEVELS = ("mid", "senior", "staff")

plain_option = click.option("--plain", is_flag=True, help="Line by line on stdin and stdout.")


class _Mock(click.Group):
    """Its help tells what an outside judge is sent, and how one is configured."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from drill.services.outside_judge.config import DISCLOSURE, TABLE

        with formatter.section("Outside judge (off without this table in config.toml)"):
            for line in TABLE.rstrip().split("\n"):
                formatter.write(f"  {line}\n")
            formatter.write_paragraph()
            formatter.write_text(DISCLOSURE)
        super().format_epilog(ctx, formatter)


@click.group(
    cls=_Mock,
    invoke_without_command=True,
    epilog="Exit codes: 0 done, 1 the interview was left in the middle or there is none, 2 usage "
    "or environment.",
)
@click.option("--minutes", type=click.Choice(LENGTHS), help="Length; 45 by default.")
@click.option("--level", type=click.Choice(LEVELS), help="By default that of `drill setup`.")
@click.option("--topic", "topics", multiple=True, help="Only this topic; may be given again.")
@click.option("--seed", type=int, help="The same seed gives the same interview; else at random.")
@click.option("--study", is_flag=True, help="Hints, and feedback after each question.")
@plain_option
@click.pass_context
def mock(
    context: click.Context,
    minutes: str | None,
    level: str | None,
    topics: tuple[str, ...],
    seed: int | None,
    study: bool,
    plain: bool,
) -> None:
    """A mock interview, timed, with questions that practice never shows before.

    After your answer the interviewer probes what you left out; at the end you read your answers
    over, tick what the grader missed, and get a scorecard. Real mode says nothing before the end.
    An interview that was left goes on with the same command, at the same question and with the
    time that was left.
    """
    if context.invoked_subcommand is not None:
        context.obj = plain
        return
    from drill.domain.questions import TOPICS

    for topic in topics:
        if topic not in TOPICS:
            stop(f"no topic `{topic}`; topics: {', '.join(TOPICS)}")
    given = {
        "minutes": None if minutes is None else int(minutes),
        "level": level,
        "topics": topics or None,
        "seed": seed,
        "mode": "study" if study else None,
    }
    if not plain:
        _in_app({name: value for name, value in given.items() if value is not None})
    with opened() as drill:
        running = _left(drill, given)
        _hold(drill, running or _begun(drill, given))


def _left(drill: Drill, given: dict[str, Any]) -> Mock | None:
    """The interview that was left in the middle, if what was asked for is not another one."""
    from drill.services.mock import InterviewHeldError, resume, unfinished
    from drill.services.mock_words import settings_words

    stored = unfinished(drill)
    if stored is None:
        return None
    settings = stored.plan["settings"]
    own = {**settings, "topics": tuple(settings.get("topics", ())), "mode": settings.get("mode")}
    own["mode"] = own["mode"] or "real"
    if any(value is not None and own[name] != value for name, value in given.items()):
        stop(
            f"an interview was left in the middle ({settings_words(own)}); `drill mock resume` "
            "goes on with it, `drill mock drop` ends it without a scorecard"
        )
    try:
        return resume(drill, stored)
    except InterviewHeldError as error:
        stop(str(error))


def _begun(drill: Drill, given: dict[str, Any]) -> Mock:
    """A new interview by what was asked for and, for the rest, the profile and chance."""
    import secrets

    from drill.domain.interview.choosing import Settings

    profile = drill.profile.level
    level = given["level"] or ("mid" if profile == "junior" else profile)
    seed = given["seed"]
    return _start(
        drill,
        Settings(
            given["minutes"] or 45,
            level,
            secrets.randbelow(100_000) if seed is None else seed,
            given["topics"] or (),
            given["mode"] or "real",
        ),
    )


def _start(drill: Drill, settings: Settings) -> Mock:
    from drill.services.mock import (
        InterviewHeldError,
        InterviewOpenError,
        InterviewShortError,
        begin,
    )

    try:
        return begin(drill, settings)
    except InterviewShortError as error:
        stop(f"there is nothing to ask: {error}", NO)
    except InterviewOpenError as error:
        stop(f"{error} `drill mock resume` goes on with it, `drill mock drop` ends it.")
    except InterviewHeldError as error:
        stop(str(error))


def _hold(drill: Drill, running: Mock) -> NoReturn:
    """Hold an interview line by line, and end with its exit code."""
    import msgspec

    from drill.cli.daily_backup import backed_up
    from drill.cli.mock_plain import PlainMock
    from drill.cli.mock_text import course_text
    from drill.services.mock_words import clock

    interview = running.interview
    settings = msgspec.to_builtins(interview.settings)
    print(course_text(settings, interview.slots, interview.lacks))
    if interview.seconds > 0 or running.phase != "asking":
        print(f"It goes on where it was left: {clock(interview.seconds_left)} to go.")
    if drill.config.judge.on:
        from drill.cli.show import wrapped
        from drill.services.outside_judge.config import DISCLOSURE

        print("\n" + wrapped(DISCLOSURE))
    print(flush=True)
    with backed_up(drill):
        code = PlainMock(drill, running, sys.stdin, sys.stdout).run()
    sys.exit(code)


def _in_app(wishes: Mapping[str, Any]) -> NoReturn:
    """Open the app where an interview is set up, with what was asked for filled in."""
    from drill.cli.terminal import why_no_app

    reason = why_no_app()
    if reason:
        stop(reason.replace("drill session --plain", "drill mock --plain"))
    from drill.tui.app import run

    sys.exit(run(mock=wishes))


@mock.command()
@plain_option
@click.pass_context
def resume(context: click.Context, plain: bool) -> None:
    """Go on with the interview that was left in the middle."""
    with opened() as drill:
        running = _left(drill, {})
        if running is None:
            stop("no interview was left in the middle", NO)
        if plain or context.obj:
            _hold(drill, running)
    _in_app({})


@mock.command()
def drop() -> None:
    """End the interview that was left in the middle, without a scorecard."""
    with opened() as drill:
        running = _left(drill, {})
        if running is None:
            stop("no interview was left in the middle", NO)
        from drill.services.mock_report import give_up

        give_up(drill, running)
        say("Ended. What was answered stays in the log; its questions now come in practice.")


@mock.command()
def judge() -> None:
    """Try the outside judge of config.toml on a made-up answer."""
    from drill.services.outside_judge.config import JudgeError
    from drill.services.outside_judge.trial import check

    with opened() as drill:
        config = drill.config
    try:
        print(check(config))
    except JudgeError as error:
        stop(str(error), NO)


@mock.command()
@plain_option
@click.pass_context
def sibling(context: click.Context, plain: bool) -> None:
    """Another interview like the last one, a week after it."""
    from drill.services.mock_report import SIBLING_DAYS, held
    from drill.services.mock_report import sibling as sibling_of

    with opened() as drill:
        running = _left(drill, {})
        if running is not None:
            stop("an interview was left in the middle; `drill mock resume` goes on with it")
        found = sibling_of(drill)
        if found is None:
            past = held(drill, 1)
            if not past:
                stop("no interview was held yet; `drill mock` begins one", NO)
            days = past[0].study_day + SIBLING_DAYS - drill.store.today()
            stop(f"the last interview was not a week ago: its sibling is for {days} days on", NO)
        if plain or context.obj:
            import msgspec

            from drill.domain.interview.choosing import Settings

            _hold(drill, _start(drill, msgspec.convert(found["settings"], Settings)))
    _in_app(found["settings"])


@mock.command("list")
@json_option
def list_(as_json: bool) -> None:
    """Former interviews, newest first."""
    from drill.services.mock_report import held, row
    from drill.services.mock_report import sibling as sibling_of

    with opened() as drill:
        rows = [row(drill, session) for session in held(drill)]
        offered = sibling_of(drill)
    if as_json:
        emit({"interviews": rows, "sibling": offered})
        return
    if not rows:
        print("No interview was held yet.")
    from drill.cli.mock_text import row_text

    for each in rows:
        print(row_text(each))
    if offered is not None:
        print("The last one was a week ago or more: `drill mock sibling` holds another like it.")


@mock.command()
@click.argument("interview_id", metavar="ID")
@click.option("--transcript", is_flag=True, help="Everything that was asked and said.")
@json_option
def show(interview_id: str, transcript: bool, as_json: bool) -> None:
    """The scorecard of a former interview; ID is the beginning of its id, or `last`."""
    from drill.services.mock_report import find

    with opened() as drill:
        try:
            document = find(drill, interview_id)
        except KeyError as error:
            stop(cast("str", error.args[0]), NO)
    if as_json:
        emit(document)
        return
    from drill.cli.mock_text import scorecard_text, transcript_text

    print(transcript_text(document) if transcript else scorecard_text(document))
    sys.exit(OK)
