"""The ways in which a server can be away on purpose."""

from __future__ import annotations

from enum import Enum

from TftpLibrary.errors import UsageError


class Pause(str, Enum):
    """How a server is away on purpose.

    - ``silent``: It answers nothing, and running transfers stand still, as when its program is
      stopped. They go on afterwards, and requests that came meanwhile are read then.
    - ``busy``: It refuses each request with the error "Server busy"; running transfers go on.
    - ``power_cut``: It answers nothing, and running transfers are forgotten. Afterwards it
      knows nothing of what came meanwhile.
    - ``crash``: Its ports are closed, so boards hear that nobody listens; running transfers
      are forgotten.
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
