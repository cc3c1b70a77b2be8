"""The keywords for boards that are TFTP servers: fetch files from them, store files on them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from robot.api.deco import keyword

from TftpLibrary.keywords import reporting
from TftpLibrary.keywords.arguments import takes_settings, to_settings
from TftpLibrary.keywords.base import Keywords, new_place, output_path
from TftpLibrary.keywords.conversions import required, to_path
from TftpLibrary.locations import Location, locate_target, locate_wanted
from TftpLibrary.recording.records import Transfer
from TftpLibrary.settings import ClientSettings
from TftpLibrary.store.names import fetched_path

_takes_settings = takes_settings(ClientSettings.rows)


class ClientKeywords(Keywords):
    """Get and put files as a client."""

    @keyword("TFTP Get", tags=("Client",))
    @_takes_settings
    def tftp_get(
        self,
        host: str,
        name: str = "",
        destination: Path | None = None,
        *,
        port: int = 69,
        lab: str = "",
        **settings: Any,  # the table has the type of each
    ) -> Transfer:
        """Fetches a file from a TFTP server, for example from a boot loader that acts as one.

        Args:
            host: Address or name of the server, or a URL ``tftp://host:port/name``.
            name: File on the server. If the URL has the name, this is the destination.
            destination: Local path, or an existing folder. A relative path starts at the output
                folder of the run; missing folders are made. Default: the last part of the name,
                in the output folder.
            port: UDP port of the server, where ``host`` has none.
            lab: Lab host that asks, see `Labs`. Default: the lab of the import.
            **settings: How to ask.

        Returns:
            The transfer.

        The file appears at its destination when it is complete; a partial file never appears. If
        the server sends an ERROR packet, the keyword fails with its text and code.

        Example:
        | ${router}=    `Start TFTP Server`    host=127.0.0.1    port=0
        | `Upload Text`    hostname router-7    running-config
        | ${transfer}=    `TFTP Get`    127.0.0.1    running-config    port=${router.port}
        | Log    ${transfer.octets} bytes in ${transfer.duration} s
        | File Should Exist    ${OUTPUT DIR}/running-config
        | `TFTP Get`    ${router.url}running-config    ${TEMPDIR}
        """
        has_destination = destination is not None
        place, behind = locate_wanted(host, port, name, has_destination=has_destination)
        path = fetched_path(place.name, output_path(destination or to_path(behind)))
        asking = _asking(place, settings)
        with self.state.new_client(place.host, place.port, asking, lab) as client:
            progress = reporting.transfer_progress(asking.wait)
            transfer = client.get(place.name, new_place(path), progress=progress)
        reporting.log_fetched(transfer, path)
        return transfer

    @keyword("TFTP Put", tags=("Client",))
    @_takes_settings
    def tftp_put(
        self,
        source: Path,
        host: str,
        name: str = "",
        *,
        port: int = 69,
        lab: str = "",
        **settings: Any,  # the table has the type of each
    ) -> Transfer:
        """Stores a file on a TFTP server, for example on a boot loader that receives firmware.

        Args:
            source: Local path.
            host: Address or name of the server, or a URL ``tftp://host:port/name``.
            name: Name on the server. Default: the last part of the source.
            port: UDP port of the server, where ``host`` has none.
            lab: Lab host that asks, see `Labs`. Default: the lab of the import.
            **settings: How to ask.

        Returns:
            The transfer.

        If the server sends an ERROR packet, the keyword fails with its text and code.

        Example:
        | ${router}=    `Start TFTP Server`    host=127.0.0.1    port=0    writable=True
        | `TFTP Put`    ${CURDIR}/firmware.bin    127.0.0.1    port=${router.port}    wait=30s
        | `TFTP File Should Exist`    firmware.bin
        """
        path = required(source, "source")
        place = locate_target(host, port, name, path.name)
        asking = _asking(place, settings)
        with self.state.new_client(place.host, place.port, asking, lab) as client:
            transfer = client.put(
                path, place.name, progress=reporting.transfer_progress(asking.wait)
            )
        reporting.log_transfer(transfer)
        return transfer


def _asking(place: Location, settings: Mapping[str, Any]) -> ClientSettings:
    return ClientSettings(**to_settings(ClientSettings, settings)).with_mode(place.mode)
