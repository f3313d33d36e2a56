"""Parameters: what `--set name=value` takes, and what it says of the rest."""

from __future__ import annotations

import pytest

from drill.lab import Param, ParamError, Result, ResultError, Transfers
from drill.lab.params import parse_settings, resolve

PARAMS = (
    Param("scales", "floats", (1, 5), "guidance scales", low=0, high=50, most=4),
    Param("seeds", "int", 8, "pictures", low=1, high=64),
    Param("eta", "float", 0.0, "noise", low=0, high=1),
    Param("ids", "ints", (1,), "numbers"),
    Param("prompts", "texts", (), "prompts", least=0),
    Param("kind", "text", "ddim", "sampler", choices=("ddim", "euler")),
    Param("check", "bool", True, "compare"),
)


def test_settings_are_read() -> None:
    settings = [
        "scales=1, 7.5", "seeds=16", "eta=.5", "ids=3,4", "prompts=a star; a heart, red",
        "kind=euler", "check=no",
    ]  # fmt: skip
    assert parse_settings(PARAMS, settings) == {
        "scales": (1.0, 7.5),
        "seeds": 16,
        "eta": 0.5,
        "ids": (3, 4),
        "prompts": ("a star", "a heart, red"),
        "kind": "euler",
        "check": False,
    }


def test_defaults_fill_the_rest() -> None:
    values = resolve(PARAMS, {"seeds": 3})
    assert values["seeds"] == 3
    assert values["scales"] == (1.0, 5.0)
    assert values["prompts"] == ()


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("seed=3", "did you mean seeds"),
        ("seeds", "write name=value"),
        ("seeds=none", "a whole number from 1 to 64"),
        ("seeds=0", "a whole number from 1 to 64"),
        ("seeds=2.5", "a whole number"),
        ("scales=1,x", "numbers from 0 to 50, separated by commas"),
        ("scales=60", "numbers from 0 to 50"),
        ("scales=nan", "numbers from 0 to 50"),
        ("scales=", "0 values; from 1 to 4"),
        ("scales=1,2,3,4,5", "5 values; from 1 to 4"),
        ("kind=heun", "one of ddim, euler"),
        ("check=perhaps", "true or false"),
    ],
)
def test_what_is_not_taken_is_told(setting: str, says: str) -> None:
    with pytest.raises(ParamError, match=says):
        parse_settings(PARAMS, [setting])


@pytest.mark.parametrize("value", [True, [1], {"a": 1}, None, float("inf"), 2.5])
def test_json_of_the_wrong_type_is_refused(value: object) -> None:
    with pytest.raises(ParamError):
        resolve(PARAMS, {"seeds": value})


def test_a_default_out_of_range_is_refused() -> None:
    with pytest.raises(ParamError, match="from 1 up"):
        Param("seeds", "int", 0, "pictures", low=1)


def test_a_result_must_say_what_happened_and_whether_it_transfers() -> None:
    good = Transfers("unknown", "nobody looked")
    Result({}, {}, "It happened.", good)
    with pytest.raises(ResultError, match="sentence"):
        Result({}, {}, " ", good)
    with pytest.raises(ResultError, match="transfers"):
        Result({}, {}, "It happened.", Transfers("perhaps", "why"))  # type: ignore[arg-type]
    with pytest.raises(ResultError, match="reason"):
        Result({}, {}, "It happened.", Transfers("yes", ""))
    with pytest.raises(ResultError, match="transfers"):
        Result({}, {}, "It happened.", None)  # type: ignore[arg-type]
