"""Changed packets: octets in, octets out, one function for each kind that forges."""

from __future__ import annotations

from collections.abc import Callable

from TftpLibrary.errors import PacketError
from TftpLibrary.faults.chance import share
from TftpLibrary.faults.kinds import FaultKind
from TftpLibrary.faults.rules import Rule, parse_options
from TftpLibrary.faults.tracking import Passing
from TftpLibrary.protocol.packets import HEADER_SIZE, Error, Oack, Options, decode

_UNKNOWN_OPCODE = 9
_RUNT_SIZE = 3
_INVERTED = bytes(range(255, -1, -1))
_REMOVED = "-"
_MOST_FLIPS = 3
ERROR_TEXT = "Error on purpose"


def forged(rule: Rule, passing: Passing, octets: bytes) -> bytes:
    """Returns the changed packet.

    Args:
        rule: of a kind that changes packets.
        passing: the packet as the rules see it.
        octets: the datagram, which an earlier rule may have changed.
    """
    return _FORGERS[rule.kind](rule, passing, octets)


def strangers(octets: bytes) -> bytes:
    """Returns a packet of the same kind and number with another content."""
    return octets[:HEADER_SIZE] + octets[HEADER_SIZE:].translate(_INVERTED)


def flipped(octets: bytes, start: int, count: int, seed: int, *what: object) -> bytes:
    """Returns the octets with some bits changed, from an offset on."""
    changed = bytearray(octets)
    bits = (len(octets) - start) * 8
    chosen: set[int] = set()
    for number in range(min(count, max(0, bits))):
        bit = int(share(seed, "bit", number, *what) * bits)
        while bit in chosen:
            bit = (bit + 1) % bits
        chosen.add(bit)
        changed[start + bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def flips_text(before: bytes, after: bytes) -> str:
    """Returns where bits changed, to stand behind a remark: ` (bit 5 of byte 812)`; some of many.

    Bytes are counted from the first one of the packet, which is byte 0, as Wireshark does.
    """
    differences = [(at, old ^ new) for at, (old, new) in enumerate(zip(before, after, strict=True))]
    places = [
        f"bit {bit} of byte {at}"
        for at, flips in differences
        for bit in range(8)
        if flips >> bit & 1
    ]
    more = [f"{len(places) - _MOST_FLIPS} more"] if len(places) > _MOST_FLIPS else []
    return f" ({', '.join([*places[:_MOST_FLIPS], *more])})" if places else ""


def changed_options(options: Options, given: Options) -> Options:
    """Returns the given options and then the others; those that are `-` are left out."""
    named = {name.lower() for name, _ in given}
    kept = tuple((name, value) for name, value in options if name.lower() not in named)
    return tuple((name, value) for name, value in given if value != _REMOVED) + kept


def _corrupt(rule: Rule, passing: Passing, octets: bytes) -> bytes:
    bits = rule.whole_number(1)
    return flipped(octets, HEADER_SIZE, bits, rule.seed, *passing.identity)


def _short_block(rule: Rule, passing: Passing, octets: bytes) -> bytes:
    size = len(octets) - HEADER_SIZE
    left = size // 2 if rule.size is None else min(rule.size, max(0, size - 1))
    return octets[: HEADER_SIZE + left]


def _long_block(rule: Rule, passing: Passing, octets: bytes) -> bytes:
    return octets + bytes(rule.size or 1)


def _runt(rule: Rule, passing: Passing, octets: bytes) -> bytes:
    return octets[: _RUNT_SIZE if rule.size is None else rule.size]


def _wrong_block(rule: Rule, passing: Passing, octets: bytes) -> bytes:
    if len(octets) < HEADER_SIZE:
        return octets
    wire = int.from_bytes(octets[2:HEADER_SIZE], "big")
    return octets[:2] + (rule.wrong_block(wire) % 65536).to_bytes(2, "big") + octets[HEADER_SIZE:]


def _bad_opcode(rule: Rule, passing: Passing, octets: bytes) -> bytes:
    return rule.whole_number(_UNKNOWN_OPCODE).to_bytes(2, "big") + octets[2:]


def _error(rule: Rule, passing: Passing, octets: bytes) -> bytes:
    return Error(rule.code or 0, rule.message or ERROR_TEXT).encode()


def _unterminated(rule: Rule, passing: Passing, octets: bytes) -> bytes:
    return octets.removesuffix(b"\0")


def _wrong_oack(rule: Rule, passing: Passing, octets: bytes) -> bytes:
    try:
        packet = decode(octets)
    except PacketError:
        return octets
    if not isinstance(packet, Oack):
        return octets
    options = changed_options(packet.options, parse_options(rule.options))
    return Oack(options).encode() + bytes(rule.padding or 0)


_FORGERS: dict[FaultKind, Callable[[Rule, Passing, bytes], bytes]] = {
    FaultKind.corrupt: _corrupt,
    FaultKind.short_block: _short_block,
    FaultKind.long_block: _long_block,
    FaultKind.runt: _runt,
    FaultKind.wrong_block: _wrong_block,
    FaultKind.bad_opcode: _bad_opcode,
    FaultKind.error: _error,
    FaultKind.unterminated: _unterminated,
    FaultKind.wrong_oack: _wrong_oack,
}
