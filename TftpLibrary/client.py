"""A TFTP client as a plain Python object, for boards that are TFTP servers.

    from TftpLibrary import PeerError, TftpClient, TftpServer

    with TftpServer(content={"config.txt": b"hostname router-7"}) as device:
        with TftpClient(device.host, device.port) as client:
            record = client.get("config.txt", "backup.txt")
            print(f"{record.octets} bytes in {record.duration:.3f} s")
            try:
                client.put("backup.txt", "config.txt")
            except PeerError as error:
                print(f"The device refuses: {error}")

RFC 1350, 2347, 2348, 2349 and 7440; docs/protocol-coverage.md lists every obligation.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from TftpLibrary.engine import hosts
from TftpLibrary.engine.assembly import Cargo
from TftpLibrary.engine.caller import Caller, Order
from TftpLibrary.engine.engine import Engine
from TftpLibrary.engine.shared import SHARED_ENGINE
from TftpLibrary.errors import (
    NegotiationError,
    PeerError,
    TftpError,
    TransferAborted,
    TransferTimeout,
    UsageError,
)
from TftpLibrary.protocol.datagrams import Observer
from TftpLibrary.protocol.outcome import Cause, Outcome
from TftpLibrary.protocol.packets import ErrorCode, octets_of_text
from TftpLibrary.recording.capture import Capturable
from TftpLibrary.recording.recorder import Recorder
from TftpLibrary.recording.records import Transfer
from TftpLibrary.recording.wording import ALL_OUT, duration_text, progress_text
from TftpLibrary.settings import ClientSettings
from TftpLibrary.store.base import WritePolicy
from TftpLibrary.store.memory import MemoryStore
from TftpLibrary.store.names import fetched_path
from TftpLibrary.store.saved import local_sink, local_source

if TYPE_CHECKING:
    from TftpLibrary.engine.injection import ClientFaults

Progress = Callable[[Transfer], None]
"""Called on the caller's thread, a few times a second, with the present record."""

T = TypeVar("T")

_ERROR_NAMES = {
    ErrorCode.file_not_found: "File not found",
    ErrorCode.access_violation: "Access violation",
    ErrorCode.disk_full: "Disk full",
    ErrorCode.illegal_operation: "Illegal TFTP operation",
    ErrorCode.unknown_tid: "Unknown transfer ID",
    ErrorCode.file_exists: "File already exists",
    ErrorCode.no_such_user: "No such user",
    ErrorCode.option_negotiation: "Option negotiation failed",
}
_FOR_SILENCE: dict[Cause | None, str] = {
    Cause.no_listener: (
        "Start a TFTP server there, or check the port; wait= waits for one that starts later."
    ),
    Cause.no_way: "Check the address, and the network and the firewall of this machine.",
}
STOPPED = "The client was stopped"
_LONGEST = 10 * 365 * 24 * 3600.0
_IN_MEMORY = "content"
_ANY_WRITE = WritePolicy(writable=True, create=True, overwrite=True)


