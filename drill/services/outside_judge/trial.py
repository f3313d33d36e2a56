"""`drill mock --judge-check`: one tiny request that shows whether the configured judge works."""

from __future__ import annotations

from time import monotonic
from urllib.parse import urlsplit

from drill.config import Config
from drill.services.outside_judge.config import TABLE, JudgeError

_QUESTION = "Why does a guided step of a diffusion model cost twice as much?"
_POINT = "Each step evaluates the denoiser with the prompt and without it."
_ANSWER = "Because the network runs two times a step, once given the text and once given none."


def check(config: Config) -> str:
    """Ask the judge about a made-up answer; says in words how that went.

    Raises:
        JudgeError: no judge is configured, or it did not reply as the protocol asks; the message
            is for the learner.
    """
    from drill.services.outside_judge.client import Call
    from drill.services.outside_judge.protocol import Asked, read_reply, request_body

    judge = config.judge
    if not judge.on:
        raise JudgeError(f"No outside judge is configured. In config.toml it would be:\n\n{TABLE}")
    body = request_body(judge.model, Asked(_QUESTION, {"two-runs": _POINT}, _ANSWER))
    host = urlsplit(judge.url).netloc
    began = monotonic()
    try:
        said = read_reply(Call(judge, body).run(), {"two-runs"})["two-runs"]
    except JudgeError as error:
        raise JudgeError(f"The judge at {host} cannot be used: {error}.") from None
    took = monotonic() - began
    literal = said.said and len(said.quote.split()) > 2 and said.quote in _ANSWER
    quality = (
        "It credited the point of a right answer with a literal quote."
        if literal
        else "It replied, but did not credit a right answer with a literal quote: this model will "
        "settle little."
    )
    key = f"the key in {judge.key_env}" if judge.key_env else "no key"
    return (
        f"The judge at {host} replied in {took:.1f} s (limit {judge.seconds:g} s), model "
        f"{judge.model}, with {key}.\n{quality}\n"
        "This check sent a made-up question and answer. In an interview each free-text answer "
        "with points in doubt sends the question, those points and what you typed."
    )
