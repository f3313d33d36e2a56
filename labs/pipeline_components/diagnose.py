"""diagnose: a broken service, measurements of it one by one, and the mend, all of them run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from drill.lab import Context, Experiment, Param, ParamError, Result, Transfers, pictures
from drill.lab.loading import load_module

claims = load_module(Path(__file__).with_name("diagnose_claims.py"))
FOLDER = Path(__file__).with_name("cases")
FILES = ("washed_out", "guidance", "randomness", "failures", "memory", "serving", "styles")
CASES: dict[str, Any] = {
    case.name: case for file in FILES for case in load_module(FOLDER / f"{file}.py").CASES
}
ALL, SYMPTOM, MEND = "all", "symptom", "mend"

if TYPE_CHECKING:
    from collections.abc import Mapping


class Diagnose(Experiment):
    name = "diagnose"
    params = (
        Param("case", "text", ALL, "the broken service", choices=(ALL, *CASES)),
        Param("look", "text", ALL, "symptom, mend, a probe of the case, or all"),
    )
    claims = claims.CLAIMS
    outcomes = ("cause", "mended")
    seconds = 240

    def warm(self, context: Context) -> None:
        context.pipeline()

    def run(self, context: Context) -> Result:
        name, look = str(context.params["case"]), str(context.params["look"])
        chosen = list(CASES) if name == ALL else [name]
        _check(chosen, look)
        context.progress(0, len(chosen), "loading the model")
        context.pipeline()
        found: dict[str, Any] = {}
        told: list[str] = []
        lines: list[str] = []
        for done, each in enumerate(chosen):
            context.progress(done, len(chosen), each)
            case = CASES[each](context)
            looks = looks_of(each, look, every=name != ALL)
            seen = {which: _look(case, which) for which in looks}
            head = each if name == ALL else ""
            for which, view in seen.items():
                _show(context, view, "-".join(filter(None, (head, which))))
                lines += [
                    *([" ".join(filter(None, ("==", head, which)))] if len(seen) > 1 else []),
                    *view.lines,
                ]
            told.append(seen[look].says if look in seen else _in_short(case, seen))
            found[each] = _measured(case, seen)
        metrics = {"case": name, "look": look, "lines": lines, "cases": found}
        return Result(
            metrics=metrics,
            outcomes=claims.outcomes(metrics),
            sentence=told[0] if name != ALL else claims.sentence(metrics),
            transfers=Transfers(
                "yes",
                "The lines are those of any pipeline of diffusers, and so is what they break. How "
                "it looks depends on the model: a larger one may hide one fault and show another.",
            ),
        )


def looks_of(case: str, look: str, every: bool = True) -> list[str]:
    """The looks of a run; of all cases together, only the probes that tell two of them apart."""
    if look != ALL:
        return [look]
    wanted = {pair.probe for pair in claims.PAIRS if case in pair.cases}
    probes = [each for each in CASES[case].probes() if every or each in wanted]
    return [SYMPTOM, *probes, MEND]


def _check(chosen: list[str], look: str) -> None:
    for each in chosen:
        known = [SYMPTOM, *CASES[each].probes(), MEND, ALL]
        if look not in known:
            raise ParamError(f"look: {each} has no {look!r}; there are {', '.join(known)}")


def _look(case: Any, which: str) -> Any:
    case.context.check()
    if which == SYMPTOM:
        return case.symptom()
    return case.mend() if which == MEND else case.probe(which)


def _measured(case: Any, seen: Mapping[str, Any]) -> dict[str, Any]:
    """What the claims are checked on."""
    probes = {
        which: dict(view.numbers) for which, view in seen.items() if which not in (SYMPTOM, MEND)
    }
    mend = seen.get(MEND)
    return {
        "cause": case.cause,
        "probes": probes,
        "check": None
        if mend is None
        else {
            "what": case.bound.what,
            "bound": case.bound.bound,
            "at_least": case.bound.at_least,
            "broken": mend.numbers["broken"],
            "mended": mend.numbers["mended"],
        },
    }


def _in_short(case: Any, seen: Mapping[str, Any]) -> str:
    return f"{seen[SYMPTOM].says} Mended: {seen[MEND].says}"


def _show(context: Context, view: Any, name: str) -> None:
    for n, (caption, rows) in enumerate(view.pictures.items()):
        shown = [pictures.to_bytes(pixels) for pixels in rows]
        picture = pictures.png(pictures.grid(shown, cell=64))
        context.image(f"{name}-{n}" if n else name, picture, caption)
    for label, plot in view.plots.items():
        context.plot(f"{name}-{label}", plot.series, plot.x_label, plot.y_label)
    for line in view.lines:
        context.log(line)


EXPERIMENTS = (Diagnose(),)
