"""A rule: the kind of a fault, the packets that it strikes, and how often."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import Enum
from math import isfinite

from TftpLibrary.errors import UsageError
from TftpLibrary.faults.files import check_scope
from TftpLibrary.faults.kinds import TRAITS, FaultKind, parse_kind
from TftpLibrary.faults.packets import REQUESTS, Packets, parse_packets
from TftpLibrary.protocol.datagrams import LINK
from TftpLibrary.protocol.packets import Options

LONGEST = 3600.0
"""Seconds; the longest delay and the longest stall that is not for ever."""
MOST_COPIES = 1000
MOST_PADDING = 1000
MOST_NAME = 100
"""Characters of the name that a test gives to a fault."""
NO_CLIENT = "client= names a board that asks our server: it does not go with role=client."
_REORDERED_FOR = 0.2
_OF_KINDS = (
    "delay",
    "duration",
    "number",
    "size",
    "copies",
    "code",
    "message",
    "options",
    "padding",
)


class Way(str, Enum):
    """The way of a packet, seen from this library, whether it serves or asks.

    | ``any``      | Both ways. |
    | ``sent``     | Packets that the library sends. |
    | ``received`` | Packets that the library receives. |
    """

    any = "any"
    sent = "sent"
    received = "received"

    __str__ = str.__str__


@dataclass(frozen=True, slots=True)
class Rule:
    """One fault as it was asked for. It is checked when it is made.

    Attributes:
        kind: what happens.
        packets: the packets that it strikes; by default those of the kind.
        file: name or glob of the file.
        client: address or network of the board; empty for every one.
        direction: which way the packets go.
        times: how often it strikes each client, each named block by itself; None without end.
            0 for the usual: once, or without end with `every`, `probability` or an open range.
        every: strikes each n-th packet only, with n from 1.
        after: packets that pass first.
        probability: the share of packets that it strikes, from 0 to 1; None strikes all.
        seed: chooses which ones, with `probability`.
        delay: seconds that a packet or its copies come later.
        duration: seconds of a stall; None for ever.
        number: overtaking packets, wrong bits, an opcode, or a block as `+1`, `-1` or `7`.
        size: bytes that are left, or that are too many.
        copies: how often it comes again.
        code: error code.
        message: text of the error packet.
        options: options that are ignored, or what the option answer says instead.
        padding: zero bytes behind the option answer.
        name: a name for messages; empty for one that is made up.
        is_of_client: whether our client has the fault, and not the server.

    Raises:
        UsageError: it cannot happen, or takes another argument.
    """

    kind: FaultKind
    packets: Packets | None = None
    file: str = "*"
    client: str = ""
    direction: Way = Way.any
    times: int | None = 0
    every: int = 1
    after: int = 0
    probability: float | None = None
    seed: int = 0
    delay: float | None = None
    duration: float | None = None
    number: str = ""
    size: int | None = None
    copies: int | None = None
    code: int | None = None
    message: str = ""
    options: str = ""
    padding: int | None = None
    name: str = ""
    is_of_client: bool = False

    def __post_init__(self) -> None:
        """Fills in the defaults of the kind, and checks everything."""
        if self.packets is None:
            object.__setattr__(self, "packets", Packets(TRAITS[self.kind].packet))
        if self.times == 0:
            object.__setattr__(self, "times", None if self.is_for_many else 1)
        check(self)

    @property
    def is_for_many(self) -> bool:
        """Whether it strikes again and again, unless `times` bounds it."""
        return self.every > 1 or self.probability is not None or self.meant.is_endless

    @property
    def has_chance(self) -> bool:
        """Whether the seed decides anything: which packets, or which of their bits."""
        return self.probability is not None or self.kind is FaultKind.corrupt

    @property
    def meant(self) -> Packets:
        """The packets that it strikes."""
        assert self.packets is not None
        return self.packets

    @property
    def reordered_for(self) -> float:
        """Seconds after which a packet that nothing overtakes comes all the same."""
        return _REORDERED_FOR if self.delay is None else self.delay

    def whole_number(self, default: int) -> int:
        """The number of overtaking packets, of bits, or of an opcode."""
        return int(self.number) if self.number else default

    def wrong_block(self, block: int) -> int:
        """Returns the block number that stands in the place of another one."""
        text = self.number or "+1"
        return block + int(text) if text[0] in "+-" else int(text)


def make_rule(kind: FaultKind | str, packet: Packets | str = "", **given: object) -> Rule:
    """Makes a rule of words, as Python and the scenarios have them.

    Raises:
        UsageError: see `Rule`.
    """
    known = {field.name for field in fields(Rule)}
    if unknown := sorted(set(given) - known):
        raise UsageError(
            f"There is no argument '{unknown[0]}'. Arguments: {', '.join(sorted(known))}."
        )
    found = kind if isinstance(kind, FaultKind) else parse_kind(kind)
    packets = parse_packets(packet) if isinstance(packet, str) and packet else packet or None
    assert not isinstance(packets, str)
    if isinstance(number := given.get("number"), int):
        given["number"] = str(number)
    if isinstance(direction := given.get("direction"), str):
        given["direction"] = parse_way(direction)
    return Rule(found, packets, **given)  # type: ignore[arg-type] # each is checked by `Rule`


def parse_way(text: str) -> Way:
    """Returns the way of a name.

    Raises:
        UsageError: there is none.
    """
    if text not in Way.__members__:
        raise UsageError(f"direction= must be any, sent or received, got '{text}'.")
    return Way[text]


def parse_options(text: str) -> Options:
    """Returns the options of `blksize=9000 tsize=-`.

    Raises:
        UsageError: a word is no option.
    """
    pairs = [word.partition("=") for word in text.replace(",", " ").split()]
    for name, sign, value in pairs:
        if not name or not sign or not value:
            raise UsageError(
                f"options= must be such as 'blksize=9000 tsize=-' (a - leaves the option out), got "
                f"'{text}'."
            )
    return tuple((name, value) for name, _, value in pairs)


def check(rule: Rule) -> None:
    """Checks a rule.

    Raises:
        UsageError: it cannot happen; the text says why, and how to write it.
    """
    _check_arguments(rule)
    _check_packets(rule)
    _check_counts(rule)
    _check_values(rule)
    _check_name(rule.name)
    check_scope(rule.file, rule.client, rule.times, rule.after)


def _check_arguments(rule: Rule) -> None:
    takes = TRAITS[rule.kind].takes
    for name in _OF_KINDS:
        if name not in takes and getattr(rule, name) not in (None, ""):
            what = ", ".join(f"{each}=" for each in takes)
            raise UsageError(
                f"{rule.kind} takes no {name}=; "
                + (
                    f"it takes {what}."
                    if takes
                    else "it takes only what every fault takes, such as file= and times=."
                )
            )
    if rule.kind is FaultKind.delay and not rule.delay:
        raise UsageError("delay needs a time above 0, such as delay=500 ms.")
    if rule.kind is FaultKind.wrong_oack:
        if not parse_options(rule.options) and rule.padding is None:
            raise UsageError(
                "wrong_oack needs options=, such as options=blksize=9000, or padding=."
            )
    elif "=" in rule.options:
        raise UsageError(
            f"options= of {rule.kind} are names, such as options=blksize tsize, got "
            f"'{rule.options}'."
        )


def _check_packets(rule: Rule) -> None:
    traits, name = TRAITS[rule.kind], rule.meant.name
    if traits.only and name not in traits.only:
        hint = " To change the number of an ACK use wrong_block." if name == "ACK" else ""
        raise UsageError(f"{rule.kind} strikes {' or '.join(traits.only)} only, got {name}.{hint}")
    if traits.is_forged and rule.direction is Way.received:
        raise UsageError(
            f"{rule.kind} changes packets that this library sends: direction=received cannot be. "
            "Use drop, duplicate, delay, reorder, stall or vanish for received packets."
        )
    if traits.is_forged and name in REQUESTS and not rule.is_of_client:
        raise UsageError(
            f"{rule.kind} changes packets that this library sends, and a server receives {name}. "
            "To change the answer to a request write answer."
        )
    if rule.kind is FaultKind.vanish and name in REQUESTS and not rule.is_of_client:
        raise UsageError(
            "vanish closes the port of a transfer, and a request comes to the port of the server. "
            "To close that use Pause TFTP Server    crash; to close the other write answer."
        )
    if traits.is_of_server and rule.is_of_client:
        raise UsageError(f"{rule.kind} is a fault of servers: role=client cannot have it.")
    if rule.is_of_client and rule.client:
        raise UsageError(NO_CLIENT)
    if rule.meant.blocks and rule.meant.lowest < 1 and name == "DATA":
        raise UsageError("packet: the first block of a file is DATA 1, got DATA 0.")


def _check_counts(rule: Rule) -> None:
    if rule.every > 1 and rule.probability is not None:
        raise UsageError("every= and probability= cannot be given together: use one of them.")
    if rule.every < 1:
        raise UsageError(f"every= must be 1 or more, got {rule.every}.")
    if rule.probability is not None and not 0 <= rule.probability <= 1:
        raise UsageError(
            f"probability= must be from 0 % to 100 %, got {rule.probability * 100:g} %."
        )


def _check_values(rule: Rule) -> None:
    for name in ("delay", "duration"):
        value = getattr(rule, name)
        if value is not None and not (isfinite(value) and 0 <= value <= LONGEST):
            raise UsageError(f"{name}= must be from 0 to {LONGEST:g} seconds, got {value:g}.")
    for name, low, high in (
        ("copies", 1, MOST_COPIES),
        ("code", 0, 65535),
        ("padding", 1, MOST_PADDING),
        ("size", 0 if rule.kind is not FaultKind.long_block else 1, 65000),
    ):
        value = getattr(rule, name)
        if value is not None and not low <= value <= high:
            raise UsageError(f"{name}= must be from {low} to {high}, got {value}.")
    if rule.kind is FaultKind.runt and rule.size is not None and rule.size > 3:
        raise UsageError(f"size= of a runt must be from 0 to 3, got {rule.size}.")
    if rule.number:
        _check_number(rule)


def _check_name(name: str) -> None:
    """A name stands in messages, cards and captures as the id of the fault."""
    if len(name) > MOST_NAME or not name.isprintable():
        raise UsageError(
            f"name= must be at most {MOST_NAME} printable characters, got {len(name)}: "
            f"{name[:MOST_NAME]!a}."
        )
    if name == LINK:
        raise UsageError(f"name={LINK} stands for the quality of the link. Choose another name=.")


def _check_number(rule: Rule) -> None:
    is_block = rule.kind is FaultKind.wrong_block
    digits = rule.number[1:] if is_block and rule.number[0] in "+-" else rule.number
    if not (digits.isascii() and digits.isdigit()):
        form = "+1, -1 or a block such as 7" if is_block else "a whole number"
        raise UsageError(f"number= must be {form}, got '{rule.number}'.")
    high = 65535 if rule.kind in (FaultKind.bad_opcode, FaultKind.wrong_block) else 1000
    if int(digits) > high or (not is_block and int(digits) < 1):
        low = 0 if is_block else 1
        raise UsageError(f"number= must be from {low} to {high}, got {rule.number}.")
    if rule.kind is FaultKind.bad_opcode and 1 <= int(digits) <= 6:
        raise UsageError(f"number= must be an opcode that TFTP does not have, got {digits}.")
