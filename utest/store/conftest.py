"""Shared by the tests of the store: the name of the program that they run in."""

from __future__ import annotations

import sys

import pytest


@pytest.fixture(autouse=True)
def is_called_robot(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names this process `robot`: pytest, and each of its workers, has another name."""
    monkeypatch.setattr(sys, "argv", ["/usr/bin/robot", "--variable", "PASSWORD:secret"])
