"""The keywords that start, stop, change and describe TFTP servers."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

from robot.api.deco import keyword

from TftpLibrary.errors import ExpectationError
from TftpLibrary.keywords import reporting
from TftpLibrary.keywords.arguments import takes_settings, to_arguments, to_settings
from TftpLibrary.keywords.base import Keywords, Operator, verify_names, verify_number, verify_text
from TftpLibrary.keywords.conversions import given, seconds
from TftpLibrary.keywords.stations import StartRequest
from TftpLibrary.recording.records import Transfer
from TftpLibrary.settings import ServerSettings
from TftpLibrary.station import Station

_CHANGEABLE = tuple(row for row in ServerSettings.rows if not row.fixed)


class TftpServerInfo(NamedTuple):
    """A TFTP server that was started.

    Attributes:
        alias: its name in the test; `tftp-1` and so on where none was given.
        host: the address that it is bound to.
        port: the port that it is bound to; never 0.
        url: `tftp://host:port/`.
        root: the folder that it serves.
        writable: whether boards may write.
        lab: URL of the lab host where it runs; empty for this machine.
    """

    alias: str
    host: str
    port: int
    url: str
    root: Path
    writable: bool
    lab: str = ""

    @classmethod
    def of(cls, server: Station) -> TftpServerInfo:
        """Describes a running server."""
        return cls(
            alias=server.alias,
            host=server.host,
            port=server.port,
            url=server.url(),
            root=server.root,
            writable=server.settings.writable,
            lab=server.lab,
        )


class ServerKeywords(Keywords):
    """Start, stop, switch, change and ask servers."""

    @keyword("Start TFTP Server", tags=("Server",))
    @takes_settings(ServerSettings.rows)
    def start_tftp_server(
        self,
        root: Path | None = None,
        *,
        host: str = "",
        port: int | None = None,
        alias: str = "",
        lab: str = "",
        **settings: Any,  # the table has the type of each
    ) -> TftpServerInfo:
        """Starts a TFTP server and makes it the active one.

        Args:
            root: Folder to serve. Default: the folder of the import. Without one: a new private
                folder, which is removed when the server stops.
            host: Address to bind: IPv4, IPv6, ``0.0.0.0`` or ``::`` for all, ``auto`` for that of
                the default route. Default: the host of the import.
            port: UDP port to bind, 0 for a free one. Default: the port of the import.
            alias: Name of the server in other keywords. Default: ``tftp-1``, ``tftp-2`` and so on.
            lab: Lab host where the server runs, see `Labs`. Default: the lab of the import.
            **settings: How the server serves.

        Returns:
            A description of the server: alias, host, port, URL, root and whether it is writable.

        The server answers requests when the keyword returns. If a server with the same alias and
        the same settings is already running, the keyword only warns.

        Port 69 needs permission on most systems. If permission is missing, the error message shows
        how to get it.

        Example:
        | ${server}=    `Start TFTP Server`    port=0    alias=dut    writable=True
        | Log    The board finds it at ${server.url}
        """
        given_settings = to_settings(ServerSettings, settings)
        given_settings["host"] = host or self.state.defaults.host
        given_settings["port"] = self.state.defaults.port if port is None else port
        folder = given(root) or self.state.defaults.root
        request = StartRequest(
            folder, ServerSettings(**given_settings), lab or self.state.defaults.lab
        )
        server, is_new = self.state.start(alias, request)
        report = reporting.log_started if is_new else reporting.warn_running
        report(server)
        return TftpServerInfo.of(server)

    @keyword("Stop TFTP Server", tags=("Server",))
    def stop_tftp_server(
        self, server: str = "", *, grace: timedelta = timedelta(0)
    ) -> list[Transfer]:
        """Stops a TFTP server and cleans its files up.

        Args:
            server: Alias of the server. Default: the active one.
            grace: Time for running transfers to finish. Default: none.

        Returns:
            The transfers that were aborted. Each of their boards got an ERROR packet.

        If the server serves a folder that existed before, uploaded files are removed and
        overwritten files are put back, unless the server was started with ``keep_files=True``.

        If no such server is running, the keyword only warns, so it is safe in teardowns.

        Example:
        | `Start TFTP Server`    port=0    alias=dut
        | ${cut}=    `Stop TFTP Server`    dut    grace=2s
        | Should Be Empty    ${cut}
        """
        if not self.state.is_running(server):
            reporting.warn_not_running(self.state.absence(server))
            return []
        stopped = self.state.stop(server, seconds(grace, "grace"))
        reporting.log_stopped([stopped])
        return list(stopped.transfers)

    @keyword("Stop All TFTP Servers", tags=("Server",))
    def stop_all_tftp_servers(self) -> None:
        """Stops every TFTP server that this library started, as `Stop TFTP Server` does.

        Example:
        | `Start TFTP Server`    port=0    alias=left
        | `Start TFTP Server`    port=0    alias=right
        | `Stop All TFTP Servers`
        """
        reporting.log_stopped(self.state.stop_all())

    @keyword("Switch TFTP Server", tags=("Server",))
    def switch_tftp_server(self, server: str) -> str:
        """Makes another TFTP server the active one.

        Args:
            server: Alias of the server that keywords without ``server=`` use from now on.

        Returns:
            The alias of the previously active server.

        When a test ends, the server that was active before the test is active again.

        Example:
        | `Start TFTP Server`    port=0    alias=left
        | `Start TFTP Server`    port=0    alias=right
        | ${previous}=    `Switch TFTP Server`    left
        | Should Be Equal    ${previous}    right
        """
        return self.state.switch(server)

    @keyword("Set TFTP Server Options", tags=("Server",))
    @takes_settings(_CHANGEABLE, all_optional=True)
    def set_tftp_server_options(
        self,
        *,
        server: str = "",
        **settings: Any,  # the table has the type of each
    ) -> dict[str, Any]:
        """Changes settings of a running TFTP server.

        Args:
            **settings: The settings to change.
            server: Alias of the server. Default: the active one.

        Returns:
            The previous values by argument name, so that they can be restored.

        Settings that are not given stay as they are. The change applies to new requests; running
        transfers keep their settings.

        Example:
        | `Start TFTP Server`    port=0
        | ${before}=    `Set TFTP Server Options`    writable=True    max_upload_size=4 MiB
        | `Set TFTP Server Options`    &{before}
        """
        changes = to_settings(ServerSettings, settings)
        before = self.state.server(server).change(**changes)
        return to_arguments(before, changes)

    @keyword("Get TFTP Server", tags=("Server",))
    def get_tftp_server(self, server: str = "") -> TftpServerInfo:
        """Returns a description of a TFTP server.

        Args:
            server: Alias of the server. Default: the active one.

        Returns:
            The same description as `Start TFTP Server` returns.

        Example:
        | `Start TFTP Server`    port=0
        | ${server}=    `Get TFTP Server`
        | Should Be True    ${server.port} > 0
        """
        found = self.state.server(server)
        reporting.log_server(found)
        return TftpServerInfo.of(found)

    @keyword("Get TFTP Servers", tags=("Server", "Assertion"))
    def get_tftp_servers(
        self,
        assertion_operator: Operator = None,
        assertion_expected: Any = None,
        message: str = "",
    ) -> Any:
        """Returns descriptions of all running TFTP servers, and optionally checks their aliases.

        Args:
            assertion_operator: How to compare, see `Assertions`. Default: no check.
            assertion_expected: An alias, or a list of aliases in any order.
            message: Error message to use instead of the default one.

        Returns:
            A list of what `Get TFTP Server` returns, in the order of their start.

        Example:
        | `Start TFTP Server`    port=0    alias=left
        | `Start TFTP Server`    port=0    alias=right
        | ${servers}=    `Get TFTP Servers`    contains    left
        | Log    The last one is at ${servers[-1].url}
        """
        servers = [TftpServerInfo.of(self.state.server(alias)) for alias in self.state.running()]
        aliases = [server.alias for server in servers]
        result = verify_names(
            aliases,
            assertion_operator,
            assertion_expected,
            "TFTP servers",
            message,
            self.state.as_given,
        )
        # The operator `then` has a result of its own.
        return servers if result is aliases else result

    @keyword("Get TFTP Server Host", tags=("Server", "Assertion"))
    def get_tftp_server_host(
        self,
        assertion_operator: Operator = None,
        assertion_expected: Any = None,
        message: str = "",
        *,
        for_client: str = "",
        server: str = "",
    ) -> Any:
        """Returns the address of a TFTP server, and optionally checks it.

        Args:
            assertion_operator: How to compare, see `Assertions`. Default: no check.
            assertion_expected: Address to compare with.
            message: Error message to use instead of the default one.
            for_client: Address or alias of a board. The keyword then returns the address at which
                this board reaches the server, for example for ``setenv serverip`` when the server
                is bound to ``0.0.0.0``. Default: the address to which the server is bound.
            server: Alias of the server. Default: the active one.

        Returns:
            The address.

        With ``for_client`` the keyword fails if the board reaches this machine by another address
        than the one to which the server is bound.

        Example:
        | `Start TFTP Server`    host=127.0.0.1    port=0
        | `Get TFTP Server Host`    ==    127.0.0.1
        | ${serverip}=    `Get TFTP Server Host`    for_client=127.0.0.5
        """
        found = self.state.server(server)
        host = found.address_for(for_client) if for_client else found.host
        return verify_text(host, assertion_operator, assertion_expected, "Host", message)

    @keyword("Get TFTP Server Port", tags=("Server", "Assertion"))
    def get_tftp_server_port(
        self,
        assertion_operator: Operator = None,
        assertion_expected: Any = None,
        message: str = "",
        *,
        server: str = "",
    ) -> Any:
        """Returns the port of a TFTP server, and optionally checks it.

        Args:
            assertion_operator: How to compare, see `Assertions`. Default: no check.
            assertion_expected: Number to compare with.
            message: Error message to use instead of the default one.
            server: Alias of the server. Default: the active one.

        Returns:
            The port to which the server is bound, as an integer.

        Example:
        | `Start TFTP Server`    port=0
        | ${port}=    `Get TFTP Server Port`    >    1023
        """
        port = self.state.server(server).port
        return verify_number(port, assertion_operator, assertion_expected, "Port", message)

    @keyword("Get TFTP Server URL", tags=("Server", "Assertion"))
    def get_tftp_server_url(
        self,
        name: str = "",
        assertion_operator: Operator = None,
        assertion_expected: Any = None,
        message: str = "",
        *,
        server: str = "",
    ) -> Any:
        """Returns the URL of a TFTP server, or of one of its files, and optionally checks it.

        Args:
            name: A file of the server. Default: none; the URL then ends with ``/``.
            assertion_operator: How to compare, see `Assertions`. Default: no check.
            assertion_expected: Text to compare with.
            message: Error message to use instead of the default one.
            server: Alias of the server. Default: the active one.

        Returns:
            ``tftp://host:port/name``.

        Example:
        | `Start TFTP Server`    host=127.0.0.1    port=0
        | ${url}=    `Get TFTP Server URL`    boot/zImage    ends    /boot/zImage
        """
        url = self.state.server(server).url(name)
        return verify_text(url, assertion_operator, assertion_expected, "URL", message)

    @keyword("TFTP Server Should Be Running", tags=("Server", "Assertion"))
    def tftp_server_should_be_running(self, server: str = "") -> None:
        """Fails unless a TFTP server is running.

        Args:
            server: Alias of the server. Default: any server.

        Example:
        | `Start TFTP Server`    port=0    alias=dut
        | `TFTP Server Should Be Running`    dut
        """
        if not self.state.is_running(server):
            raise ExpectationError(str(self.state.no_server(server)))

    @keyword("TFTP Server Should Not Be Running", tags=("Server", "Assertion"))
    def tftp_server_should_not_be_running(self, server: str = "") -> None:
        """Fails if a TFTP server is running.

        Args:
            server: Alias of the server. Default: any server.

        Example:
        | `Start TFTP Server`    port=0    alias=dut
        | `Stop TFTP Server`    dut
        | `TFTP Server Should Not Be Running`    dut
        """
        if self.state.is_running(server):
            found = self.state.server(server)
            raise ExpectationError(
                f"TFTP server '{found.alias}' should not be running, but it is, at {found.url()}."
            )
