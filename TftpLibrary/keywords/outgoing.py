r"""What goes out to Robot Framework: no text, path or message that makes its output unreadable.

A name that a peer chose, or one on the disk, may have octets that are no text. Python holds them as
lone surrogates, and one of them in a result, a log message or an exception is enough to lose the
output of a whole run. They leave as `\xNN`, the form in which names are shown and can be given.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote

from robot.api import logger
from robot.api.types import Secret

from TftpLibrary.errors import UsageError
from TftpLibrary.recording.wording import short_text

_SURROGATE = "[\ud800-\udfff]"

HIDDEN = "<secret>"
"""Stands for what is secret, as in Robot Framework itself."""

_LEAST_HIDDEN = 4
_SECRETS = r"://([^/?#]*@)?[^?#]*(?:\?([^#]*))?"


def readable(text: str) -> str:
    """Returns a text without lone surrogates."""
    return re.sub(_SURROGATE, _escaped, text)


def readable_value(value: Any) -> Any:  # results of keywords are of any type
    """Returns a value without lone surrogates in it, the same one where it has none."""
    if isinstance(value, str):
        return readable(value) if type(value) is str else value
    if isinstance(value, Path):
        text = readable(str(value))
        return value if text == str(value) else type(value)(text)
    if isinstance(value, dict):
        return _changed(value, {readable_value(k): readable_value(v) for k, v in value.items()})
    if isinstance(value, list):
        return _changed(value, [readable_value(each) for each in value])
    if isinstance(value, tuple):
        parts = [readable_value(each) for each in value]
        return _changed(value, _tuple_of(type(value), parts))
    return value


@contextmanager
def readable_errors(arguments: Iterable[object]) -> Iterator[None]:
    """Makes what a keyword raises readable, its causes too, and hides what is secret.

    Args:
        arguments: those of the keyword. A `Secret` is hidden, and the password of a URL.

    Raises:
        UsageError: instead of an error of the system, or of a text that is none.
    """
    hide = _hider(arguments)
    try:
        yield
    except OSError as error:
        _clean(error, hide)
        reason = error.strerror or str(error) or "the system refuses"
        place = f"'{readable(str(error.filename))}'" if error.filename else "a file"
        raise UsageError(hide(f"Cannot use {place}: {reason}.")) from error
    except UnicodeEncodeError as error:
        text = readable(error.object)
        raise UsageError(
            f"'{hide(short_text(text))}' cannot be written in {error.encoding}: its character "
            f"{error.start + 1} is no text."
        ) from error
    except Exception as error:
        _clean(error, hide)
        raise


def info(text: str, *, html: bool = False) -> None:
    """Writes a line to the log of the run."""
    logger.info(readable(text), html=html)


def warn(text: str) -> None:
    """Writes a warning to the log, which the run shows again at its top."""
    logger.warn(readable(text))


def console(text: str, stream: Literal["stdout", "stderr"]) -> None:
    """Writes a line for the person at the terminal."""
    logger.console(readable(text), stream=stream)


def _escaped(match: re.Match[str]) -> str:
    number = ord(match[0])
    # U+DC80 to U+DCFF stand for the octets 80 to FF (PEP 383).
    is_octet = 0xDC80 <= number <= 0xDCFF
    return f"\\x{number - 0xDC00:02x}" if is_octet else f"\\u{number:04x}"


def _changed(old: Any, new: Any) -> Any:
    return old if old == new else new


def _tuple_of(kind: type[tuple[Any, ...]], parts: list[Any]) -> tuple[Any, ...]:
    make = getattr(kind, "_make", kind)
    made: tuple[Any, ...] = make(parts)
    return made


def _hider(arguments: Iterable[object]) -> Callable[[str], str]:
    """Returns what takes out of a text what is secret in the arguments of a keyword."""
    words: list[str] = []
    for argument in arguments:
        if isinstance(argument, Secret):
            words += [str(argument.value), *_secrets_in(str(argument.value))]
        elif isinstance(argument, str):
            words += _secrets_in(argument)
    longest_first = sorted(filter(None, words), key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, longest_first)))
    return lambda text: pattern.sub(HIDDEN, text) if longest_first else text


def _secrets_in(url: str) -> list[str]:
    """Returns user and password of a URL, the password as it is meant, and the query."""
    # Not by `urlsplit`, which refuses what is no URL: that may have a password too.
    match = re.search(_SECRETS, url)
    if match is None:
        return []
    user_and_password, query = match[1] or "", match[2] or ""
    password = user_and_password.rstrip("@").partition(":")[2]
    # One or two letters would be hidden in every other word.
    alone = [word for word in (password, unquote(password), query) if len(word) >= _LEAST_HIDDEN]
    return [user_and_password, *alone]


def _clean(error: BaseException, hide: Callable[[str], str]) -> None:
    """Changes the texts of an error and of its causes, which Robot Framework logs too."""
    seen: set[int] = set()
    left: list[BaseException | None] = [error]
    while left:
        found = left.pop()
        if found is None or id(found) in seen:
            continue
        seen.add(id(found))
        left += [found.__cause__, found.__context__]
        found.args = tuple(hide(readable(a)) if isinstance(a, str) else a for a in found.args)
        if isinstance(found, OSError) and isinstance(found.filename, str):
            found.filename = hide(found.filename)
