"""A real sshd on this machine, with keys of its own, and a line to it that can be cut."""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

SSHD = shutil.which("sshd") or next(
    (path for path in ("/usr/sbin/sshd", "/usr/local/sbin/sshd") if Path(path).exists()), ""
)
MISSING = next((f"{n} is not installed" for n in ("ssh", "ssh-keygen") if not shutil.which(n)), "")
MISSING = MISSING or ("" if SSHD else "sshd is not installed (package openssh-server)")
HOST = "127.0.0.1"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@dataclass
class Line:
    """Carries bytes between a port and sshd until it is cut, or goes dead."""

    target: int
    port: int = 0
    dead: bool = False
    """Carries nothing any more and tells nobody, as a network does whose cable is out."""
    _pairs: list[tuple[socket.socket, socket.socket]] = field(default_factory=list)

    def open(self) -> None:
        self._listener = socket.create_server((HOST, 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection((HOST, self.target))
            self._pairs.append((near, far))
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=(source, sink), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                while self.dead:
                    time.sleep(0.1)
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.close()

    def cut(self) -> None:
        """Close every connection; new ones are carried again."""
        pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for end in pair:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()

    def close(self) -> None:
        self._listener.close()
        self.cut()


@dataclass(frozen=True)
class Server:
    """A running sshd and how it is reached."""

    folder: Path
    line: Line
    user: str

    @property
    def host(self) -> str:
        return f"{self.user}@{HOST}"

    def ssh(self, *options: str) -> tuple[str, ...]:
        """The ssh command that reaches it through the line."""
        known = self.folder / "known_hosts"
        return (
            "ssh", "-F", "/dev/null", "-T", "-o", "BatchMode=yes", "-p", str(self.line.port),
            "-i", str(self.folder / "user_key"), "-o", "IdentitiesOnly=yes",
            "-o", f"UserKnownHostsFile={known}", "-o", "StrictHostKeyChecking=yes",
            "-o", "HostKeyAlias=test", *options,
        )  # fmt: skip


@contextlib.contextmanager
def running(folder: Path, environment: Mapping[str, str]) -> Iterator[Server]:
    """An sshd whose sessions have `environment`; it ends with the block."""
    for name in ("host_key", "user_key"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(command, check=True)
    host_key = (folder / "host_key.pub").read_text().split()[:2]
    (folder / "known_hosts").write_text(f"test {' '.join(host_key)}\n")
    shutil.copy(folder / "user_key.pub", folder / "authorized_keys")
    (folder / "banner").write_text('{"event": "hello"}\nWelcome to this machine.\n')
    port = free_port()
    given = " ".join(f'"{name}={value}"' for name, value in environment.items())
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress {HOST}\nHostKey {folder}/host_key\n"
        f"AuthorizedKeysFile {folder}/authorized_keys\nPidFile none\nStrictModes no\n"
        "UsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n"
        f"PermitRootLogin prohibit-password\nBanner {folder}/banner\nSetEnv {given}\n"
        "MaxStartups 50\n"
    )
    if os.geteuid() == 0:  # where sshd gives its privileges up
        Path("/run/sshd").mkdir(parents=True, exist_ok=True)
    log = (folder / "sshd.log").open("wb")
    process = subprocess.Popen(
        [SSHD, "-D", "-e", "-f", str(folder / "sshd_config")],
        stdin=subprocess.DEVNULL, stdout=log, stderr=log,
    )  # fmt: skip
    line = Line(port)
    try:
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection((HOST, port), 1.0):
                break
            if process.poll() is not None:
                raise RuntimeError((folder / "sshd.log").read_text())
            time.sleep(0.05)
        line.open()
        yield Server(folder, line, getpass.getuser())
    finally:
        if hasattr(line, "_listener"):
            line.close()
        process.terminate()
        process.wait()
        log.close()
