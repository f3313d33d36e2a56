"""Another machine for experiments: the commands that start the child and starters there by ssh."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from drill.worker.launcher import COMMAND_VARIABLE, worker_command

if TYPE_CHECKING:
    from drill.config import Config

SSH = (
    "ssh", "-T",
    "-o", "BatchMode=yes",  # a question for a password could not be answered
    "-o", "ConnectTimeout=15",
    "-o", "ServerAliveInterval=10",
    "-o", "ServerAliveCountMax=3",  # a line that is dead is known to be after half a minute
)  # fmt: skip
"""How another machine is reached where `ssh` in config.toml says nothing else."""


class HostError(ValueError):
    """A host that cannot be one; the message says what is taken."""


def check_host(host: str) -> str:
    """The host; raises HostError for what ssh would take for an option or for several words."""
    if not host or host.startswith("-") or any(ch.isspace() for ch in host):
        raise HostError(f"{host!r} is no host; give one as ssh takes it: gpubox, or user@gpubox")
    return host


def worker_command_of(config: Config, host: str = "") -> tuple[list[str], str]:
    """The command that starts the experiment child, and the host that it starts it on.

    `host` comes first, then DRILL_WORKER, then the configured host, then the configured `worker`.
    The host is empty for a child of this machine.

    Raises HostError.
    """
    if not host and os.environ.get(COMMAND_VARIABLE):
        command = worker_command()
        return command, host_in(command)
    chosen = host or config.host
    if chosen:
        return on_host(config, chosen, "worker"), chosen
    return worker_command(config.worker), host_in(config.worker)


def on_host(config: Config, host: str, *words: str) -> list[str]:
    """The command that runs `drill WORDS` on a host; raises HostError."""
    remote = shlex.join([*(config.remote or ("drill",)), *words])
    # A shell that waits, whatever the login shell is: else ssh would end with 255 both where the
    # process was killed and where the line was cut.
    waits = f"{remote}; exit $?"
    return [*(config.ssh or SSH), check_host(host), f"sh -c {shlex.quote(waits)}"]


def host_in(command: Sequence[str]) -> str:
    """The host of a command that is an ssh call of the learner's own; empty for any other."""
    if not command or command[0].rpartition("/")[2] != "ssh":
        return ""
    takes_value = set("BbcDEeFIiJLlmOopQRSWw")
    words = iter(command[1:])
    for word in words:
        if not word.startswith("-"):
            return word
        if len(word) == 2 and word[1] in takes_value:
            next(words, None)
    return ""
