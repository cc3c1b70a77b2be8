"""When to send again, and when to give up.

RFC 1123 section 4.2.3.2 asks for an adaptive timeout with exponential back-off; RFC 2349 lets a
client name the interval. `timeout` is the longest wait before a packet is sent again:

- *fixed*: every wait is `timeout` (the client negotiated it, or a test counts retransmissions);
- *adaptive*: the wait follows the measured round trip as in RFC 6298, not below `SHORTEST_WAIT`,
  and doubles with each retry up to `timeout`. Until the first measurement it is `timeout`.

An adaptive wait is longer than `timeout` in three cases only: before the first answer, since the
address of a request may be false; where it is the turn of the peer's own timer; and where a window
takes longer on its way.

In all cases the peer has `timeout * (retries + 1)` seconds to answer.
"""

from __future__ import annotations

from math import inf

SHORTEST_WAIT = 0.2
"""Seconds. Sooner retries make some boards acknowledge blocks that they did not receive."""

_SLOWER = 1.25
"""The wait for a window, as a multiple of the time that the last one took."""

_LONGEST_FIRST = 4
"""Longest wait before the first answer, as a multiple of `timeout`."""
_CLOSE = 1e-9
_SAMPLE_INTERVAL = 0.02
"""Seconds between two measurements: the round trip changes slowly, and measuring costs time."""


class RetryTimer:
    """Counts the tries for the packet in flight, and owns the deadline.

    Args:
        timeout: seconds; the longest wait before sending again to a peer that has answered.
        retries: how often to send again without an answer.
        is_adaptive: whether to follow the measured round trip.
        patience: minimum number of seconds to wait before giving up, even if all retries are used.
        window_time: seconds that a window may take on a slow link; the first one gets them. 0 in
            lock-step, where nothing takes longer on its way than a packet.

    Attributes:
        is_answered: whether the peer has answered before; until then it may only be late.
        timeout: seconds; the longest wait.
        wait: seconds that the next packet waits for its answer.
        tries: how often the packet in flight was sent again.
        deadline: when it is to be sent again, or given up.
        answered_at: when the peer last answered, or when the first packet left.
        sent_at: when the packet in flight last left.
    """

    __slots__ = (
        "_deviation",
        "_is_adaptive",
        "_is_windowed",
        "_next_sample",
        "_patience",
        "_smoothed",
        "_window_time",
        "answered_at",
        "deadline",
        "is_answered",
        "sent_at",
        "timeout",
        "tries",
        "wait",
    )

    def __init__(
        self,
        timeout: float,
        retries: int,
        *,
        is_adaptive: bool = True,
        patience: float = 0.0,
        window_time: float = 0.0,
    ) -> None:
        self.is_answered = False
        self._is_windowed = window_time > 0
        self._window_time = window_time
        self.timeout = timeout
        self.wait = timeout
        self.tries = 0
        self.deadline = 0.0
        self._is_adaptive = is_adaptive
        self._patience = max(patience, timeout * (retries + 1))
        self.answered_at = 0.0
        self._next_sample = 0.0
        self.sent_at = 0.0
        self._smoothed: float | None = None
        self._deviation = 0.0

    @property
    def round_trip(self) -> float:
        """Seconds from a packet to its answer, smoothed; 0 before the first measurement."""
        return self._smoothed or 0.0

    @property
    def tries_text(self) -> str:
        """How often the packet in flight was sent, in words."""
        return f"{self.tries + 1} tries" if self.tries else "1 try"

    @property
    def latest(self) -> float:
        """When the patience for the packet in flight ends."""
        return self.answered_at + self._patience

    @property
    def is_exhausted(self) -> bool:
        """Whether the last try was used."""
        return self.deadline >= self.latest - _CLOSE

    def start(self, now: float, at_most: float = inf) -> None:
        """A new packet was sent: its first try begins, and waits `at_most` seconds at most."""
        self.answered_at = self.sent_at = now
        self.tries = 0
        self.deadline = now + min(self.wait, at_most)

    def renew(self, now: float) -> None:
        """The packet in flight was answered, and a new one leaves at once: the data path."""
        if now >= self._next_sample:
            self.measure(now)
        self.answered_at = self.sent_at = now
        self.tries = 0
        self.deadline = now + self.wait

    def extend(self, now: float) -> None:
        """The last part of a window leaves only now: the wait begins anew."""
        self.deadline += now - self.sent_at
        self.sent_at = now

    def shift(self, seconds: float) -> None:
        """No time has passed for so long: everything that was due is due later."""
        self.answered_at += seconds
        self.sent_at += seconds
        self.deadline += seconds

    def measure(self, now: float) -> None:
        """Measures the round trip of the packet that was answered now; not after a retry (Karn)."""
        sample = now - self.answered_at
        if self.tries:
            # The back-off stays until a round trip can be measured again (RFC 6298, section 5). The
            # first sending may have been on its way all the time: the next one gets that time.
            self._outwait(sample)
            self.is_answered = True
            return
        self.is_answered = True
        self._next_sample = now + _SAMPLE_INTERVAL
        if self._smoothed is None:
            self._smoothed = sample
            self._deviation = sample / 2
        else:
            self._deviation += (abs(self._smoothed - sample) - self._deviation) / 4
            self._smoothed += (sample - self._smoothed) / 8
            # The measurement before may have been that of a single packet, such as the OACK.
            self._window_time = 0.0
        if self._is_adaptive:
            wait = max(self._smoothed + 4 * self._deviation, SHORTEST_WAIT, self._window_time)
            self.wait = min(wait, self.timeout)
            self._outwait(sample)

    def _outwait(self, took: float) -> None:
        """Lets the next wait be longer than what was answered now took."""
        may_be_long = self._is_adaptive and self._is_windowed and self.is_answered
        if may_be_long and self.wait < _SLOWER * took:
            self.wait = min(_SLOWER * took, self._patience / 2)

    def retry(self, now: float, *, is_slower: bool = False, at_least: float = 0.0) -> None:
        """The packet in flight was sent again, after the deadline or for a gap.

        Args:
            now: monotonic seconds.
            is_slower: whether less leaves at once than before; then the wait does not double.
            at_least: seconds that an adaptive timer waits this time, if its patience is as long.
        """
        self.tries += 1
        self.sent_at = self._next_sample = now
        wait = self.wait
        if self._is_adaptive:
            if not is_slower:
                wait = self.wait = min(self.wait * 2, self.timeout)
            if wait < at_least <= self._patience:
                # The last wait of all, perhaps: then it ends a little later.
                self.deadline = now + at_least
                return
        self.deadline = min(now + wait, max(now, self.latest))

    def retry_first(self, now: float) -> None:
        """The first packet was sent again: nobody has shown yet that the peer is there.

        RFC 1123 section 4.2.3.2: an adaptive wait doubles, up to four times `timeout`.
        """
        longer = self.timeout * min(2 ** (self.tries + 1), _LONGEST_FIRST)
        self.retry(now, at_least=min(longer, self.latest - now))
