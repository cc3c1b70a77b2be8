"""The keywords that wait until a board has done something."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TypeVar

from robot.api.deco import keyword

from TftpLibrary.errors import UsageError
from TftpLibrary.keywords import reporting
from TftpLibrary.keywords.base import Keywords
from TftpLibrary.keywords.conversions import Scope, Size, seconds
from TftpLibrary.keywords.words import IN_A_SUITE
from TftpLibrary.messages.answers import wait_until
from TftpLibrary.messages.questions import Download, Downloads, Idle, Question, Request, Upload
from TftpLibrary.recording.records import Transfer

T = TypeVar("T")

_ANY_SIZE = Size(0)

_TIME = re.compile(r"[\d.]+ ?(ms|s|secs?|seconds?|min|mins|minutes?|h|hours?)")
"""A time with a unit, which is no name that a board asks for."""


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
        fail_fast: bool = False,
        since: int | None = None,
        server: str = "",
    ) -> Transfer:
        """Waits until a board has downloaded a file from the TFTP server.

        Args:
            name: Name that the board asks for, or a glob such as ``*.dtb``.
            timeout: Time to wait. Default: that of the import, or of `Set TFTP Timeout`.
            client: Address, network or alias of the board: ``192.168.1.50``. Default: any board.
            times: Downloads to wait for.
            fail_fast: Whether the wait ends at once when the server refuses the file. Many boards
                ask again after a refusal. Default: wait until the timeout.
            since: Mark from which on downloads count, see `Mark Transfers`. Default: the start of
                the test, or of the suite in a suite setup or teardown.
            server: Alias of the server. Default: the active one.

        Returns:
            The last download that counted.

        A download counts when the board has acknowledged every byte. A download that ended
        before the keyword was called counts too, so a board cannot be too fast for the test.

        The error message shows the nearest miss and the requests that were seen.

        Example:
        | ${server}=    `Start TFTP Server`    port=0
        | `Upload File`    ${CURDIR}/zImage
        | # Here the board is switched on; in this example `TFTP Get` is the board.
        | `TFTP Get`    ${server.host}    zImage    port=${server.port}
        | ${transfer}=    `Wait Until File Is Downloaded`    zImage    60s
        | Log    ${transfer.rate} bytes per second
        """
        question = Download(name, client, times, fail_fast=fail_fast)
        return self._wait_for_file(question, timeout, server, since)

    @keyword("Wait Until Files Are Downloaded", tags=("Transfers", "Waiting"))
    def wait_until_files_are_downloaded(
        self,
        *names: str,
        timeout: timedelta | None = None,
        client: str = "",
        fail_fast: bool = False,
        since: int | None = None,
        server: str = "",
    ) -> list[Transfer]:
        """Waits until a board has downloaded several files from the TFTP server, in any order.

        Args:
            names: Names that the board asks for, or globs such as ``*.dtb``.
            timeout: Time to wait for all of them together. Default: that of the import, or of
                `Set TFTP Timeout`.
            client: Address, network or alias of the board: ``192.168.1.50``. Default: any board.
            fail_fast: Whether the wait ends at once when the server refuses one of the files. Many
                boards ask again after a refusal. Default: wait until the timeout.
            since: Mark from which on downloads count, see `Mark Transfers`. Default: the start of
                the test, or of the suite in a suite setup or teardown.
            server: Alias of the server. Default: the active one.

        Returns:
            The downloads, in the order of the names.

        The error message lists the files that are missing, with the nearest miss of each, and the
        requests that were seen.

        Example:
        | ${server}=    `Start TFTP Server`    port=0
        | `Upload Text`    kernel    zImage
        | `Upload Text`    tree    board.dtb
        | # Here the board is switched on; in this example `TFTP Get` is the board.
        | `TFTP Get`    ${server.url}zImage
        | `TFTP Get`    ${server.url}board.dtb
        | `Wait Until Files Are Downloaded`    zImage    *.dtb    timeout=60s
        """
        if timeout is None and names and _TIME.fullmatch(names[-1]):
            raise UsageError(
                f"'{names[-1]}' is a time in the place of a name. Write timeout={names[-1]}; for a "
                f"file of that name write [{names[-1][0]}]{names[-1][1:]}"
            )
        question = Downloads(names, client, fail_fast)
        transfers = self._wait(question, timeout, server, since)
        for transfer in transfers:
            reporting.log_transfer(transfer)
        return list(transfers)

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
            timeout: Time to wait. Default: that of the import, or of `Set TFTP Timeout`.
            client: Address, network or alias of the board: ``192.168.1.50``. Default: any board.
            since: Mark from which on requests count, see `Mark Transfers`. Default: the start of
                the test, or of the suite in a suite setup or teardown.
            server: Alias of the server. Default: the active one.

        Returns:
            The first such request. It may still be running, or have been refused: see its
            ``outcome``.

        A request that came before the keyword was called counts too.

        Example:
        | ${server}=    `Start TFTP Server`    port=0
        | `Upload File`    ${CURDIR}/zImage
        | # Here the board is switched on; in this example `TFTP Get` is the board.
        | `TFTP Get`    ${server.host}    zImage    port=${server.port}
        | ${request}=    `Wait Until File Is Requested`    zImage    60s
        | Log    The board at ${request.client} asked with ${request.requested}
        """
        return self._wait_for_file(Request(name, client), timeout, server, since)

    @keyword("Wait Until File Is Received", tags=("Transfers", "Waiting"))
    def wait_until_file_is_received(
        self,
        name: str,
        timeout: timedelta | None = None,
        *,
        client: str = "",
        min_size: Size = _ANY_SIZE,
        fail_fast: bool = False,
        since: int | None = None,
        server: str = "",
    ) -> Transfer:
        """Waits until a board has uploaded a file to the TFTP server.

        Args:
            name: Name that the board writes, or a glob such as ``*.log``.
            timeout: Time to wait. Default: that of the import, or of `Set TFTP Timeout`.
            client: Address, network or alias of the board. Default: any board.
            min_size: Smallest size in bytes; smaller uploads do not count.
            fail_fast: Whether the wait ends at once when the server refuses the file. Many boards
                ask again after a refusal. Default: wait until the timeout.
            since: Mark from which on uploads count, see `Mark Transfers`. Default: the start of
                the test, or of the suite in a suite setup or teardown.
            server: Alias of the server. Default: the active one.

        Returns:
            The upload.

        When the keyword returns, the file is complete and in the store: `Get TFTP File Text` and
        `Save TFTP File` find it. The server must be started with ``writable=True``.

        Example:
        | ${server}=    `Start TFTP Server`    port=0    writable=True
        | # Here the switch saves its configuration; in this example `TFTP Put` is the switch.
        | `TFTP Put`    ${CURDIR}/startup-config    ${server.host}    port=${server.port}
        | `Wait Until File Is Received`    startup-config    30s    min_size=1
        | `Get TFTP File Text`    startup-config    contains    hostname
        """
        question = Upload(name, client, min_size, fail_fast)
        return self._wait_for_file(question, timeout, server, since)

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
            idle: How long it must be quiet: no transfer running, none starting.
            timeout: Time to wait. Default: that of the import, or of `Set TFTP Timeout`.
            client: Address, network or alias of the board. Default: any board.
            since: Mark from which on transfers count, see `Mark Transfers`. Default: the start of
                the test, or of the suite in a suite setup or teardown.
            server: Alias of the server. Default: the active one.

        Quiet time before the keyword was called counts too. A board that has not asked for
        anything yet is idle as well: wait for its first file with `Wait Until File Is Requested`
        before.

        A transfer whose board went silent is still running, until the server gives it up or the
        same board asks again, as it does after a power cycle.

        Example:
        | ${server}=    `Start TFTP Server`    port=0
        | `Upload File`    ${CURDIR}/zImage
        | # Here the board is switched on; in this example `TFTP Get` is the board.
        | `TFTP Get`    ${server.host}    zImage    port=${server.port}
        | `Wait Until File Is Requested`    zImage    60s
        | `Wait Until Transfers Are Idle`    500ms
        """
        self._wait(Idle(seconds(idle, "idle"), client), timeout, server, since)

    @keyword("Set TFTP Timeout", tags=("Waiting",))
    def set_tftp_timeout(self, timeout: timedelta, *, scope: Scope = Scope.suite) -> timedelta:
        """Sets the time that the ``Wait Until ...`` keywords wait by default.

        Args:
            timeout: Time to wait where a keyword has no ``timeout``.
            scope: How long the setting holds. Then the one before holds again.

        Returns:
            The previous time, so that it can be restored.

        Example:
        | `Start TFTP Server`    port=0
        | ${before}=    `Set TFTP Timeout`    3 min
        | `Set TFTP Timeout`    ${before}
        """
        return timedelta(seconds=self.state.set_timeout(timeout, scope))

    def _wait_for_file(
        self,
        question: Question[Transfer],
        timeout: timedelta | None,
        server: str,
        since: int | None,
    ) -> Transfer:
        """Waits, and logs the transfer that ended the wait."""
        transfer = self._wait(question, timeout, server, since)
        reporting.log_transfer(transfer)
        return transfer

    def _wait(
        self, question: Question[T], timeout: timedelta | None, server: str, since: int | None
    ) -> T:
        watch, limit = self.state.watch(server, since), self.state.timeout(timeout)
        progress = reporting.wait_progress(question.subject, limit)
        return wait_until(question, watch, limit, IN_A_SUITE, progress)
