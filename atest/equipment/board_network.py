"""The way from a board to a server: a NAT, and a cable into a network of its own.

The cable needs Linux, root and the program `ip`: it is a pair of interfaces, one of them in a
network namespace, where the board's sockets are opened.
"""

from __future__ import annotations

import ctypes
import os
import select
import socket
import subprocess
import threading
from pathlib import Path
from typing import BinaryIO

from TftpBoard.packets import BoardError
from TftpBoard.ports import MAX_DATAGRAM, Address, open_port

CLONE_NEWNET = 0x40000000


def board_address() -> str:
    """Returns the address of a board; another one where the boards are at another host."""
    return os.environ.get("TFTP_LIBRARY_BOARD_ADDRESS", "127.0.0.1")


def open_socket(host: str, local: Address = ("", 0), namespace: str = "") -> socket.socket:
    """Opens a UDP socket that can send to `host`, in a network namespace if one is named."""
    if namespace:
        return _open_in_namespace(host, local, namespace)
    return open_port(host, local)


def _open_in_namespace(host: str, local: Address, namespace: str) -> socket.socket:
    """Opens the socket on a thread that moves there, since a namespace belongs to a thread."""
    opened: list[socket.socket] = []
    problems: list[OSError] = []

    def work() -> None:
        try:
            with Path("/var/run/netns", namespace).open("rb") as place:
                enter(place)
            opened.append(open_socket(host, local))
        except OSError as problem:
            problems.append(problem)

    thread = threading.Thread(target=work, name="namespace")
    thread.start()
    thread.join()
    if problems:
        raise problems[0]
    return opened[0]


def enter(place: BinaryIO) -> None:
    """Moves this thread to a network namespace, which is open as a file."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(place.fileno(), CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), f"The board cannot enter {place.name}")


class Cable:
    """A cable from this machine to a board in a network namespace. Use it as a context manager.

    Attributes:
        namespace: the board's network.
        mac: the board's MAC address.
    """

    def __init__(self, here: tuple[str, ...], there: str) -> None:
        """`here` are this machine's addresses there with their prefix, `there` is the board's."""
        self.namespace = f"board{os.getpid()}"
        near, far = f"bn{os.getpid()}", f"bf{os.getpid()}"
        self._near = near
        inside = ("ip", "-n", self.namespace)
        _ip("ip", "netns", "add", self.namespace)
        try:
            _ip("ip", "link", "add", near, "type", "veth", "peer", far, "netns", self.namespace)
            for address in here:
                _ip("ip", "address", "add", address, "dev", near, *_no_detection(address))
            _ip(*inside, "address", "add", there, "dev", far, *_no_detection(there))
            _ip("ip", "link", "set", near, "up")
            _ip(*inside, "link", "set", far, "up")
            shown = _ip(*inside, "-oneline", "link", "show", far)
            self.mac = shown.partition("link/ether ")[2].split()[0]
        except BoardError:
            self.close()
            raise

    def __enter__(self) -> Cable:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Removes the namespace and the interfaces."""
        subprocess.run(["ip", "netns", "delete", self.namespace], capture_output=True, check=False)
        # A socket of the board may keep the namespace alive, and the cable with it.
        subprocess.run(["ip", "link", "delete", self._near], capture_output=True, check=False)


def _no_detection(address: str) -> tuple[str, ...]:
    """An IPv6 address is usable at once only without duplicate address detection."""
    return ("nodad",) if ":" in address else ()


def _ip(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BoardError(f"'{' '.join(command)}' failed: {done.stdout}{done.stderr}".strip())
    return done.stdout


class Nat:
    """A NAT before a server: each board gets an outer port, open for the asked server port only.

    An answer from another port of the server is lost, as it is in a container's network.

    Attributes:
        host: where boards ask instead of the server.
        port: the port of `host`.
        lost: answers that came from another address or port than the one asked.
    """

    def __init__(self, server: Address) -> None:
        self.lost = 0
        self._server = server
        self._inner = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._inner.bind((board_address(), 0))
        self.host, self.port = self._inner.getsockname()
        self._outer: dict[Address, socket.socket] = {}
        self._boards: dict[socket.socket, Address] = {}
        self._wake, self._waker = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="NAT", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends the thread and closes every port. Idempotent."""
        self._waker.close()
        self._thread.join(5)
        for sock in (self._inner, self._wake, *self._boards):
            sock.close()

    def _run(self) -> None:
        while True:
            watched = [self._wake, self._inner, *self._boards]
            readable, _, _ = select.select(watched, [], [])
            if self._wake in readable:
                return
            for sock in readable:
                if sock is self._inner:
                    self._carry_out()
                else:
                    self._carry_in(sock)

    def _carry_out(self) -> None:
        octets, board = self._inner.recvfrom(MAX_DATAGRAM)
        if board not in self._outer:
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.bind((board_address(), 0))
            self._outer[board] = sock
            self._boards[sock] = board
        self._outer[board].sendto(octets, self._server)

    def _carry_in(self, sock: socket.socket) -> None:
        octets, source = sock.recvfrom(MAX_DATAGRAM)
        if source == self._server:
            self._inner.sendto(octets, self._boards[sock])
        else:
            self.lost += 1
