"""A simulated board: it is switched on, loads its files over TFTP, and is switched off.

It uses plain UDP sockets and no code of TftpLibrary. For pytest and scripts; the keywords of
`board.resource` are made of it:

    board = Board(server.host, server.port)
    board.switch_on("boot.scr", "zImage")
    board.wait_until_booted()
    assert board.memory["zImage"] == image
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Mapping, Sequence

from TftpBoard.habits import Habits
from TftpBoard.loaders import LOADERS, Loader, configuration_names, files_of_configuration
from TftpBoard.packets import BoardError, RefusedError, encode_error, option_text
from TftpBoard.ports import MAX_DATAGRAM, Address, open_port
from TftpBoard.transfers import Download, Probe, Transfer, Upload

MAC = "52:54:00:12:34:56"
TICK = 0.05
WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}


class _PowerLostError(Exception):
    """The board was switched off in the middle of a transfer."""


class Board:
    """A board that boots from a TFTP server. Use it as a context manager, or call `close`.

    Attributes:
        memory: the files that the board has loaded since it was switched on, by name.
        console: the lines that the board has printed since then.
    """

    def __init__(
        self,
        host: str,
        port: int = 69,
        *,
        loader: str = "u-boot",
        address: str = "",
        mac: str = MAC,
        options: Mapping[str, str] | None = None,
        habits: Habits | None = None,
    ) -> None:
        """The board is off at first.

        Args:
            host: the address of the server.
            port: the port of the server.
            loader: a name of `LOADERS`.
            address: the local address that the board asks from.
            mac: the MAC address, from which PXELINUX makes a name.
            options: options that replace those of the loader; an empty value leaves one out.
            habits: how the board behaves.

        Raises:
            BoardError: there is no such loader.
        """
        if loader not in LOADERS:
            raise BoardError(f"No loader '{loader}'. There are: {', '.join(LOADERS)}.")
        self.memory: dict[str, bytes] = {}
        self.console: list[str] = []
        self._server = (WILDCARDS.get(host, host), port)
        self._loader: Loader = LOADERS[loader]
        self._address = address
        self._mac = mac
        merged = {**self._loader.options, **(options or {})}
        self._options = {name: value for name, value in merged.items() if value}
        self._habits = habits or Habits()
        self._is_on = False
        self._power_lost = threading.Event()
        self._boot: threading.Thread | None = None
        self._failure: BaseException | None = None
        self._silent: list[socket.socket] = []

    def __enter__(self) -> Board:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def switch_on(self, *files: str) -> None:
        """Switches the board on. It loads these files in their order, in the background.

        Raises:
            BoardError: it is on already.
        """
        if self._is_on:
            raise BoardError("The board is on already.")
        self.memory, self.console, self._failure = {}, [], None
        self._is_on = True
        self._power_lost = threading.Event()
        self._boot = threading.Thread(target=self._run, args=[files], name="board", daemon=True)
        self._boot.start()

    def switch_off(self) -> None:
        """Switches the board off: it falls silent, in the middle of a transfer too. Idempotent."""
        self._power_lost.set()
        if self._boot:
            self._boot.join()
        self._is_on = False

    def close(self) -> None:
        """Switches the board off and closes its ports. Idempotent."""
        self.switch_off()
        for sock in self._silent:
            sock.close()
        self._silent = []

    def wait_until_booted(self, timeout: float = 30.0) -> None:
        """Waits until the board has loaded everything.

        Raises:
            BoardError: the board gave up, or is still busy; the text has its console.
        """
        self._must_be_on()
        if self._boot:
            self._boot.join(timeout)
        if self._boot and self._boot.is_alive():
            raise BoardError(self._with_console(f"The board has not booted in {timeout:g} s."))
        if isinstance(self._failure, BoardError):
            raise BoardError(self._with_console("The board has not booted."))
        if self._failure:
            raise self._failure

    def recall(self, name: str, timeout: float = 5.0) -> bytes:
        """Returns a file of the memory; waits for it while the board boots.

        Raises:
            BoardError: the board has not loaded the file.
        """
        until = time.monotonic() + timeout
        while True:
            is_booting = self._boot is not None and self._boot.is_alive()
            if name in self.memory:
                return self.memory[name]
            if not is_booting or time.monotonic() > until:
                there = ", ".join(self.memory) or "no file"
                raise BoardError(f"The board has not loaded '{name}', but {there}.")
            time.sleep(0.005)

    def load(self, name: str) -> bytes:
        """Loads one more file, and returns its content.

        Raises:
            BoardError: the server refused it, or did not answer.
        """
        self._must_be_idle()
        return self._load(name)

    def store(self, name: str, content: bytes) -> None:
        """Writes a file to the server.

        Raises:
            BoardError: the server refused it, or did not answer.
        """
        self._must_be_idle()
        self._transfer(Upload(name, self._options, content), f"put '{name}'")

    def _run(self, files: Sequence[str]) -> None:
        try:
            for name in files:
                self._load(name)
            if self._loader.reads_configuration:
                self._load_configuration(files[0] if files else "")
            self.console.append("booted")
        except _PowerLostError:
            pass
        except BaseException as problem:
            self.console.append("boot failed")
            self._failure = problem

    def _load_configuration(self, first: str) -> None:
        names = configuration_names(first, self._mac, self._address or self._own_address())
        text = self._load_first(names)
        for name in files_of_configuration(first, text.decode()):
            self._load(name)

    def _load_first(self, names: Sequence[str]) -> bytes:
        """Loads the first of these files that the server has."""
        for name in names[:-1]:
            try:
                return self._load(name)
            except RefusedError:
                continue
        return self._load(names[-1])

    def _load(self, name: str) -> bytes:
        if self._loader.probes_size:
            self._transfer(Probe(name, self._options), f"size of '{name}'")
        content = bytearray()
        self._transfer(Download(name, self._options, content.extend, self._habits), f"get '{name}'")
        self.memory[name] = bytes(content)
        return self.memory[name]

    def _transfer(self, transfer: Transfer, what: str) -> None:
        """Brings a transfer to its end, and prints how it went."""
        sock = open_port(self._server[0], (self._address, 0))
        try:
            self._drive(transfer, sock)
        except _PowerLostError:
            self._silent.append(sock)  # A board without power is silent; its port is not closed.
            raise
        except BaseException:
            sock.close()
            raise
        sock.close()
        if isinstance(transfer.error, RefusedError):
            self.console.append(f"{what}: ERROR {transfer.error.code} '{transfer.error.text}'")
            raise transfer.error
        if transfer.error:
            self.console.append(f"{what}: {transfer.error}")
            raise transfer.error
        agreed = option_text(transfer.granted) or "no options"
        self.console.append(f"{what}: {transfer.octets} octets, {agreed}")

    def _drive(self, transfer: Transfer, sock: socket.socket) -> None:
        peer, is_answered, retries = self._server, False, 0
        _send(sock, transfer.packets, peer)
        while not transfer.is_over:
            received = self._receive(sock)
            if received is None:
                if retries == self._habits.retries:
                    transfer.give_up(f"no answer after {retries} retries")
                    return
                retries += 1
                _send(sock, transfer.packets, peer)
            elif is_answered and received[1] != peer and not self._habits.believes_strangers:
                # RFC 1350 section 4: a stranger gets an ERROR, and the transfer goes on.
                sock.sendto(encode_error(5, "Unknown transfer ID"), received[1])
            else:
                if not is_answered:
                    # A stranger that is believed later gets no answer: that goes to the server.
                    peer, is_answered = received[1], True
                blocks = transfer.blocks
                must_send = transfer.receive(received[0])
                if must_send:
                    _send(sock, transfer.packets, peer)
                if must_send or transfer.blocks > blocks:
                    # What says nothing to the board is no answer.
                    retries = 0

    def _receive(self, sock: socket.socket) -> tuple[bytes, Address] | None:
        """Returns the next datagram, or None when none came in time."""
        deadline = time.monotonic() + self._habits.retry_after
        while (left := deadline - time.monotonic()) > 0:
            if self._power_lost.is_set():
                raise _PowerLostError
            sock.settimeout(min(left, TICK))
            try:
                datagram, source = sock.recvfrom(MAX_DATAGRAM)
            except (TimeoutError, BlockingIOError):
                continue
            except ConnectionError:
                continue  # Windows: nobody is at the server's port; the board cannot know it.
            return datagram, source[:2]
        return None

    def _own_address(self) -> str:
        with open_port(self._server[0]) as sock:
            sock.connect(self._server)
            return str(sock.getsockname()[0])

    def _must_be_on(self) -> None:
        if not self._is_on:
            raise BoardError("The board is off: switch it on first.")

    def _must_be_idle(self) -> None:
        self._must_be_on()
        if self._boot:
            self._boot.join()

    def _with_console(self, text: str) -> str:
        return "\n".join([f"{text} Its console:", *(f"  {line}" for line in self.console)])


def _send(sock: socket.socket, packets: Sequence[bytes], peer: Address) -> None:
    for packet in packets:
        sock.sendto(packet, peer)
