"""The faults that keywords injected: at which server, and with which test or suite they end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from TftpLibrary.errors import UsageError
from TftpLibrary.faults.link import LinkQuality
from TftpLibrary.faults.plan import no_fault
from TftpLibrary.faults.reports import FaultReport, TftpFault
from TftpLibrary.keywords.capture_files import is_within
from TftpLibrary.station import Station, StationFaults


class Ended(NamedTuple):
    """A fault that ended.

    Attributes:
        fault: what it did.
        miss: why it did not happen, where it should have and nobody asked; empty otherwise.
    """

    fault: TftpFault
    miss: str = ""


@dataclass(slots=True)
class _Injected:
    """A fault: where it is, in which scope, and whether a keyword asked for it."""

    at: StationFaults
    scope: str
    was_asked_for: bool = False


class InjectedFaults:
    """The faults that keywords injected, the links they changed, and the servers they paused."""

    def __init__(self) -> None:
        self._faults: dict[str, _Injected] = {}
        # Every id that there was, also after the end.
        self._known: set[str] = set()
        self._links: list[tuple[StationFaults, str, tuple[LinkQuality, ...]]] = []
        self._pauses: list[tuple[Station, str]] = []

    def note(self, faults: Iterable[str], at: StationFaults, scope: str) -> None:
        """Faults were injected in a scope."""
        for fault in faults:
            self._faults[fault] = _Injected(at, scope)
            self._known.add(fault)

    def note_links(self, at: StationFaults, scope: str) -> None:
        """The links of a server are about to be changed in a scope, whose end restores them."""
        if (at, scope) not in [(known, its) for known, its, _ in self._links]:
            self._links.append((at, scope, at.links))

    def note_pause(self, server: Station, scope: str) -> None:
        """A server was paused in a scope, whose end resumes it."""
        self._pauses.append((server, scope))

    def has(self, fault: str) -> bool:
        """Whether there is a fault with that id, at any server."""
        return fault in self._faults

    def places(self) -> list[StationFaults]:
        """Returns where there are faults, changed links or a pause; each place once."""
        places = [known.at for known in self._faults.values()]
        places += [at for at, _, _ in self._links]
        places += [server.faults for server, _ in self._pauses]
        return list(dict.fromkeys(places))

    def place_of(self, fault: str, at: StationFaults | None = None) -> StationFaults:
        """Returns where a fault is.

        Args:
            fault: its id.
            at: where it must be; None for any place.

        Raises:
            UsageError: it is not there.
        """
        found = self._faults.get(fault)
        if found is None or at not in (None, found.at):
            raise self._no_fault(fault, at)
        return found.at

    def ask_for(self, fault: str, at: StationFaults | None = None) -> StationFaults:
        """Returns where a fault is; if it does not happen, that is no warning any more.

        Raises:
            UsageError: it is not there.
        """
        place = self.place_of(fault, at)
        self._faults[fault].was_asked_for = True
        return place

    def ask_for_all(self, at: StationFaults) -> None:
        """Nothing of a place that did not happen is a warning any more."""
        for known in self._faults.values():
            known.was_asked_for |= known.at == at

    def clear(self, at: StationFaults, fault: str = "") -> list[Ended]:
        """Clears a fault of a place, or everything there."""
        if not fault:
            # With everything a pause ends, too.
            self._links = [known for known in self._links if known[0] != at]
            self._pauses = [known for known in self._pauses if known[0].faults != at]
        return self._end(at, at.clear(fault))

    def leave(self, scope: str) -> list[Ended]:
        """A scope ends: clears its faults, and restores the links as they were before it."""
        ended: list[Ended] = []
        for place in self.places():
            ids = [
                fault
                for fault, known in self._faults.items()
                if known.at == place and is_within(known.scope, scope)
            ]
            # All are cleared before the first complaint.
            reports = [report for fault in ids for report in place.clear(fault)]
            ended += self._end(place, reports)
        for place, its_scope, links in reversed(self._links):
            if is_within(its_scope, scope):
                place.restore_links(links)
        self._links = [known for known in self._links if not is_within(known[1], scope)]
        return ended

    def resume(self, scope: str) -> None:
        """Ends the pauses of a scope whose servers did not stop with it."""
        for server, its_scope in self._pauses:
            if is_within(its_scope, scope) and server.bound:
                server.resume()
        self._pauses = [known for known in self._pauses if not is_within(known[1], scope)]

    def _end(self, at: StationFaults, reports: Iterable[FaultReport]) -> list[Ended]:
        ended = []
        for report in reports:
            known = self._faults.pop(report.fault.id, None)
            asks = known is not None and not known.was_asked_for
            misses = at.misses([report]) if asks else []
            ended.append(Ended(report.fault, "".join(misses)))
        return ended

    def _no_fault(self, fault: str, at: StationFaults | None) -> UsageError:
        if fault in self._known and fault not in self._faults:
            return UsageError(
                f"Fault {fault} has ended: with its test or suite, or with `Clear TFTP Faults`. "
                "Ask for it before."
            )
        return no_fault(
            fault, [each for each, known in self._faults.items() if at in (None, known.at)]
        )
