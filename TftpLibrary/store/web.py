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

from TftpLibrary.errors import UsageError
from TftpLibrary.spelling import nearest
from TftpLibrary.store.digests import CHUNK
from TftpLibrary.store.urls import SourceUrl
from TftpLibrary.version import VERSION

TIMEOUT = 30.0
"""Seconds that a web server may be silent."""


class RemoteFile:
    """A file behind a URL, whose connection is open."""

    # The stream is what urllib or a plug-in of fsspec returns; `read` and `close` are used.
    def __init__(self, url: SourceUrl, stream: Any, size: int | None) -> None:
        self.label = url.label
        self.name = url.name
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
            raise UsageError(f"{self.label} ended after {octets} of {self.size} bytes. Try again.")

    def digests(self) -> None:
        """Returns None: it is read only once."""

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
    url = SourceUrl(source)
    return _open_web(url) if url.is_web else _open_with_fsspec(url)


def _open_web(url: SourceUrl) -> RemoteFile:
    with _explained(url):
        try:
            text = url.request()
        except ValueError as error:
            raise UsageError(
                f"{url.label} is no URL: {error}. Expected https://host/path."
            ) from None
        query = request.Request(text, headers={"User-Agent": f"TftpLibrary/{VERSION}"})
        if url.user:
            token = base64.b64encode(url.user.encode()).decode("ascii")
            # Not sent again to where a redirection leads.
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


def _open_with_fsspec(url: SourceUrl) -> RemoteFile:
    if near := _web_scheme_like(url.scheme):
        raise UsageError(f"{url.label} has the unknown scheme '{url.scheme}'. Did you mean {near}?")
    try:
        fsspec = import_module("fsspec")
    except ImportError as error:
        raise UsageError(
            f"{url.label} needs fsspec for '{url.scheme}'. Install it with "
            "'pip install robotframework-tftp[urls]', or use a path, http:// or https://."
        ) from error
    with _explained(url):
        stream = fsspec.open(url.text, "rb").open()
    size = getattr(stream, "size", None)
    return RemoteFile(url, stream, size if isinstance(size, int) else None)


def _web_scheme_like(scheme: str) -> str:
    """Returns what a misspelled scheme means: `http://` for `htp`; empty for any other."""
    near = nearest(scheme, ("http", "https"), 0.75)
    return f"{near}://" if near else ""


@contextmanager
def _explained(url: SourceUrl) -> Iterator[None]:
    """Converts whatever a library raises into an error message with the URL."""
    try:
        yield
    except UsageError:
        raise
    except FileNotFoundError as error:
        raise UsageError(f"{url.label} does not exist. Check the URL.") from _cause(url, error)
    except HTTPError as error:
        error.close()
        raise UsageError(
            f"{url.label} was refused: HTTP {error.code} {error.reason}. Check the URL."
        ) from _cause(url, error)
    except Exception as error:  # A plug-in of fsspec may raise anything.
        reason = url.cleaned(_reason(error)).rstrip(".")
        raise UsageError(f"{url.label} cannot be read: {reason}.") from _cause(url, error)


def _cause(url: SourceUrl, error: Exception) -> Exception | None:
    """Returns the cause that a log may show with its text: none where it may have a password."""
    return None if url.has_secrets else error


def _reason(error: Exception) -> str:
    # urllib wraps the cause: `<urlopen error [Errno 111] Connection refused>`.
    inner = getattr(error, "reason", error)
    if isinstance(inner, TimeoutError):
        return f"no answer for {TIMEOUT:g} seconds"
    if isinstance(inner, OSError) and inner.strerror:
        return inner.strerror
    return str(inner) or type(inner).__name__
