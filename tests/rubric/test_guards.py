"""What turns a hit into a question."""

from __future__ import annotations

import pytest

from drill.domain.rubric import judge
from tests.rubric.make import belief, point, state, states


@pytest.mark.parametrize(
    "text",
    [
        "It does not predict the noise.",
        "It never predicts the noise.",
        "There is nothing to predict and no noise.",
        "It predicts the image instead of the noise.",
        "It predicts the image rather than the noise.",
        "Predicting the noise isn't useful.",
        "Predicting noise does not work.",
        "It is not true that the network predicts the noise.",
        "That the network predicts the noise is false.",
        "Some people think that the network predicts the noise.",
        "It is a myth that it predicts the noise.",
        "I am not sure if it predicts noise.",
        "It can't predict the image, the latent or the noise.",
    ],
)
def test_negated_and_reported_hits_are_asked(text: str) -> None:
    assert state("$predict .. noise", text) == "ask"


@pytest.mark.parametrize(
    "text",
    [
        "It predicts the noise, not the image.",
        "It does not predict the image but it predicts the noise.",
        "There is no discriminator and it predicts the noise.",
        "Unlike a GAN, it predicts the noise.",
        "It not only predicts the noise.",
        "Some people think it predicts the image, but actually it predicts the noise.",
        "It predicts the noise without a classifier.",
    ],
)
def test_a_negation_elsewhere_changes_nothing(text: str) -> None:
    assert state("$predict .. noise", text) == "credited"


def test_a_recipe_that_holds_the_negation_is_not_cancelled_by_it() -> None:
    assert state("no|not|without .. classifier", "It needs no extra classifier.") == "credited"


@pytest.mark.parametrize(
    "text",
    [
        "diffusion noise denoising steps gaussian unet latent image schedule prompt",
        "noise, unet, latent, image, sampler, prompt, schedule, step",
        "noise and unet and latent and image and sampler and prompt and steps",
        "The noise of the unet in the latent of the image with the prompt for the step.",
        "noise noise is noise and noise because noise makes noise",
    ],
)
def test_heaps_of_words_earn_nothing(text: str) -> None:
    result = judge(text, [point("noise"), point("unet", name="q")])
    assert result.stuffed
    assert "credited" not in states(result).values()


@pytest.mark.parametrize(
    "text",
    [
        "fp16, torch.compile",
        "start w/ gaussian noise -> NN predicts noise -> subtract -> repeat N steps -> img",
        "per-stage traces; queue depth; nvidia-smi clocks",
        "dpm++ 20 steps, torch.compile, fp16, flash attention",
    ],
)
def test_terse_answers_are_no_heaps(text: str) -> None:
    assert not judge(text, [point("noise")]).stuffed


def test_unless_asks_in_the_same_sentence_only() -> None:
    key = point("$down .. divers*", unless=("random|seed",))
    assert states(judge("It reduces diversity.", [key])) == {"p": "credited"}
    assert states(judge("It reduces diversity of random seeds.", [key])) == {"p": "ask"}
    assert states(judge("It reduces diversity. Set a seed.", [key])) == {"p": "credited"}


def test_a_misconception_asks_only_in_its_sentence() -> None:
    key = [point("noise"), point("unet", name="q")]
    wrong = [belief("one .. pass & !not")]
    result = judge("It turns noise to an image in one pass. A unet does it.", key, wrong)
    assert result.misconceptions == ("m",)
    assert states(result) == {"p": "ask", "q": "credited"}
    assert judge("It does not take one pass of noise.", key, wrong).misconceptions == ()


def test_a_misconception_is_seen_by_its_statement_too() -> None:
    wrong = [belief("zzz", statement="The text encoder is retrained for each prompt.")]
    assert judge("For every prompt the text encoder gets fine-tuned.", [], wrong).misconceptions
    assert not judge("The text encoder is not retrained for each prompt.", [], wrong).misconceptions


def test_swapped_roles_are_asked() -> None:
    key = [
        point("$predict .. noise", statement="Epsilon-prediction outputs the noise."),
        point("$predict .. clean", statement="x0-prediction outputs the clean image.", name="q"),
    ]
    right = judge("eps-prediction outputs the noise, x0-prediction outputs the clean image", key)
    swapped = judge("eps-prediction outputs the clean image, x0-prediction outputs the noise", key)
    assert states(right) == {"p": "credited", "q": "credited"}
    assert states(swapped) == {"p": "ask", "q": "ask"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Larger batches raise the throughput.", "credited"),
        ("Larger batches reduce the throughput.", "ask"),
        ("Smaller batches reduce the throughput.", "credited"),
        ("Smaller batches raise the throughput.", "ask"),
    ],
)
def test_reversed_directions_are_asked(text: str, expected: str) -> None:
    key = point("batch* & throughput", statement="Larger batches raise throughput.")
    assert states(judge(text, [key])) == {"p": expected}


@pytest.mark.parametrize(
    "text", ["", "   ", "idk", "I don't know.", "no idea", "not sure", "?", "🤷"]
)
def test_nothing_said(text: str) -> None:
    result = judge(text, [point("no|not|idea|sure|know")])
    assert result.empty
    assert states(result) == {"p": "missed"}


def test_a_partly_said_point_is_asked_about() -> None:
    key = point("zzz", statement="The copy is attached through zero convolutions.")
    assert states(judge("The copy has zero convolutions somewhere.", [key])) == {"p": "ask"}


def test_an_opposite_word_is_asked() -> None:
    key = point("image* .. latent*", statement="The encoder compresses the image to a latent.")
    assert states(judge("It compresses the image into latents.", [key])) == {"p": "credited"}
    assert states(judge("It expands the image into latents.", [key])) == {"p": "ask"}


def test_a_reversed_comparison_without_an_opposite_word_is_asked() -> None:
    key = point("memory", statement="Tiling makes the memory drop.")
    assert states(judge("With tiling the memory shrinks.", [key])) == {"p": "credited"}
    assert states(judge("With tiling the memory climbs.", [key])) == {"p": "ask"}


def test_a_sentence_that_denies_a_part_of_the_statement_is_asked() -> None:
    key = point("adapter", statement="Only the adapter is trained on the reference images.")
    assert states(judge("The adapter learns from reference images.", [key])) == {"p": "credited"}
    text = "The adapter is small because it is not trained on reference images."
    assert states(judge(text, [key])) == {"p": "ask"}


def test_scrambled_sentences_earn_nothing() -> None:
    key = [point("noise"), point("loss", name="q")]
    assert judge("error the is noise true predicted the of loss", key).stuffed
    assert not judge("The loss is the error of the predicted noise.", key).stuffed
