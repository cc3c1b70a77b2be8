"""Other programs in unit tests: found, or the test is skipped; see `atest/equipment/peers.py`."""

from __future__ import annotations

import pytest

from atest.equipment.peers import are_required, find_program, missing_text


def require(program: str, package: str = "") -> str:
    """Returns the path of a program; skips the test, or fails it, where the program is missing."""
    path = find_program(program)
    if path:
        return path
    if are_required():
        pytest.fail(missing_text(program, package))
    pytest.skip(missing_text(program, package))
