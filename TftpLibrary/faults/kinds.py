"""The kinds of faults: what each does to a packet, and the arguments that it takes."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from TftpLibrary.errors import UsageError
from TftpLibrary.spelling import unknown


class FaultKind(str, Enum):
    """The fault that happens to a packet, as the other side sees it.

    | ``drop``           | The packet does not arrive. |
    | ``duplicate``      | It arrives again, ``copies`` times, ``delay`` later. |
    | ``delay``          | It arrives ``delay`` later; what follows does not wait for it. |
    | ``reorder``        | The next ``number`` packets overtake it, within ``delay``. |
    | ``corrupt``        | ``number`` bits of its content are wrong, this time only. |
    | ``short_block``    | A block has ``size`` bytes, by default half: the file seems to end. |
    | ``long_block``     | A block has ``size`` bytes too many. |
    | ``runt``           | The packet is cut to ``size`` bytes, fewer than its header has. |
    | ``wrong_block``    | The block has another number: ``number`` is ``+1``, ``-1`` or it. |
    | ``wrong_tid``      | It comes from another port instead. |
    | ``stray``          | A stranger's packet of this kind comes from another port, just before. |
    | ``bad_opcode``     | It begins with the opcode ``number``, which TFTP does not have. |
    | ``error``          | An error packet comes instead, and then nothing more. |
    | ``unterminated``   | An error packet or option answer lacks its last zero byte. |
    | ``ignore_options`` | The answer is that of a server without options, or without ``options``. |
    | ``wrong_oack``     | The option answer says other values than are used. |
    | ``stall``          | From this packet on nothing goes either way, for ``duration``. |
    | ``vanish``         | From this packet on the port is closed. |
    """

    drop = "drop"
    duplicate = "duplicate"
    delay = "delay"
    reorder = "reorder"
    corrupt = "corrupt"
    short_block = "short_block"
    long_block = "long_block"
    runt = "runt"
    wrong_block = "wrong_block"
    wrong_tid = "wrong_tid"
    stray = "stray"
    bad_opcode = "bad_opcode"
    error = "error"
    unterminated = "unterminated"
    ignore_options = "ignore_options"
    wrong_oack = "wrong_oack"
    stall = "stall"
    vanish = "vanish"

    __str__ = str.__str__


class Traits(NamedTuple):
    """The properties of a kind.

    Attributes:
        packet: the packet that is meant where none is named.
        takes: the arguments that it takes, beyond scope and count.
        only: the packets that it can strike; empty means every packet.
        is_forged: whether it changes a packet that this end sends: it has no effect on others.
        is_of_server: whether only a server can do it.
        is_of_content: whether it changes content: a packet without any is left alone.
    """

    packet: str = "DATA"
    takes: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    is_forged: bool = False
    is_of_server: bool = False
    is_of_content: bool = False


_BLOCKS = ("DATA", "ACK")
_PACKETS = (*_BLOCKS, "OACK", "ERROR", "RRQ", "WRQ", "REQUEST", "ANSWER")
_REQUESTS = ("RRQ", "WRQ", "request")

TRAITS: dict[FaultKind, Traits] = {
    FaultKind.drop: Traits(),
    FaultKind.duplicate: Traits(takes=("copies", "delay")),
    FaultKind.delay: Traits(takes=("delay",)),
    FaultKind.reorder: Traits(takes=("number", "delay")),
    FaultKind.corrupt: Traits(
        takes=("number",), only=("DATA",), is_forged=True, is_of_content=True
    ),
    FaultKind.short_block: Traits(
        takes=("size",), only=("DATA",), is_forged=True, is_of_content=True
    ),
    FaultKind.long_block: Traits(takes=("size",), only=("DATA",), is_forged=True),
    FaultKind.runt: Traits(takes=("size",), is_forged=True),
    FaultKind.wrong_block: Traits(takes=("number",), only=_BLOCKS, is_forged=True),
    FaultKind.wrong_tid: Traits(is_forged=True),
    FaultKind.stray: Traits(is_forged=True),
    FaultKind.bad_opcode: Traits(takes=("number",), is_forged=True),
    FaultKind.error: Traits(takes=("code", "message"), is_forged=True),
    FaultKind.unterminated: Traits("ERROR", only=("ERROR", "OACK"), is_forged=True),
    FaultKind.ignore_options: Traits(
        "request", takes=("options",), only=_REQUESTS, is_of_server=True
    ),
    FaultKind.wrong_oack: Traits(
        "OACK", takes=("options", "padding"), only=("OACK",), is_forged=True, is_of_server=True
    ),
    FaultKind.stall: Traits(takes=("duration",)),
    FaultKind.vanish: Traits(),
}

_DROP = "One packet is lost with 'drop'; a share of all with Set TFTP Link Quality    loss=2 %."
_SLOW = "One packet is late with 'delay'; all are with Set TFTP Link Quality    delay=20 ms."
_REST = "'stall' lets nothing pass from a packet on."
_GONE = "'vanish' closes the port from a packet on."
HINTS = {
    "loss": _DROP,
    "lose": _DROP,
    "packet_loss": _DROP,
    "latency": _SLOW,
    "lag": _SLOW,
    "jitter": _SLOW,
    "truncate": (
        "'short_block' makes one block shorter; a whole file ends early with "
        "Damage TFTP File    NAME    truncate."
    ),
    "oversize": "'long_block' makes a block longer.",
    "no_reply": "A request without an answer is Inject TFTP Fault    drop    request.",
    "no_oack": "'ignore_options' answers as a server without options.",
    "wrong_tsize": "Inject TFTP Fault    wrong_oack    options=tsize=1 tells a wrong size.",
    "timeout": _REST,
    "blackhole": _REST,
    "silence": _REST,
    "disconnect": _GONE,
    "reset": _GONE,
    "throttle": "Set TFTP Link Quality    rate=1 MB/s limits the rate.",
    "bandwidth": "Set TFTP Link Quality    rate=1 MB/s limits the rate.",
    "rate": "Set TFTP Link Quality    rate=1 MB/s limits the rate.",
    "deny": "Deny File    NAME refuses a file.",
    "flip_bit": "Damage TFTP File    NAME    flip_bit changes a file each time it is sent.",
}
"""Words of other tools for a fault, and what to write here."""


def parse_kind(text: str) -> FaultKind:
    """Returns the kind of a name; case, spaces and dashes do not matter.

    Raises:
        UsageError: there is none; the text has the nearest name, or what to write.
    """
    plain = text.strip().lower().replace(" ", "_").replace("-", "_")
    if plain in FaultKind.__members__:
        return FaultKind[plain]
    if plain in HINTS:
        raise UsageError(f"There is no fault '{text}'. {HINTS[plain]}")
    first, _, rest = text.strip().partition(" ")
    if first.lower() in FaultKind.__members__:
        raise UsageError(
            f"There is no fault '{text}'. The packet is an argument of its own: "
            f"{first.lower()}    {rest.strip()}"
        )
    if first.upper() in _PACKETS:
        raise UsageError(
            f"There is no fault '{text}'. First comes what happens, then the packet: drop    {text}"
        )
    raise UsageError(unknown("fault", text, FaultKind.__members__))
