"""Files behind URLs: `http` and `https` with the standard library, other schemes through fsspec.

Content is never decompressed on the way: firmware stays as it is.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any
from urllib import request
from urllib.error import HTTPError
from urllib.parse import SplitResult, unquote, urlsplit

from TftpLibrary.errors import UsageError
from TftpLibrary.store.digests import CHUNK
from TftpLibrary.version import VERSION

TIMEOUT = 30.0
"""Seconds that a web server may be silent."""


class RemoteFile:
    """A file behind a URL, whose connection is open."""

    is_local = False

    # The stream is what urllib or a plug-in of fsspec returns; `read` and `close` are used.
    def __init__(self, url: SplitResult, stream: Any, size: int | None) -> None:
        self.label = _label(url)
        self.name = unquote(url.path.rpartition("/")[2])
        self.size = size
        self._url = url
        self._stream = stream

    def chunks(self) -> Iterator[bytes]:
        """Yields the content in order."""
        octets = 0
        while chunk := self._read():
            octets += len(chunk)
            yield chunk
        if self.size is not None and octets != self.size:
            raise UsageError(f"{self.label} ended after {octets} of {self.size} octets. Try again.")

    def close(self) -> None:
        """Closes the connection. Idempotent."""
        self._stream.close()

    def _read(self) -> bytes:
        with _explained(self._url):
            data: bytes = self._stream.read(CHUNK)
            return data


def open_url(source: str) -> RemoteFile:
    """Opens the connection.

    Raises:
        UsageError: the URL was refused, or its scheme needs a package that is not installed.
    """
    try:
        url = urlsplit(source)
    except ValueError as error:
        raise UsageError(f"'{source}' is no URL: {error}. Expected https://host/path.") from error
    if url.scheme in ("http", "https"):
        return _open_web(url)
    return _open_with_fsspec(url)


def _open_web(url: SplitResult) -> RemoteFile:
    user, _, host = url.netloc.rpartition("@")
    with _explained(url):
        query = request.Request(
            url._replace(netloc=host, fragment="").geturl(),
            headers={"User-Agent": f"TftpLibrary/{VERSION}"},
        )
        if user:
            token = base64.b64encode(unquote(user).encode()).decode("ascii")
            # Not sent again to the target of a redirection.
            query.add_unredirected_header("Authorization", f"Basic {token}")
        response = _opener().open(query, timeout=TIMEOUT)
    length = response.headers.get("Content-Length", "")
    is_number = length.isascii() and length.isdigit()
    return RemoteFile(url, response, int(length) if is_number else None)


def _opener() -> request.OpenerDirector:
    """An opener for the web only: no redirection leads to a local file, FTP or inline data."""
    opener = request.OpenerDirector()
    for handler in (
        request.ProxyHandler,
        request.HTTPHandler,
        request.HTTPSHandler,
        request.HTTPDefaultErrorHandler,
        request.HTTPRedirectHandler,
        request.HTTPErrorProcessor,
        request.UnknownHandler,
    ):
        opener.add_handler(handler())
    return opener


def _open_with_fsspec(url: SplitResult) -> RemoteFile:
    try:
        fsspec = import_module("fsspec")
    except ImportError as error:
        raise UsageError(
            f"{_label(url)} needs fsspec for '{url.scheme}'. Install it with "
            "'pip install robotframework-tftp[urls]', or use a path, http:// or https://."
        ) from error
    with _explained(url):
        stream = fsspec.open(url.geturl(), "rb").open()
    size = getattr(stream, "size", None)
    return RemoteFile(url, stream, size if isinstance(size, int) else None)


@contextmanager
def _explained(url: SplitResult) -> Iterator[None]:
    """Converts whatever a library raises into an error message with the URL."""
    label = _label(url)
    try:
        yield
    except FileNotFoundError as error:
        raise UsageError(f"{label} does not exist. Check the URL.") from error
    except HTTPError as error:
        error.close()
        raise UsageError(
            f"{label} was refused: HTTP {error.code} {error.reason}. Check the URL."
        ) from error
    except Exception as error:  # A plug-in of fsspec may raise anything.
        reason = _reason(error).replace(url.geturl(), label).rstrip(".")
        raise UsageError(f"{label} cannot be read: {reason}.") from error


def _reason(error: Exception) -> str:
    # urllib wraps the cause: `<urlopen error [Errno 111] Connection refused>`.
    inner = getattr(error, "reason", error)
    if isinstance(inner, TimeoutError):
        return f"no answer for {TIMEOUT:g} seconds"
    if isinstance(inner, OSError) and inner.strerror:
        return inner.strerror
    return str(inner) or type(inner).__name__


def _label(url: SplitResult) -> str:
    """A URL without the parts that may be secret: user, password, query."""
    host = url.netloc.rpartition("@")[2]
    return url._replace(netloc=host, query="..." if url.query else "", fragment="").geturl()
