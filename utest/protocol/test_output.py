"""What a machine gives its driver."""

from __future__ import annotations

import pytest

from TftpLibrary.protocol.output import Blocks, End, Ending


def test_end_says_no_more_than_is_known() -> None:
    end = End(Ending.completed)
    assert (end.code, end.message, end.by_peer) == (None, "", False)


def test_endings_are_their_words() -> None:
    words = ["completed", "probed", "failed", "timed_out", "aborted"]
    assert [str(ending) for ending in Ending] == words


@pytest.mark.parametrize("value", [Blocks(1, 4), End(Ending.completed)])
def test_outputs_cannot_be_changed(value: Blocks | End) -> None:
    name = value._fields[0]
    with pytest.raises(AttributeError):
        setattr(value, name, None)
