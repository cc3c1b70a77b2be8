"""The plan: the faults of one server, or of our client, in their order, and what they met.

Counts are kept for each client, so that two boards at once cannot take each other's fault away,
and go on when a board asks again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import count
from typing import TypeVar

from TftpLibrary.errors import UsageError
from TftpLibrary.faults.deliveries import Delivery, Strike
from TftpLibrary.faults.files import Damage, Denial
from TftpLibrary.faults.link import LinkQuality, LinkState
from TftpLibrary.faults.placed import MOST_CLIENTS, Placed, Stage
from TftpLibrary.faults.rules import Way
from TftpLibrary.faults.tracking import Passing, Track
from TftpLibrary.faults.treatment import treat
from TftpLibrary.faults.wording import Fault, fault_text
from TftpLibrary.matching import client_test
from TftpLibrary.spelling import unknown

F = TypeVar("F", Denial, Damage)

MOST_FAULTS = 1000
"""Faults that one plan holds."""
MOST_COPIES_AT_ONCE = 1001
"""Copies of one packet: several faults that duplicate it would make more and more of them."""
TOO_MANY_COPIES = "lost copies, since there were too many"


class Plan:
    """The faults of one server, or of our client.

    It belongs to one thread at a time: the engine's while a server runs.

    Args:
        next_number: gives the number of each fault's id.

    Attributes:
        version: changes with every fault that comes or goes.
        is_about_files: whether there are faults of files, beside those of packets.
        late_octets: octets of all datagrams that are late; counted by those who keep them.
    """

    def __init__(self, next_number: Callable[[], int] | None = None) -> None:
        self.version = 0
        self.late_octets = 0
        self.is_about_files = False
        self._next_number = count(1).__next__ if next_number is None else next_number
        self._placed: dict[str, Placed] = {}
        self._links: list[tuple[LinkQuality, Callable[[str], bool]]] = []
        self._states: dict[tuple[str, bool], LinkState] = {}
        self._requests: Counter[tuple[str, str]] = Counter()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is planned."""
        return not self._placed and not self._links

    @property
    def has_chance(self) -> bool:
        """Whether a seed decides anything."""
        rules = (placed.rule for placed in self._placed.values())
        return any(quality.has_chance for quality, _ in self._links) or any(
            rule is not None and rule.has_chance for rule in rules
        )

    # Faults --------------------------------------------------------------------------------

    def add(self, fault: Fault, now: float) -> str:
        """Puts a fault behind the others. Returns its id, such as `drop-1`.

        Raises:
            UsageError: there are too many, or its name is taken.
        """
        if len(self._placed) >= MOST_FAULTS:
            raise UsageError(
                f"There are {MOST_FAULTS} faults already. Clear some, or let one fault strike "
                "often with times=, every= or probability=."
            )
        number = self._next_number()
        placed = Placed(fault, number, now, self._equals(fault))
        if placed.id in self._placed:
            raise UsageError(f"There is a fault '{placed.id}' already. Choose another name=.")
        self._placed[placed.id] = placed
        self._change()
        return placed.id

    def remove(self, fault: str = "") -> tuple[Placed, ...]:
        """Removes a fault, or with the link every one. Returns the faults that were there.

        Raises:
            UsageError: there is no such fault.
        """
        removed = (self.find(fault),) if fault else tuple(self._placed.values())
        for placed in removed:
            del self._placed[placed.id]
        if not fault:
            self._links.clear()
            self._states.clear()
        self._change()
        return removed

    def _change(self) -> None:
        self.version += 1
        self.is_about_files = any(placed.rule is None for placed in self._placed.values())

    def find(self, fault: str) -> Placed:
        """Returns a fault by its id.

        Raises:
            UsageError: there is none.
        """
        placed = self._placed.get(fault)
        if placed is None:
            raise no_fault(fault, self._placed)
        return placed

    def all(self) -> tuple[Placed, ...]:
        """Returns every fault, in the order in which they came."""
        return tuple(self._placed.values())

    def _equals(self, fault: Fault) -> int:
        """Returns how many faults in the same words there are; chance tells them apart by that."""
        text = fault_text(fault)
        return sum(placed.text == text for placed in self._placed.values())

    # The link ------------------------------------------------------------------------------

    def set_link(self, quality: LinkQuality) -> LinkQuality:
        """Sets the quality of the link of some clients, and returns the one before.

        It takes the place of one for the same clients and the same way.
        """
        old = LinkQuality(client=quality.client, direction=quality.direction)
        kept = []
        for known, test in self._links:
            if (known.client, known.direction) == (quality.client, quality.direction):
                old = known
            else:
                kept.append((known, test))
        self._links = kept
        if not quality.is_perfect:
            self._links.append((quality, client_test(quality.client)))
        self._states.clear()
        self.version += 1
        return old

    @property
    def links(self) -> tuple[LinkQuality, ...]:
        """The quality of every link that is not perfect, in the order of their setting."""
        return tuple(quality for quality, _ in self._links)

    def restore_links(self, links: Iterable[LinkQuality]) -> None:
        """Sets all links as they were."""
        self._links = [(quality, client_test(quality.client)) for quality in links]
        self._states.clear()
        self.version += 1

    def _link(self, client: str, *, is_sent: bool) -> LinkState | None:
        """Returns one way of a client's link, None where it is perfect. The newest counts."""
        state = self._states.get((client, is_sent))
        if state is not None:
            return state
        way = Way.sent if is_sent else Way.received
        for quality, fits in reversed(self._links):
            if quality.direction in (Way.any, way) and fits(client):
                if len(self._states) >= MOST_CLIENTS:
                    del self._states[next(iter(self._states))]
                state = self._states[client, is_sent] = LinkState(quality)
                return state
        return None

    # Requests and their transfers ----------------------------------------------------------

    def begin(self, file: str, client: str, *, is_server: bool = True) -> Track:
        """A request came, or is about to be sent. Returns the track of its transfer."""
        return Track(file, client, self.count(file, client), is_server=is_server)

    def count(self, file: str, client: str) -> int:
        """A request came. Returns which one for that file by that client it is, from 1."""
        key = file, client
        if len(self._requests) >= MOST_CLIENTS and key not in self._requests:
            del self._requests[next(iter(self._requests))]
        self._requests[key] += 1
        for placed in self._placed.values():
            placed.note_request(file, client)
        return self._requests[key]

    def concerns(self, file: str, client: str) -> bool:
        """Whether anything may happen to the packets of a transfer."""
        if any(fits(client) for _, fits in self._links):
            return True
        return any(
            placed.rule is not None and placed.concerns(file, client) for placed in self.all()
        )

    def rules_for(self, file: str, client: str) -> tuple[Placed, ...]:
        """Returns the rules about the packets of a transfer, in their order."""
        return tuple(
            placed
            for placed in self._placed.values()
            if placed.rule is not None and placed.concerns(file, client)
        )

    def denial(self, file: str, client: str, now: float) -> tuple[str, Denial] | None:
        """Returns the fault that refuses a request, its id first; None if none does."""
        return self._of_file(Denial, "refused", file, client, now)

    def damage(self, file: str, client: str, size: int, now: float) -> tuple[str, Damage] | None:
        """Returns the fault that damages a file of a size, its id first; None if none does."""
        return self._of_file(Damage, "damaged", file, client, now, lambda it: it.changes(size))

    def _of_file(
        self,
        wanted: type[F],
        did: str,
        file: str,
        client: str,
        now: float,
        acts: Callable[[F], bool] = lambda _: True,
    ) -> tuple[str, F] | None:
        for placed in self._placed.values():
            fault = placed.fault
            if not isinstance(fault, wanted) or not placed.concerns(file, client):
                continue
            if not acts(fault):
                placed.stages[Stage.content] += 1
            elif placed.is_turn(client):
                placed.struck(client, f"{did} '{file}'", now)
                return placed.id, fault
        return None

    # Packets -------------------------------------------------------------------------------

    def pass_by(
        self, rules: Sequence[Placed], passing: Passing, now: float
    ) -> tuple[list[Delivery], list[Strike]]:
        """Lets a datagram pass by the rules and the link: the wire is outside the server.

        Returns:
            The copies that go on, and what was done to them.
        """
        copies = [Delivery(passing.octets)]
        strikes: list[Strike] = []
        link = self._link(passing.client, is_sent=passing.is_sent) if self._links else None
        if link is not None and not passing.is_sent:
            copies = _through(link, passing, copies, strikes, now)
        for placed in rules:
            if not copies:
                break
            copies = _by(placed, passing, copies, strikes, now)
        if link is not None and passing.is_sent:
            copies = _through(link, passing, copies, strikes, now)
        return copies, strikes


def no_fault(fault: str, there: Collection[str]) -> UsageError:
    """Returns the error of a fault that is not there, with those that are."""
    return UsageError(unknown("fault", fault, there))


def _through(
    link: LinkState, passing: Passing, copies: Iterable[Delivery], strikes: list[Strike], now: float
) -> list[Delivery]:
    carried: list[Delivery] = []
    for copy in copies:
        if copy.is_foreign:
            carried.append(copy)
            continue
        more, done = link.carry(passing, copy, now)
        carried += more
        strikes += done
    return carried


def _by(
    placed: Placed, passing: Passing, copies: Iterable[Delivery], strikes: list[Strike], now: float
) -> list[Delivery]:
    left: list[Delivery] = []
    for copy in copies:
        if len(left) >= MOST_COPIES_AT_ONCE:
            strikes.append(Strike(placed.id, TOO_MANY_COPIES, passing.is_sent))
            break
        if copy.is_foreign or not placed.strikes(passing, now):
            left.append(copy)
            continue
        more, strike = treat(placed, passing, copy)
        left += more
        strikes.append(strike)
    return left[:MOST_COPIES_AT_ONCE]
