"""`drill question` and `drill grade`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from drill.cli.output import USAGE, emit, json_option, opened, stop

if TYPE_CHECKING:
    from drill.domain.questions import Question
    from drill.services.app import Drill


def _help_on_answers() -> str:
    from drill.domain.grading.accepted import answer_help
    from drill.domain.questions import ANSWER_TYPES

    rows = "\n".join(f"  {name:<9} {answer_help(name)}" for name in ANSWER_TYPES)
    return f"\b\nHow an answer is written, by type:\n{rows}"


def _shown(drill: Drill, item: str, seed: int) -> Question:
    from drill.domain.presentation import shown
    from drill.packs.excerpt import ExcerptError

    try:
        name = drill.bank.resolve(item)
        return shown(drill.bank.question(name, seed), seed)
    except KeyError as error:
        stop(str(error.args[0]))
    except ExcerptError as error:
        stop(f"{item}: {error}")


@click.command()
@click.argument("item")
@click.option("--seed", default=0, show_default=True, help="Variant, and order of the options.")
@click.option("--reveal", is_flag=True, help="Show the key and the explanation.")
@json_option
def question(item: str, seed: int, reveal: bool, as_json: bool) -> None:
    """Show an item; the key only with --reveal."""
    from drill.cli.show import question_document, question_text

    with opened() as drill:
        asked = _shown(drill, item, seed)
        standing = drill.standings[asked.head.id]
    if as_json:
        emit(question_document(asked, reveal=reveal, seed=seed, standing=standing))
    else:
        print(question_text(asked, reveal=reveal))


class _Grade(click.Command):
    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.epilog = _help_on_answers()
        super().format_epilog(ctx, formatter)


@click.command(cls=_Grade)
@click.argument("item")
@click.option(
    "--answer", required=True, help="The answer; @FILE reads it from a file, - from stdin."
)
@click.option("--seed", default=0, show_default=True, help="The seed it was shown with.")
@json_option
def grade(item: str, answer: str, seed: int, as_json: bool) -> None:
    """Grade an answer without recording it.

    Exits 0 for a graded answer, right or wrong, and 2 for one that cannot be read.
    """
    from drill.cli.show import verdict_document, verdict_text
    from drill.domain.grading import grade as judge
    from drill.domain.questions import CodeBody, PredictBody
    from drill.domain.verdict import MalformedAnswerError

    text = _read(answer)
    with opened() as drill:
        asked = _shown(drill, item, seed)
        outcomes: dict[str, Any] | None = None
        note = ""
        if isinstance(asked.body, CodeBody):
            from drill.services.code_judge import JudgeUnavailableError
            from drill.services.code_judge import judge as judge_code

            try:
                outcomes = judge_code(drill, asked, text)
            except JudgeUnavailableError as error:
                stop(str(error))
        elif isinstance(asked.body, PredictBody) and asked.experiment is not None:
            from drill.services.labs import recorded

            done = recorded(drill, asked.experiment.name, asked.experiment.params)
            if done is None:
                stop(f"no recorded run of {asked.experiment.name} to judge by; run the session")
            outcomes = dict(done.outcomes)
            note = f"judged by the run recorded on {done.recorded} ({done.device})"
    try:
        verdict = judge(asked, text, outcomes)
    except MalformedAnswerError as error:
        if as_json:
            emit({"malformed": str(error)})
        stop(str(error), USAGE)
    if as_json:
        emit({**verdict_document(verdict), "id": asked.head.id, "seed": seed, "note": note})
    else:
        print(verdict_text(verdict))
        if note:
            print(note)


def _read(answer: str) -> str:
    if answer == "-":
        return sys.stdin.read()
    if answer.startswith("@"):
        try:
            return Path(answer[1:]).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            stop(f"{answer[1:]}: {error}")
    return answer
