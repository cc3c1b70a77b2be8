"""The keywords that assert what boards asked for, and how it went."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TypeVar

from robot.api.deco import keyword

from TftpLibrary.errors import UsageError
from TftpLibrary.fields import words
from TftpLibrary.keywords import reporting
from TftpLibrary.keywords.base import Keywords
from TftpLibrary.keywords.conversions import Rate, Size, seconds
from TftpLibrary.keywords.words import IN_A_SUITE
from TftpLibrary.messages.answers import expect
from TftpLibrary.messages.checks import NoRequest, NothingMissing, Usage
from TftpLibrary.messages.differences import Match, Requests
from TftpLibrary.messages.questions import Download, Question
from TftpLibrary.protocol.packets import Mode
from TftpLibrary.recording.records import Transfer

T = TypeVar("T")


class AssertionKeywords(Keywords):
    """Assert what was requested and transferred; none of them waits."""

    @keyword("File Should Have Been Downloaded", tags=("Transfers", "Assertion"))
    def file_should_have_been_downloaded(
        self,
        name: str,
        *,
        client: str = "",
        times: int | None = None,
        since: int | None = None,
        server: str = "",
    ) -> None:
        """Fails unless a board has downloaded a file from the TFTP server.

        Args:
            name: Name that the board asked for, or a glob such as ``*.dtb``.
            client: Address, network or alias of the board: ``192.168.1.50``. Default: any board.
            times: How often, exactly. Default: once or more.
            since: Mark from which on downloads count, see `Mark Transfers`. Default: the start of
                the test, or of the suite in a suite setup or teardown. 0 is the start of the run.
            server: Alias of the server. Default: the active one.

        The keyword does not wait; `Wait Until File Is Downloaded` does. The error message shows the
        nearest miss and the requests that were seen.

        Example:
        | ${server}=    `Start TFTP Server`    port=0
        | `Upload File`    ${CURDIR}/zImage
        | `TFTP Get`    ${server.host}    zImage    port=${server.port}
        | `Wait Until Transfers Are Idle`    100ms
        | `File Should Have Been Downloaded`    zImage    times=1
        """
        if times is not None and times < 1:
            raise UsageError(
                f"Expected times to be 1 or more, got {times}. `File Should Not Have Been "
                "Requested` is for none."
            )
        question = Download(name, client, times or 1, is_exact=times is not None)
        self._expect(question, server, since)

    @keyword("File Should Not Have Been Requested", tags=("Transfers", "Assertion"))
    def file_should_not_have_been_requested(
        self, name: str, *, client: str = "", since: int | None = None, server: str = ""
    ) -> None:
        """Fails if a board has asked for a file, or begun to write one.

        Args:
            name: Name, or a glob such as ``*.dtb``.
            client: Address, network or alias of the board. Default: any board.
            since: Mark from which on requests count, see `Mark Transfers`. Default: the start of
                the test, or of the suite in a suite setup or teardown. 0 is the start of the run.
            server: Alias of the server. Default: the active one.

        A request counts whatever its outcome, also when it was refused.

        Example:
        | `Start TFTP Server`    port=0
        | # Here the board is switched on. It should boot from its disk.
        | `File Should Not Have Been Requested`    *    client=192.168.1.50
        """
        self._expect(NoRequest(name, client), server, since)

    @keyword("Requests Should Be", tags=("Transfers", "Assertion"))
    def requests_should_be(
        self,
        *names: str,
        client: str = "",
        match: Match = Match.exact,
        since: int | None = None,
        server: str = "",
    ) -> None:
        """Fails unless boards have asked for these files.

        Args:
            names: Names or globs, in the order of the requests. Without a name no request may come.
            client: Address, network or alias of the board. Default: all boards.
            match: ``exact``: these and no others, in this order. ``in_order``: these in this
                order, others may come between them. ``subset``: each of these, in any order;
                others may come too.
            since: Mark from which on requests count, see `Mark Transfers`. Default: the start of
                the test, or of the suite in a suite setup or teardown. 0 is the start of the run.
            server: Alias of the server. Default: the active one.

        Each request counts, also one that was refused, and one that only asked for the size. The
        error message shows both lists side by side.

        Example:
        | ${server}=    `Start TFTP Server`    port=0
        | `Upload Text`    LABEL linux    pxelinux.cfg/default
        | `Upload File`    ${CURDIR}/zImage
        | `TFTP Get`    ${server.host}    pxelinux.cfg/default    port=${server.port}
        | `TFTP Get`    ${server.host}    zImage    port=${server.port}
        | `Requests Should Be`    pxelinux.cfg/*    zImage
        | `Requests Should Be`    zImage    match=subset
        """
        if not names and match is not Match.exact:
            raise UsageError(
                f"match={match.name} needs the name of at least one file, got none: any requests "
                "would do. Without a name and match= no request may come."
            )
        self._expect(Requests(names, client, match), server, since)

    @keyword("No Requested File Should Be Missing", tags=("Transfers", "Assertion"))
    def no_requested_file_should_be_missing(
        self,
        *,
        client: str = "",
        ignore: str | Sequence[str] = "",
        since: int | None = None,
        server: str = "",
    ) -> None:
        """Fails if a board has asked for a file that is not there.

        Args:
            client: Address, network or alias of the board. Default: all boards.
            ignore: Names or globs that may be missing, as a list or separated by commas. Boot
                loaders look for many files that they can do without.
            since: Mark from which on requests count, see `Mark Transfers`. Default: the start of
                the test, or of the suite in a suite setup or teardown. 0 is the start of the run.
            server: Alias of the server. Default: the active one.

        The error message shows which file of the store has a name like the missing one. A file
        that a fault on purpose denied is not missing.

        Example:
        | `Start TFTP Server`    port=0
        | # Here the board is switched on.
        | `No Requested File Should Be Missing`    ignore=pxelinux.cfg/*, *.sig
        """
        self._expect(NothingMissing(client, words(ignore)), server, since)

    @keyword("Transfer Should Have Used", tags=("Transfers", "Assertion"))
    def transfer_should_have_used(
        self,
        name: str,
        *,
        blksize: Size | None = None,
        windowsize: int | None = None,
        mode: Mode | None = None,
        max_retransmits: int | None = None,
        max_duration: timedelta | None = None,
        min_rate: Rate | None = None,
        client: str = "",
        since: int | None = None,
        server: str = "",
    ) -> Transfer:
        """Fails unless the transfer of a file used these options and met these limits.

        Args:
            name: Name, or a glob such as ``*.dtb``. The last completed transfer counts.
            blksize: Block size in bytes that was agreed; 512 where none was.
            windowsize: Window in blocks that was agreed; 1 where none was.
            mode: ``octet`` or ``netascii``.
            max_retransmits: Most packets that the server may have sent again.
            max_duration: Longest time from the request to the end.
            min_rate: Lowest rate in bytes per second, such as ``5 MB/s``.
            client: Address, network or alias of the board. Default: any board.
            since: Mark from which on transfers count, see `Mark Transfers`. Default: the start of
                the test, or of the suite in a suite setup or teardown. 0 is the start of the run.
            server: Alias of the server. Default: the active one.

        Returns:
            The transfer.

        The error message shows everything that was not as expected.

        Example:
        | ${server}=    `Start TFTP Server`    port=0
        | `Upload File`    ${CURDIR}/zImage
        | `TFTP Get`    ${server.host}    zImage    port=${server.port}    blksize=1468
        | `Wait Until File Is Downloaded`    zImage    60s
        | `Transfer Should Have Used`    zImage    blksize=1468    max_retransmits=10
        """
        question = Usage(
            name,
            client,
            blksize=blksize,
            windowsize=windowsize,
            mode=mode,
            max_retransmits=max_retransmits,
            max_duration=None if max_duration is None else seconds(max_duration, "max_duration"),
            min_rate=min_rate,
        )
        transfer = self._expect(question, server, since)
        reporting.log_transfer(transfer)
        return transfer

    def _expect(self, question: Question[T], server: str, since: int | None) -> T:
        return expect(question, self.state.watch(server, since).look(), IN_A_SUITE)
