"""How servers and clients behave: small frozen values, checked when they are made."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from TftpLibrary.errors import UsageError
from TftpLibrary.networks import Network, parse_network
from TftpLibrary.protocol.options import (
    MAX_BLKSIZE,
    MAX_WINDOWSIZE,
    MIN_BLKSIZE,
    MIN_WINDOWSIZE,
    Policy,
)
from TftpLibrary.protocol.packets import Mode
from TftpLibrary.protocol.roles import Timing
from TftpLibrary.store.base import WritePolicy


class Retransmission(str, Enum):
    """When a packet that was not answered is sent again."""

    adaptive = "adaptive"
    """After a time that follows the measured round trip; `timeout` is the longest wait.

    Where windows get lost they go out in bursts, with time for the board between them.
    """
    fixed = "fixed"
    """After `timeout`, each time, and whole windows always: for tests that count retransmits."""

    __str__ = str.__str__


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """What one server does with the requests that it gets.

    Attributes:
        host: address to bind: IPv4 or IPv6, a wildcard (`0.0.0.0`, `::`) or `auto`.
        port: UDP port to bind; 0 takes a free one.
        writable: whether boards may write at all.
        create: whether boards may write names that do not exist yet.
        overwrite: whether boards may replace files that exist.
        max_upload_size: octets of one upload; None is no limit.
        timeout: seconds, the longest wait before a packet is sent again; also the first wait.
        retries: how often to send again without an answer before giving up.
        max_blksize: octets of a block that the server grants at most.
        max_windowsize: blocks of a window that the server grants at most.
        refuse_options: names of options that the server does not know.
        single_port: whether transfers run on the server's own port (for NAT and containers).
        port_range: lowest and highest TID; None lets the system choose.
        clients: addresses and networks (CIDR) that are served; empty serves everyone.
        rollover: block number after 65535, unless the client negotiates it: 0 or 1.
        max_transfers: transfers at once.
        max_transfers_per_client: transfers at once for one address; None is `max_transfers`.
        max_half_open: requests at once whose peer has not shown itself with an ACK or DATA yet;
            the oldest one gives way. None is `max_transfers`.
        max_duration: seconds that one transfer may take.
        retransmission: whether the timer follows the round trip, and windows have a pace.
        offload: whether a window may leave in one system call (UDP segmentation offload).
            Switch it off to see single datagrams in a capture on this machine.
    """

    host: str = "127.0.0.1"
    port: int = 0
    writable: bool = False
    create: bool = True
    overwrite: bool = False
    max_upload_size: int | None = None
    timeout: float = 1.0
    retries: int = 5
    max_blksize: int = MAX_BLKSIZE
    max_windowsize: int = 64
    refuse_options: frozenset[str] = frozenset()
    single_port: bool = False
    port_range: tuple[int, int] | None = None
    clients: tuple[str, ...] = ()
    rollover: int = 0
    max_transfers: int = 500
    max_transfers_per_client: int | None = None
    max_half_open: int | None = None
    max_duration: float = 14_400.0
    retransmission: Retransmission = Retransmission.adaptive
    offload: bool = True

    def __post_init__(self) -> None:
        """Checks every value, so that a mistake fails where it is made."""
        _check_range("port", self.port, 0, 65535, "0 takes a free one")
        _check_range("max_blksize", self.max_blksize, MIN_BLKSIZE, MAX_BLKSIZE, "RFC 2348")
        _check_range(
            "max_windowsize", self.max_windowsize, MIN_WINDOWSIZE, MAX_WINDOWSIZE, "RFC 7440"
        )
        _check_timer(self.timeout, self.retries)
        _check_range("rollover", self.rollover, 0, 1, "the block number after 65535")
        for name in ("max_transfers", "max_transfers_per_client", "max_half_open"):
            _check_at_least(name, getattr(self, name), 1)
        _check_at_least("max_upload_size", self.max_upload_size, 0)
        if self.max_duration <= 0:
            raise UsageError(f"max_duration must be above 0 seconds, got {self.max_duration:g}.")
        _check_port_range(self.port_range)
        self.networks()

    def networks(self) -> tuple[Network, ...]:
        """Returns `clients` as networks."""
        return tuple(parse_network(client, "clients") for client in self.clients)

    def policy(self) -> Policy:
        """Returns what the negotiation of options needs."""
        return Policy(
            max_blksize=self.max_blksize,
            max_windowsize=self.max_windowsize,
            refused=frozenset(name.lower() for name in self.refuse_options),
            rollover=self.rollover,
        )

    def write_policy(self) -> WritePolicy:
        """Returns what the store needs for a WRQ."""
        return WritePolicy(self.writable, self.create, self.overwrite, self.max_upload_size)

    def timing(self) -> Timing:
        """Returns how a transfer waits for its peer."""
        is_adaptive = self.retransmission is Retransmission.adaptive
        return Timing(self.timeout, self.retries, is_adaptive=is_adaptive)


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """How a client asks.

    Attributes:
        mode: `octet`, or `netascii` for text.
        blksize: octets of a block to ask for; 512 asks for nothing.
        windowsize: blocks of a window to ask for; 1 asks for nothing.
        timeout: seconds, the longest wait before a packet is sent again.
        retries: how often to send again without an answer before giving up.
        wait: seconds to keep asking until the other side answers at all.
        tsize: whether to ask for the size (or to tell it).
        rollover: block number after 65535: 0, or 1, which is asked as an option.
        local_host: address to ask from; empty lets the system choose.
        offload: whether a window may leave in one system call.
    """

    mode: Mode = Mode.octet
    blksize: int = 1428
    windowsize: int = 16
    timeout: float = 1.0
    retries: int = 5
    wait: float = 0.0
    tsize: bool = True
    rollover: int = 0
    local_host: str = ""
    offload: bool = True

    def __post_init__(self) -> None:
        """Checks every value, so that a mistake fails where it is made."""
        _check_range("blksize", self.blksize, MIN_BLKSIZE, MAX_BLKSIZE, "RFC 2348")
        _check_range("windowsize", self.windowsize, MIN_WINDOWSIZE, MAX_WINDOWSIZE, "RFC 7440")
        _check_timer(self.timeout, self.retries)
        _check_range("rollover", self.rollover, 0, 1, "the block number after 65535")
        if self.wait < 0:
            raise UsageError(f"wait must be 0 seconds or more, got {self.wait:g}.")

    def timing(self) -> Timing:
        """Returns how a transfer waits for its peer."""
        return Timing(self.timeout, self.retries)


def _check_range(name: str, value: int, low: int, high: int, hint: str) -> None:
    if not low <= value <= high:
        raise UsageError(f"{name} must be from {low} to {high}, got {value} ({hint}).")


def _check_at_least(name: str, value: int | None, low: int) -> None:
    if value is not None and value < low:
        raise UsageError(f"{name} must be {low} or more, got {value}.")


def _check_timer(timeout: float, retries: int) -> None:
    if not 0 < timeout <= 255:
        raise UsageError(f"timeout must be above 0 and at most 255 seconds, got {timeout:g}.")
    _check_range("retries", retries, 0, 1000, "how often to send again")


def _check_port_range(ports: tuple[int, int] | None) -> None:
    if ports is not None and not 1 <= ports[0] <= ports[1] <= 65535:
        raise UsageError(
            "port_range must be two ports from 1 to 65535, the lower one first, "
            f"got {ports[0]}-{ports[1]}."
        )
