"""The limits of a lab: the folders, the room and the boards that runners may use there."""

from __future__ import annotations

import os
import socket
import tempfile
from pathlib import Path
from typing import NamedTuple

from TftpLibrary.errors import UsageError
from TftpLibrary.networks import Mac, holds, is_within, parse_clients
from TftpLibrary.settings import ServerSettings
from TftpLibrary.sizes import size_text


class Limits(NamedTuple):
    """What runners may do at a lab.

    Attributes:
        roots: folders of the lab host that may be served, with all below them.
        space: bytes that the private folders of all sessions may have together; None for no limit.
        clients: the boards that may be served and asked; empty for all.
        folder: where private folders are made.
    """

    roots: tuple[Path, ...] = ()
    space: int | None = None
    clients: tuple[str, ...] = ()
    folder: Path | None = None

    def check_root(self, root: str | None, settings: ServerSettings) -> Path | None:
        """Returns a folder that may be served; None for a private one.

        Raises:
            UsageError: it may not, or links lead out of it.
        """
        if settings.follow_symlinks:
            raise UsageError(
                "follow_symlinks=True lets a runner read every file of the lab host, so a lab "
                "refuses it. Copy the files with `Upload File`."
            )
        if root is None:
            return None
        host = socket.gethostname()
        found = Path(root)
        if not any(_resolved(found).is_relative_to(_resolved(each)) for each in self.roots):
            allowed = ", ".join(map(str, self.roots)) or "none"
            raise UsageError(
                f"The root '{root}' is no folder that the lab {host} allows (it allows: "
                f"{allowed}). With lab=, root= is a folder of the lab host, which "
                "'tftplibrary lab --allow-root' allows there; `Upload Folder` brings files from "
                "this machine."
            )
        if not found.is_dir():
            raise UsageError(
                f"The root '{root}' is not on the lab host {host}. With lab=, root= is a folder "
                "of the lab host; `Upload Folder` brings files from this machine."
            )
        return found

    def settings(self, settings: ServerSettings) -> ServerSettings:
        """Returns settings within the limits.

        Raises:
            UsageError: they name boards that this lab does not serve.
        """
        if self.space is not None:
            most = max(0, self.space - self.used)
            given = settings.max_upload_size
            settings = settings.changed({"max_upload_size": min(most, given or most)})
        if not self.clients:
            return settings
        if not settings.clients:
            return settings.changed({"clients": self.clients})
        allowed = parse_clients(self.clients)
        for named in parse_clients(settings.clients):
            if not any(holds(each, named) for each in allowed):
                raise UsageError(
                    f"clients={named} is not served at this lab, which is for "
                    f"{', '.join(self.clients)}."
                )
        return settings

    def check_host(self, host: str) -> None:
        """Refuses a board that clients may not ask.

        Raises:
            UsageError: it is none of the boards of this lab.
        """
        if not self.clients:
            return
        named = parse_clients(self.clients)
        networks = [each for each in named if not isinstance(each, Mac)]
        try:
            infos = socket.getaddrinfo(host, 0, type=socket.SOCK_DGRAM)
        except OSError:
            # The client says what is wrong with it.
            return
        if not all(is_within(str(info[4][0]), networks) for info in infos):
            raise UsageError(
                f"The board '{host}' is not one of this lab, which is for "
                f"{', '.join(self.clients)}."
            )

    def check_room(self, size: int | None) -> None:
        """Refuses what has no room.

        Raises:
            UsageError: the sessions would have more than `space`.
        """
        if self.space is None:
            return
        used = self.used
        if used + (size or 0) > self.space:
            raise UsageError(
                f"The lab has no room: {size_text(size or 0)} are needed, and "
                f"{size_text(max(0, self.space - used))} of {size_text(self.space)} are free. "
                "Delete files, or raise --max-space there."
            )

    @property
    def used(self) -> int:
        """Bytes of all files below the folder of the private folders."""
        octets = 0
        for folder, _, names in os.walk(self.folder or tempfile.gettempdir()):
            for name in names:
                try:
                    octets += Path(folder, name).lstat().st_size
                except OSError:
                    continue
        return octets


def _resolved(path: Path) -> Path:
    return path.resolve()
