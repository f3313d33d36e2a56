"""What the fields of one item say against each other: pydantic has checked each on its own."""

from __future__ import annotations

import ast
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from drill.packs import schema
from drill.packs.fields import MAX_VARIANTS, PREFIXES
from drill.packs.parts import LineFaultModel, OptionModel
from drill.packs.problems import Loc, nearest
from drill.packs.render import shown_number

Fault: TypeAlias = tuple[Loc, str, str]
"""Where, what is wrong, what was expected."""


LOOKS = ("symptom", "mend", "all")
"""What `look` of the experiment of a `diagnose` item takes besides its probes."""
KEY = "[key]"
"""At the end of a path: the key itself is wrong, not what it holds (pydantic's convention)."""


def rule_faults(item: schema.Item) -> list[Fault]:
    """Every rule that the item breaks."""
    found = [*_common(item), *_variants(item), *_proof(item)]
    if isinstance(item, schema.ChoiceItem):
        found += _options(item.options, ("options",), one_right=True)
    elif isinstance(item, schema.ChoicesItem):
        found += _options(item.options, ("options",), one_right=False)
    elif isinstance(item, schema.NumberItem):
        found += _number(item)
    elif isinstance(item, schema.ExplainItem):
        found += _explain(item)
    elif isinstance(item, schema.OrderItem):
        found += _order(item)
    elif isinstance(item, schema.LineItem):
        found += _line(item)
    elif isinstance(item, schema.MutantItem):
        found += _mutant(item)
    elif isinstance(item, schema.OutputItem):
        found += _needs_code(item)
    elif isinstance(item, schema.CodeItem):
        found += _code(item)
    elif isinstance(item, schema.PredictItem):
        found += _predict(item)
    elif isinstance(item, schema.DiagnoseItem):
        found += _diagnose(item)
    return found


def _common(item: schema.Item) -> Iterator[Fault]:
    prefix = PREFIXES[item.topic]
    if item.id.split(".")[0] != prefix:
        yield ("id",), f"`{item.id}` does not begin with the prefix of {item.topic}", f"`{prefix}.`"
    if item.code is not None and item.source is not None:
        yield ("source",), "the item has both `code` and `source`", "one of them"
    for name in ("siblings", "confusable"):
        for n, other in enumerate(getattr(item, name)):
            if other == item.id:
                yield (name, n), "the item names itself", "another item"
    yield from _doubled(item.roles, ("roles",))
    for n, word in enumerate(item.confusable):
        if "." not in word and word not in PREFIXES:
            near = nearest(word, PREFIXES)
            hint = f"; did you mean `{near}`?" if near else ""
            yield ("confusable", n), f"`{word}` is no topic{hint}", "a topic or an id"


def _variants(item: schema.Item) -> Iterator[Fault]:
    if not item.variants:
        return
    count = math.prod(len(values) for values in item.variants.values())
    if count > MAX_VARIANTS:
        yield ("variants",), f"the grid has {count} variants", f"at most {MAX_VARIANTS}"
    for name, values in item.variants.items():
        if name in ("key", "pi", "e"):
            yield ("variants", name), f"`{name}` has a meaning already", "another name"
        yield from _doubled([repr(v) for v in values], ("variants", name))
        kinds = {"text" if isinstance(v, str) else "number" for v in values}
        if len(kinds) > 1:
            yield ("variants", name), "text and numbers are mixed", "one kind of value"


def _proof(item: schema.Item) -> Iterator[Fault]:
    if item.proof == "code":
        if not isinstance(item, schema.ShapeItem | schema.OutputItem):
            yield ("proof",), "`code` proves only `shape` and `output` items", "a function's name"
        elif item.code is None:
            yield ("proof",), "`proof: code` runs the code shown, but there is none", "`code`"
    elif item.proof == "source" and item.source is None:
        yield ("proof",), "`source` proves only items with `source`", "a function's name"


def _options(options: Sequence[OptionModel], loc: Loc, *, one_right: bool) -> Iterator[Fault]:
    right = sum(option.right for option in options)
    if one_right and right != 1:
        yield loc, f"{right} options are `right: true`", "exactly one"
    elif right == 0:
        yield loc, "no option is `right: true`", "at least one"
    yield from _doubled([o.id for o in options if o.id], loc)
    yield from _doubled([" ".join(o.text.split()).casefold() for o in options], loc)


