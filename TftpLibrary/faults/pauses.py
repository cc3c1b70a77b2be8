"""The ways in which a server can be away on purpose."""

from __future__ import annotations

from enum import Enum

from TftpLibrary.errors import UsageError


class Pause(str, Enum):
    """How a server is away on purpose.

    | ``silent``    | No answer. Transfers stand still; they go on afterwards, and requests too. |
    | ``busy``      | Each request is refused with the error "Server busy". Transfers go on. |
    | ``power_cut`` | No answer. Transfers are forgotten, and requests are never read. |
    | ``crash``     | All ports are closed, which boards hear. Transfers are forgotten. |
    """

    silent = "silent"
    busy = "busy"
    power_cut = "power_cut"
    crash = "crash"

    __str__ = str.__str__

    @property
    def words(self) -> str:
        """The pause in words, for messages and records."""
        return f"{self.value.replace('_', ' ')} on purpose"


def parse_pause(mode: Pause | str) -> Pause:
    """Returns the pause of a name.

    Raises:
        UsageError: there is none.
    """
    if mode not in Pause.__members__:
        raise UsageError(f"mode must be {', '.join(Pause)}, got {mode!r}.")
    return Pause[mode]
