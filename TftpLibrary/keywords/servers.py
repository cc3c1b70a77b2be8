"""The keywords that start, stop and change TFTP servers, and say what and where they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from robot.api.deco import keyword

from TftpLibrary.errors import ExpectationError
from TftpLibrary.keywords import reporting
from TftpLibrary.keywords.base import Keywords, Operator, verify_number, verify_text
from TftpLibrary.keywords.conversions import (
    UNLIMITED,
    Size,
    Unlimited,
    given,
    seconds,
    to_arguments,
    to_settings,
)
from TftpLibrary.keywords.stations import StartRequest
from TftpLibrary.protocol.options import MAX_BLKSIZE
from TftpLibrary.recording.records import Transfer
from TftpLibrary.settings import Retransmission, ServerSettings
from TftpLibrary.station import Station

Rollover = Literal[0, 1]

_MAX_BLKSIZE = Size(MAX_BLKSIZE)


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
    def of(cls, server: Station) -> TftpServerInfo:
        """Returns what a running server tells about itself."""
        return cls(
            alias=server.alias,
            host=server.host,
            port=server.port,
            url=server.url(),
            root=server.root,
            writable=server.settings.writable,
        )


class ServerKeywords(Keywords):
    """Start, stop, switch, change and ask servers."""

    @keyword("Start TFTP Server", tags=("Server",))
    def start_tftp_server(
        self,
        root: Path | None = None,
        *,
        host: str = "",
        port: int | None = None,
        alias: str = "",
        writable: bool = False,
        create: bool = True,
        overwrite: bool = False,
        max_upload_size: Size | Unlimited = UNLIMITED,
        timeout: timedelta = timedelta(seconds=1),
        retries: int = 5,
        max_blksize: Size = _MAX_BLKSIZE,
        max_windowsize: int = 64,
        refuse_options: str | Sequence[str] = "",
        single_port: bool = False,
        port_range: str = "",
        clients: str | Sequence[str] = "",
        follow_symlinks: bool = False,
        rollover: Rollover = 0,
        max_transfers: int = 500,
        retransmission: Retransmission = Retransmission.adaptive,
        offload: bool = True,
        keep_files: bool = False,
    ) -> TftpServerInfo:
        """Starts a TFTP server and makes it the active one.

        Args:
            root: Folder to serve. Default: that of the import, or else a new private folder, which
                is removed when the server stops.
            host: Address to bind: IPv4, IPv6, ``0.0.0.0`` or ``::`` for all, ``auto`` for that of
                the default route. Default: that of the import.
            port: UDP port to bind, 0 for a free one. Default: that of the import.
            alias: Name of this server in the other keywords. Default: ``tftp-1``, ``tftp-2`` ...
            writable: Whether boards may upload. By default the server is read-only.
            create: Whether a board may upload a file that does not exist yet.
            overwrite: Whether a board may replace a file that exists.
            max_upload_size: Largest file in octets that a board may upload.
            timeout: Longest wait for an answer before a packet is sent again.
            retries: How often to send again before the server gives up.
            max_blksize: Largest block size in octets that the server grants.
            max_windowsize: Largest window in blocks that the server grants.
            refuse_options: Options that this server does not know, as a list or separated by
                commas. Default: it knows all.
            single_port: Whether transfers run on the server's own port, which NAT and containers
                need. By default each has a port of its own.
            port_range: Ports for the transfers, such as ``6000-6100``. Default: any.
            clients: Addresses and networks that are served, as a list or separated by commas, such
                as ``192.168.1.0/24``. Default: everyone.
            follow_symlinks: Whether symbolic links may lead out of the root.
            rollover: Block number that follows 65535, 0 or 1.
            max_transfers: Transfers at once; the server refuses more.
            retransmission: ``adaptive`` follows the measured round trip, and sends windows that
                get lost in bursts that a board with few receive buffers can take. ``fixed`` waits
                for ``timeout`` each time, and sends whole windows always.
            offload: Whether a window may leave in one system call. Without it a capture that
                another program makes on this machine shows each packet by itself.
            keep_files: Whether the files stay as they are when the server stops. By default what
                was added is removed and what was overwritten is put back.

        Returns:
            What the server is and where.

        When the keyword returns, the server answers. A server with the same alias and the same
        settings that runs already is not started again: that is a warning.

        Port 69 needs a right on most systems. The message of the failure tells how to get it, or
        use another port.

        Example:
        | ${server}=    `Start TFTP Server`    port=0    alias=dut    writable=True
        | Log    The board finds it at ${server.url}
        """
        settings = ServerSettings(
            **to_settings(
                host=host or self.state.defaults.host,
                port=self.state.defaults.port if port is None else port,
                writable=writable,
                create=create,
                overwrite=overwrite,
                max_upload_size=max_upload_size,
                timeout=timeout,
                retries=retries,
                max_blksize=max_blksize,
                max_windowsize=max_windowsize,
                refuse_options=refuse_options,
                single_port=single_port,
                port_range=port_range,
                clients=clients,
                rollover=rollover,
                max_transfers=max_transfers,
                retransmission=retransmission,
                offload=offload,
            )
        )
        folder = given(root) or self.state.defaults.root
        request = StartRequest(folder, settings, keep_files, follow_symlinks)
        server, is_new = self.state.start(alias, request)
        report = reporting.log_started if is_new else reporting.warn_running
        report(server)
        return TftpServerInfo.of(server)

    @keyword("Stop TFTP Server", tags=("Server",))
    def stop_tftp_server(
        self, alias: str = "", *, grace: timedelta = timedelta(0)
    ) -> list[Transfer]:
        """Stops a TFTP server and cleans its files up.

        Args:
            alias: The server. Default: the active one.
            grace: Time that running transfers get to come to their end. Default: none.

        Returns:
            The transfers that were cut short. Each of their boards got an ERROR packet.

        What was uploaded to a folder that was there before is removed, and what was overwritten
        is put back, unless the server was started with ``keep_files=True``. That no such server
        is running is a warning, not a failure, so that teardowns are simple.

        Example:
        | `Start TFTP Server`    port=0    alias=dut
        | ${cut}=    `Stop TFTP Server`    dut    grace=2s
        | Should Be Empty    ${cut}
        """
        if not self.state.is_running(alias):
            reporting.warn_not_running(self.state.absence(alias))
            return []
        stopped = self.state.stop(alias, seconds(grace, "grace"))
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
    def switch_tftp_server(self, alias: str) -> str:
        """Makes another TFTP server the active one.

        Args:
            alias: The server that keywords mean from now on when they are not told another.

        Returns:
            The alias of the server that was active before.

        What a test switched is switched back when the test ends.

        Example:
        | `Start TFTP Server`    port=0    alias=left
        | `Start TFTP Server`    port=0    alias=right
        | ${previous}=    `Switch TFTP Server`    left
        | Should Be Equal    ${previous}    right
        """
        return self.state.switch(alias)

    @keyword("Set TFTP Server Options", tags=("Server",))
    def set_tftp_server_options(
        self,
        *,
        writable: bool | None = None,
        create: bool | None = None,
        overwrite: bool | None = None,
        max_upload_size: Size | Unlimited | None = None,
        timeout: timedelta | None = None,
        retries: int | None = None,
        max_blksize: Size | None = None,
        max_windowsize: int | None = None,
        refuse_options: str | Sequence[str] | None = None,
        port_range: str | None = None,
        clients: str | Sequence[str] | None = None,
        rollover: Rollover | None = None,
        max_transfers: int | None = None,
        retransmission: Retransmission | None = None,
        offload: bool | None = None,
        server: str = "",
    ) -> dict[str, Any]:
        """Changes a running TFTP server; the next request finds it changed.

        Args:
            writable: Whether boards may upload.
            create: Whether a board may upload a file that does not exist yet.
            overwrite: Whether a board may replace a file that exists.
            max_upload_size: Largest file in octets that a board may upload.
            timeout: Longest wait for an answer before a packet is sent again.
            retries: How often to send again before the server gives up.
            max_blksize: Largest block size in octets that the server grants.
            max_windowsize: Largest window in blocks that the server grants.
            refuse_options: Options that this server does not know, as a list or separated by
                commas; an empty text is none.
            port_range: Ports for the transfers, such as ``6000-6100``; an empty text is any.
            clients: Addresses and networks that are served, as a list or separated by commas; an
                empty text is everyone.
            rollover: Block number that follows 65535, 0 or 1.
            max_transfers: Transfers at once; the server refuses more.
            retransmission: ``adaptive`` or ``fixed``.
            offload: Whether a window may leave in one system call.
            server: Alias of the server. Default: the active one.

        Returns:
            The values that were in force before, under the names of the arguments, so that they
            can be given back.

        What is not given stays as it is. Transfers that are running are not changed.

        Example:
        | `Start TFTP Server`    port=0
        | ${before}=    `Set TFTP Server Options`    writable=True    max_upload_size=4 MiB
        | `Set TFTP Server Options`    &{before}
        """
        changes = to_settings(
            writable=writable,
            create=create,
            overwrite=overwrite,
            max_upload_size=max_upload_size,
            timeout=timeout,
            retries=retries,
            max_blksize=max_blksize,
            max_windowsize=max_windowsize,
            refuse_options=refuse_options,
            port_range=port_range,
            clients=clients,
            rollover=rollover,
            max_transfers=max_transfers,
            retransmission=retransmission,
            offload=offload,
        )
        before = self.state.server(server).change(**changes)
        return to_arguments(before, changes)

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
