"""Three hosts on this machine: a runner, a lab host that it reaches by ssh, and a board beside it.

They are network namespaces, joined by two cables. The board knows the lab host only. That takes
Linux, root, and the programs `ip`, `ssh` and `sshd`.
"""

from __future__ import annotations

import getpass
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from itertools import count
from pathlib import Path

from atest.equipment.daemons import end
from atest.equipment.peers import find_program, missing_text

ROOT = Path(__file__).resolve().parents[2]
BOARD_ADDRESS = "127.0.0.100"
"""Of a board beside a lab host. 127.0.0.1 is the lab host then."""
RUNNER, LAB_HOST = "192.168.213.1", "192.168.213.2"
_START = 20.0
_NUMBERS = count(1)
_PATH = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
_PACKAGES = {"ssh": "openssh-client", "sshd": "openssh-server", "ssh-keygen": "openssh-client"}
_DAEMON = """\
ListenAddress {address}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/user_key.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
SetEnv PATH={path} PYTHONPATH={python} RUNTIME_DIRECTORY={folder}/service TMPDIR={temporary}
"""
_CLIENT = """\
Host lab
    HostName {address}
    User {user}
    IdentityFile {folder}/user_key
    IdentitiesOnly yes
    UserKnownHostsFile {folder}/known_hosts
    GlobalKnownHostsFile none
"""
# Addresses that begin with 127 go over the cable between lab host and board: the stories use them.
_CABLES = """\
ip netns add {run}
ip netns add {lab}
ip netns add {board}
ip link add cable netns {run} type veth peer to_runner netns {lab}
ip link add cable netns {board} type veth peer to_board netns {lab}
ip -n {run} address add {runner}/30 dev cable
ip -n {lab} address add {lab_host}/30 dev to_runner
ip -n {run} link set lo up
ip -n {lab} link set lo up
ip -n {board} link set lo up
ip -n {run} link set cable up
ip -n {lab} link set to_runner up
ip -n {lab} link set to_board up
ip -n {board} link set cable up
ip netns exec {lab} sh -c "echo 1 >/proc/sys/net/ipv4/conf/all/route_localnet"
ip netns exec {board} sh -c "echo 1 >/proc/sys/net/ipv4/conf/all/route_localnet"
ip -n {lab} route delete local 127.0.0.0/8 dev lo table local
ip -n {lab} route add 127.0.0.0/8 dev to_board src 127.0.0.1 table local
ip -n {board} address delete 127.0.0.1/8 dev lo
ip -n {lab} route add local 127.9.0.0/16 dev lo table local
ip -n {board} address add {board_address}/8 dev lo
ip -n {board} route add 127.9.0.0/16 dev cable src {board_address} table local
ip -n {board} route add 127.0.0.1 dev cable src {board_address} table local
"""


class MissingError(Exception):
    """Something that a lab needs is not on this machine."""


class ThreeHosts:
    """A runner, a lab host and a board as network namespaces. Use it as a context manager.

    `lab` is a host that the runner's ssh knows.

    Attributes:
        folder: with the keys, the program `ssh` that knows them in `bin`, and a folder `service`,
            where a lab half has its socket that ssh sessions are to join.
        run, lab, board: names of the namespaces.
        environment: of programs of the runner.
    """

    def __init__(self) -> None:
        self._stack = ExitStack()
        own = f"{os.getpid()}-{next(_NUMBERS)}"
        self.run, self.lab, self.board = f"run{own}", f"lab{own}", f"board{own}"
        self.folder = Path()
        self.environment = dict(os.environ)

    def __enter__(self) -> ThreeHosts:
        """Lays the cables and starts sshd."""
        if sys.platform != "linux" or os.geteuid() != 0:
            raise MissingError("Network namespaces need Linux and root.")
        programs = [_program(name) for name in ("ip", "ssh", "sshd", "ssh-keygen")]
        with ExitStack() as stack:
            self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lab-")))
            for name in (self.run, self.lab, self.board):
                stack.callback(_quietly, "ip", "netns", "delete", name)
            self._lay_cables()
            self._make_keys(*programs[1:])
            stack.callback(end, self._start_daemon(programs[2]))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Removes everything."""
        self._stack.close()

    def inside(self, namespace: str) -> tuple[str, ...]:
        """Returns the words that let a command run in a namespace."""
        return ("ip", "netns", "exec", namespace)

    def _lay_cables(self) -> None:
        names = {"run": self.run, "lab": self.lab, "board": self.board}
        places = {"runner": RUNNER, "lab_host": LAB_HOST, "board_address": BOARD_ADDRESS}
        for line in _CABLES.format(**names, **places).splitlines():
            done = subprocess.run(line, shell=True, capture_output=True, text=True, check=False)
            if done.returncode:
                raise MissingError(f"'{line}' failed: {done.stderr.strip()}")

    def _make_keys(self, ssh: str, _sshd: str, keygen: str) -> None:
        for name in ("host_key", "user_key"):
            command = [keygen, "-q", "-t", "ed25519", "-N", "", "-f", str(self.folder / name)]
            subprocess.run(command, check=True)
        host_key = (self.folder / "host_key.pub").read_text("ascii")
        (self.folder / "known_hosts").write_text(f"{LAB_HOST} {host_key}", "ascii")
        client = {"address": LAB_HOST, "user": getpass.getuser()}
        config = self.folder / "ssh_config"
        config.write_text(_CLIENT.format(folder=self.folder, **client), "ascii")
        wrapper = self.folder / "bin" / "ssh"
        wrapper.parent.mkdir()
        # The product uses the user's own configuration; this is the one of the tests.
        wrapper.write_text(f'#!/bin/sh\nexec {ssh} -F {config} "$@"\n', "ascii")
        wrapper.chmod(0o755)
        self.environment["PATH"] = f"{wrapper.parent}{os.pathsep}{os.environ['PATH']}"

    def _start_daemon(self, sshd: str) -> subprocess.Popen[bytes]:
        config = self.folder / "sshd_config"
        (self.folder / "service").mkdir()
        (self.folder / "service").chmod(0o755)
        given = {
            "address": LAB_HOST,
            "folder": self.folder,
            "path": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "python": _PATH,
            "temporary": tempfile.gettempdir(),
        }
        config.write_text(_DAEMON.format(**given), "ascii")
        # Debian's sshd wants a folder, which its service makes. This /run is seen there only.
        start = f"mount -t tmpfs none /run && mkdir /run/sshd && exec {sshd} -D -e -f {config}"
        command = [*self.inside(self.lab), "sh", "-c", start]
        log = (self.folder / "sshd.log").open("wb")
        with log:
            started = subprocess.Popen(command, stderr=log)
        ask = [*self.inside(self.run), str(self.folder / "bin" / "ssh"), "lab", "true"]
        try:
            _wait(lambda: not _quietly(*ask), started)
        except BaseException:
            end(started)
            raise
        return started


def _program(name: str) -> str:
    found = find_program(name)
    if found is None:
        raise MissingError(missing_text(name, _PACKAGES.get(name, "")))
    return found


def _quietly(*command: str) -> int:
    return subprocess.run(command, capture_output=True, check=False).returncode


def _wait(condition: Callable[[], object], process: subprocess.Popen[bytes]) -> None:
    """Waits for what a process does first.

    Raises:
        MissingError: it ended, or did not do it in time.
    """
    until = time.monotonic() + _START
    while not condition():
        if process.poll() is not None or time.monotonic() > until:
            raise MissingError(f"{process.args!r} did not start.")
        time.sleep(0.05)
