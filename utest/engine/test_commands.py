"""Commands by themselves; `test_engine.py` has them on an engine."""

from __future__ import annotations

import socket
import threading

import pytest

from TftpLibrary.engine.commands import Command, WakeUp
from TftpLibrary.errors import UsageError


def test_a_command_gives_its_result_to_the_thread_that_waits() -> None:
    command = Command(lambda: threading.current_thread().name)
    thread = threading.Thread(target=command.run, name="engine")
    thread.start()
    assert command.wait() == "engine"
    thread.join()


def test_what_a_command_raises_is_raised_where_it_was_asked() -> None:
    def fail() -> None:
        raise ValueError("no")

    command = Command(fail)
    command.run()
    with pytest.raises(ValueError, match="no"):
        command.wait()


def test_a_command_that_is_never_run_gives_an_error() -> None:
    command = Command(lambda: 1)
    command.fail(UsageError("stopped"))
    with pytest.raises(UsageError, match="stopped"):
        command.wait()


def test_a_wake_up_empties_its_socket() -> None:
    left, right = socket.socketpair()
    with left, right:
        left.setblocking(False)
        right.send(bytes(5000))
        WakeUp(left).ready()
        with pytest.raises(BlockingIOError):
            left.recv(1)
