"""The keywords that wait until a board has done something."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from robot.api.deco import keyword

from TftpLibrary.errors import ExpectationError, TftpError, UsageError
from TftpLibrary.keywords import reporting
from TftpLibrary.keywords.base import Keywords
from TftpLibrary.keywords.conversions import Size, seconds
from TftpLibrary.keywords.state import View
from TftpLibrary.protocol.outcome import Outcome
from TftpLibrary.protocol.packets import Direction
from TftpLibrary.recording import idleness, query
from TftpLibrary.recording.records import Transfer

T = TypeVar("T")

_ANY_SIZE = Size(0)

Seen = tuple[Transfer, ...]
Find = Callable[[Seen], Transfer | None]
Explain = Callable[[Seen, float], str]


class WaitingKeywords(Keywords):
    """Wait for transfers."""

    @keyword("Wait Until File Is Downloaded", tags=("Transfers", "Waiting"))
    def wait_until_file_is_downloaded(
        self,
        name: str,
        timeout: timedelta | None = None,
        *,
        client: str = "",
        times: int = 1,
        since: int | None = None,
        server: str = "",
    ) -> Transfer:
        """Waits until a board has downloaded a file from the TFTP server.

        Args:
            name: Name that the board asks for, or a glob such as ``*.dtb``.
            timeout: Time to wait. Default: that of the import.
            client: Address or network of the board, such as ``192.168.1.50``. Default: any board.
            times: Downloads to wait for.
            since: Mark from which on downloads count, see `Mark Transfers`. Default: the start of
                the test, or of the suite in a suite setup or teardown.
            server: Alias of the server. Default: the active one.

        Returns:
            The download that was the last of them.

        A download counts when the board has acknowledged every octet. One that came to its end
        before the keyword was called counts too, so a board cannot be too fast for the test.

        The failure tells how near it came, and which requests were seen.

        Example:
        | ${server}=    `Start TFTP Server`    port=0
        | `Upload File`    ${CURDIR}/zImage
        | # Here the board is switched on; in this example `TFTP Get` is the board.
        | `TFTP Get`    ${server.host}    zImage    port=${server.port}
        | ${transfer}=    `Wait Until File Is Downloaded`    zImage    60s
        | Log    ${transfer.rate} octets per second
        """
        view = self.state.view(server, since)
        find = _completed(name, client, Direction.read, times=times)

        def explain(seen: Seen, waited: float) -> str:
            names = self.state.file_names(server)
            return query.explain_missing_download(
                seen, name, client, waited, times=times, files=names, is_complete=view.is_complete
            )

        return self._wait_for_file(name, view, find, explain, timeout)

    @keyword("Wait Until File Is Requested", tags=("Transfers", "Waiting"))
    def wait_until_file_is_requested(
        self,
        name: str,
        timeout: timedelta | None = None,
        *,
        client: str = "",
        since: int | None = None,
        server: str = "",
    ) -> Transfer:
        """Waits until a board has asked for a file, or begun to write one.

        Args:
            name: Name that the board asks for, or a glob such as ``*.dtb``.
            timeout: Time to wait. Default: that of the import.
            client: Address or network of the board, such as ``192.168.1.50``. Default: any board.
            since: Mark from which on requests count, see `Mark Transfers`. Default: the start of
                the test, or of the suite in a suite setup or teardown.
            server: Alias of the server. Default: the active one.

        Returns:
            The first such request. It may still run, and may have been refused: its ``outcome``
            tells.

        A request that came before the keyword was called counts too.

        Example:
        | ${server}=    `Start TFTP Server`    port=0
        | `Upload File`    ${CURDIR}/zImage
        | # Here the board is switched on; in this example `TFTP Get` is the board.
        | `TFTP Get`    ${server.host}    zImage    port=${server.port}
        | ${request}=    `Wait Until File Is Requested`    zImage    60s
        | Log    The board at ${request.client} asked with ${request.requested}
        """
        view = self.state.view(server, since)

        def find(seen: Seen) -> Transfer | None:
            return next(iter(query.select(seen, name, client)), None)

        def explain(seen: Seen, waited: float) -> str:
            return query.explain_missing_request(
                seen, name, client, waited, is_complete=view.is_complete
            )

        return self._wait_for_file(name, view, find, explain, timeout)

    @keyword("Wait Until File Is Received", tags=("Transfers", "Waiting"))
    def wait_until_file_is_received(
        self,
        name: str,
        timeout: timedelta | None = None,
        *,
        client: str = "",
        min_size: Size = _ANY_SIZE,
        since: int | None = None,
        server: str = "",
    ) -> Transfer:
        """Waits until a board has uploaded a file to the TFTP server.

        Args:
            name: Name that the board writes, or a glob such as ``*.log``.
            timeout: Time to wait. Default: that of the import.
            client: Address or network of the board. Default: any board.
            min_size: Least size in octets; smaller uploads do not count.
            since: Mark from which on uploads count, see `Mark Transfers`. Default: the start of
                the test, or of the suite in a suite setup or teardown.
            server: Alias of the server. Default: the active one.

        Returns:
            The upload.

        When the keyword returns the file is complete and in the store: `Get TFTP File Text` and
        `Download File` find it. The server must be started with ``writable=True``.

        Example:
        | ${server}=    `Start TFTP Server`    port=0    writable=True
        | # Here the switch saves its configuration; in this example `TFTP Put` is the switch.
        | `TFTP Put`    ${CURDIR}/startup-config    ${server.host}    port=${server.port}
        | `Wait Until File Is Received`    startup-config    30s    min_size=1
        | `Get TFTP File Text`    startup-config    contains    hostname
        """
        view = self.state.view(server, since)
        find = _completed(name, client, Direction.write, min_size=min_size)

        def explain(seen: Seen, waited: float) -> str:
            return query.explain_missing_upload(
                seen, name, client, waited, min_size=min_size, is_complete=view.is_complete
            )

        return self._wait_for_file(name, view, find, explain, timeout)

    @keyword("Wait Until Transfers Are Idle", tags=("Transfers", "Waiting"))
    def wait_until_transfers_are_idle(
        self,
        idle: timedelta = timedelta(seconds=2),
        timeout: timedelta | None = None,
        *,
        client: str = "",
        since: int | None = None,
        server: str = "",
    ) -> None:
        """Waits until no board has transferred anything for a while.

        Args:
            idle: How long no transfer must run, and none begin.
            timeout: Time to wait. Default: that of the import.
            client: Address or network of the board. Default: any board.
            since: Mark from which on transfers count, see `Mark Transfers`. Default: the start of
                the test, or of the suite in a suite setup or teardown.
            server: Alias of the server. Default: the active one.

        The time since the last transfer counts also when it passed before the keyword was called.
        A board that has not asked for anything yet is idle too: wait for its first file with
        `Wait Until File Is Requested` before.

        A transfer whose board went silent still runs, until the server gives it up.

        Example:
        | ${server}=    `Start TFTP Server`    port=0
        | `Upload File`    ${CURDIR}/zImage
        | # Here the board is switched on; in this example `TFTP Get` is the board.
        | `TFTP Get`    ${server.host}    zImage    port=${server.port}
        | `Wait Until File Is Requested`    zImage    60s
        | `Wait Until Transfers Are Idle`    500ms
        """
        view = self.state.view(server, since)
        silence, begun = seconds(idle, "idle"), time.monotonic()

        def find(seen: Seen) -> bool | None:
            own = query.select(seen, client=client)
            passed = idleness.idle_time(own, datetime.now().astimezone())
            return min(passed, time.monotonic() - begun if not own else passed) >= silence or None

        def explain(seen: Seen, waited: float) -> str:
            own = query.select(seen, client=client)
            return idleness.explain_activity(
                own, silence, waited, client, is_complete=view.is_complete
            )

        self._wait(f"{idle.total_seconds():g} s without a transfer", view, find, explain, timeout)

    def _wait_for_file(
        self, name: str, view: View, find: Find, explain: Explain, timeout: timedelta | None
    ) -> Transfer:
        """Waits, and logs the transfer that ended the wait."""
        transfer = self._wait(f"'{name}'", view, find, explain, timeout)
        reporting.log_transfer(transfer)
        return transfer

    def _wait(
        self,
        what: str,
        view: View,
        find: Callable[[Seen], T | None],
        explain: Explain,
        timeout: timedelta | None,
    ) -> T:
        limit = self.state.timeout(timeout)
        progress = reporting.wait_progress(what, limit)

        def look(seen: Seen) -> T | None:
            found = find(seen)
            if found is None:
                progress(seen)
            return found

        try:
            return view.wait_for(look, limit)
        except TimeoutError:
            if view.is_live:
                raise ExpectationError(explain(view.transfers(), limit)) from None
            stopped = f"TFTP server '{view.server}' is stopped, so there was no wait."
            raise ExpectationError(f"{explain(view.transfers(), 0.0)}\n{stopped}") from None


def _completed(
    name: str, client: str, direction: Direction, *, times: int = 1, min_size: int = 0
) -> Find:
    """Returns what finds the transfer that makes a wait complete."""
    if times < 1:
        raise UsageError(f"Expected times to be 1 or more, got {times}.")

    def find(transfers: Seen) -> Transfer | None:
        own = query.select(transfers, name, client, direction=direction)
        done = [t for t in own if t.outcome is Outcome.completed and t.octets >= min_size]
        if len(done) >= times:
            return done[times - 1]
        _raise_defect(own)
        return None

    return find


def _raise_defect(transfers: Seen) -> None:
    defect = next((transfer for transfer in transfers if transfer.traceback), None)
    if defect:
        raise TftpError(
            f"An unexpected exception in TftpLibrary ended the transfer of '{defect.filename}'. "
            f"Please report it with this text:\n{defect.traceback}"
        )
