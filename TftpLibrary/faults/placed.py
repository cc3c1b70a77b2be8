"""A fault in its place in a plan: whom it struck, and what passed by it."""

from __future__ import annotations

from collections import Counter
from enum import Enum
from typing import NamedTuple

from TftpLibrary.faults.chance import share
from TftpLibrary.faults.files import Damage, Denial
from TftpLibrary.faults.kinds import TRAITS
from TftpLibrary.faults.rules import Rule, Way
from TftpLibrary.faults.tracking import Passing
from TftpLibrary.faults.wording import Fault, did_text, fault_text
from TftpLibrary.matching import client_test, name_test
from TftpLibrary.protocol.packets import HEADER_SIZE

MOST_HITS = 100
"""Hits whose time and words are kept."""
MOST_CLIENTS = 10_000
"""Clients whose hits are counted; the oldest are forgotten first."""
MOST_COUNTS = 20_000
"""Counts of clients and named blocks that are kept; the oldest are forgotten first."""
_WAYS = {True: Way.sent, False: Way.received}


class Stage(Enum):
    """Why a fault left a packet or a request alone: the first reason counts."""

    file = "another file"
    client = "another client"
    way = "the other way"
    packet = "another packet"
    block = "another block"
    content = "no content to change"
    count = "not its turn"
    chance = "chance"

    # Each packet that passes by is counted, and the hash of an enum is computed in Python.
    __hash__ = object.__hash__


class Hit(NamedTuple):
    """One time that a fault happened.

    Attributes:
        seconds: since the injection.
        client: whom it struck; empty for our own client.
        words: what it did: `dropped DATA 3`.
    """

    seconds: float
    client: str
    words: str


class Placed:
    """One fault of a plan.

    Args:
        fault: what was asked for.
        number: the number of its id, where it has no name.
        now: monotonic seconds.
        equals: how many equal faults came before it.

    Attributes:
        kind: what happens, such as `drop`; `deny` and `damage` for faults of a file.
        id: such as `drop-1`, or its name.
        text: as it was asked for, in words.
        rule: the rule about packets; None for a fault of a file.
        hits: how often it happened.
        clients: how often it struck each client.
        kept: the first hits, and the newest one.
        stages: why it left packets and requests alone.
        lowest, highest: the blocks of its packet that it left alone, the lowest and the highest.
        requests: requests of its file and its clients while it was in force.
    """

    def __init__(self, fault: Fault, number: int, now: float, equals: int = 0) -> None:
        self.fault = fault
        self.rule = fault if isinstance(fault, Rule) else None
        self.kind = _word(fault)
        self.id = (self.rule.name if self.rule else "") or f"{self.kind}-{number}"
        self.text = fault_text(fault)
        self.begun = now
        self.hits = 0
        self.clients: Counter[str] = Counter()
        self.kept: list[Hit] = []
        self.stages: Counter[Stage] = Counter()
        self.lowest: int | None = None
        self.highest: int | None = None
        self.requests = 0
        self._is_forged = self.rule is not None and TRAITS[self.rule.kind].is_forged
        self._identity = self.text, equals
        self._is_file, self._is_client = name_test(fault.file), client_test(fault.client)
        self._counts: dict[tuple[str, int | None], list[int]] = {}

    # Whom it concerns ----------------------------------------------------------------------

    def concerns(self, file: str, client: str) -> bool:
        """Whether a transfer is of its file and its client."""
        return self._is_file(file) and self._is_client(client)

    def note_request(self, file: str, client: str) -> None:
        """A request was made while it is in force."""
        if not self._is_file(file):
            self.stages[Stage.file] += 1
        elif not self._is_client(client):
            self.stages[Stage.client] += 1
        else:
            self.requests += 1

    # Whether it strikes --------------------------------------------------------------------

    def strikes(self, passing: Passing, now: float) -> bool:
        """Whether it strikes a packet of a transfer that it concerns; it is counted."""
        stage = self._stage(passing)
        if stage is None:
            assert self.rule is not None
            self.struck(passing.client, did_text(self.rule, passing), now)
            return True
        self.stages[stage] += 1
        if stage is Stage.block and passing.block is not None:
            self.lowest = min(passing.block, passing.block if self.lowest is None else self.lowest)
            self.highest = max(passing.block, self.highest or 0)
        return False

    def _stage(self, passing: Passing) -> Stage | None:
        rule = self.rule
        assert rule is not None
        is_forged_elsewhere = self._is_forged and not passing.is_sent
        if is_forged_elsewhere or rule.direction not in (Way.any, _WAYS[passing.is_sent]):
            return Stage.way
        packets = rule.meant
        if not packets.has_name(passing):
            return Stage.packet
        if not packets.has_block(passing):
            return Stage.block
        if TRAITS[rule.kind].is_of_content and len(passing.octets) <= HEADER_SIZE:
            return Stage.content
        if not self.is_turn(passing.client, passing.block if packets.blocks else None, passing):
            return Stage.chance if rule.probability is not None else Stage.count
        return None

    def is_turn(
        self, client: str, block: int | None = None, passing: Passing | None = None
    ) -> bool:
        """Whether it is its turn for a client, and for a named block; it is counted."""
        fault = self.fault
        seen_hits = self._counts.get((client, block))
        if seen_hits is None:
            if len(self._counts) >= MOST_COUNTS:
                del self._counts[next(iter(self._counts))]
            seen_hits = self._counts[client, block] = [0, 0]
        seen_hits[0] += 1
        seen, hits = seen_hits
        if seen <= fault.after or (fault.times is not None and hits >= fault.times):
            return False
        rule = self.rule
        if rule is not None:
            if (seen - fault.after) % rule.every:
                return False
            if rule.probability is not None:
                assert passing is not None
                chance = share(rule.seed, *self._identity, *passing.identity)
                if chance >= rule.probability:
                    return False
        seen_hits[1] += 1
        return True

    def struck(self, client: str, words: str, now: float) -> None:
        """It happened."""
        self.hits += 1
        if len(self.clients) >= MOST_CLIENTS and client not in self.clients:
            del self.clients[next(iter(self.clients))]
        self.clients[client] += 1
        hit = Hit(now - self.begun, client, words)
        if len(self.kept) < MOST_HITS:
            self.kept.append(hit)
        else:
            self.kept[-1] = hit


def _word(fault: Fault) -> str:
    if isinstance(fault, Denial):
        return "deny"
    return "damage" if isinstance(fault, Damage) else fault.kind.value
