"""What must come out of windows of control and of guess mode, checked on every run's numbers."""

from __future__ import annotations

from typing import Any

from drill.lab import Claim, Finding, Result, finding

NEVER, FIRST, LAST, ALWAYS = "no step", "the first steps", "the last steps", "all steps"
BOTH, GUESS = "both halves", "guess mode"
SAME = 1e-3
"""Root mean square difference of latents (of spread about 1) that is rounding."""
MOVED = 0.05


def _iou(metrics: Any) -> dict[str, float]:
    return {each["name"]: each["iou"] for each in metrics["windows"]}


def window_saves_no_call(result: Result) -> Finding:
    expected = "one ControlNet call a step in every window, even at scale 0"
    rows = result.metrics["windows"]
    measured = ", ".join(f"{e['controlnet_calls']} in {e['name']}" for e in rows)
    calls = {each["controlnet_calls"] for each in rows}
    return finding(calls == {result.metrics["steps"]}, measured, expected)


def first_steps_do_more(result: Result) -> Finding:
    expected = "IoU with control in the first steps is higher by 0.02 than in as many last ones"
    found = _iou(result.metrics)
    measured = f"{found[FIRST]:.2f} and {found[LAST]:.2f}"
    return finding(found[FIRST] - found[LAST] >= 0.02, measured, expected)


def late_control_smears(result: Result) -> Finding:
    expected = "control in the last steps alone leaves fewer pictures right than in the first ones"
    right = {each["name"]: each["right"] for each in result.metrics["windows"]}
    measured = f"{right[LAST]:.2f} right, {right[FIRST]:.2f} with control in the first steps"
    return finding(right[LAST] < right[FIRST], measured, expected)


def first_steps_place_it(result: Result) -> Finding:
    expected = "control in the first steps alone wins at least half of what all steps win in IoU"
    found = _iou(result.metrics)
    gained, whole = found[FIRST] - found[NEVER], found[ALWAYS] - found[NEVER]
    return finding(whole > 0 and gained >= whole / 2, f"{gained:.2f} of {whole:.2f}", expected)


def guess_mode_halves_rows(result: Result) -> Finding:
    expected = "under guidance 2 ControlNet rows a picture and step, 1 in guess mode; UNet: 2"
    empty = result.metrics["empty"]
    rows = [empty[name]["controlnet_rows"] for name in (BOTH, GUESS)]
    unet = [empty[name]["unet_rows"] for name in (BOTH, GUESS)]
    measured = f"{rows[0]:g} and {rows[1]:g}; UNet {unet[0]:g} and {unet[1]:g}"
    return finding(rows == [2, 1] and unet == [2, 2], measured, expected)


def guidance_misses_control(result: Result) -> Finding:
    expected = f"with an empty prompt guidance moves latents by less than {SAME:g} (rms)"
    moved = result.metrics["empty"][BOTH]["moved"]
    return finding(moved < SAME, f"{moved:.1e}", expected)


def guess_mode_guides_control(result: Result) -> Finding:
    expected = f"in guess mode the same guidance moves latents by more than {MOVED:g} (rms)"
    moved = result.metrics["empty"][GUESS]["moved"]
    return finding(moved > MOVED, f"{moved:.2f}", expected)


def less_than_a_second_unet(result: Result) -> Finding:
    expected = "a step with the ControlNet takes more than 1.1 and less than 2 times as long"
    found = result.metrics["time_ratio"]
    return finding(1.1 < found < 2, f"{found:.2f} times", expected)


CLAIMS = (
    Claim(
        "window-saves-no-call",
        "Outside its window the ControlNet is still called, with a scale of 0.",
        window_saves_no_call,
    ),
    Claim(
        "first-steps-do-more",
        "Control in the first steps does more for the layout than in the last ones.",
        first_steps_do_more,
    ),
    Claim(
        "late-control-smears",
        "Control that sets in late draws into a picture that is already laid out.",
        late_control_smears,
    ),
    Claim(
        "first-steps-place-it",
        "A few first steps with control win most of what control in all steps wins.",
        first_steps_place_it,
    ),
    Claim(
        "guess-mode-halves-rows",
        "In guess mode only the conditional half goes through the ControlNet.",
        guess_mode_halves_rows,
    ),
    Claim(
        "guidance-misses-control",
        "Guidance does not amplify control: both halves of the batch are given it.",
        guidance_misses_control,
    ),
    Claim(
        "guess-mode-guides-control",
        "In guess mode guidance amplifies control, even without a prompt.",
        guess_mode_guides_control,
    ),
    Claim(
        "less-than-a-second-unet",
        "A step costs more than the UNet alone and less than two of it.",
        less_than_a_second_unet,
    ),
)


def outcomes(metrics: Any) -> dict[str, Any]:
    """What `predict` questions are judged by."""
    found = _iou(metrics)
    calls = {each["name"]: each["controlnet_calls"] for each in metrics["windows"]}
    empty = metrics["empty"]
    return {
        "calls": calls[FIRST],
        "better_window": FIRST if found[FIRST] > found[LAST] else LAST,
        "fewest_right": min(metrics["windows"], key=lambda each: each["right"])["name"],
        "guess_rows": empty[GUESS]["controlnet_rows"],
        "guided_control": [name for name in (BOTH, GUESS) if empty[name]["moved"] > MOVED],
        "time_ratio": metrics["time_ratio"],
    }


def sentence(metrics: Any) -> str:
    """What happened, in the measured numbers."""
    found, empty = _iou(metrics), metrics["empty"]
    first = metrics["windows"][1]
    right = {each["name"]: each["right"] for each in metrics["windows"]}
    return (
        f"control in the first {metrics['share']:.0%} of the steps gives an IoU of "
        f"{found[FIRST]:.2f}, in as many last ones {found[LAST]:.2f}, in all {found[ALWAYS]:.2f}, "
        f"in none {found[NEVER]:.2f}; {right[FIRST]:.0%} of the pictures are right with the first, "
        f"{right[LAST]:.0%} with the last; in each case the ControlNet was called in "
        f"{first['controlnet_calls']} of {metrics['steps']} steps; with an empty prompt a guidance "
        f"of {metrics['guidance']:g} moves latents by {empty[BOTH]['moved']:.1e}, in guess mode by "
        f"{empty[GUESS]['moved']:.2f} (rms); a step takes {metrics['time_ratio']:.2f} times as "
        "long."
    )
