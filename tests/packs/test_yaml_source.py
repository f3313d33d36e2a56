"""YAML with positions: the scalars of YAML 1.2, duplicate keys, tags, and broken syntax."""

from __future__ import annotations

import json
import math
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drill.packs.yaml_source import parse, read_scalar


def scalar(text: str) -> object:
    document = parse(f"a: {text}\n", "f")
    assert not document.problems, document.problems
    return document.data["a"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("No", "No"),
        ("on", "on"),
        ("off", "off"),
        ("true", True),
        ("False", False),
        ("1e-4", 1e-4),
        ("1E5", 1e5),
        (".5", 0.5),
        ("1.", 1.0),
        ("+12", 12),
        ("012", 12),
        ("0o17", 15),
        ("0x1F", 31),
        ("0b11", "0b11"),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("2001-01-01", "2001-01-01"),
        ("~", None),
        ("null", None),
        ("", None),
        ("-.inf", -math.inf),
        ("'1'", "1"),
        ('"true"', "true"),
        ("!!str 1", "1"),
        ("!!float 1", 1.0),
        ("<<", "<<"),
    ],
)
def test_scalars_of_yaml_1_2(text: str, value: object) -> None:
    read = scalar(text)
    assert read == value
    assert type(read) is type(value)


def test_nan_is_read() -> None:
    assert math.isnan(scalar(".nan"))  # type: ignore[arg-type]


@given(st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.booleans()))
def test_json_numbers_and_booleans_read_as_in_json(value: float) -> None:
    read = scalar(json.dumps(value))
    assert read == value
    assert type(read) is type(value)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=40))
def test_quoted_text_reads_as_in_json(value: str) -> None:
    assert scalar(json.dumps(value, ensure_ascii=False)) == value
    if all(ord(c) < 0x10000 for c in value):  # JSON writes the others as two escapes, YAML as one
        assert scalar(json.dumps(value)) == value


@given(st.text(string.ascii_letters + string.digits + "_+-.", min_size=1, max_size=12))
def test_a_plain_scalar_is_a_number_or_the_text_itself(text: str) -> None:
    value = read_scalar(text)
    if isinstance(value, str):
        assert value == text
    elif isinstance(value, bool) or value is None:
        assert text.lower() in ("true", "false", "null")
    else:
        assert any(c.isdigit() for c in text) or text.lower().endswith((".inf", ".nan"))


def test_every_key_and_value_has_its_place() -> None:
    document = parse("- a: 1\n  é: [x,\n   {b: 2}]\n", "f")
    assert document.data == [{"a": 1, "é": ["x", {"b": 2}]}]
    assert document.marks.keys[(0, "é")] == (2, 3)
    assert document.marks.values[(0, "é", 0)] == (2, 7)
    assert document.marks.keys[(0, "é", 1, "b")] == (3, 5)
    assert document.marks.values[(0, "é", 1, "b")] == (3, 8)
    assert document.marks.at((0, "é", 1, "missing", 3)) == (3, 4)


def test_a_duplicate_key_is_named_with_both_lines() -> None:
    (problem,) = parse("- a: 1\n  b: 2\n  a: 3\n", "f").problems
    assert (problem.line, problem.column, problem.field) == (3, 3, "[0].a")
    assert "stands twice (first on line 1)" in problem.message


def test_anchors_work_and_other_tags_do_not() -> None:
    document = parse(
        "- a: &x [1, 2]\n- b: *x\n- !!python/object:os.system c\n- !other {d: 1}\n", "f"
    )
    assert document.data[:2] == [{"a": [1, 2]}, {"b": [1, 2]}]
    assert [(p.line, p.column) for p in document.problems] == [(3, 3), (4, 3)]
    assert "unknown tag `!!python/object:os.system`" in document.problems[0].message


def test_a_row_of_digits_without_end_is_no_number() -> None:
    (problem,) = parse("a: " + "9" * 5000 + "\n", "f").problems
    assert (problem.line, problem.column) == (1, 4)


def test_a_wrong_core_tag_is_an_error() -> None:
    (problem,) = parse("a: !!int abc\n", "f").problems
    assert "`abc` is no int" in problem.message


@pytest.mark.parametrize(
    ("text", "line", "column", "said"),
    [
        ("a: [1,\nb: 2\n", 3, 1, "did not find expected ',' or ']' (begun on line 1, column 4)"),
        ("a: *nope\n", 1, 4, "undefined alias"),
        ("a:\n\t- x\n", 2, 1, "cannot start any token"),
        ("a: 1\nb: \x07\n", 2, 4, "control characters"),
        ("a: 1\n---\nb: 2\n", 2, 1, "another document"),
        ("a: &x [*x]\n", 1, 4, "inside its own anchor"),
    ],
)
def test_broken_syntax_is_one_problem_at_its_place(
    text: str, line: int, column: int, said: str
) -> None:
    document = parse(text, "f")
    assert not document.readable
    (problem,) = document.problems
    assert said in problem.message
    assert (problem.line, problem.column) == (line, column)


def test_bytes_that_are_not_utf8_are_placed() -> None:
    (problem,) = parse(b"a: 1\nb: \xff\n", "f").problems
    assert (problem.line, problem.column) == (2, 4)


def test_aliases_that_unfold_without_end_are_refused() -> None:
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    document = parse("\n".join(lines), "f")
    assert not document.readable
    assert "without end" in document.problems[0].message


def test_deep_nesting_is_refused() -> None:
    document = parse("[" * 3000 + "]" * 3000, "f")
    assert not document.readable
    assert "too deep" in document.problems[0].message


def test_an_empty_file_is_no_problem() -> None:
    document = parse(b"\xef\xbb\xbf# nothing\n", "f")
    assert (document.data, document.problems) == (None, [])


@given(st.text(max_size=60))
def test_no_text_makes_the_reader_raise(text: str) -> None:
    document = parse(text.encode("utf-8", "surrogatepass"), "f")
    assert document.readable or document.problems
