"""The location of a file on a TFTP server: host, port and name, in each way to write them.

`tftp://host:port/name` is the form of RFC 3617. A host may have its port behind a colon, too.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote

from TftpLibrary.errors import UsageError

TFTP_PORT = 69
"""The port of requests, where none is given."""

# Patterns are compiled where they are first used: an import takes milliseconds less.
_HOST_AND_PORT = r"(\[[^\[\]]*\]|[^:\[\]/]*):(\d+)"
_BRACKETS = r"\[([^\[\]]*)\]"
_MODE = r"(?i);mode=(\w+)$"


class Location(NamedTuple):
    """A file on a TFTP server.

    Attributes:
        host: address or name of the server.
        port: its request port.
        name: the name of the file there; empty where none was given.
        mode: the mode that a URL asks for, such as `netascii`; empty where it has none.
    """

    host: str
    port: int
    name: str = ""
    mode: str = ""

    @property
    def is_file(self) -> bool:
        """Whether a file is named, and not a folder or nothing."""
        return self.name[-1:] not in ("", "/")


def has_port(host: str) -> bool:
    """Whether a text is more than a host: it is a URL, or has a port behind a colon."""
    return "://" in host or re.fullmatch(_HOST_AND_PORT, host.strip()) is not None


def locate(host: str, port: int = TFTP_PORT, name: str = "") -> Location:
    """Finds host, port and name in the text that a user wrote.

    A URL that ends with `/`, or with the host, takes the name behind it. Any other URL has the
    name of the file already.

    Args:
        host: address or name of a server, also with a port, or a URL `tftp://host:port/name`.
        port: the port where `host` has none.
        name: the name of the file; empty where the URL has it.

    Raises:
        UsageError: it is another kind of URL or a path, or name or port are given twice.
    """
    text, mode = host.strip(), ""
    scheme, is_url, rest = text.partition("://")
    if is_url:
        if scheme.lower() != "tftp":
            raise UsageError(f"'{scheme}://' is no TFTP server. Expected tftp://host/name.")
        text, _, path = rest.partition("/")
        path, mode = _split_mode(path)
        name = _joined(path, name)
    elif "/" in text or "\\" in text:
        raise UsageError(
            f"'{text}' is a path, and no host. To get a file the host comes first, to put one the "
            "file comes first."
        )
    return Location(*_split_port(text, port), name, mode)


def locate_wanted(
    host: str, port: int, name: str, *, has_destination: bool
) -> tuple[Location, str]:
    """Finds the file that a user wants from a server.

    The text behind a URL that has the name already is the destination, as in `get URL DEST`.

    Returns:
        The file, and the destination that stood in the place of the name, if it did.

    Raises:
        UsageError: no file is named, or as `locate`.
    """
    place = locate(host, port)
    if place.is_file and not has_destination:
        return place, name
    place = locate(host, port, name)
    if not place.name:
        raise UsageError("No file is named. Give its name behind the host, or in a tftp:// URL.")
    return place, ""


def locate_target(host: str, port: int, name: str, default: str) -> Location:
    """Finds where a file goes on a server; under the default name where there is no other.

    Raises:
        UsageError: as `locate`.
    """
    return locate(host, port, name if locate(host, port).is_file else name or default)


def _split_mode(path: str) -> tuple[str, str]:
    match = re.search(_MODE, path)
    return unquote(path[: match.start()] if match else path), match[1].lower() if match else ""


def _joined(path: str, name: str) -> str:
    if name and path and not path.endswith("/"):
        raise UsageError(
            f"The file is named twice: '{path}' in the URL, and '{name}'. Give one of them."
        )
    return path + name


def _split_port(text: str, port: int) -> tuple[str, int]:
    match = re.fullmatch(_HOST_AND_PORT, text)
    if match is not None:
        text, own = match[1], int(match[2])
        if port not in (TFTP_PORT, own):
            raise UsageError(f"There are two ports: {own} behind the host, and port={port}.")
        port = own
    brackets = re.fullmatch(_BRACKETS, text)
    return brackets[1] if brackets else text, port
