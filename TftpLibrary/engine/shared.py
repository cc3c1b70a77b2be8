"""The one engine of a process: who starts it, who stops it, and how long it stays."""

from __future__ import annotations

import atexit
import threading

from TftpLibrary.engine.engine import Engine


class SharedEngine:
    """The one engine of a process: the first who needs it starts it, the last one stops it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._lingering: Engine | None = None
        self._users = 0

    def acquire(self) -> Engine:
        """Returns the engine, running. Each call needs one `release`."""
        with self._lock:
            if self._engine is None:
                lingering, self._lingering = self._lingering, None
                if lingering is not None and lingering.recall():
                    self._engine = lingering
                else:
                    self._engine = Engine()
                    self._engine.start()
            self._users += 1
            return self._engine

    def release(self) -> None:
        """Gives the engine back; the last user stops it."""
        with self._lock:
            self._users -= 1
            engine = self._engine if self._users == 0 else None
            if engine is not None:
                self._engine = None
                if engine.linger():
                    # A client's last ACK may get lost. Whoever is here waits for nothing.
                    self._lingering, engine = engine, None
                    atexit.unregister(self.end_lingering)
                    atexit.register(self.end_lingering)
        if engine is not None:
            engine.stop()

    def end_lingering(self) -> None:
        """Stops what stays only to repeat last ACKs: the process ends. Idempotent."""
        with self._lock:
            engine, self._lingering = self._lingering, None
        if engine is not None:
            engine.stop()
        atexit.unregister(self.end_lingering)


SHARED_ENGINE = SharedEngine()
"""All servers and clients of a process share one thread; see docs/decisions."""
