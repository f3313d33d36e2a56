"""`drill lab` and `drill worker`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from drill.cli.output import NO, OK, USAGE, emit, json_option, opened, say, stop


@click.group()
def lab() -> None:
    """List, run and show experiments."""


@lab.command("list")
@json_option
def list_labs(as_json: bool) -> None:
    """Every experiment with its parameters and claims."""
    from drill.services.labs import all_labs

    with opened() as drill:
        labs = all_labs(drill)
    if as_json:
        emit(
            {
                "labs": [
                    {
                        "id": each.id,
                        "title": each.title,
                        "topic": each.topic,
                        "experiments": [
                            {
                                "name": e.name,
                                "title": e.title,
                                "summary": e.summary,
                                "seconds": e.seconds,
                                "needs": list(e.needs),
                                "params": {p.name: p.default for p in e.params},
                                "claims": [{"name": c.name, "says": c.says} for c in e.claims],
                                "outcomes": list(e.outcomes),
                            }
                            for e in each.experiments
                        ],
                    }
                    for each in labs.labs
                ],
                "problems": list(labs.problems),
            }
        )
        return
    for each in labs.labs:
        print(f"{each.title}  ({each.id})")
        for e in each.experiments:
            print(f"  {e.name:<28} {e.title}")
            for p in e.params:
                print(f"      --set {p.name}=…  {p.help}  (default {p.default})")
    for problem in labs.problems:
        say(problem)


@lab.command("run")
@click.argument("name")
@click.option("--set", "settings", multiple=True, metavar="K=V", help="A parameter; repeatable.")
@click.option(
    "--device", default="", help="cpu, cuda, cuda:1 or mps; the best there is by default."
)
@click.option("--model", default="", help="Folder or hub id of your own Stable Diffusion.")
@click.option("--seed", default=0, show_default=True)
@click.option("--budget", default=0.0, help="Time limit in seconds; 0: none.")
@json_option
def run_lab(
    name: str,
    settings: tuple[str, ...],
    device: str,
    model: str,
    seed: int,
    budget: float,
    as_json: bool,
) -> None:
    """Run an experiment and check its claims.

    With --json every event is one line, the last one the result. Exits 1 where a claim does not
    hold or the run failed, 2 for a wrong call or where it cannot run here.
    """
    import json

    from drill.lab.params import ParamError, parse_settings
    from drill.services.experiments import run_experiment
    from drill.services.labs import experiment, keep, run_spec
    from drill.worker.protocol import Done, Error, Log, Progress, to_dict

    code = NO
    with opened() as drill:
        try:
            info = experiment(drill, name)
            params = parse_settings(info.params, list(settings))
            spec = run_spec(
                drill, name, params, device=device, model=model, seed=seed, budget=budget
            )
        except KeyError as error:
            stop(str(error.args[0]))
        except ParamError as error:
            stop(str(error))
        for event in run_experiment(spec, drill.config.worker):
            if as_json:
                print(json.dumps(to_dict(event), ensure_ascii=False), flush=True)
            if isinstance(event, Progress) and not as_json and sys.stderr.isatty():
                print(
                    f"\r{event.label:<50.50} {event.done:g}/{event.total:g}",
                    end="",
                    file=sys.stderr,
                )
            elif isinstance(event, Log) and not as_json:
                say(event.text)
            elif isinstance(event, Error):
                say(f"\ndrill: {event.error}: {event.message}")
                if event.log:
                    say(f"log: {event.log}")
                code = USAGE if event.error in ("unavailable", "params") else NO
            elif isinstance(event, Done):
                keep(drill, event)
                failed = [c for c in event.claims if c.get("holds") is False]
                code = NO if failed else OK
                if not as_json:
                    _tell(event)
    sys.exit(code)


def _tell(done: object) -> None:
    from drill.worker.protocol import Done

    assert isinstance(done, Done)
    if sys.stderr.isatty():
        say("")
    words = {True: "holds", False: "DOES NOT HOLD", None: "not applicable"}
    print(done.sentence)
    for claim in done.claims:
        print(f"  {words[claim.get('holds')]:<15} {claim.get('says') or claim['name']}")
        print(f"  {'':<15} measured {claim.get('measured')}; expected {claim.get('expected')}")
    print(
        f"Transfers to real models: {done.transfers.get('answer')}. {done.transfers.get('reason')}"
    )
    when = f"recorded {done.recorded}" if done.recorded else "live"
    print(f"{when}, {done.device}, {done.seconds:.1f} s, seed {done.seed}, run {done.run}")
    for path in done.artefacts:
        print(f"  {path}")


@lab.command("show")
@click.argument("run", required=False, default="")
@json_option
def show_run(run: str, as_json: bool) -> None:
    """Show a former run by its id (or its beginning); without one, list the last runs."""
    with opened() as drill:
        if not run:
            runs = drill.store.runs.list(limit=20)
            if as_json:
                emit({"runs": runs})
            for each in runs if not as_json else []:
                print(f"{each.id}  {each.device:<6} {each.extra.get('sentence', '')}")
            return
        try:
            found = drill.store.runs.get(run)
        except KeyError as error:
            stop(str(error.args[0]))
    if as_json:
        emit(found)
        return
    print(f"{found.name}  {found.started}  {found.device}  {found.seconds:.1f} s")
    print(found.extra.get("sentence", ""))
    words = {True: "holds", False: "does not hold", None: "not applicable"}
    for claim in found.claims:
        print(f"  {words[claim.get('holds')]:<15} {claim.get('says') or claim['name']}")
    for path in found.artefacts:
        print(f"  {Path(path)}")


@click.command()
def worker() -> None:
    """The experiment child: JSON lines on stdin and stdout (for `worker` in config.toml)."""
    from drill.worker.child import main

    main()
