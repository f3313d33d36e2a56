"""Every kind of proof holds as written, and a key that is changed by hand is named."""

from __future__ import annotations

import pytest

from drill.packs.verify import Progress, main

from .conftest import Pack

ALL = [
    "sc.calls",
    "sc.mean",
    "sc.latent-shape",
    "sc.symbolic",
    "sc.prints",
    "sc.which-line",
    "sc.mutant",
    "sc.order",
    "sc.choice",
    "sc.choices",
    "sc.short",
    "sc.formula",
    "sc.write-it",
]

# (item, text in the file, what is put in its place, what the error must say)
BROKEN = [
    ("sc.calls", '"2*steps - 1"', '"2*steps"', ["the key is 20", "gives 19"]),
    ("sc.mean", "key: 38.5", "key: 38.7", ["the key is 38.7", "gives 38.5"]),
    ("sc.latent-shape", '"[3, 5]"', '"[5, 3]"', ["[5, 3]", "[3, 5]"]),
    ("sc.symbolic", "W/8]", "W/4]", ["W/4", "[1, 4, 8, 16]", "[1, 4, 8, 8]"]),
    ("sc.prints", "sum 1.8333 of 3", "sum 1.8433 of 3", ["1.8433", "prints `sum 1.8333 of 3`"]),
    ("sc.which-line", "{line: 2}", "{line: 3}", ["line 3", "line 2"]),
    (
        "sc.order",
        "{id: predict, text: predict the noise}\n    - {id: clean, text: estimate the"
        " clean sample}",
        "{id: clean, text: estimate the clean sample}\n    - {id: predict, text:"
        " predict the noise}",
        ["`clean` before `predict`", "predict clean move"],
    ),
    ("sc.short", '[Heun, "Heun\'s method"]', "[Euler]", ["`Heun`", "Euler"]),
    ("sc.formula", "sqrt(1 - ab)*eps", "(1 - ab)*eps", ["ab: 0.2", "but the proof gives"]),
    (
        "sc.mutant",
        '{line: 4, was: "return a ** 0.5 * signal + b ** 0.5 * noise"}',
        '{line: 3, was: "b = 1 + ab"}',
        ["original (line 3 as `b = 1 + ab`)", "the variance is"],
    ),
    ("sc.mutant", 'b ** 0.5 * noise"}', 'b ** 0.6 * noise"}', ["does not keep", "variance"]),
    (
        "sc.mutant",
        "a ** 0.5 * signal + b * noise\n",
        "a ** 0.5 * signal + b ** (1/2) * noise\n",
        ["the mutant keeps `keeps_the_variance`"],
    ),
    (
        "sc.mutant",
        "{id: clean, text: the result is too clean, right: true}\n    - {id: noisy, text:"
        " the result is too noisy, says",
        "{id: clean, text: the result is too clean, says: no}\n    -"
        " {id: noisy, text: the result is too noisy, right: true, says",
        ["the right effect is noisy", "measures clean"],
    ),
    (
        "sc.mutant",
        "a ** 0.5 * signal + b * noise\n",
        "a ** 0.5 * signal + c * noise\n",
        ["breaks it", "NameError", "RAISES"],
    ),
    (
        "sc.write-it",
        "return ab ** 0.5 * x0 + (1 - ab) ** 0.5 * eps",
        "return ab * x0 + (1 - ab) * eps",
        ["the solution fails `variance`", "0.680", "ab = 0.2"],
    ),
    (
        "sc.write-it",
        "raise NotImplementedError",
        "return ab ** 0.5 * x0 + (1 - ab)**0.5 * eps",
        ["the starter already keeps"],
    ),
]


def test_everything_holds_as_written(pack: Pack) -> None:
    seen: list[Progress] = []
    outcomes = pack.prove(jobs=2, on_progress=seen.append)
    assert list(outcomes) == ALL
    assert {name: o.error for name, o in outcomes.items() if not o.ok} == {}
    assert outcomes["sc.calls"].values == ("10", "20", "19", "39")
    assert outcomes["sc.mutant"].kind == "mutant"
    assert outcomes["sc.write-it"].kind == "solution"
    assert outcomes["sc.prints"].recomputed == "sum 1.8333 of 3"
    assert outcomes["sc.mean"].line == 19 and outcomes["sc.mean"].file == str(pack.yaml)
    done = [progress.done for progress in seen]
    assert done == sorted(done) and done[-1] == seen[-1].total == len(ALL)
    assert any(progress.running for progress in seen)


