"""The keywords that ask for faults on purpose, wait for them, and clear them."""

from __future__ import annotations

from datetime import timedelta

from robot.api.deco import keyword

from TftpLibrary.errors import ExpectationError, UsageError
from TftpLibrary.faults.reports import TftpFault
from TftpLibrary.keywords import reporting
from TftpLibrary.keywords.base import Keywords
from TftpLibrary.station import StationFaults


class FaultCheckKeywords(Keywords):
    """Ask for faults, and clear them."""

    @keyword("TFTP Fault Should Have Happened", tags=("Faults", "Assertion"))
    def tftp_fault_should_have_happened(
        self, fault: str, *, times: int | None = None, client: str = "", server: str = ""
    ) -> TftpFault:
        """Fails unless a fault happened.

        Args:
            fault: Name of the fault, as `Inject TFTP Fault` and others return it.
            times: How often it must have happened; 0 for never. Default: at least once.
            client: Address, network or alias of the board that it must have happened to. Default:
                any board.
            server: Alias of the server. Default: the one that has the fault.

        Returns:
            The fault, with what it did.

        The error message shows the nearest miss: which transfers passed by the fault, and why it
        left their packets alone.

        Example:
        | ${server}=    `Start TFTP Server`    port=0
        | `Create Test File`    zImage    100 kB
        | ${lost}=    `Inject TFTP Fault`    drop    DATA 3    file=zImage
        | # Here the board is switched on; in this example `TFTP Get` is the board.
        | `TFTP Get`    ${server.url}zImage
        | ${fault}=    `TFTP Fault Should Have Happened`    ${lost}    times=1
        | Log    It happened ${fault.first_at} seconds after the injection.
        """
        place = self.state.injected.ask_for(fault, self._at(server))
        found = place.expect(fault, times=times, client=client)
        reporting.log_faults([found])
        return found

    @keyword("All TFTP Faults Should Have Happened", tags=("Faults", "Assertion"))
    def all_tftp_faults_should_have_happened(self, *, server: str = "") -> list[TftpFault]:
        """Fails unless every fault happened; those with ``probability`` or ``every`` need not.

        Args:
            server: Alias of the server. Default: the faults of all servers, and of our client.

        Returns:
            The faults, with what they did.

        It fits a test teardown: without it a fault that did not happen is only a warning.

        Example:
        | ${server}=    `Start TFTP Server`    port=0
        | `Create Test File`    zImage    100 kB
        | `Inject TFTP Fault`    drop    DATA 3    file=zImage
        | `Inject TFTP Fault`    duplicate    ACK last    file=zImage
        | # Here the board is switched on; in this example `TFTP Get` is the board.
        | `TFTP Get`    ${server.url}zImage
        | `All TFTP Faults Should Have Happened`
        """
        found: list[TftpFault] = []
        misses: list[str] = []
        for place in self._places(server):
            self.state.injected.ask_for_all(place)
            reports = place.reports()
            found += [report.fault for report in reports]
            misses += place.misses(reports)
        reporting.log_faults(found)
        if misses:
            raise ExpectationError("\n".join(misses))
        return found

    @keyword("Wait Until TFTP Fault Has Happened", tags=("Faults", "Waiting"))
    def wait_until_tftp_fault_has_happened(
        self,
        fault: str,
        timeout: timedelta | None = None,
        *,
        times: int = 1,
        client: str = "",
        server: str = "",
    ) -> TftpFault:
        """Waits until a fault has happened, for example until a board has come to a block.

        Args:
            fault: Name of the fault, as `Inject TFTP Fault` and others return it.
            timeout: Time to wait. Default: that of the import, or of `Set TFTP Timeout`.
            times: How often it must have happened at least.
            client: Address, network or alias of the board that it must have happened to. Default:
                any board.
            server: Alias of the server. Default: the one that has the fault.

        Returns:
            The fault, with what it did.

        A fault that happened before the keyword was called counts too. The error message is that
        of `TFTP Fault Should Have Happened`.

        Example:
        | ${server}=    `Start TFTP Server`    port=0
        | `Create Test File`    zImage    100 kB
        | ${there}=    `Inject TFTP Fault`    delay    DATA 3    delay=10 ms
        | # Here the board is switched on; in this example `TFTP Get` is the board.
        | `TFTP Get`    ${server.url}zImage
        | `Wait Until TFTP Fault Has Happened`    ${there}    60s
        """
        if times < 1:
            raise UsageError(f"times= must be 1 or more, got {times}.")
        place = self.state.injected.ask_for(fault, self._at(server))
        limit = self.state.timeout(timeout)
        found = place.wait_until_happened(fault, limit, times=times, client=client)
        reporting.log_faults([found])
        return found

    @keyword("Get TFTP Faults", tags=("Faults",))
    def get_tftp_faults(self, *, server: str = "") -> list[TftpFault]:
        """Returns the faults that are in force, with what they did.

        Args:
            server: Alias of the server. Default: the faults of all servers, and of our client.

        Returns:
            The faults of each server in the order of their injection.

        Example:
        | `Start TFTP Server`    port=0
        | `Inject TFTP Fault`    drop    DATA 3    file=zImage
        | ${faults}=    `Get TFTP Faults`
        | Should Be Equal    ${faults[0].text}    drop DATA 3 of 'zImage'
        """
        found = [report.fault for place in self._places(server) for report in place.reports()]
        reporting.log_faults(found)
        return found

    @keyword("Clear TFTP Faults", tags=("Faults",))
    def clear_tftp_faults(self, fault: str = "", *, server: str = "") -> int:
        """Ends a fault, or all of them.

        Args:
            fault: Name of the fault. Default: all faults; then links are perfect again, too.
            server: Alias of the server. Default: the one that has the fault; for all faults those
                of all servers, and of our client.

        Returns:
            The number of faults that ended.

        Packets that are late on purpose still arrive.

        Example:
        | `Start TFTP Server`    port=0
        | ${denied}=    `Deny File`    zImage    after=1
        | `Set TFTP Link Quality`    loss=2 %
        | `Clear TFTP Faults`    ${denied}
        | `Clear TFTP Faults`
        """
        injected = self.state.injected
        places = [injected.place_of(fault, self._at(server))] if fault else self._places(server)
        ended = [each for place in places for each in injected.clear(place, fault)]
        reporting.log_ended(ended)
        return len(ended)

    def _at(self, server: str) -> StationFaults | None:
        """Returns the faults of a server; None for those of all servers, and of our client."""
        return self.state.server(server).faults if server else None

    def _places(self, server: str) -> list[StationFaults]:
        return [self.state.server(server).faults] if server else self.state.injected.places()
