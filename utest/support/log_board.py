"""A Robot Framework library for tests of the log: a board that asks for hostile names.

It speaks on plain sockets.
"""

from __future__ import annotations

import re
import socket
import threading
from contextlib import suppress

from robot.api.deco import keyword, library

SCRIPT = "document.title='owned'"

NAMES = (
    f"<script>{SCRIPT}</script>",
    f'"><img src=x onerror="{SCRIPT}">',
    f"</td></tr></table></div></details><svg onload={SCRIPT}>",
    f"'-{SCRIPT}-'",
    f"javascript:{SCRIPT}",
    "${x} {{html x}} <!-- ]]> &lt;b&gt;",
    "\\x1b[31mred\\x07",
    "\\u202egpj.exe",
    "\u05e9\u05dc\u05d5\u05dd.bin",
    "\\xff\\xed\\xa0\\x80",
    "n" * 500,
    "<b>" * 166,
)
"""Hostile names as a log should show them: an escape is the octet or character that was sent."""


@library(scope="GLOBAL")
class log_board:  # noqa: N801 - Robot Framework looks for the class by the name of the file.
    """The keywords of the board."""

    def __init__(self) -> None:
        self._threads: list[threading.Thread] = []

    @keyword
    def ask_for_hostile_names(self, port: int) -> None:
        """Asks for a file that is there, and for each of the names, with hostile options."""
        for name in ("here", *NAMES):
            ask(port, octets_of(name), NAMES[0].encode())

    @keyword
    def fail_to_boot(self, port: int) -> None:
        """Asks for hostile names, and then fails: the board has not booted."""
        self.ask_for_hostile_names(port)
        raise AssertionError("The board did not boot.")

    @keyword
    def ask_soon(self, port: int, name: str) -> None:
        """Asks a little later, while something else goes on."""
        timer = threading.Timer(0.1, ask, [port, name.encode()])
        self._threads.append(timer)
        timer.start()

    @keyword
    def board_is_done(self) -> None:
        """Waits for the board."""
        for thread in self._threads:
            thread.join()


def ask(port: int, name: bytes, hostile: bytes = b"") -> None:
    """Asks for a file, and ends the transfer with an ERROR if it is there."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(10)
        options = [b"blksize", b"512<b>", hostile, hostile] if hostile else []
        fields = [name, b"octet", *options]
        request = b"\0\1" + b"".join(field + b"\0" for field in fields)
        sock.sendto(request, ("127.0.0.1", port))
        answer, peer = sock.recvfrom(1000)
        if answer[:2] == b"\0\3":
            sock.connect(peer)
            end(sock, b"\0\5\0\0" + (hostile or b"Enough") + b"\0")


def end(sock: socket.socket, error: bytes) -> None:
    """Sends an ERROR until the port of the transfer is closed: the server has read it by then."""
    sock.settimeout(0.01)
    with suppress(ConnectionError):
        for _ in range(1000):
            sock.send(error)
            with suppress(TimeoutError):
                sock.recv(1000)


def octets_of(shown: str) -> bytes:
    r"""Returns what the board sends: `\xNN` is that octet, `\uNNNN` that character."""
    text = re.sub(r"\\u(....)", lambda match: chr(int(match[1], 16)), shown)
    return re.sub(rb"\\x(..)", lambda match: bytes.fromhex(match[1].decode()), text.encode())
