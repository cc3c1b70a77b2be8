"""The sessions of one engine, and where each stands: new, busy, or resting.

```
 add --> fresh --its first turn is over--> busy --the file is safe--> resting
           |                                 |                           |
           +---------------- remove ---------+---------------------------+
```
A fresh session is not watched yet: alone with a small file it is over within its first turn, and
is never watched. A resting one stays only to repeat its last ACK.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

from TftpLibrary.engine.contracts import Live


class Standing(Enum):
    """Where a session stands with its engine."""

    fresh = "fresh"
    busy = "busy"
    resting = "resting"


class Roster:
    """The sessions of one engine. Engine's thread only.

    Attributes:
        busy: how many sessions move a file, fresh ones among them.
    """

    def __init__(self) -> None:
        self.busy = 0
        self._standings: dict[Live, Standing] = {}
        # Those that were added since the last look; some of them may be over.
        self._added: list[Live] = []

    def add(self, session: Live) -> None:
        """A session began."""
        self._standings[session] = Standing.fresh
        self._added.append(session)
        self.busy += 1

    def remove(self, session: Live) -> Standing | None:
        """A session is over. Returns where it stood; None if it was not here."""
        standing = self._standings.pop(session, None)
        if standing is not None and standing is not Standing.resting:
            self.busy -= 1
        return standing

    def rest(self, session: Live) -> None:
        """A session has moved its file; without effect on one that is over."""
        if session in self._standings:
            self.busy -= self._standings[session] is not Standing.resting
            self._standings[session] = Standing.resting

    def take_fresh(self) -> Iterator[Live]:
        """Yields each fresh session, which is busy from then on; the caller watches its sockets."""
        while self._added:
            session = self._added.pop()
            if self._standings.get(session) is Standing.fresh:
                self._standings[session] = Standing.busy
                yield session

    def standing(self, session: Live) -> Standing | None:
        """Returns where a session stands; None if it is not here."""
        return self._standings.get(session)

    def is_lone(self, session: object) -> bool:
        """Whether it is a session, and the only one that moves a file."""
        if self.busy != 1:
            return False
        standing = self._standings.get(session)  # type: ignore[call-overload]
        return standing is Standing.busy or standing is Standing.fresh

    @property
    def is_empty(self) -> bool:
        """Whether there is no session; this one may be asked from any thread."""
        return not self._standings

    def all(self) -> tuple[Live, ...]:
        """Returns every session, in the order in which they began."""
        return tuple(self._standings)

    def all_busy(self) -> tuple[Live, ...]:
        """Returns those that move a file."""
        resting = Standing.resting
        return tuple(each for each, standing in self._standings.items() if standing is not resting)