def _number(item: schema.NumberItem) -> Iterator[Fault]:
    if not isinstance(item.key, dict):
        return
    by = item.key["by"]
    if by not in item.variants:
        hint = nearest(by, item.variants)
        also = f"; did you mean `{hint}`?" if hint else ""
        yield ("key", "by"), f"`{by}` is no param of `variants`{also}", "the name of a param"
        return
    cases = {name for name in item.key if name != "by"}
    wanted = {name for value in item.variants[by] for name in spellings(value)}
    for name in sorted(cases - wanted):
        hint = nearest(name, wanted)
        also = f"; did you mean `{hint}`?" if hint else ""
        yield ("key", name, KEY), f"`{name}` is no value of `{by}`{also}", f"a value of `{by}`"
    for value in item.variants[by]:
        if not cases & set(spellings(value)):
            yield ("key",), f"no expression for {by}={value}", "one for every value"


def spellings(value: object) -> tuple[str, ...]:
    """How a param's value may be written as a key of a mapping."""
    if isinstance(value, bool):
        return (str(value).lower(), str(value))
    if isinstance(value, int | float):
        return tuple(dict.fromkeys((str(value), shown_number(value), f"{value:g}")))
    return (str(value),)


def _explain(item: schema.ExplainItem) -> Iterator[Fault]:
    if all(point.weight != "essential" for point in item.points):
        yield ("points",), "no point is essential", "at least one `weight: essential`"
    ids = [point.id for point in item.points]
    yield from _doubled(ids, ("points",))
    yield from _doubled([belief.id for belief in item.misconceptions], ("misconceptions",))
    for name in item.probes:
        if name not in ids:
            said = f"`{name}` is no point{_meant(name, ids)}"
            yield ("probes", name, KEY), said, "the id of a point"
    if not item.reserve:
        return
    for n, point in enumerate(item.points):
        if point.weight != "essential":
            continue
        probe = item.probes.get(point.id)
        if probe is None or not probe.pointed:
            said = f"an interview asks about `{point.id}` when it is missing, without words for it"
            yield ("points", n, "id"), said, f"`probes: {{{point.id}: {{neutral, pointed}}}}`"


def _order(item: schema.OrderItem) -> Iterator[Fault]:
    ids = [step.id for step in item.steps]
    yield from _doubled(ids, ("steps",))
    if sum(not step.distractor for step in item.steps) < 3:
        yield ("steps",), "fewer than three steps belong to the order", "at least three"
    before: set[str] = set()
    for n, step in enumerate(item.steps):
        if step.distractor:
            if step.after is not None:
                yield ("steps", n, "after"), "a distractor has no place in the order", "no `after`"
            continue
        for m, other in enumerate(step.after or ()):
            loc: Loc = ("steps", n, "after", m)
            if other not in ids:
                yield loc, f"`{other}` is no step{_meant(other, ids)}", "the id of a step"
            elif other not in before:
                yield loc, f"`{other}` does not stand before this step", "a step listed above"
        before.add(step.id)


def _line(item: schema.LineItem) -> Iterator[Fault]:
    if item.code is None and item.source is None:
        yield (), "there is no code to pick a line from", "`code` or `source`"
    key = item.key
    given = [n for n in ("line", "lines", "pattern", "patterns") if getattr(key, n) is not None]
    if len(given) != 1:
        said = " and ".join(f"`{name}`" for name in given) or "nothing"
        yield ("key",), f"the key says {said}", "one of `line`, `lines`, `pattern` and `patterns`"
    if item.source is not None and given and given[0].startswith("line"):
        yield (
            ("key", given[0]),
            "installed source moves between versions, so its lines have no fixed numbers",
            "`pattern`",
        )
    yield from _doubled(key.lines or (), ("key", "lines"))
    yield from _doubled(key.patterns or (), ("key", "patterns"))
    yield from _line_faults(item.faults, source=item.source is not None)


def _mutant(item: schema.MutantItem) -> Iterator[Fault]:
    yield from _needs_code(item)
    if (item.key.line is None) == (item.key.pattern is None):
        yield ("key",), "the key must say which line was changed", "one of `line` and `pattern`"
    yield from _options(item.effects, ("effects",), one_right=True)
    yield from _line_faults(item.faults, source=False)


def _line_faults(faults: Iterable[LineFaultModel], *, source: bool) -> Iterator[Fault]:
    for n, fault in enumerate(faults):
        if (fault.line is None) == (fault.pattern is None):
            yield ("faults", n), "the fault must say which line", "one of `line` and `pattern`"
        elif source and fault.line is not None:
            yield ("faults", n, "line"), "installed source moves between versions", "`pattern`"


