"""The keywords for boards that are TFTP servers themselves: fetch from them, store on them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from robot.api.deco import keyword

from TftpLibrary.keywords import reporting
from TftpLibrary.keywords.base import Keywords, output_folder
from TftpLibrary.keywords.conversions import Size, given, required, seconds
from TftpLibrary.keywords.stations import new_client
from TftpLibrary.protocol.packets import Mode
from TftpLibrary.recording.records import Transfer
from TftpLibrary.settings import ClientSettings
from TftpLibrary.station import StationClient
from TftpLibrary.store.names import fetched_path

_BLKSIZE = Size(1428)


class ClientKeywords(Keywords):
    """Get and put files as a client."""

    @keyword("TFTP Get", tags=("Client",))
    def tftp_get(
        self,
        host: str,
        name: str,
        destination: Path | None = None,
        *,
        port: int = 69,
        mode: Mode = Mode.octet,
        blksize: Size = _BLKSIZE,
        windowsize: int = 16,
        timeout: timedelta = timedelta(seconds=1),
        retries: int = 5,
        wait: timedelta = timedelta(0),
    ) -> Transfer:
        """Fetches a file from a TFTP server, for example a boot loader that is one.

        Args:
            host: Address or name of the server.
            name: File on the server.
            destination: Local path, or a folder that exists. Default: the last part of the name,
                in the output folder of the run.
            port: UDP port of the server.
            mode: ``octet``, or ``netascii`` for text.
            blksize: Block size in octets to ask for; 512 asks for nothing.
            windowsize: Blocks of a window to ask for; 1 asks for nothing.
            timeout: Longest wait for an answer before a packet is sent again.
            retries: How often to send again before giving up.
            wait: Time to keep asking until the other side answers at all, for a boot loader that
                opens TFTP for a few seconds only. Default: no longer than the retries take.

        Returns:
            The transfer.

        The file takes its place when it is complete; a part of it is never left there. A TFTP
        error fails with its text and number.

        Example:
        | ${router}=    `Start TFTP Server`    host=127.0.0.1    port=0
        | `Upload Text`    hostname router-7    running-config
        | ${transfer}=    `TFTP Get`    127.0.0.1    running-config    port=${router.port}
        | Log    ${transfer.octets} octets in ${transfer.duration} s
        | File Should Exist    ${OUTPUT DIR}/running-config
        """
        path = fetched_path(name, given(destination) or output_folder())
        settings = ClientSettings(
            mode=mode,
            blksize=blksize,
            windowsize=windowsize,
            timeout=seconds(timeout, "timeout"),
            retries=retries,
            wait=seconds(wait, "wait"),
        )
        with self._client(host, port, settings) as client:
            transfer = client.get(name, path, progress=reporting.transfer_progress())
        reporting.log_fetched(transfer, path)
        return transfer

    @keyword("TFTP Put", tags=("Client",))
    def tftp_put(
        self,
        source: Path,
        host: str,
        name: str = "",
        *,
        port: int = 69,
        mode: Mode = Mode.octet,
        blksize: Size = _BLKSIZE,
        windowsize: int = 16,
        timeout: timedelta = timedelta(seconds=1),
        retries: int = 5,
        wait: timedelta = timedelta(0),
    ) -> Transfer:
        """Stores a file on a TFTP server, for example a boot loader that takes its firmware so.

        Args:
            source: Local path.
            host: Address or name of the server.
            name: Name on the server. Default: the last part of the source.
            port: UDP port of the server.
            mode: ``octet``, or ``netascii`` for text.
            blksize: Block size in octets to ask for; 512 asks for nothing.
            windowsize: Blocks of a window to ask for; 1 asks for nothing.
            timeout: Longest wait for an answer before a packet is sent again.
            retries: How often to send again before giving up.
            wait: Time to keep asking until the other side answers at all, for a boot loader that
                opens TFTP for a few seconds only. Default: no longer than the retries take.

        Returns:
            The transfer.

        A TFTP error fails with its text and number.

        Example:
        | ${router}=    `Start TFTP Server`    host=127.0.0.1    port=0    writable=True
        | `TFTP Put`    ${CURDIR}/firmware.bin    127.0.0.1    port=${router.port}    wait=30s
        | `TFTP File Should Exist`    firmware.bin
        """
        path = required(source, "source")
        settings = ClientSettings(
            mode=mode,
            blksize=blksize,
            windowsize=windowsize,
            timeout=seconds(timeout, "timeout"),
            retries=retries,
            wait=seconds(wait, "wait"),
        )
        with self._client(host, port, settings) as client:
            transfer = client.put(path, name, progress=reporting.transfer_progress())
        reporting.log_transfer(transfer)
        return transfer

    def _client(self, host: str, port: int, settings: ClientSettings) -> StationClient:
        return new_client(host, port, settings, self.state.recorder)
