"""How servers and clients behave: small frozen values over one table of settings.

A setting is written once, as a row: its kind, default, bounds and documentation. The arguments of
the keywords with their types and Libdoc lines, the options of the command line with their help, the
documentation of the attributes and the checks follow from the row. The keywords and the command
line say once for each `Kind` how a value of it is written there.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

from TftpLibrary.errors import UsageError
from TftpLibrary.fields import Kind, Settings, setting, table
from TftpLibrary.protocol.options import (
    MAX_BLKSIZE,
    MAX_WINDOWSIZE,
    MIN_BLKSIZE,
    MIN_WINDOWSIZE,
    Bounds,
)
from TftpLibrary.protocol.packets import Mode
from TftpLibrary.store.base import WritePolicy


class Retransmission(str, Enum):
    """When a packet that was not answered is sent again.

    | ``adaptive`` | After a time that follows the measured round trip, at most ``timeout``. |
    | ``fixed``    | After ``timeout``, each time: for tests that count retransmits. |

    Where windows get lost, ``adaptive`` sends them in bursts, with time for the board between them;
    ``fixed`` always sends whole windows.
    """

    adaptive = "adaptive"
    fixed = "fixed"

    __str__ = str.__str__


_BLKSIZES: dict[str, Any] = {"low": MIN_BLKSIZE, "high": MAX_BLKSIZE, "reason": "RFC 2348"}
_WINDOWSIZES: dict[str, Any] = {
    "low": MIN_WINDOWSIZE,
    "high": MAX_WINDOWSIZE,
    "reason": "RFC 7440",
}
_PYTHON_ONLY: dict[str, Any] = {"option": None, "is_argument": False}
"""Columns of a setting that neither keywords nor the command line show."""


def _timeout() -> float:
    doc = "Longest wait for an answer before a packet is sent again."
    return setting(1.0, Kind.seconds, doc, low=0, is_above=True, high=255)


def _retries() -> int:
    doc = "How often to send a packet again before giving up."
    return setting(5, Kind.number, doc, low=0, high=1000)


def _rollover(doc: str, **row: Any) -> int:
    return setting(0, Kind.choice, doc, choices=(0, 1), **row)


@table
class ServerSettings(Settings):
    """How one server serves."""

    host: str = setting(
        "127.0.0.1",
        Kind.address,
        "Address to bind: IPv4, IPv6, `0.0.0.0` or `::` for all, `auto` for that of the default "
        "route.",
        default_words="this machine only",
        reason="the port is given by port=",
        fixed="its port is bound",
    )
    port: int = setting(
        0,
        Kind.number,
        "UDP port to bind, 0 for a free one.",
        low=0,
        high=65535,
        reason="0 takes a free one",
        fixed="its port is bound",
    )
    writable: bool = setting(
        False,
        Kind.flag,
        "Whether boards may upload.",
        default_words="the server is read-only",
        help="let boards upload files",
    )
    create: bool = setting(
        True,
        Kind.flag,
        "Whether a board may upload a file that does not exist yet.",
        help="refuse uploads of files that do not exist yet",
    )
    overwrite: bool = setting(
        False,
        Kind.flag,
        "Whether a board may replace a file that exists.",
        help="let boards replace files that exist",
    )
    max_upload_size: int | None = setting(
        None, Kind.size_limit, "Largest file in bytes that a board may upload.", low=0
    )
    timeout: float = _timeout()
    retries: int = _retries()
    max_blksize: int = setting(
        MAX_BLKSIZE, Kind.size, "Largest block size in bytes that the server grants.", **_BLKSIZES
    )
    max_windowsize: int = setting(
        64, Kind.number, "Largest window in blocks that the server grants.", **_WINDOWSIZES
    )
    refuse_options: frozenset[str] = setting(
        frozenset(),
        Kind.options,
        "TFTP options that the server ignores as if it did not know them, such as `tsize`.",
        default_words="it knows all",
        option="--refuse-option",
    )
    single_port: bool = setting(
        False,
        Kind.flag,
        "Whether transfers run on the server's own port, which NAT and containers need.",
        default_words="each transfer has a port of its own",
        help="run transfers on the server's own port, for NAT and containers",
        fixed="its port is bound",
    )
    port_range: tuple[int, int] | None = setting(
        None, Kind.ports, "Ports for the transfers, such as `6000-6100`.", default_words="any"
    )
    clients: tuple[str, ...] = setting(
        (),
        Kind.networks,
        "Addresses, networks and MAC addresses that are served, such as `192.168.1.0/24`.",
        default_words="everyone",
        option="--client",
    )
    broadcast: bool = setting(
        False,
        Kind.flag,
        "Whether requests to a broadcast address are answered. Switches send them for their "
        "auto-install; RFC 1123 has servers ignore them. It needs `host=0.0.0.0` or `host=::`.",
        help="answer requests to a broadcast address, as switches send them for auto-install",
    )
    follow_symlinks: bool = setting(
        False,
        Kind.flag,
        "Whether symbolic links may lead out of the root.",
        help="follow symbolic links that lead out of ROOT",
        fixed="its folder is open",
    )
    ignore_case: bool = setting(
        False,
        Kind.flag,
        "Whether boards find files whose names differ in upper and lower case only, as Windows "
        "loaders expect. An exact name comes first.",
        help="find files whatever the upper and lower case of their names, for Windows loaders",
        fixed="its folder is open",
    )
    rollover: int = _rollover(
        "Block number that follows 65535, 0 or 1, unless the board negotiates it."
    )
    max_transfers: int = setting(
        500, Kind.number, "Most transfers at once; the server refuses more.", low=1
    )
    max_transfers_per_client: int | None = setting(
        None,
        Kind.limit,
        "Most transfers at once with one board; the server refuses more. With 1 it refuses a board "
        "that asks again before its first transfer has ended.",
        default_words="as many as `max_transfers`",
        low=1,
    )
    max_half_open: int | None = setting(
        None,
        Kind.limit,
        "Most transfers at once whose board has not answered the first packet yet. A newer request "
        "takes the place of the oldest, so requests that nobody follows up shut nobody out.",
        default_words="as many as `max_transfers`",
        low=1,
    )
    max_duration: float = setting(
        14_400.0,
        Kind.seconds,
        "Longest time that one transfer may take; then the server ends it with an ERROR, also when "
        "the board still answers.",
        low=0,
        is_above=True,
    )
    retransmission: Retransmission = setting(
        Retransmission.adaptive,
        Kind.choice,
        "When a packet without an answer is sent again. `adaptive` follows the measured round "
        "trip, and sends windows that get lost in bursts that a board with few receive buffers "
        "can take. `fixed` waits for `timeout` each time, and always sends whole windows.",
        choices=Retransmission,
    )
    offload: bool = setting(
        True,
        Kind.flag,
        "Whether the packets of a window may leave in one system call, which is faster. Without "
        "it a capture that another program makes on this machine shows each packet by itself.",
        help="send each packet by itself, for a capture that another program makes on this machine",
    )
    keep_files: bool = setting(
        False,
        Kind.flag,
        "Whether the files stay as they are when the server stops.",
        default_words="what was added is removed, and what was overwritten is put back",
        option=None,
        fixed="its folder is open",
    )

    @property
    def is_adaptive(self) -> bool:
        """Whether the timer follows the round trip, and windows have a pace."""
        return self.retransmission is Retransmission.adaptive

    def bounds(self) -> Bounds:
        """Returns the bounds for the negotiation of options."""
        return Bounds(
            max_blksize=self.max_blksize,
            max_windowsize=self.max_windowsize,
            ignored=frozenset(name.lower() for name in self.refuse_options),
            rollover=self.rollover,
        )

    def write_policy(self) -> WritePolicy:
        """Returns the policy of the store for a WRQ."""
        return WritePolicy(self.writable, self.create, self.overwrite, self.max_upload_size)


@table
class ClientSettings(Settings):
    """How a client asks."""

    mode: Mode = setting(Mode.octet, Kind.choice, "`octet`, or `netascii` for text.", choices=Mode)
    blksize: int = setting(
        1428,
        Kind.size,
        "Block size in bytes to ask for; 512 is not asked.",
        **_BLKSIZES,
    )
    windowsize: int = setting(
        16,
        Kind.number,
        "Window in blocks to ask for; 1 is not asked.",
        **_WINDOWSIZES,
    )
    timeout: float = _timeout()
    retries: int = _retries()
    wait: float = setting(
        0.0,
        Kind.seconds,
        "Time to keep asking until the other side answers at all, for a boot loader that opens "
        "TFTP for a few seconds only.",
        default_words="no longer than the retries take",
        low=0,
    )
    tsize: bool | None = setting(
        None,
        Kind.maybe,
        "Whether to ask for the size of the file, or to announce it. Some old devices refuse "
        "requests with options: `blksize=512` and `windowsize=1` without `tsize` ask for none.",
        default_words="if another option is asked",
    )
    rollover: int = _rollover(
        "Block number that follows 65535: 0, or 1, which is also asked as an option, and holds if "
        "the other side does not know that option."
    )
    local_address: str = setting(
        "",
        Kind.address,
        "Address of this machine to ask from, where it has several.",
        default_words="the system chooses",
    )
    any_address: bool = setting(
        False,
        Kind.flag,
        "Whether the answer may come from another address than the one asked, as some devices "
        "with several addresses send it.",
        help="take an answer from another address than the one asked",
    )
    offload: bool = setting(
        True,
        Kind.flag,
        "Whether the packets of a window may leave in one system call, which is faster.",
        **_PYTHON_ONLY,
    )

    def with_mode(self, mode: str) -> ClientSettings:
        """Returns the settings with the mode that a URL asks for; an empty text changes nothing.

        Raises:
            UsageError: there is no such mode.
        """
        if mode and mode not in tuple(Mode):
            raise UsageError(f"There is no mode '{mode}'. Modes: {', '.join(Mode)}.")
        return self.changed({"mode": Mode(mode)}) if mode else self