def _needs_code(item: schema.Item) -> Iterator[Fault]:
    if item.source is not None:
        yield ("source",), f"`{item.type}` items show code of their own", "`code`"
    elif item.code is None:
        yield (), "the field `code` is missing", "the code shown"


def _code(item: schema.CodeItem) -> Iterator[Fault]:
    if item.variants:
        # The braces of the learner's own code would have to be doubled: nothing is gained.
        yield ("variants",), "`code` items have no variants", "no `variants`"
        return
    for name in ("starter", "solution"):
        text: str = getattr(item, name)
        try:
            tree = ast.parse(text)
        except SyntaxError as error:
            yield (name,), f"not Python: {error.msg} (its line {error.lineno})", "a module"
            continue
        functions = {n.name for n in tree.body if isinstance(n, ast.FunctionDef)}
        if item.function not in functions:
            yield (name,), f"does not define `{item.function}`", f"`def {item.function}(...)`"


def _predict(item: schema.PredictItem) -> Iterator[Fault]:
    if item.experiment is None:
        yield (), "the field `experiment` is missing", "the experiment that judges the prediction"
    yield from _doubled([field.id for field in item.fields], ("fields",))
    for n, field in enumerate(item.fields):
        kinds = [k for k in ("choose", "choose_many", "number") if getattr(field, k) is not None]
        if len(kinds) != 1:
            yield (
                ("fields", n),
                "the field must say how it is answered",
                "one of `choose: [..]`, `choose_many: [..]` and `number: true`",
            )
            continue
        if field.tolerance is not None and kinds != ["number"]:
            yield ("fields", n, "tolerance"), "only numbers have a tolerance", "`number: true`"
        if field.tolerance is not None and field.tolerance >= 1:
            said = f"a relative error of {field.tolerance:g} takes any answer between 0 and double"
            yield ("fields", n, "tolerance"), said, "a share below 1, such as `0.25`"
        if field.number and field.tolerance is None:
            yield ("fields", n), "a number needs a tolerance", "`tolerance`: a relative error"
        options = field.choose or field.choose_many
        if options is None:
            continue
        yield from _doubled(options, ("fields", n, kinds[0]))
        for m, value in enumerate(field.expected):
            if value not in options:
                hint = _meant(value, options)
                yield ("fields", n, "expected", m), f"`{value}` is no option{hint}", "an option"
        if field.choose is not None and len(field.expected) > 1:
            yield ("fields", n, "expected"), "more than one option is expected", "one of `choose`"


def _diagnose(item: schema.DiagnoseItem) -> Iterator[Fault]:
    for name in ("code", "source"):
        if getattr(item, name) is not None:
            yield (name,), "the code of a broken pipeline is not shown", f"no `{name}`"
    if item.experiment is None:
        yield (), "the field `experiment` is missing", "the experiment that holds the case"
    elif "look" in item.experiment.params:
        loc: Loc = ("experiment", "params", "look")
        yield loc, "what is looked at follows from what is bought", "no `look`"
    right = sum(cause.right for cause in item.causes)
    if right != 1:
        yield ("causes",), f"{right} causes are `right: true`", "exactly one"
    yield from _doubled([cause.id for cause in item.causes], ("causes",))
    yield from _doubled([" ".join(c.text.split()).casefold() for c in item.causes], ("causes",))
    yield from _doubled([probe.id for probe in item.probes], ("probes",))
    for n, probe in enumerate(item.probes):
        if probe.id in LOOKS:
            yield ("probes", n, "id"), f"`{probe.id}` is no probe but has a meaning", "a probe"
    deciding = [probe.price for probe in item.probes if probe.decides]
    if not deciding:
        yield ("probes",), "no probe decides the case", "`decides: true` on one or two of them"
    elif len(deciding) == len(item.probes):
        yield ("probes",), "every probe decides the case", "probes that leave the cause open"
    elif item.par < min(deciding):
        said = f"no probe that decides costs {item.par} or less"
        yield ("par",), said, f"at least {min(deciding)}"
    total = sum(probe.price for probe in item.probes)
    if item.par >= total:
        yield ("par",), f"all probes together cost {total}", "a par that they can exceed"


def _doubled(values: Iterable[object], loc: Loc) -> Iterator[Fault]:
    for value, count in Counter(values).items():
        if count > 1:
            yield loc, f"`{value}` stands {count} times", "each once"


def _meant(word: str, known: Iterable[str]) -> str:
    near = nearest(word, known)
    return f"; did you mean `{near}`?" if near else ""
