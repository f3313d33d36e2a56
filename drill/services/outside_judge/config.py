"""What the outside judge needs from the machine, and what a learner is told about it."""

from __future__ import annotations

import os
from collections.abc import Mapping

from drill.config_judge import JudgeConfig

DISCLOSURE = (
    "An outside judge is configured. For each free-text answer of this interview that leaves "
    "points in doubt, drill sends one request to the address in config.toml: the question, the "
    "points in doubt, and the words that you typed. Nothing else leaves this machine: no name, "
    "no other answer, no score, no file. The judge can only credit a point, and only with words "
    "that stand in your answer. Without it, or when it fails, the interview goes on by rules. "
    "Remove the [judge] table from config.toml to switch it off."
)
"""Shown before the first use in an interview, and in `drill mock --help`."""

TABLE = """[judge]
url = "http://localhost:8000/v1"  # of an OpenAI-compatible endpoint
model = "name-of-the-model"
key_env = "MY_JUDGE_KEY"          # environment variable with the key, if any
seconds = 10                      # limit of one request, 1 to 60
"""
"""An example of the table, for help texts."""


class JudgeError(Exception):
    """The judge gave nothing that can be used.

    The message is a clause in drill's own words: it holds nothing that a server said, and no key.
    """


def key_of(config: JudgeConfig, environ: Mapping[str, str] = os.environ) -> str:
    """The key from the environment; empty where none is configured.

    Raises JudgeError where it is not there, or holds what no HTTP header can carry.
    """
    if not config.key_env:
        return ""
    key = environ.get(config.key_env, "").strip()
    if not key:
        raise JudgeError(f"the environment variable {config.key_env} is not set")
    if any(not "!" <= char <= "~" for char in key):
        raise JudgeError(f"the environment variable {config.key_env} holds no key: it has spaces "
                         "or signs that no key has")  # fmt: skip
    return key
