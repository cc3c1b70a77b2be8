"""A wire that loses and repeats packets, the same ones for the same seed.

The fate of a packet depends on its content and on how often it came, and on nothing else: the
speed of the machine, and what else is on the wire, change nothing.
"""

from __future__ import annotations

import random
from collections import Counter

TO_SERVER, TO_BOARD = "to server", "to board"


class Disturbance:
    """Decides how many copies of each packet arrive.

    Args:
        loss: how many of the packets get lost, between 0 and 1.
        repeat: how many arrive twice.
        seed: chooses which.

    Attributes:
        lost: packets lost so far.
        repeated: packets repeated so far.
    """

    def __init__(self, loss: float = 0.0, repeat: float = 0.0, seed: int = 0) -> None:
        if not 0 <= loss <= 1 or not 0 <= repeat <= 1 or loss + repeat > 1:
            raise ValueError(
                "loss and repeat are shares of all packets, such as 0.01, and no more than 1 "
                f"together; got {loss} and {repeat}."
            )
        self.lost = 0
        self.repeated = 0
        self._loss, self._repeat, self._seed = loss, repeat, seed
        self._seen: Counter[tuple[str, bytes]] = Counter()

    def copies(self, direction: str, payload: bytes) -> int:
        """Returns how often a TFTP packet arrives: 0, 1 or 2 times."""
        if not self._loss + self._repeat:
            return 1
        # Opcode and block number; of a request its name and options too.
        what = payload[:4] if payload[1:2] in (b"\x03", b"\x04") else payload
        self._seen[direction, what] += 1
        times = self._seen[direction, what]
        chance = random.Random(f"{self._seed} {direction} {what.hex()} {times}").random()
        if chance < self._loss:
            self.lost += 1
            return 0
        if chance < self._loss + self._repeat:
            self.repeated += 1
            return 2
        return 1