class TftpClient(Capturable):
    """Gets files from a TFTP server and puts files there, one at a time.

    Each call blocks until its transfer has ended. All servers and clients of a process share one
    thread, which runs while any of them is open, and for at most 7 seconds longer to repeat the
    last ACK of a client, or to send what a fault on purpose made late.

    Args:
        host: address or name of the server.
        port: request port of the server.
        settings: mode, options to ask for, and times.
        recorder: keeps the records of the transfers. By default a new one. Servers and clients
            may share one.
        faults: those of other clients, to share them; the recorder is theirs by default.
        changes: single settings by name, such as `blksize=512`, in place of those in `settings`.

    Attributes:
        host: address or name of the server.
        port: request port of the server.
        settings: mode, options and times of the next transfer.
        recorder: the records of all transfers.

    Raises:
        UsageError: the host cannot be found, there is no such port, no such setting, or a value is
            impossible.
    """

    def __init__(
        self,
        host: str,
        port: int = 69,
        settings: ClientSettings | None = None,
        *,
        recorder: Recorder | None = None,
        faults: ClientFaults | None = None,
        **changes: Any,  # Any: each setting has its own type
    ) -> None:
        if not 1 <= port <= 65535:
            raise UsageError(f"port must be from 1 to 65535, got {port}.")
        self.host = host
        self.port = port
        self.settings = (settings or ClientSettings()).changed(changes)
        if recorder is None:
            recorder = Recorder() if faults is None else faults.recorder
        self.recorder = recorder
        self._servers = hosts.resolve_peer(host, port)
        self._engine: Engine | None = None
        self._started: list[Caller] = []
        self._faults = faults

    # Life ----------------------------------------------------------------------------------

    def close(self) -> None:
        """Ends a capture, and the shared thread if nobody else needs it.

        Idempotent. The next transfer opens the client again.
        """
        if self.is_capturing:
            self.stop_capture()
        if self._engine is not None:
            self._engine = None
            SHARED_ENGINE.release()

    def __enter__(self) -> TftpClient:
        """Returns the client."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Closes the client."""
        self.close()

    # Transfers -----------------------------------------------------------------------------

    def get(
        self, name: str, destination: str | Path, *, progress: Progress | None = None
    ) -> Transfer:
        """Reads a file from the server.

        Args:
            name: the name to ask for.
            destination: path of the local file, or an existing folder, where the file gets the
                last part of its name. The file appears when it is complete, in one step.
            progress: called during the transfer, with the present record.

        Returns:
            The record of the transfer.

        Raises:
            UsageError: the destination cannot be written.
            PeerError: the server sent an ERROR.
            TransferTimeout: the server did not answer, or stopped answering.
            NegotiationError: the server granted an option that was not requested.
            TransferAborted: the disk is full, or the client was stopped.
        """
        _check_name(name)
        with local_sink(fetched_path(name, Path(destination))) as sink:
            return self._run(name, Cargo.to_fill(sink, self.settings.mode), progress)

    def put(
        self, source: str | Path, name: str = "", *, progress: Progress | None = None
    ) -> Transfer:
        """Writes a file to the server.

        Args:
            source: path of the local file.
            name: the name on the server. Default: the name of the local file.
            progress: called during the transfer, with the present record.

        Returns:
            The record of the transfer.

        Raises:
            UsageError: the source cannot be read.
            PeerError: the server sent an ERROR.
            TransferTimeout: the server did not answer, or stopped answering.
            NegotiationError: the server granted an option that was not requested.
            TransferAborted: the file changed during the transfer, or the client was stopped.
        """
        path = Path(source)
        if name:
            _check_name(name)
        with local_source(path) as opened:
            cargo = Cargo.to_send(opened, self.settings.mode)
            return self._run(name or path.name, cargo, progress)

    def get_bytes(self, name: str) -> bytes:
        """Reads a file from the server into memory. Raises the errors of `get`."""
        _check_name(name)
        memory = MemoryStore()
        sink = memory.open_write(_IN_MEMORY.encode(), "", _ANY_WRITE, None)
        self._run(name, Cargo.to_fill(sink, self.settings.mode))
        source = memory.open_read(_IN_MEMORY.encode(), "")
        content = bytearray(source.size)
        source.read_into([memoryview(content)], 0)
        return bytes(content)

    def put_bytes(self, data: bytes, name: str) -> Transfer:
        """Writes bytes to a file on the server. Raises the errors of `put`."""
        _check_name(name)
        source = MemoryStore({_IN_MEMORY: data}).open_read(_IN_MEMORY.encode(), "")
        return self._run(name, Cargo.to_send(source, self.settings.mode))

    @property
    def faults(self) -> ClientFaults:
        """The faults on purpose of this client.

        lost = client.faults.inject("drop", "ACK 3")
        ...
        client.faults.expect(lost)
        """
        if self._faults is None:
            # A client without faults needs none of it.
            from TftpLibrary.engine.injection import ClientFaults  # noqa: PLC0415

            self._faults = faults = ClientFaults(self.recorder)
            if self._engine is not None:
                self._engine.call(lambda: _misbehave(self._started, faults))
        return self._faults

    # Inside --------------------------------------------------------------------------------

    def _run(self, name: str, cargo: Cargo, progress: Progress | None = None) -> Transfer:
        order = Order(name, cargo, self._servers, self.settings, self.recorder)
        engine = self._open()
        started: list[Caller] = []
        self._started = started
        position = self.recorder.position
        observe = self._capture.take if self._capture is not None and self.is_capturing else None

        def is_ended(transfers: tuple[Transfer, ...]) -> Transfer | None:
            for transfer in transfers:
                if transfer.id == number:
                    if progress is not None:
                        progress(transfer)
                    return None if transfer.is_running else transfer
            return None

        try:
            # The engine ends each transfer in time; the caller may be interrupted.
            number = engine.call(lambda: self._begin(order, engine, started, observe))
            transfer = self.recorder.wait_for(is_ended, _LONGEST, since=position)
        except BaseException:
            # Commands run in order, so the transfer has begun by now if it ever does.
            engine.call(lambda: _stop(order, started))
            raise
        if transfer.outcome is not Outcome.completed:
            raise self._error_of(transfer)
        return transfer

    def _begin(
        self, order: Order, engine: Engine, started: list[Caller], observe: Observer | None
    ) -> int:
        """Asks, and returns the number of the record. On the engine's thread."""
        try:
            caller = Caller(order, engine)
        except (OSError, TypeError) as error:
            # Python takes no text with a NUL or a lone surrogate for an address.
            reason = getattr(error, "strerror", "") or "it is no address"
            raise UsageError(
                f"Cannot ask from '{order.settings.local_address or 'any address'}': {reason}. "
                "Expected in local_address= an address of this machine, of the family of the "
                "server's."
            ) from error
        started.append(caller)
        if self._faults is not None:
            caller.misbehave(self._faults.calls)
        caller.tap(observe)
        caller.begin()
        return caller.entry.id

    @property
    def _name_in_captures(self) -> str:
        return f"TFTP client of {self.host}"

    def _show_packets(self) -> Callable[[Observer | None], None]:
        engine = self._open()
        return lambda observe: engine.call(partial(self._show, observe))

    def _show(self, observe: Observer | None) -> None:
        for caller in self._started:
            caller.tap(observe)
        if observe is None:
            # Sessions that only repeat their last ACK may still show packets. None is written.
            self._end_capture()

    def _open(self) -> Engine:
        if self._engine is None:
            self._engine = SHARED_ENGINE.acquire()
        return self._engine

    def _error_of(self, transfer: Transfer) -> TftpError:
        where = f"from {hosts.url_host(self.host)}:{self.port} for '{transfer.filename}'"
        code, text = transfer.error_code, transfer.error_message
        if transfer.by_peer and code is not None:
            name = _ERROR_NAMES.get(code) or text or "No reason"  # type: ignore[call-overload]
            said = f": {text}" if text and text.lower() != name.lower() else ""
            message = f"{name} (TFTP error {code}) {where}{said}"
            return PeerError(message, code, text)
        if transfer.outcome in (Outcome.timed_out, Outcome.unconfirmed):
            return TransferTimeout(f"{self._silence(transfer)}. {self._advice(transfer)}")
        if code == ErrorCode.option_negotiation:
            return NegotiationError(f"Wrong option answer {where}: {text}")
        return TransferAborted(f"Transfer ended {where}: {text}.")

    def _silence(self, transfer: Transfer) -> str:
        """Says who was silent, for how long, who had answered before, and how often was asked."""
        place = f"{hosts.url_host(self.host)}:{self.port}"
        asked = f" (wait={self.settings.wait:g} s)" if self.settings.wait else ""
        waited = f"in {duration_text(transfer.duration)}{asked}"
        if transfer.outcome is Outcome.unconfirmed:
            answerer = transfer.answered_by or place
            return f"'{transfer.filename}' to {place}: {ALL_OUT} from {answerer} {waited}"
        head = f"No answer from {place} for '{transfer.filename}' {waited}"
        if not transfer.answered_by:
            return f"{head}: {transfer.error_message}"
        how_far = f"at {progress_text(transfer)}, block {transfer.blocks}"
        answered = f"{transfer.answered_by} answered, and stopped {how_far}"
        return f"{head}: {answered}: {transfer.error_message.removeprefix('no answer: ')}"

    def _advice(self, transfer: Transfer) -> str:
        if transfer.outcome is Outcome.unconfirmed:
            return "The server may have the whole file: look there before you send it again."
        if transfer.answered_by:
            return "Look at what the other side says; raise timeout= or retries= if it is slow."
        if any(caller.others for caller in self._started):
            return "With any_address=True an answer from another address is taken."
        if transfer.cause in _FOR_SILENCE:
            return _FOR_SILENCE[transfer.cause]
        return (
            "Expected a TFTP server at that address and port that answers within "
            f"{self.settings.timeout:g} s; raise timeout= or retries=, or wait= for a server that "
            "starts later."
        )


def _misbehave(callers: list[Caller], faults: ClientFaults) -> None:
    """Has faults on purpose in a transfer that runs already."""
    for caller in callers:
        if caller.entry.end is None:
            caller.misbehave(faults.calls)


def _stop(order: Order, started: list[Caller]) -> None:
    if started:
        started[0].stop(STOPPED)
    else:
        order.cargo.release()


def _check_name(name: str) -> None:
    try:
        octets = octets_of_text(name)
    except UnicodeEncodeError:
        octets = b""
    if not octets or b"\0" in octets:
        raise UsageError(f"Expected a file name without NUL to ask for, got {name!r}.")
