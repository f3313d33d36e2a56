"""The body of one variant, by answer type: models of the schema to the plain run-time classes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from drill.domain import questions as run
from drill.packs import schema
from drill.packs.parts import OptionModel, ValueFaultModel
from drill.packs.problems import Loc
from drill.packs.render import shown_number
from drill.packs.renderer import Renderer, line_faults, line_of
from drill.packs.rules import spellings


def body(item: schema.Item, code: str | None, render: Renderer) -> run.Body:
    """The body of one variant; sets the renderer's key before the faults are rendered."""
    return _MAKERS[type(item)](item, code, render)


def _options(options: Sequence[OptionModel], loc: Loc, render: Renderer) -> tuple[run.Option, ...]:
    texts = [render.text(option.text, (*loc, n, "text")) for n, option in enumerate(options)]
    right = [text for text, option in zip(texts, options, strict=True) if option.right]
    render.shown_key = "; ".join(right)
    return tuple(
        run.Option(
            option.id or f"option-{n + 1}",
            texts[n],
            option.right,
            render.text(option.says, (*loc, n, "says"), key=True),
            option.misconception,
        )
        for n, option in enumerate(options)
    )


def _choice(item: Any, code: str | None, render: Renderer) -> run.Body:
    many = isinstance(item, schema.ChoicesItem)
    return run.ChoiceBody(_options(item.options, ("options",), render), many)


def _value_faults(
    faults: Sequence[ValueFaultModel], loc: Loc, render: Renderer, right: Iterable[str]
) -> tuple[run.ValueFault, ...]:
    keys = {_same(key) for key in right}
    made = []
    for n, fault in enumerate(faults):
        value = render.text(fault.value, (*loc, n, "value"))
        if value and _same(value) in keys:
            render.report((*loc, n), f"the fault `{value}` is the key{render.where()}", "", False)
        says = render.text(fault.says, (*loc, n, "says"), key=True)
        made.append(run.ValueFault(value, says, fault.misconception))
    return tuple(made)


def _same(text: str) -> str:
    return "".join(text.split()).casefold()


def _number(item: schema.NumberItem, code: str | None, render: Renderer) -> run.Body:
    expression, loc = item.key, ("key",)
    if isinstance(expression, dict):
        cases = spellings(render.params[expression["by"]])
        name = next(name for name in cases if name in expression)
        expression, loc = expression[name], ("key", name)  # type: ignore[assignment]
    key = render.number(expression, loc)
    rel, distance = item.tolerance.rel, item.tolerance.abs
    faults = []
    render.shown_key = "?"  # an error of the key is not told again for each `{key}`
    if math.isfinite(key):
        render.key = key
        render.shown_key = shown_key(key)
        faults = _number_faults(item, key, render)
    return run.NumberBody(
        float(key),
        render.text(item.unit, ("unit",)),
        rel,
        distance,
        render.text(item.given, ("given",)),
        tuple(faults),
    )


def shown_key(key: float) -> str:
    """A number key inside a text: whole numbers in full, others to 6 significant digits."""
    if isinstance(key, int) or (key.is_integer() and abs(key) < 1e16):
        return str(int(key))
    return f"{key:.6g}"


def _number_faults(item: schema.NumberItem, key: float, render: Renderer) -> list[run.ValueFault]:
    made: list[run.ValueFault] = []
    seen: dict[float, int] = {}
    for n, fault in enumerate(item.faults):
        loc: Loc = ("faults", n)
        if fault.when and not render.value(fault.when, (*loc, "when"), key=True):
            continue
        value = render.number(fault.value, (*loc, "value"), key=True)
        if not math.isfinite(value):
            continue
        if abs(value - key) <= max(item.tolerance.abs, item.tolerance.rel * abs(key)):
            render.report(
                loc,
                f"the fault {shown_number(value)} is right, as the key is "
                f"{shown_number(key)}{render.where()}",
                "a value beyond the tolerance, or a `when` that leaves this variant out",
                False,
            )
        if value in seen:
            render.report(
                loc,
                f"the value {shown_number(value)} is faults[{seen[value]}] already"
                f"{render.where()}: this one is never named",
                "a `when` that tells them apart",
                True,
            )
        seen.setdefault(value, n)
        says = render.text(fault.says, (*loc, "says"), key=True)
        made.append(run.ValueFault(shown_number(value), says, fault.misconception))
    return made


def _shape(item: schema.ShapeItem, code: str | None, render: Renderer) -> run.Body:
    key = render.text(item.key, ("key",))
    render.shown_key = key
    return run.ShapeBody(key, _value_faults(item.faults, ("faults",), render, [key]))


def _short(item: schema.ShortItem, code: str | None, render: Renderer) -> run.Body:
    accept = render.texts(item.accept, ("accept",))
    render.shown_key = accept[0]
    return run.ShortBody(accept, _value_faults(item.others, ("others",), render, accept))


def _formula(item: schema.FormulaItem, code: str | None, render: Renderer) -> run.Body:
    key = render.text(item.key, ("key",))
    render.shown_key = key
    ranges = {name: (low, high) for name, (low, high) in item.variables.items()}
    return run.FormulaBody(key, ranges, _value_faults(item.faults, ("faults",), render, [key]))


def _explain(item: schema.ExplainItem, code: str | None, render: Renderer) -> run.Body:
    points = tuple(
        run.Point(
            point.id,
            render.text(point.statement, ("points", n, "statement")),
            point.weight,
            tuple(point.accept),
            tuple(point.unless),
            point.axis or "",
            point.bar or bar_of(item.level, point.weight),
        )
        for n, point in enumerate(item.points)
    )
    beliefs = tuple(
        run.Belief(b.id, b.statement, tuple(b.accept), b.correction, b.probe)
        for b in item.misconceptions
    )
    probes = tuple(
        run.Probe(
            name,
            render.text(probe.neutral, ("probes", name, "neutral")),
            render.text(probe.pointed, ("probes", name, "pointed")),
        )
        for name, probe in item.probes.items()
    )
    answer = render.text(item.model_answer, ("model_answer",))
    return run.ExplainBody(points, beliefs, answer, probes)


