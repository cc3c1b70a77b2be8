"""A sender's memory of the blocks that it sent twice, which explains the ACKs that follow."""

from __future__ import annotations


class Recovery:
    """The memory of one sender.

    Blocks that leave twice are acknowledged twice, and a peer may count the second copy as a gap
    (U-Boot does). A sender that took each of those ACKs for news would send the window again and
    again: Sorcerer's Apprentice with windows.

    Attributes:
        sent_twice: the newest block that has left twice. An ACK within a window is no sign of a
            gap up to here.
        window_repeated: the newest block that had left when a whole window was last repeated. Up to
            here a repeated ACK only answers the second copy.
        repeat_believed: the repeated ACK that was last answered with the window; -1 for none.
    """

    __slots__ = ("repeat_believed", "sent_twice", "window_repeated")

    def __init__(self) -> None:
        self.sent_twice = 0
        self.window_repeated = -1
        self.repeat_believed = -1

    def go_back(self, sent: int) -> None:
        """Blocks up to `sent` have left, and some of them leave again."""
        self.sent_twice = max(self.sent_twice, sent)

    def repeat_window(self, sent: int) -> None:
        """The whole window leaves again; `sent` is the newest block that has left."""
        self.go_back(sent)
        self.window_repeated = self.sent_twice

    def end_at(self, last_block: int) -> None:
        """The file ends at `last_block`: no block behind it has left."""
        self.sent_twice = min(self.sent_twice, last_block)

    def believes_repeat(self, acked: int) -> bool:
        """Returns whether a repeated ACK may mean that the block behind `acked` is lost.

        A repeat is believed once, and not at all where the ACK was due twice.
        """
        return acked > self.window_repeated and acked != self.repeat_believed

    def count_again(self, first: int, last: int) -> int:
        """Returns how many of the blocks `first` to `last` had left before."""
        return max(0, min(last, self.sent_twice) - first + 1)
