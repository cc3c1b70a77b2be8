"""The keywords that tell what a TFTP server is, where it is, and whether it runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from robot.api.deco import keyword

from TftpLibrary.errors import ExpectationError
from TftpLibrary.keywords.base import Keywords, Operator, verify_number, verify_text
from TftpLibrary.server import TftpServer


@dataclass(frozen=True, slots=True)
class TftpServerInfo:
    """A TFTP server that was started.

    Attributes:
        alias: its name in the test; `tftp-1` and so on where none was given.
        host: the address that it is bound to.
        port: the port that it is bound to, also where port 0 was asked for.
        url: `tftp://host:port/`.
        root: the folder that it serves.
        writable: whether boards may write.
    """

    alias: str
    host: str
    port: int
    url: str
    root: Path
    writable: bool

    @classmethod
    def of(cls, server: TftpServer) -> TftpServerInfo:
        """Returns what a running server tells about itself."""
        return cls(
            alias=server.alias,
            host=server.host,
            port=server.port,
            url=server.url(),
            root=server.root,
            writable=server.settings.writable,
        )


class ServerInfoKeywords(Keywords):
    """Ask servers what they are."""

    @keyword("Get TFTP Server", tags=("Server",))
    def get_tftp_server(self, alias: str = "") -> TftpServerInfo:
        """Returns what a TFTP server is and where.

        Args:
            alias: The server. Default: the active one.

        Returns:
            The same that `Start TFTP Server` returned.

        Example:
        | `Start TFTP Server`    port=0
        | ${server}=    `Get TFTP Server`
        | Should Be True    ${server.port} > 0
        """
        return TftpServerInfo.of(self.state.server(alias))

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
            message: Text of the failure instead of the usual one.
            for_client: Address of a board. The result is then the address of this machine by which
                that board reaches the server: what ``setenv serverip`` needs when the server is
                bound to ``0.0.0.0``. Default: the address that the server is bound to.
            server: Alias of the server. Default: the active one.

        Returns:
            The address.

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
            message: Text of the failure instead of the usual one.
            server: Alias of the server. Default: the active one.

        Returns:
            The port as an integer: the real one, also where the server was started with 0.

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
            name: A file of the server. Default: none, the URL ends with ``/``.
            assertion_operator: How to compare, see `Assertions`. Default: no check.
            assertion_expected: Text to compare with.
            message: Text of the failure instead of the usual one.
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
    def tftp_server_should_be_running(self, alias: str = "") -> None:
        """Fails unless a TFTP server is running.

        Args:
            alias: The server. Default: any one will do.

        Example:
        | `Start TFTP Server`    port=0    alias=dut
        | `TFTP Server Should Be Running`    dut
        """
        if not self.state.is_running(alias):
            raise ExpectationError(str(self.state.no_server(alias)))

    @keyword("TFTP Server Should Not Be Running", tags=("Server", "Assertion"))
    def tftp_server_should_not_be_running(self, alias: str = "") -> None:
        """Fails if a TFTP server is running.

        Args:
            alias: The server. Default: none at all may run.

        Example:
        | `Start TFTP Server`    port=0    alias=dut
        | `Stop TFTP Server`    dut
        | `TFTP Server Should Not Be Running`    dut
        """
        if self.state.is_running(alias):
            server = self.state.server(alias)
            raise ExpectationError(
                f"TFTP server '{server.alias}' should not be running, but it is, at {server.url()}."
            )