def bar_of(level: run.Level, weight: run.Weight) -> run.Bar:
    """From which level on a point is expected: the item's, and for a bonus point the one above."""
    at = max(0, run.LEVELS.index(level) - 1) + (weight == "bonus")
    return run.BARS[min(at, len(run.BARS) - 1)]


def _order(item: schema.OrderItem, code: str | None, render: Renderer) -> run.Body:
    steps = tuple(
        run.Step(
            step.id,
            render.text(step.text, ("steps", n, "text")),
            None if step.after is None else tuple(step.after),
            step.distractor,
            render.text(step.says, ("steps", n, "says")),
            step.misconception,
        )
        for n, step in enumerate(item.steps)
    )
    return run.OrderBody(steps, tuple(s.id for s in steps if not s.distractor))


def _line(item: schema.LineItem, code: str | None, render: Renderer) -> run.Body:
    key = item.key
    patterns = key.patterns or ([key.pattern] if key.pattern else [])
    if code is None:
        faults = tuple(
            run.LineFault(
                0,
                render.text(fault.says, ("faults", n, "says")),
                fault.misconception,
                render.text(fault.pattern or "", ("faults", n, "pattern")).strip(),
            )
            for n, fault in enumerate(item.faults)
        )
        loc: Loc = ("key", "patterns" if key.patterns else "pattern")
        wanted = [
            render.text(p, (*loc, n) if key.patterns else loc).strip()
            for n, p in enumerate(patterns)
        ]
        return run.LineBody((), faults, tuple(wanted))
    numbers = key.lines or ([key.line] if key.line else [])
    lines = [
        *(line_of(n, None, code, ("key",), render) for n in numbers),
        *(line_of(None, p, code, ("key",), render) for p in patterns),
    ]
    render.shown_key = ", ".join(map(str, lines))
    return run.LineBody(tuple(lines), line_faults(item.faults, code, lines, render))


def _mutant(item: schema.MutantItem, code: str | None, render: Renderer) -> run.Body:
    code = code or ""
    line = line_of(item.key.line, item.key.pattern, code, ("key",), render)
    was = render.text(item.key.was, ("key", "was")).strip()
    if line and was == code.split("\n")[line - 1].strip():
        render.report(("key", "was"), f"`was` is line {line} as it is shown", "the original", False)
    effects = _options(item.effects, ("effects",), render)
    render.shown_key = str(line)
    return run.MutantBody(line, was, effects, line_faults(item.faults, code, [line], render))


def _output(item: schema.OutputItem, code: str | None, render: Renderer) -> run.Body:
    key = render.text(item.key, ("key",))
    render.shown_key = key
    rel = run.OutputBody("").rel if item.tolerance is None else item.tolerance.rel
    return run.OutputBody(key, rel, _value_faults(item.faults, ("faults",), render, [key]))


def _code(item: schema.CodeItem, code: str | None, render: Renderer) -> run.Body:
    return run.CodeBody(item.function, item.starter, item.solution, item.properties)


def _predict(item: schema.PredictItem, code: str | None, render: Renderer) -> run.Body:
    fields = []
    for n, field in enumerate(item.fields):
        loc: Loc = ("fields", n)
        kind = "choose" if field.choose else "choose_many"
        options = field.choose or field.choose_many or []
        fields.append(
            run.Choose(
                field.id,
                render.text(field.label, (*loc, "label")),
                field.outcome or field.id,
                render.texts(options, (*loc, kind)),
                field.choose_many is not None,
                field.tolerance or 0.0,
                render.texts(field.expected, (*loc, "expected")),
            )
        )
    claim = item.experiment.claim if item.experiment else ""
    return run.PredictBody(tuple(fields), claim, render.text(item.transfers, ("transfers",)))


def _diagnose(item: schema.DiagnoseItem, code: str | None, render: Renderer) -> run.Body:
    texts = [render.text(c.text, ("causes", n, "text")) for n, c in enumerate(item.causes)]
    render.shown_key = next(
        (text for text, cause in zip(texts, item.causes, strict=True) if cause.right), ""
    )
    causes = tuple(
        run.Cause(
            cause.id,
            texts[n],
            cause.right,
            cause.family,
            render.text(cause.says, ("causes", n, "says"), key=True),
            cause.misconception,
        )
        for n, cause in enumerate(item.causes)
    )
    probes = tuple(
        run.Measurement(
            probe.id, render.text(probe.label, ("probes", n, "label")), probe.price, probe.decides
        )
        for n, probe in enumerate(item.probes)
    )
    claim = item.experiment.claim if item.experiment else ""
    transfers = render.text(item.transfers, ("transfers",))
    return run.DiagnoseBody(probes, causes, item.par, claim, transfers)


_MAKERS: dict[type[schema.Item], Callable[[Any, str | None, Renderer], run.Body]] = {
    schema.ChoiceItem: _choice,
    schema.ChoicesItem: _choice,
    schema.NumberItem: _number,
    schema.ShapeItem: _shape,
    schema.ShortItem: _short,
    schema.FormulaItem: _formula,
    schema.ExplainItem: _explain,
    schema.OrderItem: _order,
    schema.LineItem: _line,
    schema.MutantItem: _mutant,
    schema.OutputItem: _output,
    schema.CodeItem: _code,
    schema.PredictItem: _predict,
    schema.DiagnoseItem: _diagnose,
}
