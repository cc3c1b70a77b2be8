"""The words by which a message names keywords, methods and settings for its reader.

The questions and their texts are the same for a suite and for a Python program. Only a few words
differ: a suite waits with a keyword, a program with a method. Names of arguments are the same for
both, and so stand in the texts themselves: `timeout=`, `times=`, `client=`.
"""

from __future__ import annotations

from typing import NamedTuple

BOARD = "The board"
"""Begins the sentence about what a boot loader did."""


class Words(NamedTuple):
    """How a reader waits, and what he calls a setting and the beginning of the record.

    Attributes:
        download: the keyword or call that waits for a download.
        upload: the keyword or call that waits for an upload.
        setting: how a setting of the server is given; `{}` stands for the setting.
        since: the words for the moment from which on transfers count, after a space.
        before: advice for what came before that moment.
    """

    download: str
    upload: str
    setting: str
    since: str = ""
    before: str = (
        "If that one counts, take the mark for since= earlier; if not, look at the board's power "
        "and console."
    )


PYTHON = Words("wait_until(Download(...))", "wait_until(Upload(...))", "ServerSettings({})")
"""The words for a Python program."""
