"""File descriptors: each transfer takes up to three, and many systems allow 1,024 at first."""

from __future__ import annotations

import contextlib
import sys

_PER_TRANSFER = 3
"""The socket of the transfer, the one for strangers, and the file."""
_OTHERS = 128
"""Descriptors for the rest of the process."""


def allow_for(transfers: int) -> None:
    """Raises this process's own limit as far as the system allows, never lowers it."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - there is no such module on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = transfers * _PER_TRANSFER + _OTHERS
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft not in (resource.RLIM_INFINITY, -1) and soft < wanted:
        # A refusal changes nothing: the transfers beyond the limit are refused one by one.
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
