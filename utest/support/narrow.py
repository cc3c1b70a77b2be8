"""A path with a smaller MTU in its middle: three network namespaces.

```
 server 10.9.1.2 --1500-- router --1000-- 10.9.2.2 client
```
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SERVER = "10.9.1.2"
_ROOT = Path(__file__).parents[2]
_LINES = """
{s} link set lo up
{c} link set lo up
{r} link add near type veth peer name eth netns {sn}
{r} link add far mtu 1000 type veth peer name eth mtu 1000 netns {cn}
{r} addr add 10.9.1.1/24 dev near
{r} addr add 10.9.2.1/24 dev far
{s} addr add 10.9.1.2/24 dev eth
{c} addr add 10.9.2.2/24 dev eth
{r} link set near up
{r} link set far up
{s} link set eth up
{c} link set eth up
{s} route add default via 10.9.1.1
{c} route add default via 10.9.2.1
"""


class Way:
    """The three namespaces."""

    def __init__(self, name: str) -> None:
        self.names = {end: f"{name}{end}" for end in "src"}

    def ip(self, end: str, command: str) -> None:
        """Runs a command of `ip` in the namespace of an end."""
        _ip("-n", self.names[end], *command.split())

    def start(self, end: str, program: str) -> subprocess.Popen[str]:
        """Starts a Python program there."""
        pipe = subprocess.PIPE
        words = ["ip", "netns", "exec", self.names[end], sys.executable, "-c", program]
        return subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True, cwd=_ROOT)


@contextmanager
def narrow_path(*, is_icmp_filtered: bool) -> Iterator[Way]:
    """Makes the path; a test is skipped where that is not possible."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("network namespaces need root on Linux")
    path = Way(f"tftp{os.getpid()}")
    try:
        try:
            for name in path.names.values():
                _ip("netns", "add", name)
            _make(path, is_icmp_filtered=is_icmp_filtered)
        except (OSError, subprocess.CalledProcessError) as error:
            trouble = getattr(error, "stderr", "") or error
            pytest.skip(f"no network namespaces here: {trouble}")
        yield path
    finally:
        for name in path.names.values():
            subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)


def _make(path: Way, *, is_icmp_filtered: bool) -> None:
    ends = {end: f"-n {name}" for end, name in path.names.items()}
    names = {f"{end}n": name for end, name in path.names.items()}
    for line in _LINES.strip().format(**ends, **names).splitlines():
        _ip(*line.split())
    forward = "open('/proc/sys/net/ipv4/ip_forward', 'w').write('1')"
    router = path.start("r", forward)
    router.communicate(timeout=10)
    if is_icmp_filtered:
        path.ip("r", "rule add ipproto icmp blackhole pref 1")


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], capture_output=True, text=True, check=True)
