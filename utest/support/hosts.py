"""Runner, lab host and board as three hosts, in unit tests; skipped where they cannot be made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from atest.equipment.board_network import enter
from atest.equipment.peers import are_required
from atest.equipment.three_hosts import MissingError, ThreeHosts


@contextmanager
def inside(namespace: str) -> Iterator[None]:
    """Lets this thread open its sockets, and start programs, in a network namespace."""
    with Path("/proc/self/ns/net").open("rb") as here:
        with Path("/run/netns", namespace).open("rb") as there:
            enter(there)
        try:
            yield
        finally:
            enter(here)


@contextmanager
def three_hosts() -> Iterator[ThreeHosts]:
    """Makes the hosts; skips the test, or fails it, where something is missing."""
    with ExitStack() as stack:
        try:
            hosts = stack.enter_context(ThreeHosts())
        except MissingError as error:
            if are_required():
                pytest.fail(str(error))
            pytest.skip(str(error))
        yield hosts
