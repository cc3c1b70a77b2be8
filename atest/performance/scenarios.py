"""The scenarios, and their required values: musts and aims as ratios of times, theirs to ours."""

from __future__ import annotations

from dataclasses import dataclass, field

REFERENCE = "C reference"

Gate = tuple[float, float] | None
Gates = dict[str, Gate]
"""For each peer the ratio that must be reached, and the one that is aimed at. None is for a peer
that is only shown: the C reference shows how much a rewrite in C could gain."""

KIB, MIB = 1024, 1024 * 1024
FILES = ("1k", "1m", "8m", "16m", "32m", "64m")
"""The served files; the name contains the size, see `size_of`."""


def size_of(name: str) -> int:
    """Returns the octets of a file from its name: 64m has 64 MiB."""
    return int(name[:-1]) << 10 * ("kmg".index(name[-1]) + 1)


@dataclass(frozen=True)
class Scenario:
    """One load, which every server gets in every round.

    Attributes:
        name: short.
        title: what it is.
        file: its name, which contains its size.
        blksize: to ask for.
        windowsize: to ask for.
        clients: at once.
        transfers: one after the other, or by `clients` at once.
        is_write: whether the clients write the file.
        gates: by peer, of those that it is measured against.
        steadiness: the limit for p99 / p50 of the transfers' durations; None for no limit.
    """

    name: str
    title: str
    file: str
    blksize: int = 512
    windowsize: int = 1
    clients: int = 1
    transfers: int = 1
    is_write: bool = False
    gates: Gates = field(default_factory=dict)
    steadiness: float | None = None

    def words(self) -> list[str]:
        """The load generator's arguments."""
        words = ["-b", str(self.blksize), "-k", str(self.windowsize)]
        words += ["-c", str(self.clients), "-n", str(self.transfers)]
        return [*words, "-w"] if self.is_write else words

    @property
    def octets(self) -> int:
        """Of all transfers."""
        return self.transfers * size_of(self.file)


SCENARIOS = [
    Scenario(
        "S1",
        "512, lock-step",
        "16m",
        gates={
            "tftpd-hpa": (0.95, 1.0),
            "atftpd": (0.9, 1.0),
            "pytftp": (1.8, 2.0),
            REFERENCE: None,
        },
    ),
    Scenario(
        "S2",
        "1468, lock-step",
        "32m",
        blksize=1468,
        gates={
            "tftpd-hpa": (0.95, 1.0),
            "atftpd": (0.9, 1.0),
            "pytftp": (1.8, 2.0),
            REFERENCE: None,
        },
    ),
    Scenario(
        "S3",
        "1468, window of 16",
        "64m",
        blksize=1468,
        windowsize=16,
        gates={
            REFERENCE: (0.7, 0.85),
            "atftpd": (3.5, 4.5),
            "tftpd-hpa": (5.0, 7.0),
            "pytftp": (4.5, 6.0),
        },
    ),
    Scenario(
        "S4",
        "1428, window of 64",
        "64m",
        blksize=1428,
        windowsize=64,
        gates={
            REFERENCE: (0.65, 0.8),
            "atftpd": (4.5, 6.0),
            "tftpd-hpa": (6.5, 9.0),
            "pytftp": (6.5, 8.5),
        },
    ),
    Scenario(
        "S5",
        "65464, lock-step",
        "64m",
        blksize=65464,
        gates={"tftpd-hpa": (0.8, 1.0), "pytftp": (1.2, 1.5), REFERENCE: None},
    ),
    Scenario(
        "S6-100",
        "100 clients, 1468, window of 8",
        "1m",
        blksize=1468,
        windowsize=8,
        clients=100,
        transfers=200,
        gates={
            "atftpd": (4.5, 6.0),
            "tftpd-hpa": (7.0, 10.0),
            "pytftp": (5.0, 7.0),
            REFERENCE: None,
        },
        steadiness=1.3,
    ),
    Scenario(
        "S6-500",
        "500 clients, 1468, window of 8",
        "1m",
        blksize=1468,
        windowsize=8,
        clients=500,
        transfers=500,
        gates={
            "atftpd": (4.5, 6.0),
            "tftpd-hpa": (7.0, 10.0),
            "pytftp": (5.0, 7.0),
            REFERENCE: None,
        },
        steadiness=1.3,
    ),
    Scenario(
        "S6L-100",
        "100 clients, 1468, lock-step",
        "1m",
        blksize=1468,
        clients=100,
        transfers=100,
        gates={"atftpd": (1.4, 1.9), "pytftp": (2.0, 2.8), REFERENCE: None},
    ),
    Scenario(
        "S7",
        "files of 1 KiB, one after the other",
        "1k",
        transfers=2000,
        gates={"pytftp": (1.7, 2.4), "tftpd-hpa": (3.5, 5.0), REFERENCE: None},
    ),
    Scenario(
        "S7-64",
        "files of 1 KiB, 64 clients",
        "1k",
        clients=64,
        transfers=4000,
        gates={"pytftp": (7.0, 10.0), "atftpd": (1.2, 1.7), REFERENCE: None},
    ),
    Scenario(
        "S8",
        "WRQ, 1468, window of 16",
        "32m",
        blksize=1468,
        windowsize=16,
        is_write=True,
        gates={
            "atftpd": (1.2, 1.6),
            "tftpd-hpa": (3.5, 4.7),
            "pytftp": (2.5, 3.3),
            REFERENCE: None,
        },
    ),
]
