"""TFTP servers as processes: their ports, their first answers and their ends."""

from __future__ import annotations

import socket
import subprocess
import time

HOST = "127.0.0.1"

_START = 10.0
"""Seconds within which a server has to answer its first request."""
_PROBE = b"\0\1not-there\0octet\0"


def free_port() -> int:
    """Returns a port that is free just now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((HOST, 0))
        return int(sock.getsockname()[1])


def wait_for_answer(process: subprocess.Popen[bytes], port: int) -> bool:
    """Asks a server for a file that is not there until it answers.

    Returns:
        Whether it did: not if it ended, or stayed silent for 10 seconds.
    """
    until = time.monotonic() + _START
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.1)
        while time.monotonic() < until and process.poll() is None:
            sock.sendto(_PROBE, (HOST, port))
            try:
                sock.recv(600)
            except (TimeoutError, ConnectionError):
                continue
            return True
    return False


def end(process: subprocess.Popen[bytes]) -> None:
    """Ends a server, by force where it does not go. Idempotent."""
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
