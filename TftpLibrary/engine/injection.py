"""The faults of a server or of our client: injected, asked for and cleared by a test."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from time import monotonic
from typing import Any, TypeVar

from TftpLibrary.engine.miscalls import Miscalls
from TftpLibrary.engine.shared import SHARED_ENGINE
from TftpLibrary.errors import ExpectationError, UsageError
from TftpLibrary.faults.files import Damage, Damaging, Denial, parse_damaging
from TftpLibrary.faults.kinds import FaultKind
from TftpLibrary.faults.link import LinkQuality
from TftpLibrary.faults.packets import Packets
from TftpLibrary.faults.plan import Plan
from TftpLibrary.faults.reports import FaultReport, TftpFault, report_of
from TftpLibrary.faults.rules import NO_CLIENT, Rule, make_rule
from TftpLibrary.faults.scenarios import Scenario, Where, begin, parse_scenario
from TftpLibrary.faults.wording import Fault
from TftpLibrary.messages.faults import count_of, expect_happened, explain_miss
from TftpLibrary.recording.recorder import Recorder
from TftpLibrary.recording.view import View, Watch

T = TypeVar("T")


class Faults:
    """The faults on purpose of one server, or of one client.

    A fault is in force from the next packet on, also in transfers that run already, until it is
    cleared. Every method may be called from any thread.

    Args:
        recorder: numbers the faults, and wakes those who wait.
        run: runs a function where the plan may be changed, and has the plan take effect.
        look: returns the view of the transfers since a mark.
        server: alias of the server; empty for a client.
        resume: ends a pause of the server.

    Attributes:
        plan: the rules; it belongs to the engine's thread.
        recorder: as given.
        is_of_client: whether they are faults of our clients, and not of a server.
    """

    is_of_client = False

    def __init__(
        self,
        recorder: Recorder,
        run: Callable[[Callable[[], Any]], Any],  # Any: it returns what the function returns
        look: Callable[[int], View],
        server: str = "",
        resume: Callable[[], None] = lambda: None,
    ) -> None:
        self.plan = Plan(lambda: next(recorder.fault_numbers))
        self._resume = resume
        self.recorder = recorder
        self._run = run
        self._look = look
        self._server = server
        self._since: dict[str, int] = {}

    # Injecting -----------------------------------------------------------------------------

    def inject(self, kind: FaultKind | str, packet: Packets | str = "", **how: Any) -> str:
        """Lets a fault happen to packets.

        Args:
            kind: what happens, such as `drop`.
            packet: the packets, such as `DATA 3`; by default those of the kind.
            how: the attributes of `TftpLibrary.faults.rules.Rule`, such as `file="zImage"`.

        Returns:
            The fault's id, such as `drop-1`.

        Raises:
            UsageError: it cannot happen, or takes another argument.
        """
        return self.add(make_rule(kind, packet, is_of_client=self.is_of_client, **how))

    def damage(self, file: str, how: Damaging | str, **more: Any) -> str:
        """Sends a file with another content. Returns the fault's id.

        Args:
            file: name or glob of the file.
            how: what changes, such as `flip_bit`.
            more: the attributes of `TftpLibrary.faults.files.Damage`.

        Raises:
            UsageError: it cannot be.
        """
        found = how if isinstance(how, Damaging) else parse_damaging(how)
        return self.add(Damage(file, found, **more))

    def deny(self, file: str, **more: Any) -> str:
        """Refuses a file. Returns the fault's id.

        Args:
            file: name or glob of the file.
            more: the attributes of `TftpLibrary.faults.files.Denial`, such as `times=1`.

        Raises:
            UsageError: it cannot be.
        """
        return self.add(Denial(file, **more))

    def use(
        self, scenario: Scenario | str, file: str = "*", *, client: str = "", seed: int = 0
    ) -> list[str]:
        """Lets a named day begin. Returns the ids of its faults; that of a link is `link`.

        Raises:
            UsageError: there is none of that name, or it is a day of servers, and these are faults
                of our client.
        """
        where = Where(file, client, seed, self.is_of_client)
        return begin(parse_scenario(scenario), where, self.add, self.set_link)

    def add(self, fault: Fault) -> str:
        """Puts a fault behind the others. Returns its id.

        Raises:
            UsageError: there are too many, or its name is taken.
        """
        # First: what the engine has in its sockets came before the fault.
        mark = self.recorder.mark()
        number: str = self._run(lambda: self.plan.add(fault, monotonic()))
        self._since[number] = mark
        return number

    def set_link(self, quality: LinkQuality) -> LinkQuality:
        """Sets what the link does to every packet. Returns the quality before."""
        old: LinkQuality = self._run(lambda: self.plan.set_link(quality))
        return old

    @property
    def links(self) -> tuple[LinkQuality, ...]:
        """The quality of each link, in the order of their setting."""
        links: tuple[LinkQuality, ...] = self._run(lambda: self.plan.links)
        return links

    def restore_links(self, links: tuple[LinkQuality, ...]) -> None:
        """Sets all links as they were."""
        self._run(lambda: self.plan.restore_links(links))

    # Asking --------------------------------------------------------------------------------

    def all(self) -> tuple[TftpFault, ...]:
        """Returns every fault, in the order in which they were injected."""
        return tuple(report.fault for report in self.reports())

    def reports(self) -> tuple[FaultReport, ...]:
        """Returns what is known of every fault."""
        self._look_first()
        reports: tuple[FaultReport, ...] = self._run(self._report_all)
        return reports

    def has(self, fault: str) -> bool:
        """Whether there is a fault with that id."""
        return any(known.id == fault for known in self.all())

    def expect(self, fault: str, *, times: int | None = None, client: str = "") -> TftpFault:
        """Returns a fault that happened.

        Args:
            fault: its id.
            times: how often it must have happened; None for at least once.
            client: the address whom it must have struck; empty for anybody.

        Raises:
            ExpectationError: it did not happen, or not so often. The text shows what passed by it.
            UsageError: there is no such fault.
        """
        return expect_happened(self._report(fault), self._view(fault), times, client)

    def expect_all(self) -> list[TftpFault]:
        """Returns all faults, if each has happened; those by chance need not.

        Raises:
            ExpectationError: some did not happen. The text shows what passed by them.
        """
        reports = self.reports()
        if misses := self.misses(reports):
            raise ExpectationError("\n".join(misses))
        return [report.fault for report in reports]

    def misses(self, reports: Iterable[FaultReport]) -> list[str]:
        """Returns for each fault that should have happened, and did not, the reason."""
        return [
            explain_miss(report, self._view(report.fault.id))
            for report in reports
            if report.is_expected and not report.fault.hits
        ]

    def wait_until_happened(
        self, fault: str, timeout: float = 60.0, *, times: int = 1, client: str = ""
    ) -> TftpFault:
        """Waits until a fault has happened so often; it may have happened before.

        Args:
            fault: its id.
            timeout: seconds.
            times: how often it must have happened at least.
            client: the address whom it must have struck; empty for anybody.

        Raises:
            ExpectationError: it did not happen in time. The text shows what passed by it.
            UsageError: there is no such fault.
        """

        def find(_: object) -> TftpFault | None:
            report = self._report(fault)
            return report.fault if count_of(report, client) >= times else None

        try:
            return self.recorder.wait_for(find, timeout, self._since.get(fault, 0))
        except TimeoutError:
            if (late := find(None)) is not None:
                return late
            return expect_happened(self._report(fault), self._view(fault), times, client)

    # Clearing ------------------------------------------------------------------------------

    def clear(self, fault: str = "") -> list[FaultReport]:
        """Clears one fault, or everything: then the server is as if there had been none.

        Late packets still arrive, and a pause ends.

        Returns:
            The reports of those that were cleared.

        Raises:
            UsageError: there is no such fault.
        """
        self._look_first()
        cleared: list[FaultReport] = self._run(partial(self._clear, fault))
        if not fault:
            self._resume()
        return cleared

    # Inside --------------------------------------------------------------------------------

    def _look_first(self) -> None:
        """Lets every datagram that has come meet the faults: the last ACK of a board that ended."""
        self.recorder.mark()

    def _report_all(self) -> tuple[FaultReport, ...]:
        now = monotonic()
        return tuple(report_of(placed, now, self._server) for placed in self.plan.all())

    def _report(self, fault: str) -> FaultReport:
        self._look_first()
        report: FaultReport = self._run(
            lambda: report_of(self.plan.find(fault), monotonic(), self._server)
        )
        return report

    def _clear(self, fault: str) -> list[FaultReport]:
        now = monotonic()
        return [report_of(placed, now, self._server) for placed in self.plan.remove(fault)]

    def _view(self, fault: str) -> View:
        return self._look(self._since.get(fault, 0))


class ClientFaults(Faults):
    """The faults on purpose of our clients: of one, or of several that are given them.

    Args:
        recorder: see `Faults`; the clients have the same one.

    Attributes:
        calls: what the clients' calls meet; it belongs to the engine's thread.
    """

    is_of_client = True

    def __init__(self, recorder: Recorder) -> None:
        super().__init__(recorder, self._call, self._look_at_ours)
        self.calls = Miscalls(self.plan)

    def add(self, fault: Fault) -> str:
        """See `Faults.add`.

        Raises:
            UsageError: only a server can have it.
        """
        return super().add(_of_client(fault))

    def set_link(self, quality: LinkQuality) -> LinkQuality:
        """See `Faults.set_link`.

        Raises:
            UsageError: it names a board.
        """
        if quality.client:
            raise UsageError(NO_CLIENT)
        return super().set_link(quality)

    def _call(self, function: Callable[[], T]) -> T:
        """Runs a function where the clients run, also if none does at the moment."""
        engine = SHARED_ENGINE.acquire()

        def run() -> T:
            result = function()
            self.calls.reroute()
            return result

        try:
            return engine.call(run)
        finally:
            SHARED_ENGINE.release()

    def _look_at_ours(self, since: int) -> View:
        view = Watch(self.recorder, since=since).look()
        return view._replace(transfers=tuple(each for each in view.transfers if each.is_ours))


def _of_client(fault: Fault) -> Rule:
    """Returns a fault as one of our client.

    Raises:
        UsageError: only a server can have it.
    """
    if not isinstance(fault, Rule):
        raise UsageError(
            "Only a server refuses or damages its files; faults of our client are about packets, "
            "such as inject('drop', 'ACK 3')."
        )
    return fault if fault.is_of_client else replace(fault, is_of_client=True)
