"""`drill lab` and `drill worker`."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from drill.cli.output import NO, OK, USAGE, emit, json_option, opened, say, stop

if TYPE_CHECKING:
    from drill.lab.manifest import ExperimentInfo, Lab
    from drill.services.app import Drill
    from drill.services.experiments import RunSpec


@click.group()
def lab() -> None:
    """List, read, run and show labs and their experiments."""


@lab.command("list")
@json_option
def list_labs(as_json: bool) -> None:
    """Every lab in its order, with its experiments, their time limits and claims."""
    from drill.cli.lab_text import lab_document, lab_lines
    from drill.cli.show import wrapped
    from drill.services.lab_reading import questions_of
    from drill.services.labs import all_labs, why_not_run

    with opened() as drill:
        labs = all_labs(drill)
        questions = {each.folder: questions_of(drill, each) for each in labs.labs}
        why = {each.folder: why_not_run(drill, each) for each in labs.labs}
    if as_json:
        listed = [
            lab_document(each, questions[each.folder], why[each.folder]) for each in labs.labs
        ]
        emit({"labs": listed, "problems": list(labs.problems)})
        return
    for each in labs.labs:
        for line in lab_lines(each, len(questions[each.folder])):
            print(line)
        if why[each.folder]:
            print(wrapped(f"Does not run: {why[each.folder]}", "   "))
    for problem in labs.problems:
        say(problem)


@lab.command("show")
@click.argument("name", required=False, default="", metavar="[LAB|EXPERIMENT|RUN]")
@json_option
def show(name: str, as_json: bool) -> None:
    """Read a lab beside its code, or show an experiment or a former run.

    A run is named by its id or the beginning of it; without a name the last runs are listed.
    """
    from drill.cli.lab_text import run_line, run_lines
    from drill.lab.manifest import ExperimentInfo, Lab
    from drill.services.labs import named
    from drill.services.past_runs import of_run

    with opened() as drill:
        if not name:
            runs = drill.store.runs.list(limit=20)
            if as_json:
                emit({"runs": runs})
                return
            for each in runs:
                print(run_line(of_run(each)))
            if not runs:
                say("no runs yet; `drill lab run EXPERIMENT` makes one")
            return
        try:
            found = named(drill, name)
        except KeyError as error:
            stop(str(error.args[0]))
        if isinstance(found, Lab):
            _show_lab(drill, found, as_json)
        elif isinstance(found, ExperimentInfo):
            _show_experiment(drill, found, as_json)
        elif as_json:
            emit(found)
        else:
            print("\n".join(run_lines(of_run(found))))


def _show_lab(drill: Drill, found: Lab, as_json: bool) -> None:
    from drill.cli.lab_text import lab_document, lab_lines, reading_document, reading_lines
    from drill.cli.show import wrapped
    from drill.services.lab_reading import questions_of, read_lab
    from drill.services.labs import why_not_run

    text = read_lab(found, drill.cache_dir)
    questions, why = questions_of(drill, found), why_not_run(drill, found)
    if as_json:
        emit({**lab_document(found, questions, why), "reading": reading_document(text)})
        return
    for line in reading_lines(text):
        print(line)
    if not text.parts:
        print("\nThis lab has no reading.")
    print()
    for line in lab_lines(found, len(questions)):
        print(line)
    for item in questions:
        print(f"   {item}")
    if why:
        print(wrapped(f"Does not run: {why}", "   "))
    for problem in text.problems:
        say(problem)


def _show_experiment(drill: Drill, info: ExperimentInfo, as_json: bool) -> None:
    from drill.cli.lab_text import experiment_document, experiment_lines, run_line
    from drill.cli.show import wrapped
    from drill.services.labs import former, recorded, topic_of
    from drill.services.past_runs import of_run

    runs, shipped = former(drill, info.name), recorded(drill, info.name)
    if as_json:
        emit(
            {**experiment_document(info, topic_of(drill, info)), "runs": runs, "recorded": shipped}
        )
        return
    for line in experiment_lines(info):
        print(line)
    print("\nFormer runs")
    for each in runs:
        print(run_line(of_run(each)))
    if not runs:
        print("  none yet")
    if shipped is not None:
        says = f"Shipped: recorded {shipped.recorded} on {shipped.device}. {shipped.sentence}"
        print(wrapped(says))


@lab.command("run")
@click.argument("name", metavar="EXPERIMENT|LAB")
@click.option("--set", "settings", multiple=True, metavar="K=V", help="A parameter; repeatable.")
@click.option(
    "--device", default="", help="cpu, cuda, cuda:1 or mps; the best there is by default."
)
@click.option("--host", default="", metavar="H", help="Run there by ssh: gpubox, user@gpubox.")
@click.option("--model", default="", help="Folder or hub id of your own Stable Diffusion.")
@click.option("--seed", default=0, show_default=True)
@click.option("--budget", default=0.0, help="Time limit in seconds; 0: none (a starter: 120).")
@json_option
def run_lab(
    name: str,
    settings: tuple[str, ...],
    device: str,
    host: str,
    model: str,
    seed: int,
    budget: float,
    as_json: bool,
) -> None:
    """Run an experiment and check its claims; of a lab, run its starter.

    --host (or `host` in config.toml) runs it on another machine that has drill and its packages.

    With --json every event is one line, the last one the result. Exits 1 where a claim does not
    hold or the run failed, 2 for a wrong call or where it cannot run here.
    """
    from drill.lab.manifest import Lab
    from drill.lab.params import ParamError, parse_settings
    from drill.services.labs import run_spec, runnable

    with opened() as drill:
        try:
            found = runnable(drill, name)
            if isinstance(found, Lab):
                if settings or device or model or seed:
                    stop(f"{name} is a lab: its starter takes no --set, --device, --model, --seed")
                sys.exit(_run_starter(drill, found, host, budget, as_json))
            params = parse_settings(found.params, list(settings))
            spec = run_spec(
                drill, name, params, device=device, model=model, seed=seed, budget=budget
            )
        except KeyError as error:
            stop(str(error.args[0]))
        except ParamError as error:
            stop(str(error))
        sys.exit(_run_experiment(drill, spec, host, as_json))


def _run_experiment(drill: Drill, spec: RunSpec, host: str, as_json: bool) -> int:
    from drill.cli.lab_text import done_lines
    from drill.services.experiments import run_experiment
    from drill.services.labs import keep, keep_failed
    from drill.services.remote import HostError, worker_command_of
    from drill.worker.protocol import Done, Error, Log, Progress, to_dict

    code = NO
    telling = not as_json and sys.stderr.isatty()
    try:
        command, place = worker_command_of(drill.config, host)
    except HostError as error:
        stop(str(error))
    for event in run_experiment(spec, command, host=place):
        if as_json:
            print(json.dumps(to_dict(event), ensure_ascii=False), flush=True)
        if isinstance(event, Progress) and telling:
            done = f"{event.done:g}/{event.total:g}"
            print(f"\r{event.label:<50.50} {done}", end="", file=sys.stderr)
        elif isinstance(event, Log) and not as_json:
            say(event.text)
        elif isinstance(event, Error):
            say(f"{chr(10) if telling else ''}drill: {event.error}: {event.message}")
            if event.log:
                say(f"log: {event.log}")
            kept = keep_failed(drill, event)
            if kept is not None and (kept.metrics or kept.artefacts):
                say(f"what it had come to is kept: drill lab show {kept.id}")
            code = USAGE if event.error in ("unavailable", "params") else NO
        elif isinstance(event, Done):
            keep(drill, event)
            failed = [c for c in event.claims if c.get("holds") is False]
            code = NO if failed else OK
            if telling:
                say("")
            if not as_json:
                print("\n".join(done_lines(event)))
    return code


def _run_starter(drill: Drill, found: Lab, host: str, limit: float, as_json: bool) -> int:
    import asyncio

    from drill.services.remote import HostError
    from drill.services.starter import (
        LIMIT,
        NotTrustedError,
        StarterEnd,
        StarterRun,
        command_for,
    )

    if found.starter is None:
        stop(f"the lab {found.id} has no starter.py")
    try:
        command = command_for(drill, found, host)
    except (HostError, NotTrustedError) as error:
        stop(str(error))
    run = StarterRun(command, limit or LIMIT)

    async def watch() -> int:
        async for each in run.lines():
            if isinstance(each, StarterEnd):
                event: dict[str, object] = {"event": "done", "lab": found.id, "how": each.how}
                event |= {"seconds": round(each.seconds, 3), "status": each.status}
                if as_json:
                    print(json.dumps(event | {"message": each.message}), flush=True)
                elif each.message:
                    say(f"drill: {each.message}")
                return OK if each.how == "done" else NO
            print(json.dumps({"event": "output", "text": each}) if as_json else each, flush=True)
        return NO

    return asyncio.run(watch())


@click.command()
def worker() -> None:
    """The experiment child: JSON lines on stdin and stdout (for `worker` in config.toml)."""
    import gc

    from drill.worker.child import main

    gc.set_threshold(700, 10, 10)  # Python's own: tensors held by cycles must not wait
    main()
