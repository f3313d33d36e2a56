"""What must come out of cut-off prompts and their padding, checked on the numbers of every run."""

from __future__ import annotations

from typing import Any

from drill.lab import Claim, Finding, Result, finding, not_applicable

SAME_STATE = 1e-4
"""Largest difference of two text states (of spread about 1) that are one computation."""
READ = 0.02
"""Root mean square difference of pixels in [0, 1] above which padding counts as read."""


def cut_words_do_nothing(result: Result) -> Finding:
    expected = "not one pixel differs where the differing word is cut off"
    cut = [each for each in result.metrics["cuts"] if not each["kept"]]
    if not cut:
        return not_applicable("no limit is low enough to lose the word", expected)
    apart = max(each["twin_difference"] for each in cut)
    limits = ", ".join(str(each["limit"]) for each in cut)
    return finding(apart == 0, f"{apart:g} at {limits} positions", expected)


def kept_words_do_something(result: Result) -> Finding:
    expected = "pictures differ by more than 0.1 in some pixel where the word is not cut off"
    kept = [each for each in result.metrics["cuts"] if each["kept"]]
    if not kept:
        return not_applicable("every limit loses the word", expected)
    apart = min(each["twin_difference"] for each in kept)
    return finding(apart > 0.1, f"{apart:.2f} at least", expected)


def attribute_lost(result: Result) -> Finding:
    expected = "at least 0.3 fewer pictures show the word once it is cut off"
    rows = result.metrics["cuts"]
    kept = [each for each in rows if each["kept"]]
    cut = [each for each in rows if not each["kept"]]
    if not kept or not cut or kept[-1]["shown"] is None:
        return not_applicable("it needs a judge, and limits above and below the word", expected)
    last, first = kept[-1], cut[0]
    measured = (
        f"{last['shown']:.2f} with {last['limit']} positions, "
        f"{first['shown']:.2f} with {first['limit']}"
    )
    return finding(last["shown"] - first["shown"] >= 0.3, measured, expected)


def end_is_kept(result: Result) -> Finding:
    expected = "begin and end token stand in every cut prompt"
    rows = result.metrics["cuts"]
    lost = [str(each["limit"]) for each in rows if not each["ends"]]
    measured = f"{len(rows)} limits; missing at {', '.join(lost) or 'none'}"
    return finding(not lost, measured, expected)


def cut_is_typing_less(result: Result) -> Finding:
    expected = "the same token ids as of the words that are left, typed alone"
    rows = result.metrics["cuts"]
    other = [each["read"] for each in rows if not each["typed"]]
    return finding(
        not other, f"{len(rows)} limits; other ids: {'; '.join(other) or 'none'}", expected
    )


def padding_is_not_zero(result: Result) -> Finding:
    expected = "padding states are at least half as long as those of words"
    found = result.metrics["padding"]["norm_ratio"]
    return finding(found >= 0.5, f"{found:.2f} times as long", expected)


def words_blind_to_padding(result: Result) -> Finding:
    expected = (
        f"with the tokenizer's mask states of words move by at most {SAME_STATE:g}, those of "
        "padding by more"
    )
    padding = result.metrics["padding"]
    if not result.metrics["float32"]:
        return not_applicable("half precision rounds more", expected)
    words, rest = padding["mask_moves_words"], padding["mask_moves_padding"]
    return finding(words <= SAME_STATE < rest, f"{words:.1e} and {rest:.2f}", expected)


def padding_is_read(result: Result) -> Finding:
    expected = f"masking padding in cross-attention moves pixels by {READ:g} or more (rms)"
    found = result.metrics["padding"]["mask_moves_pixels"]
    return finding(found >= READ, f"{found:.3f}", expected)


CLAIMS = (
    Claim(
        "cut-words-do-nothing",
        "Prompts that differ only in words beyond the limit give identical pictures.",
        cut_words_do_nothing,
    ),
    Claim(
        "kept-words-do-something",
        "The same words within the limit give other pictures.",
        kept_words_do_something,
    ),
    Claim("attribute-lost", "What only a cut word says is no longer painted.", attribute_lost),
    Claim(
        "end-is-kept",
        "Only words are cut: begin and end token stand in every prompt.",
        end_is_kept,
    ),
    Claim(
        "cut-is-typing-less",
        "A cut prompt is the shorter prompt: token for token what is left of it, typed alone.",
        cut_is_typing_less,
    ),
    Claim("padding-is-not-zero", "States of padding are no zeros.", padding_is_not_zero),
    Claim(
        "words-blind-to-padding",
        "Masking padding in the text encoder changes no state of a word: it looks back only.",
        words_blind_to_padding,
    ),
    Claim(
        "padding-is-read",
        "The denoiser reads the padding: masked in cross-attention, pictures change.",
        padding_is_read,
    ),
)


def outcomes(metrics: Any) -> dict[str, Any]:
    """What `predict` questions are judged by; null for what was not measured."""
    rows, padding = metrics["cuts"], metrics["padding"]
    cut = [each for each in rows if not each["kept"]]
    reactions = {
        "word states by a mask in the encoder": padding["mask_moves_words"] > SAME_STATE,
        "padding states by a mask in the encoder": padding["mask_moves_padding"] > SAME_STATE,
        "pictures by a mask in cross-attention": padding["mask_moves_pixels"] >= READ,
    }
    twins = max((each["twin_difference"] for each in cut), default=None)
    return {
        "room": metrics["room"],
        "first_lost": cut[0]["limit"] if cut else None,
        "cut_twins": None if twins is None else "different" if twins else "identical",
        "mask_changes": [name for name, moved in reactions.items() if moved],
        "shown_when_cut": cut[0]["shown"] if cut else None,
    }


def sentence(metrics: Any) -> str:
    """What happened, in the measured numbers."""
    rows, padding = metrics["cuts"], metrics["padding"]
    cut = [each for each in rows if not each["kept"]]
    parts = [f"{metrics['room']} of {metrics['positions']} positions are left for words"]
    if cut:
        parts.append(
            f"with {cut[0]['limit']} positions {cut[0]['read']!r} is left, and {metrics['twin']!r} "
            f"instead of {metrics['word']!r} changes pixels by {cut[0]['twin_difference']:g}"
        )
    if rows[0]["shown"] is not None:
        shares = ", ".join(f"{each['shown']:.0%} at {each['limit']}" for each in rows)
        parts.append(f"{metrics['word']!r} shows in {shares} positions")
    parts.append(
        f"padding states are {padding['norm_ratio']:.2f} times as long as those of words; masked "
        f"in the encoder they leave those as they are ({padding['mask_moves_words']:.0e}), "
        f"masked in cross-attention pixels move by {padding['mask_moves_pixels']:.3f} (rms)"
    )
    return "; ".join(parts) + "."
