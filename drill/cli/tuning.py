"""`drill tune`."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import click

from drill.cli.output import NO, USAGE, emit, json_option, opened, stop

if TYPE_CHECKING:
    from drill.domain.tuning.comparison import Comparison
    from drill.domain.tuning.scoring import CalibrationBin, Score
    from drill.services.tuning import Tuning

WIDTH = 80


@click.command()
@click.option("--apply", "take", is_flag=True, help="Adopt them, if they predict better.")
@click.option("--defaults", is_flag=True, help="Go back to the defaults.")
@json_option
def tune(take: bool, defaults: bool, as_json: bool) -> None:
    """Personal memory parameters, compared with the defaults.

    Fits the weights of FSRS-6 to your reviews and tests them on reviews that came later. Nothing
    changes without --apply, which exits 1 where they do not predict better. Exits 2 without the
    package that fits them.
    """
    from drill.services.tuning import adopt, back_to_defaults, fit, standing
    from drill.services.tuning_fit import TuningError

    if take and defaults:
        stop("--apply and --defaults exclude each other")
    with opened() as drill:
        refused = ""
        if defaults:
            had = standing(drill).personal
            found = back_to_defaults(drill)
            told = (
                "The default parameters are in use from the next answer on."
                if had
                else "The default parameters are in use already."
            )
        else:
            try:
                found = fit(drill)
            except TuningError as error:
                if as_json:
                    emit(standing(drill))
                stop(str(error), USAGE)
            told = found.said
            if take:
                try:
                    found = adopt(drill)
                    told = "Adopted: your parameters schedule from the next answer on."
                except TuningError as error:
                    refused = str(error)
    if as_json:
        emit(found)
    else:
        if not defaults:
            _show(found)
        if not refused:
            print(wrapped(told))
    if refused:
        stop(refused, NO)


def wrapped(text: str) -> str:
    """Wrapped, with no command broken across lines."""
    parts = text.split("`")
    parts[1::2] = [part.replace(" ", "\0") for part in parts[1::2]]
    wrapped = textwrap.fill("`".join(parts), WIDTH, break_on_hyphens=False)
    return wrapped.replace("\0", " ")


def _show(found: Tuning) -> None:
    from drill.domain.tuning.comparison import percent

    comparison = found.comparison
    if comparison is None or not comparison.splits:
        print(f"{found.tests:,} reviews so far; nothing to compare yet.")
        return
    _show_splits(comparison)
    print()
    print(
        f"Difference of log loss {comparison.low:+.4f} to {comparison.high:+.4f} (90 % interval); "
        "personal ones are\n"
        f"better with a probability of {percent(comparison.probability)} "
        f"(bootstrap over {comparison.items:,} items)."
    )
    print()
    print(f"{'':<18}{'default':>24}{'personal':>28}")
    head = f"{'reviews':>10}{'predicted':>11}{'right':>7}"
    print(f"{'predicted recall':<18}{head}{head}")
    _show_calibration(comparison)
    print()
    what = f"days until recall falls to {found.desired_retention * 100:.0f} %, after"
    print(f"{what:<40}{'default':>9}{'personal':>10}")
    for change in found.changes:
        print(f"  {change.after:<38}{change.default:>9.1f}{change.personal:>10.1f}")
    if found.since is not None and found.since.default.reviews:
        since = found.since
        print()
        print(
            f"Since they were adopted, on {since.default.reviews:,} reviews: log loss "
            f"{since.personal.log_loss:.4f}, defaults {since.default.log_loss:.4f}"
        )
    print()


def _show_splits(comparison: Comparison) -> None:
    print("Weights fitted to the reviews before, tested on the ones that came later:")
    print()
    print(f"{'':<26}{'log loss':>21}{'RMSE':>21}")
    head = f"{'fitted to':>10}{'tested on':>12}{'':<4}"
    print(head + f"{'default':>11}{'personal':>10}" * 2)
    for split in comparison.splits:
        print(f"{split.trained:>10,}" + _scores(split.default, split.personal))
    print(f"{'all':>10}" + _scores(comparison.default, comparison.personal))


def _scores(default: Score, personal: Score) -> str:
    return (
        f"{default.reviews:>12,}{'':<4}{default.log_loss:>11.4f}{personal.log_loss:>10.4f}"
        f"{default.rmse:>11.4f}{personal.rmse:>10.4f}"
    )


def _show_calibration(comparison: Comparison) -> None:
    """Both calibrations side by side, by the bounds of their bins."""
    mine = {b.low: b for b in comparison.calibration_personal}
    usual = {b.low: b for b in comparison.calibration_default}
    for low in sorted({*mine, *usual}):
        some = mine.get(low) or usual[low]
        bounds = f"  {some.low:.2f} to {some.high:.2f}"
        print(f"{bounds:<18}" + _bin(usual.get(low)) + _bin(mine.get(low)))


def _bin(found: CalibrationBin | None) -> str:
    if found is None:
        return f"{'-':>10}{'-':>11}{'-':>7}"
    return f"{found.reviews:>10,}{found.predicted:>11.3f}{found.right:>7.3f}"
