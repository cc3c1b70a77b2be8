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
from typing import TypeGuard

from TftpLibrary.engine.contracts import Live


class Standing(Enum):
    """Where a session stands with its engine."""

    fresh = "fresh"
    busy = "busy"
    resting = "resting"


# Looked up once: an attribute of an enum takes four times as long as one of another class.
FRESH, BUSY, RESTING = Standing


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
        self._standings[session] = FRESH
        self._added.append(session)
        self.busy += 1

    def remove(self, session: Live) -> Standing | None:
        """A session is over. Returns where it stood; None if it was not here."""
        standing = self._standings.pop(session, None)
        if standing is not None and standing is not RESTING:
            self.busy -= 1
        return standing

    def rest(self, session: Live) -> Standing | None:
        """A session has moved its file. Returns where it stood; None if it is over."""
        standing = self._standings.get(session)
        if standing is not None and standing is not RESTING:
            self.busy -= 1
            self._standings[session] = RESTING
        return standing

    def take_fresh(self) -> Iterator[Live]:
        """Yields each fresh session, which is busy from then on; the caller watches its sockets."""
        while self._added:
            session = self._added.pop()
            if self._standings.get(session) is FRESH:
                self._standings[session] = BUSY
                yield session

    def standing(self, session: Live) -> Standing | None:
        """Returns where a session stands; None if it is not here."""
        return self._standings.get(session)

    def is_lone(self, session: object) -> TypeGuard[Live]:
        """Whether it is a session, and the only one that moves a file."""
        if self.busy != 1:
            return False
        standing = self._standings.get(session)  # type: ignore[call-overload]
        return standing is BUSY or standing is FRESH

    @property
    def is_empty(self) -> bool:
        """Whether there is no session; this one may be asked from any thread."""
        return not self._standings

    def all(self) -> tuple[Live, ...]:
        """Returns every session, in the order in which they began."""
        return tuple(self._standings)

    def all_busy(self) -> tuple[Live, ...]:
        """Returns those that move a file."""
        return tuple(each for each, standing in self._standings.items() if standing is not RESTING)