@pytest.mark.parametrize(("item", "old", "new", "said"), BROKEN)
def test_a_key_changed_by_hand_is_named(
    pack: Pack, item: str, old: str, new: str, said: list[str]
) -> None:
    pack.edit(old, new)
    outcome = pack.prove(item)[item]
    assert not outcome.ok
    assert outcome.id == f"pack:{item}"
    for words in said:
        assert words in outcome.error, outcome.error


def test_a_moved_right_option_is_named(pack: Pack) -> None:
    pack.edit('of second order", right: true}', 'of second order", says: "no"}')
    pack.edit('of first order", says: "One slope a step."}', 'of first order", right: true}')
    pack.edit("{id: twenty, text: twenty calls, says", "{id: twenty, text: t, right: true, says")
    outcomes = pack.prove("sc.choice", "sc.choices")
    assert "the right option is euler but the proof gives heun" in outcomes["sc.choice"].error
    assert "nineteen, thirtynine, twenty but" in outcomes["sc.choices"].error


def test_the_failing_variant_is_named(pack: Pack) -> None:
    pack.edit('heun: "2*steps - 1"', 'heun: "2*steps - 1 if steps < 15 else 40"')
    outcome = pack.prove("sc.calls")["sc.calls"]
    assert dict(outcome.params) == {"solver": "heun", "steps": 20}
    assert outcome.key == "40" and outcome.recomputed == "39"
    assert "[solver=heun, steps=20]" in str(outcome)


def test_a_key_rounded_within_half_its_tolerance_holds(pack: Pack) -> None:
    pack.edit("key: 38.5", "key: 38.45")
    assert pack.prove("sc.mean")["sc.mean"].ok
    pack.edit("tolerance: {rel: 0.01}", "tolerance: {abs: 0.05}")
    assert not pack.prove("sc.mean")["sc.mean"].ok


def test_broken_proofs_are_told_and_the_rest_goes_on(pack: Pack) -> None:
    pack.edit("    return sum(k * k for k", "    return unknown(k * k for k", pack.proofs)
    pack.edit("proof: name_of_solver", "proof: nobody_wrote_this")
    pack.edit("def symbolic()", "def symbolic(size: int)", pack.proofs)
    outcomes = pack.prove(jobs=2)
    assert "NameError" in outcomes["sc.mean"].error
    assert (
        "proofs.py:" in outcomes["sc.mean"].error and "return unknown" in outcomes["sc.mean"].trace
    )
    assert "no function `nobody_wrote_this`" in outcomes["sc.short"].error
    assert "does not take the parameters (none)" in outcomes["sc.symbolic"].error
    assert sum(not o.ok for o in outcomes.values()) == 3


def test_a_proofs_file_that_does_not_load_is_told(pack: Pack) -> None:
    pack.edit("import math\n", "import math\nimport no_such_package\n", pack.proofs)
    outcomes = pack.prove("sc.mean", "sc.prints")
    assert "proofs.py cannot be loaded" in outcomes["sc.mean"].error
    assert "no_such_package" in outcomes["sc.mean"].error
    assert outcomes["sc.prints"].ok  # runs the code shown and needs no function


def test_code_of_an_untrusted_pack_is_not_run(pack: Pack, monkeypatch: pytest.MonkeyPatch) -> None:
    from drill.packs.verify import verify

    ran = pack.root / "ran"
    text = pack.proofs.read_text(encoding="utf-8")
    pack.proofs.write_text(f"{text}\nopen({str(ran)!r}, 'w').close()\n", encoding="utf-8")
    outcomes = verify(pack.bank(), ["sc.mean", "sc.prints"])
    assert [o.ok for o in outcomes] == [False, False]
    assert all("not trusted" in o.error for o in outcomes)
    assert not ran.exists()
    pack.prove("sc.mean")
    assert ran.exists()


def test_unknown_ids_are_refused(pack: Pack) -> None:
    with pytest.raises(KeyError, match=r"sc\.mean"):
        pack.prove("sc.meen")


def test_the_command(pack: Pack, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--pack", str(pack.root), "--jobs", "1"]
    assert main([*arguments, "sc.mean", "--write"]) == 0
    assert (pack.root / "reference" / "proofs.json").is_file()
    pack.edit("key: 38.5", "key: 39.5")
    assert main([*arguments, "sc.mean", "sc.short"]) == 1
    printed = capsys.readouterr().out
    assert (
        "FAIL" in printed
        and "sc.mean: the key is 39.5" in printed
        and "1 hold, 1 do not" in printed
    )
    assert main([*arguments, "sc.nothing"]) == 2
