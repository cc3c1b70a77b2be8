"""Near misses: the transfer that came nearest to the one asked for, and advice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from TftpLibrary.matching import plain_name
from TftpLibrary.messages.likeness import nearest_names
from TftpLibrary.messages.requests import describe_requests
from TftpLibrary.messages.words import BOARD, PYTHON, Words
from TftpLibrary.protocol.outcome import Cause, Outcome
from TftpLibrary.protocol.packets import Direction
from TftpLibrary.recording.records import Transfer
from TftpLibrary.recording.view import Transfers, View
from TftpLibrary.recording.wording import (
    ALL_OUT,
    IDLE,
    after_faults_text,
    duration_text,
    outcome_text,
    progress_text,
    reason_text,
    short_text,
)

_MOST_CLIENTS = 3


class Miss(NamedTuple):
    """The nearest transfer in words, and a sentence of advice.

    What a boot loader did is a sentence of its own, which begins with `The board`.
    """

    came: str
    advice: str


class Search(NamedTuple):
    """Looks for what came nearest to a transfer that is not there.

    Attributes:
        view: what was seen.
        name: the name or glob that is missed.
        client: the address or network that is missed; empty for any.
        direction: which way the file should have gone; None for either.
        waited: seconds that were waited; None where nobody waited.
        words: what the reader calls things.
    """

    view: View
    name: str
    client: str = ""
    direction: Direction | None = None
    waited: float | None = None
    words: Words = PYTHON

    def text(self, done: str, miss: Miss | None = None) -> str:
        """Returns the whole message.

        Args:
            done: what should have been done, such as `downloaded by`; the word for the client
                stands last.
            miss: what came nearest; what the search itself finds by default.
        """
        verb, _, word = done.partition(" ")
        source = f" {word} {self.client}" if self.client else ""
        waited = "" if self.waited is None else f" in {duration_text(self.waited)}"
        came, advice = miss or self.nearest()
        requests = describe_requests(self.view, self.name, self.words)
        mark = "." if came.startswith(BOARD) else ":"
        return f"'{self.name}' was not {verb}{source}{waited}{mark} {came}. {advice}\n{requests}"

    def nearest(self) -> Miss:
        """Returns what came nearest: the right file and client first, then what differs in one."""
        from TftpLibrary.boot.trails import is_miss  # noqa: PLC0415 - for a miss only

        own = self.view.select(self.name, self.client, direction=self.direction)
        if own and (len({t.filename for t in own}) == 1 or not all(map(is_miss, own))):
            return self.attempt(last_attempt(own))
        if not own and self.direction and self.view.select(self.name, self.client):
            return self._other_direction(self.direction)
        same_client = self.view.select(client=self.client, direction=self.direction)
        near = nearest_names(self.name, (transfer.filename for transfer in same_client))
        by_loader = None if self._is_same(near) else self._of_loaders()
        if by_loader or own:
            return by_loader or self.attempt(last_attempt(own))
        if near:
            return self._near_names(near, same_client)
        others = self.view.select(self.name, direction=self.direction)
        return (
            self._other_clients(others) if others else self._elsewhere()
        ) or self._nothing_like_it()

    def attempt(self, transfer: Transfer) -> Miss:
        """Returns how far one transfer came that did not complete."""
        is_named = plain_name(transfer.filename) == plain_name(self.name)
        name = "" if is_named else f"'{short_text(transfer.filename)}' "
        came, advice = self._attempt(transfer, name)
        if advice in _FAULT_EXPLAINS and transfer.faults:
            advice = _ON_PURPOSE
        return Miss(f"{came}{after_faults_text(transfer)}", advice)

    def _attempt(self, transfer: Transfer, name: str) -> Miss:
        if transfer.outcome is Outcome.refused:
            reason = reason_text(transfer)
            if transfer.cause is Cause.on_purpose and transfer.error_code is None:
                # No answer refused it: it did not arrive.
                return Miss(f"{name}{reason}", _ON_PURPOSE)
            came = f"{name or 'it '}was requested and refused: {reason}"
            return Miss(came, self._advice_for_refusal(transfer))
        if transfer.outcome is Outcome.probed:
            size = f"the size of {name.rstrip()}" if name else "its size"
            return Miss(f"only {size} was asked", _PROBED)
        came = f"{name}{progress_text(transfer)}, block {transfer.blocks}"
        return self._unfinished(transfer, came) if transfer.is_running else _cut(transfer, came)

    def _unfinished(self, transfer: Transfer, came: str) -> Miss:
        if transfer.idle >= IDLE:
            return Miss(f"{came}, silent for {duration_text(transfer.idle)}", _SILENT)
        more = ""
        if transfer.size is not None and transfer.rate > 0:
            rest = duration_text((transfer.size - transfer.octets) / transfer.rate)
            more = f"It needs about {rest} more: "
        if self.waited is not None:
            advice = f"{more}raise timeout=." if more else "Give it more time: raise timeout=."
        else:
            is_read = transfer.direction is Direction.read
            wait = self.words.download if is_read else self.words.upload
            advice = f"{more}{'w' if more else 'W'}ait for it with `{wait}`."
        return Miss(f"{came}, still running", advice)

    def _advice_for_refusal(self, transfer: Transfer) -> str:
        cause = transfer.cause
        if cause is Cause.missing and transfer.direction is Direction.read:
            near = nearest_names(transfer.filename, self.view.names())
            there = f"The store has {_quoted(near)}. " if near else ""
            return f"{there}Upload the file under the name that the board asks for."
        return _FOR_REFUSALS.get(cause, _UNKNOWN).format(*map(self.words.setting.format, _SETTINGS))

    def _other_direction(self, direction: Direction) -> Miss:
        if direction is Direction.read:
            return Miss(
                "the board sent it (write request) instead of asking for it (read request)",
                f"`{self.words.upload}` waits for what a board sends.",
            )
        return Miss(
            "the board asked for it (read request) instead of sending it (write request)",
            f"`{self.words.download}` waits for what a board asks for.",
        )

    def _is_same(self, near: Sequence[str]) -> bool:
        """Whether the nearest name differs in case only, and no boot loader looked for it."""
        from TftpLibrary.boot.trails import steps_of  # noqa: PLC0415 - for a miss only

        is_same = bool(near) and plain_name(near[0]).casefold() == plain_name(self.name).casefold()
        return is_same and not steps_of(near[0])

    def _of_loaders(self) -> Miss | None:
        """Returns what boot loaders asked for in vain, where they did not get to the file."""
        from TftpLibrary.messages.probes import stuck_boards  # noqa: PLC0415 - for a miss only

        if self.direction is Direction.write:
            return None
        own = self.view.of(client=self.client).transfers
        told = stuck_boards(own, self.view.names)
        if not told:
            return None
        (came, advice), *others = told
        return Miss(came, " ".join([advice, *map(". ".join, others)]))

    def _elsewhere(self) -> Miss | None:
        """Returns the right file at another server, or before the mark."""
        others = self._of_boards(self.view.others())
        if others:
            last = others[-1]
            came = f"another server was asked, '{last.server}' ({outcome_text(last)})"
            return Miss(came, f"For that one give server={last.server}.")
        earlier = [t for t in self._of_boards(self.view.whole()) if t.server == self.view.server]
        if earlier:
            came = f"it was {self._asked()} before the mark only ({outcome_text(earlier[-1])})"
            return Miss(came, self.words.before)
        return None

    def _of_boards(self, transfers: Transfers) -> list[Transfer]:
        own = View(transfers).select(self.name, self.client, direction=self.direction)
        return [transfer for transfer in own if not transfer.is_ours]

    def _near_names(self, near: Sequence[str], seen: Sequence[Transfer]) -> Miss:
        last = {transfer.filename: outcome_text(transfer) for transfer in seen}
        listed = ", ".join(f"'{short_text(name)}' ({last[name]})" for name in near)
        return Miss(f"no such name was {self._asked()}, the nearest: {listed}", _NAMES)

    def _other_clients(self, others: Sequence[Transfer]) -> Miss:
        last = {transfer.client: outcome_text(transfer) for transfer in others}
        told = [f"{client} ({text})" for client, text in list(last.items())[:_MOST_CLIENTS]]
        word = "sent" if self.direction is Direction.write else "asked for"
        return Miss(f"only other clients {word} it: {', '.join(told)}", _CLIENT)

    def _nothing_like_it(self) -> Miss:
        seen = self.view.transfers
        if not seen:
            at = self.view.at
            is_local = at.startswith(_LOOPBACK)
            came = f"nothing was requested{f' at {at}' if at else ''}"
            return Miss(came, _ONLY_HERE if is_local else _NOTHING)
        if not self.view.select(client=self.client):
            clients = list(dict.fromkeys(transfer.client for transfer in seen))[:_MOST_CLIENTS]
            return Miss(f"{self.client} asked for nothing, only {', '.join(clients)} did", _CLIENT)
        return Miss(f"no such name was {self._asked()}, and none like it", _ANOTHER)

    def _asked(self) -> str:
        return "sent" if self.direction is Direction.write else "requested"


def last_attempt(transfers: Sequence[Transfer]) -> Transfer:
    """Returns the last of the transfers that says most.

    A board that asks for the size first, and then for the content, says more the second time,
    whatever came of it.
    """
    asked = [transfer for transfer in transfers if transfer.outcome is not Outcome.probed]
    return asked[-1] if asked else transfers[-1]


_SILENT = "Look at the board's console, its power and its cable."
_ON_PURPOSE = (
    "The test did that on purpose: if the board should get over it, look at its console, not at "
    "its cable."
)
_ABORTED = "This machine ended it: was the server stopped too early?"
_FAILED = "Look at the board's console for what went wrong there."
_FAULT_EXPLAINS = (_SILENT, _FAILED)
"""Advice that a fault on purpose makes wrong."""
_UNCONFIRMED = "The board may have the whole file: look at its console."
_PROBED = (
    "The board took the size and did not come back for the content: look at its console, the file "
    "may be too large for it."
)
_NAMES = "Names match exactly, with case and folders, or as a glob such as '*/zImage'."
_ANOTHER = "Look at what the board is set to load or to send, and at its console."
_NOTHING = (
    "Check the server address and port that the board uses, its cable, and the firewall of this "
    "machine."
)
_CLIENT = "Check client= and the board's address; behind NAT it is that of the router."
_UNKNOWN = "The ERROR packet gives the reason."
_LOOPBACK = ("127.", "[::1]")
_ONLY_HERE = (
    "Only this machine reaches that address: for a board, start the server with host=auto or an "
    "address of this machine in the board's network."
)

_SETTINGS = (
    "writable=True",
    "create=True",
    "overwrite=True",
    "follow_symlinks=True",
    "broadcast=True",
)
_FOR_REFUSALS: dict[Cause | None, str] = {
    Cause.missing: "Its folder is not there: upload a file there first.",
    Cause.for_others: "Check only_for=, and the address of the board.",
    Cause.bad_name: "Let the board ask for a file below the root.",
    Cause.link: "Only with {3} the server follows links out of its root.",
    Cause.no_file: "Only regular files can be read and written.",
    Cause.forbidden: "Give the user who runs the test permission for it.",
    Cause.taken: "A board has one server at a port: stop that one, or name another board.",
    Cause.client: "Name the board in clients=, or leave clients= out.",
    Cause.read_only: "Start the server with {0} to let boards send files.",
    Cause.no_creation: "Start the server with {1}, or upload a file of that name first.",
    Cause.exists: "Start the server with {2}, or delete the file first.",
    Cause.too_large: "Raise max_upload_size=.",
    Cause.disk_full: "Make room on the disk with the folder that is served.",
    Cause.held: "Let the other run end first.",
    Cause.transfers: "Raise max_transfers=.",
    Cause.transfers_of_client: "Raise max_transfers_per_client=.",
    Cause.half_open: "Raise max_half_open=.",
    Cause.ports: "Give the server more ports: port_range=.",
    Cause.mode: "Let the board ask in mode octet.",
    Cause.broadcast: "Start the server with {4} to answer such requests.",
    Cause.on_purpose: _ON_PURPOSE,
    Cause.malformed: "The request is not one that TFTP knows: look at the board's boot loader.",
}
"""Advice for each reason of a refusal; the numbers stand for settings of the server."""


def _cut(transfer: Transfer, came: str) -> Miss:
    """A transfer that ended before its end."""
    if transfer.outcome is Outcome.timed_out:
        return Miss(f"{came}, then the board stopped answering", _SILENT)
    if transfer.outcome is Outcome.unconfirmed:
        return Miss(f"{came}: {ALL_OUT}", _UNCONFIRMED)
    if transfer.outcome is Outcome.aborted:
        reason = reason_text(transfer)
        advice = _ON_PURPOSE if "on purpose" in reason else _ABORTED
        return Miss(f"{came}, then it was stopped: {reason}", advice)
    return Miss(f"{came}, then it failed: {reason_text(transfer)}", _FAILED)


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"'{short_text(name)}'" for name in names)
