"""The translation of text between this machine and the wire.

RFC 1350 section 1 (netascii) with RFC 764, section "The NVT printer and keyboard": on the wire a
line ends with CR LF, and a CR that ends no line is CR NUL. Here a line ends with LF, and every
other octet is itself, so that text comes back exactly as it was.

The parts may end anywhere, also between the two octets of a pair.
"""

from __future__ import annotations

_CR = b"\r"


class Encoder:
    """Translates text of this machine to netascii, part by part."""

    def feed(self, octets: bytes | memoryview) -> bytes:
        """Returns the netascii of the next part."""
        # CR first: the CR of a line's end must not get its NUL.
        return bytes(octets).replace(_CR, b"\r\0").replace(b"\n", b"\r\n")

    def finish(self) -> bytes:
        """Returns what is left at the end: nothing, since each octet has its own translation."""
        return b""


class Decoder:
    """Translates netascii to text of this machine, part by part.

    A CR that is followed by neither LF nor NUL breaks the rule; it stays as it is.
    """

    def __init__(self) -> None:
        self._held = b""

    def feed(self, octets: bytes | memoryview) -> bytes:
        """Returns the text of the next part; a CR at its end waits for what follows."""
        text = self._held + bytes(octets)
        self._held = _CR if text.endswith(_CR) else b""
        # LF first: the LF of `CR NUL LF` does not belong to that CR.
        return text[: len(text) - len(self._held)].replace(b"\r\n", b"\n").replace(b"\r\0", _CR)

    def finish(self) -> bytes:
        """Returns what is left at the end of the file: a CR that nothing followed."""
        held, self._held = self._held, b""
        return held
