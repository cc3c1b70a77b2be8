"""The keywords that start, stop and change TFTP servers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from robot.api.deco import keyword

from TftpLibrary.engine.settings import Retransmission, ServerSettings
from TftpLibrary.keywords import reporting
from TftpLibrary.keywords.base import Keywords
from TftpLibrary.keywords.conversions import (
    UNLIMITED,
    Size,
    Unlimited,
    given,
    seconds,
    to_arguments,
    to_settings,
)
from TftpLibrary.keywords.server_info import TftpServerInfo
from TftpLibrary.keywords.state import StartRequest
from TftpLibrary.protocol.options import MAX_BLKSIZE
from TftpLibrary.recording.records import Transfer

Rollover = Literal[0, 1]

_MAX_BLKSIZE = Size(MAX_BLKSIZE)


class ServerKeywords(Keywords):
    """Start, stop, switch and change servers."""

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
