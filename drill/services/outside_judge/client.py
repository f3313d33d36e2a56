"""One HTTP request with a limit on the whole of it, whatever the server does meanwhile.

Socket timeouts limit one operation each, and a server that sends a byte a second passes them for
hours. So the exchange runs in a thread of its own, and whoever waits closes its socket at the
deadline or when the learner cancels. Redirects are never followed, proxies of the environment are
not used, and nothing that the server says gets into a message.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
from urllib.parse import urlsplit

from drill.config_judge import JudgeConfig
from drill.services.outside_judge.config import JudgeError, key_of

MOST_BYTES = 256 * 1024
"""Largest reply that is read."""
PATH = "/chat/completions"


class Call:
    """One POST. `run` blocks up to the limit; `cancel` may be called from any thread."""

    def __init__(self, config: JudgeConfig, body: bytes) -> None:
        self._config = config
        self._body = body
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._outcome: bytes | str = ""

    def run(self) -> bytes:
        """The body of the reply to a request that went well.

        Raises:
            JudgeError: anything else; the message says what in one clause.
        """
        key = key_of(self._config)
        thread = threading.Thread(target=self._work, args=(key,), name="outside-judge", daemon=True)
        if not self._over.is_set():
            thread.start()
        if not self._over.wait(self._config.seconds):
            self._end(f"it took longer than {self._config.seconds:g} s")
        with self._lock:
            outcome = self._outcome
        if isinstance(outcome, str):
            raise JudgeError(outcome or "it failed in a way that drill does not know")
        return outcome

    def cancel(self) -> None:
        """Give up now; `run` returns at once."""
        self._end("it was cancelled")

    def _end(self, outcome: bytes | str) -> None:
        """The first outcome stands; what runs on is cut off."""
        with self._lock:
            if self._over.is_set():
                return
            self._outcome = outcome
            self._over.set()
            if self._socket is not None:
                with contextlib.suppress(OSError):  # it may be closed already
                    self._socket.shutdown(socket.SHUT_RDWR)

    def _work(self, key: str) -> None:
        parts = urlsplit(self._config.url)
        secure = parts.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=self._config.seconds)
        outcome: bytes | str = ""
        try:
            outcome = self._exchange(connection, parts.path, key)
        except TimeoutError:
            outcome = f"it took longer than {self._config.seconds:g} s"
        except OSError as error:
            outcome = _why(error)
        except (http.client.HTTPException, ValueError):
            outcome = "what answers at its address does not speak HTTP"
        finally:
            self._end(outcome)
            connection.close()

    def _exchange(self, connection: http.client.HTTPConnection, path: str, key: str) -> bytes | str:
        connection.connect()
        with self._lock:
            if self._over.is_set():
                return ""  # given up meanwhile: nothing is sent any more
            self._socket = connection.sock
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if key:
            headers["Authorization"] = f"Bearer {key}"
        connection.request("POST", path + PATH, self._body, headers)
        reply = connection.getresponse()
        if reply.status != 200:
            return _refused(reply.status)
        if (reply.length or 0) > MOST_BYTES:
            return _TOO_LONG
        raw = reply.read(MOST_BYTES + 1)
        return _TOO_LONG if len(raw) > MOST_BYTES else raw


_TOO_LONG = f"its reply is longer than {MOST_BYTES // 1024} KiB"


def _refused(status: int) -> str:
    if 300 <= status < 400:
        return (
            f"it redirects (status {status}), which is not followed: put the final address into "
            "`judge.url`"
        )
    said = {
        401: "it refused the key",
        403: "it refused the key",
        404: "there is no such address or model; `judge.url` is the base, such as "
        "http://localhost:8000/v1",
        429: "it is over its limit",
    }
    return f"{said.get(status, 'it answered with an error')} (status {status})"


def _why(error: OSError) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "nothing answers at its address (connection refused)"
    if isinstance(error, socket.gaierror):
        return "the name of its host is not known"
    if isinstance(error, ssl.SSLCertVerificationError):
        return "the certificate of its host is not trusted"
    if isinstance(error, ssl.SSLError):
        return "no TLS connection could be made with its host"
    return "the connection to it broke"
