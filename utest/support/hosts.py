"""Runner, lab host and board as three hosts, in unit tests; skipped where they cannot be made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from atest.equipment.peers import are_required
from atest.equipment.three_hosts import MissingError, ThreeHosts


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
