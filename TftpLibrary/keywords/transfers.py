"""The keywords that look at the record of the transfers: the mark, lists, counts and the table."""

from __future__ import annotations

from typing import Any

from robot.api.deco import keyword

from TftpLibrary.keywords import reporting
from TftpLibrary.keywords.base import Keywords, Operator, verify_names, verify_number
from TftpLibrary.protocol.outcome import Outcome
from TftpLibrary.recording.records import Transfer


class TransferKeywords(Keywords):
    """List, count and log transfers."""

    @keyword("Mark Transfers", tags=("Transfers",))
    def mark_transfers(self) -> int:
        """Sets the mark to now: earlier transfers do not count any more.

        Returns:
            The mark, for the argument ``since`` of other keywords.

        Each test begins with a mark, and so does each suite. Set another one if the same file is
        downloaded twice in a test.

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
            client: Address, network or alias of the board. Default: any board.
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
        found = self._select(name, client, outcome, since, server)
        reporting.log_found(found)
        return found

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
            message: Error message to use instead of the default one.
            client: Address, network or alias of the board. Default: any board.
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
        count = len(self._select(name, client, outcome, since, server))
        return verify_number(count, assertion_operator, assertion_expected, "Transfers:", message)

    @keyword("Get Requested Files", tags=("Transfers", "Assertion"))
    def get_requested_files(
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
        """Returns the names that boards asked for, and optionally checks them.

        Args:
            name: Name, or a glob such as ``*.dtb``. Default: all.
            assertion_operator: How to compare, see `Assertions`. Default: no check.
            assertion_expected: Whole name, or list of names. Equality ignores the order, which
                `Requests Should Be` checks. ``contains`` and ``not contains`` take globs such as
                ``*.dtb`` too, and look at every expected name.
            message: Error message to use instead of the default one.
            client: Address, network or alias of the board. Default: any board.
            outcome: How the transfers ended. Default: all, running ones too.
            since: Mark from which on requests count, see `Mark Transfers`. Default: the start of
                the test, or of the suite in a suite setup or teardown. 0 is the start of the run.
            server: Alias of the server. Default: the active one.

        Returns:
            The names as the boards wrote them, each once, in the order of their first requests.

        Example:
        | ${server}=    `Start TFTP Server`    port=0
        | `Upload File`    ${CURDIR}/zImage
        | `TFTP Get`    ${server.host}    zImage    port=${server.port}
        | `Wait Until File Is Downloaded`    zImage    60s
        | `Get Requested Files`    *    ==    zImage
        | `Get Requested Files`    *    not contains    *initrd*
        """
        seen = self._select(name, client, outcome, since, server)
        names = list(dict.fromkeys(transfer.filename for transfer in seen))
        return verify_names(names, assertion_operator, assertion_expected, "Requested:", message)

    @keyword("Log Transfers", tags=("Transfers",))
    def log_transfers(
        self, name: str = "", *, client: str = "", since: int | None = None, server: str = ""
    ) -> None:
        """Logs the transfers that were seen as a table with a bar for each on one time axis.

        It shows which board fetched which file and when, including refused requests and running
        transfers.

        Args:
            name: Name that was asked for, or a glob. Default: all.
            client: Address, network or alias of the board. Default: any board.
            since: Mark from which on transfers count, see `Mark Transfers`. Default: the start of
                the test, or of the suite in a suite setup or teardown. 0 is the start of the run.
            server: Alias of the server. Default: all servers, and the transfers of `TFTP Get` and
                `TFTP Put`.

        Example:
        | `Start TFTP Server`    port=0
        | `Log Transfers`
        """
        watch = self.state.watch(server, since) if server else self.state.watch_all(since)
        reporting.log_transfers(watch.look().of(name, client))

    def _select(
        self, name: str, client: str, outcome: Outcome | None, since: int | None, server: str
    ) -> list[Transfer]:
        return list(self.state.watch(server, since).look().select(name, client, outcome))
