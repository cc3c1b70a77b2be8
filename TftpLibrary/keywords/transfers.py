"""The keywords that wait for transfers and look at the record of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from robot.api.deco import keyword

from TftpLibrary.errors import ExpectationError, TftpError, UsageError
from TftpLibrary.keywords import reporting
from TftpLibrary.keywords.base import Keywords, Operator, verify_number
from TftpLibrary.keywords.conversions import Size
from TftpLibrary.keywords.state import View
from TftpLibrary.protocol.packets import Direction
from TftpLibrary.recording import query
from TftpLibrary.recording.records import Outcome, Transfer

_ANY_SIZE = Size(0)

Explain = Callable[[tuple[Transfer, ...], float], str]


class TransferKeywords(Keywords):
    """Wait for transfers, list and log them."""

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

        def explain(seen: tuple[Transfer, ...], waited: float) -> str:
            names = self.state.file_names(server)
            return query.explain_missing_download(
                seen, name, client, waited, times=times, files=names, is_complete=view.is_complete
            )

        return self._wait(view, find, explain, timeout)

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

        def explain(seen: tuple[Transfer, ...], waited: float) -> str:
            return query.explain_missing_upload(
                seen, name, client, waited, min_size=min_size, is_complete=view.is_complete
            )

        return self._wait(view, find, explain, timeout)

    @keyword("Mark Transfers", tags=("Transfers",))
    def mark_transfers(self) -> int:
        """Sets the mark to now: what was transferred before does not count any more.

        Returns:
            The mark, for the argument ``since`` of other keywords.

        Each test begins with a mark, and so does each suite. Set another one where the same file
        is downloaded twice in a test.

        Example:
        | ${server}=    `Start TFTP Server`    port=0
        | `Upload File`    ${CURDIR}/zImage
        | `TFTP Get`    ${server.host}    zImage    port=${server.port}
        | `Wait Until File Is Downloaded`    zImage    60s
        | `Mark Transfers`
        | # Here the board is reset.
        | `TFTP Get`    ${server.host}    zImage    port=${server.port}
        | `Wait Until File Is Downloaded`    zImage    60s
        """
        return self.state.set_mark()

    @keyword("Get Transfers", tags=("Transfers",))
    def get_transfers(
        self,
        name: str = "",
        *,
        client: str = "",
        outcome: Outcome | None = None,
        since: int | None = None,
        server: str = "",
    ) -> list[Transfer]:
        """Returns the transfers that were seen, refused requests and running ones too.

        Args:
            name: Name that the board asked for, or a glob. Default: all.
            client: Address or network of the board. Default: any board.
            outcome: How they ended. Default: all, running ones too.
            since: Mark from which on transfers count, see `Mark Transfers`. Default: the start of
                the test, or of the suite in a suite setup or teardown. 0 is the start of the run.
            server: Alias of the server. Default: the active one.

        Returns:
            The transfers in the order of their requests.

        Example:
        | `Start TFTP Server`    port=0
        | ${missing}=    `Get Transfers`    outcome=refused
        | FOR    ${transfer}    IN    @{missing}
        |     Log    ${transfer.client} asked for ${transfer.filename}: ${transfer.error_message}
        | END
        """
        seen = self.state.view(server, since).transfers()
        return list(query.select(seen, name, client, outcome))

    @keyword("Get Transfer Count", tags=("Transfers", "Assertion"))
    def get_transfer_count(
        self,
        name: str = "",
        assertion_operator: Operator = None,
        assertion_expected: Any = None,
        message: str = "",
        *,
        client: str = "",
        outcome: Outcome | None = None,
        since: int | None = None,
        server: str = "",
    ) -> Any:
        """Returns how many transfers were seen, and optionally checks it.

        Args:
            name: Name that the board asked for, or a glob. Default: all.
            assertion_operator: How to compare, see `Assertions`. Default: no check.
            assertion_expected: Number to compare with.
            message: Text of the failure instead of the usual one.
            client: Address or network of the board. Default: any board.
            outcome: How they ended. Default: all, running ones too.
            since: Mark from which on transfers count, see `Mark Transfers`. Default: the start of
                the test, or of the suite in a suite setup or teardown. 0 is the start of the run.
            server: Alias of the server. Default: the active one.

        Returns:
            The number.

        Example:
        | `Start TFTP Server`    port=0
        | `Get Transfer Count`    *    ==    0    outcome=refused
        """
        count = len(
            self.get_transfers(name, client=client, outcome=outcome, since=since, server=server)
        )
        return verify_number(count, assertion_operator, assertion_expected, "Transfers:", message)

    @keyword("Log Transfers", tags=("Transfers",))
    def log_transfers(
        self, name: str = "", *, client: str = "", since: int | None = None, server: str = ""
    ) -> None:
        """Logs the transfers that were seen as a table, refused requests and running ones too.

        Args:
            name: Name that was asked for, or a glob. Default: all.
            client: Address or network of the board. Default: any board.
            since: Mark from which on transfers count, see `Mark Transfers`. Default: the start of
                the test, or of the suite in a suite setup or teardown. 0 is the start of the run.
            server: Alias of the server. Default: all servers, and what `TFTP Get` and `TFTP Put`
                did.

        Example:
        | `Start TFTP Server`    port=0
        | `Log Transfers`
        """
        view = self.state.view(server, since) if server else self.state.view_all(since)
        reporting.log_transfers(query.select(view.transfers(), name, client))

    def _wait(
        self,
        view: View,
        find: Callable[[tuple[Transfer, ...]], Transfer | None],
        explain: Explain,
        timeout: timedelta | None,
    ) -> Transfer:
        limit = self.state.timeout(timeout)
        try:
            transfer = view.wait_for(find, limit)
        except TimeoutError:
            if view.is_live:
                raise ExpectationError(explain(view.transfers(), limit)) from None
            stopped = f"TFTP server '{view.server}' is stopped, so there was no wait."
            raise ExpectationError(f"{explain(view.transfers(), 0.0)}\n{stopped}") from None
        reporting.log_transfer(transfer)
        return transfer


def _completed(
    name: str, client: str, direction: Direction, *, times: int = 1, min_size: int = 0
) -> Callable[[tuple[Transfer, ...]], Transfer | None]:
    """Returns what finds the transfer that makes a wait complete."""
    if times < 1:
        raise UsageError(f"Expected times to be 1 or more, got {times}.")

    def find(transfers: tuple[Transfer, ...]) -> Transfer | None:
        own = query.select(transfers, name, client, direction=direction)
        done = [t for t in own if t.outcome is Outcome.completed and t.octets >= min_size]
        if len(done) >= times:
            return done[times - 1]
        _raise_defect(own)
        return None

    return find


def _raise_defect(transfers: tuple[Transfer, ...]) -> None:
    defect = next((transfer for transfer in transfers if transfer.detail), None)
    if defect:
        raise TftpError(
            f"An unexpected exception in TftpLibrary ended the transfer of '{defect.filename}'. "
            f"Please report it with this text:\n{defect.detail}"
        )
