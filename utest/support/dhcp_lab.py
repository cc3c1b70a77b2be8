"""A network with dnsmasq and a board that asks it, in namespaces of their own.

`python -m utest.support.dhcp_lab NAME...` is the board: it asks as each of these does, and prints
the answers.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from utest.support.waiting import seconds, wait_until

ROOT = Path(__file__).parents[2]
CARD = "eth"
SERVER = "192.168.1.1"
_COOKIE = bytes.fromhex("63825363")
_PXE = "PXEClient:Arch:{:05}:UNDI:003016"


class Device(NamedTuple):
    """How a device asks.

    Attributes:
        mac: its MAC address.
        vendor: its vendor class; empty for none.
        arch: its architecture (RFC 4578); None for none.
        is_ipxe: whether it is iPXE that asks.
    """

    mac: str
    vendor: str = ""
    arch: int | None = None
    is_ipxe: bool = False


DEVICES = {
    "BIOS": Device("52:54:00:00:00:01", _PXE.format(0), 0),
    "UEFI": Device("52:54:00:00:00:02", _PXE.format(7), 7),
    "iPXE": Device("52:54:00:00:00:03", _PXE.format(0), 0, is_ipxe=True),
    "U-Boot": Device("52:54:00:ab:cd:07", "U-Boot.armv7", 21),
    "Raspberry Pi": Device("b8:27:eb:00:00:06", _PXE.format(0), 0),
    "switch": Device("00:11:22:33:44:08"),
}


class Answer(NamedTuple):
    """What DHCP offered: the addresses of the board and of the server, and its options."""

    address: str
    server: str
    options: dict[int, str]


@contextmanager
def dhcp_lab(lines: Sequence[str], folder: Path) -> Iterator[str]:
    """Serves these lines with dnsmasq. Yields the namespace of the board."""
    lab, board = f"dhcp{os.getpid()}", f"asks{os.getpid()}"
    path = folder / "dnsmasq.conf"
    path.write_text("\n".join([f"interface={CARD}", *lines, ""]), "utf-8")
    options = ("--keep-in-foreground", "--port=0", "--no-ping", "--pid-file=", "--user=root")
    leases, log = folder / "leases", folder / "log"
    process = None
    try:
        for name in (lab, board):
            _run("ip", "netns", "add", name)
        _run(*f"ip -n {lab} link add {CARD} type veth peer {CARD} netns {board}".split())
        _run(*f"ip -n {lab} address add {SERVER}/24 dev {CARD}".split())
        _run(*f"ip -n {board} address add 192.168.1.200/24 dev {CARD}".split())
        for name in (lab, board):
            _run(*f"ip -n {name} link set {CARD} up".split())
        process = subprocess.Popen(
            [
                *("ip", "netns", "exec", lab, "dnsmasq", *options),
                *(f"--conf-file={path}", f"--dhcp-leasefile={leases}", f"--log-facility={log}"),
            ]
        )
        wait_until(lambda: log.exists() and "started" in log.read_text("utf-8"), seconds(10))
        yield board
    finally:
        if process is not None:
            process.terminate()
            process.wait(10)
        for name in (lab, board):
            subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)


def ask(board: str, *names: str) -> list[Answer]:
    """Asks as these devices do, in the namespace of the board."""
    command = ["ip", "netns", "exec", board, sys.executable, "-m", __name__, *names]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60)
    found = map(json.loads, done.stdout.splitlines())
    return [
        Answer(address, server, {int(code): text for code, text in options.items()})
        for address, server, options in found
    ]


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


def _question(device: Device) -> bytes:
    nowhere = bytes(4)
    card = bytes.fromhex(device.mac.replace(":", ""))
    head = struct.pack("!BBBB4sHH", 1, 1, 6, 0, card[2:], 0, 0x8000) + 4 * nowhere
    options = [(53, b"\1"), (55, bytes((1, 3, 43, 60, 66, 67, 97, 209)))]
    options += [(60, device.vendor.encode())] if device.vendor else []
    if device.arch is not None:
        options += [(93, struct.pack("!H", device.arch)), (94, b"\1\2\1")]
    options += [(175, b"\xb0\1\1")] if device.is_ipxe else []
    encoded = b"".join(bytes((code, len(value))) + value for code, value in options)
    return head + card.ljust(16 + 64 + 128, b"\0") + _COOKIE + encoded + b"\xff"


def _answer(octets: bytes) -> tuple[str, str, dict[int, str]]:
    options, place = {}, 240
    while octets[place] != 0xFF:
        code, length = octets[place : place + 2] if octets[place] else (0, -1)
        value = octets[place + 2 : place + 2 + length]
        options[code] = value.rstrip(b"\0").decode("latin-1")
        place += 2 + length
    return socket.inet_ntoa(octets[16:20]), socket.inet_ntoa(octets[20:24]), options


def _ask(device: Device) -> tuple[str, str, dict[int, str]]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        if sys.platform == "linux":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, CARD.encode())
        sock.bind(("", 68))
        sock.settimeout(20)
        sock.sendto(_question(device), ("255.255.255.255", 67))
        return _answer(sock.recv(2000))


if __name__ == "__main__":
    for name in sys.argv[1:]:
        sys.stdout.write(f"{json.dumps(_ask(DEVICES[name]))}\n")
