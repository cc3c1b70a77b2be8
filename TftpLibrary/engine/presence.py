"""A server that is away on purpose, and comes back on the same port."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from math import inf
from time import monotonic
from typing import Protocol

from TftpLibrary.engine.admission import Refusal
from TftpLibrary.engine.engine import Engine
from TftpLibrary.engine.session import Session
from TftpLibrary.faults.pauses import Pause
from TftpLibrary.protocol.outcome import Cause
from TftpLibrary.protocol.packets import ErrorCode

MOST_WAITING = 1000
"""Datagrams that wait for the end of a pause; one more is lost."""
_BUSY = "Server busy"


class Port(Protocol):
    """The listener as its pause sees it."""

    @property
    def sessions(self) -> tuple[Session, ...]:
        """The live sessions."""

    def unbind(self) -> None:
        """Closes the port."""

    def rebind(self) -> None:
        """Opens the same port again."""


class Presence:
    """One pause of a server, from its begin to its end. Engine's thread only.

    Args:
        mode: how it is away.
        port: the listener.
        engine: what it runs on.
        duration: seconds until it resumes by itself; None for ever.
        resume: ends the pause when the time is over.
    """

    def __init__(
        self,
        mode: Pause,
        port: Port,
        engine: Engine,
        duration: float | None,
        resume: Callable[[], None],
    ) -> None:
        self.mode = mode
        self.armed = inf
        self.deadline = None if duration is None else monotonic() + duration
        self._port = port
        self._engine = engine
        self._resume = resume
        self._frozen: tuple[Session, ...] = ()
        self._held: list[int] = []
        self._waiting: list[Callable[[], None]] = []

    def begin(self) -> None:
        """The server goes away.

        Raises:
            UsageError: its port cannot be closed.
        """
        if self.mode is Pause.crash:
            self._port.unbind()
        if self.mode is Pause.silent:
            self._frozen = self._port.sessions
            for session in self._frozen:
                self._engine.freeze(session)
        elif self.mode is not Pause.busy:
            self._forget_transfers()
        self._engine.set_alarm(self)

    def reopen(self) -> None:
        """Opens the port again, if it was closed; boards may ask from then on.

        Raises:
            UsageError: it was taken meanwhile, after a crash.
        """
        self._engine.drop_alarm(self)
        for descriptor in self._held:
            os.close(descriptor)
        self._held.clear()
        if self.mode is Pause.crash:
            self._port.rebind()

    def end(self) -> None:
        """The server is back: what waited goes on."""
        for session in self._frozen:
            self._engine.thaw(session)
            # Something may have come late, through no socket.
            session.catch_up()
        for take in self._waiting:
            take()

    def stop(self) -> None:
        """The server is stopped while it is away: nobody hears of it."""
        self._engine.drop_alarm(self)
        if self.mode is Pause.silent:
            for session in self._frozen:
                self._engine.thaw(session)
            self._forget_transfers()
        for descriptor in self._held:
            os.close(descriptor)
        self._held.clear()

    def lets_in(self, take: Callable[[], None]) -> bool:
        """Whether a datagram is taken now.

        Args:
            take: takes it; called afterwards if the server is only silent.
        """
        if self.mode is Pause.silent and len(self._waiting) < MOST_WAITING:
            self._waiting.append(take)
        return self.mode is Pause.busy

    def check(self) -> None:
        """Refuses a request, if the server is busy.

        Raises:
            Refusal: it is.
        """
        if self.mode is Pause.busy:
            reason = f"the server is {self.mode.words}"
            raise Refusal(ErrorCode.not_defined, _BUSY, reason, Cause.on_purpose)

    def handle_timeout(self, now: float) -> None:  # noqa: ARG002 - as in `Alarm`
        """The time is over."""
        self._resume()

    def fail(self, error: BaseException) -> None:
        """The port could not be opened again: whoever asks for the server finds out."""

    def _forget_transfers(self) -> None:
        for session in self._port.sessions:
            if self.mode is Pause.power_cut:
                # The port of a transfer stays open, so no ICMP tells the board that it is gone.
                for descriptor, _ in session.descriptors:
                    with contextlib.suppress(OSError):
                        self._held.append(os.dup(descriptor))
            session.vanish(self.mode.words)
