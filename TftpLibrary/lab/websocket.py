"""The carrier `wss://host[:port]`: a websocket with TLS and a token, for labs behind a gateway.

All websockets of a process have one thread with an event loop, since a socket with TLS is not for
two threads at once.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import socket
import ssl
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache, partial
from hmac import compare_digest
from ipaddress import ip_address
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import SplitResult, urlsplit

from websockets.asyncio.client import connect
from websockets.asyncio.connection import Connection
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from TftpLibrary.errors import LabError, UsageError
from TftpLibrary.lab.carriers import Stream
from TftpLibrary.lab.service import MOST_SESSIONS, Service

if TYPE_CHECKING:
    from websockets.http11 import Request, Response

T = TypeVar("T")

_PORT = 8276
_TOKEN, _TOKEN_FILE = "TFTPLIBRARY_LAB_TOKEN", "TFTPLIBRARY_LAB_TOKEN_FILE"
_AUTHORITY = "TFTPLIBRARY_LAB_CA"
_AT_ONCE = 256 << 10
_GOOD_BYE = 2.0
_GONE = "the other end went away"
_NOT_AUTHORIZED = 401
# Any: arguments of many types. A connection has its own signs of life. What the package logs has
# the token, so it logs nothing.
_SETTINGS: dict[str, Any] = {"compression": None, "ping_interval": None, "max_size": _AT_ONCE}
_SETTINGS |= {"close_timeout": _GOOD_BYE, "logger": logging.Logger("silent", logging.CRITICAL + 1)}


class _WebStream:
    """The stream of a websocket, for other threads than its own; see `Stream` for its methods."""

    def __init__(self, websocket: Connection) -> None:
        self._websocket = websocket

    def receive(self) -> bytes:
        return _run(self._receive())

    def send(self, octets: bytes) -> None:
        _run(self._send(memoryview(octets)))

    def close(self) -> None:
        _run(self._close())

    def trouble(self) -> str:
        return ""

    async def _receive(self) -> bytes:
        try:
            while not (octets := await self._websocket.recv(decode=False)):
                pass
        except ConnectionClosed as error:
            if error.rcvd is None:
                raise ConnectionResetError(_GONE) from error
            return b""
        return octets

    async def _send(self, octets: memoryview) -> None:
        try:
            for start in range(0, len(octets), _AT_ONCE):
                await self._websocket.send(octets[start : start + _AT_ONCE])
        except ConnectionClosed as error:
            raise ConnectionResetError(_GONE) from error

    async def _close(self) -> None:
        try:
            await asyncio.wait_for(self._websocket.close(), _GOOD_BYE)
        except asyncio.TimeoutError:
            self._websocket.transport.abort()


def open_websocket(url: str) -> Stream:
    """Opens the way to a lab half that listens at a URL.

    Raises:
        UsageError: it is no such URL, or the token is unusable.
        LabError: nobody listens there, or one end does not trust the other.
    """
    parts, token, given = _parts(url), _own_token(), dict(_SETTINGS)
    if parts.scheme == "wss":
        given["ssl"] = _trust(os.environ.get(_AUTHORITY))
    if _is_loopback(parts):
        given["proxy"] = None
    if token:
        given["additional_headers"] = {"Authorization": f"Bearer {token}"}
    try:
        return _run(_open(parts.geturl(), given))
    except InvalidStatus as error:
        answer = f"HTTP {error.response.status_code}"
        reason = f"{answer}, which no lab half answers. Expected 'tftplibrary lab --listen' there."
        if error.response.status_code == _NOT_AUTHORIZED:
            reason = (
                f"it {'refuses the' if token else 'expects a'} token ({answer}). Set {_TOKEN}, "
            )
            reason += f"or {_TOKEN_FILE} to a file, as 'tftplibrary lab --token-file' has it there."
    except ssl.SSLCertVerificationError as error:
        reason = f"its certificate is not trusted: {error.verify_message}. For a private authority "
        reason += f"set {_AUTHORITY} to the file with its certificate."
    except (OSError, EOFError, ImportError, InvalidHandshake) as error:
        reason = f"{getattr(error, 'strerror', None) or error or 'no answer'}. Start one there: "
        reason += f"tftplibrary lab --listen {parts.scheme}://{parts.netloc}"
    raise LabError(f"No lab at '{url}': {reason}")


def listen_websocket(
    service: Service, url: str, cert: str | None, key: str | None, token_file: str | None
) -> None:
    """Lets runners come through a port of TCP, until the service is closed.

    Args:
        service: serves them.
        url: `wss://address[:port]`, or `ws://` on loopback.
        cert: file with the certificate of this host, and of those that vouch for it.
        key: file with its key.
        token_file: file with the token that runners show.

    Raises:
        UsageError: a file is missing or unusable, or the URL.
        LabError: the port cannot be used.
    """
    parts, token, context = _parts(url), _token_of(token_file) if token_file else "", None
    if parts.scheme == "wss":
        if not (cert and key and token):
            raise UsageError(f"{url} needs --cert, --key and --token-file.")
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        try:
            context.load_cert_chain(cert, key)
        except OSError as error:
            raise UsageError(f"Cannot use '{cert}' and '{key}' for TLS: {error}.") from error

    def check(websocket: ServerConnection, request: Request) -> Response | None:
        shown = "".join(request.headers.get_all("Authorization")).encode("utf-8", "replace")
        is_known = not token or compare_digest(shown, f"Bearer {token}".encode())
        return None if is_known else websocket.respond(_NOT_AUTHORIZED, "The token is wrong.\n")

    host, port = parts.hostname or "", parts.port or _PORT
    try:
        listening = socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET
        )
    except OSError as error:
        raise LabError(f"Cannot listen at {url}: {error.strerror or error}.") from error
    given = {"sock": listening, "ssl": context, "process_request": check, **_SETTINGS}
    threads = ThreadPoolExecutor(MOST_SESSIONS)
    server = _run(_listen(service, threads, given))
    service.at_end(lambda: _run(_end(server, threads)))


async def _open(url: str, given: dict[str, Any]) -> _WebStream:
    return _WebStream(await connect(url, **given))


async def _listen(service: Service, threads: ThreadPoolExecutor, given: dict[str, Any]) -> Server:
    async def handle(websocket: ServerConnection) -> None:
        serving = partial(service.serve, _WebStream(websocket))
        await asyncio.get_running_loop().run_in_executor(threads, serving)

    server: Server = await serve(handle, **given)
    return server


async def _end(server: Server, threads: ThreadPoolExecutor) -> None:
    server.close()
    threads.shutdown(wait=False)
    with suppress(asyncio.TimeoutError):
        await asyncio.wait_for(server.wait_closed(), _GOOD_BYE)


@cache
def _loop() -> asyncio.AbstractEventLoop:
    """Returns the event loop of the process, on its thread."""
    loop = asyncio.new_event_loop()
    Thread(target=loop.run_forever, name="TftpLibrary lab", daemon=True).start()
    return loop


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Has something done on the thread of the event loop, and returns the result."""
    future = asyncio.run_coroutine_threadsafe(work, _loop())
    try:
        return future.result()
    finally:
        # Nobody waits any more, if this was interrupted.
        future.cancel()


def _parts(url: str) -> SplitResult:
    """Returns the parts of a URL, with its port.

    Raises:
        UsageError: it is no such URL, or would send everything without TLS.
    """
    parts = urlsplit(url)
    try:
        host, port = parts.hostname, parts.port or _PORT
    except ValueError:
        host, port = "", 0
    if "@" in parts.netloc:
        raise UsageError(
            "A URL of a lab has no user and no password, which the log would show. Set "
            f"{_TOKEN}, or {_TOKEN_FILE} to a file with the token."
        )
    if not host:
        raise UsageError(f"{url!r} names no host. Expected for example wss://lab1.")
    named = parts._replace(netloc=f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
    if named.scheme == "ws" and not _is_loopback(named):
        raise UsageError(
            f"{url!r} is without TLS, so everybody on the way could read it. Expected "
            f"wss://{host}, or ws:// with an address of this machine such as 127.0.0.1."
        )
    return named


def _is_loopback(parts: SplitResult) -> bool:
    host = parts.hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _trust(file: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=file or None)
    except OSError as error:
        raise UsageError(f"{_AUTHORITY}: cannot use the file '{file}': {error}.") from error


def _own_token() -> str:
    """Returns the token of the runner; empty if it has none."""
    file = os.environ.get(_TOKEN_FILE)
    return _token_of(file) if file else _checked(os.environ.get(_TOKEN, ""), _TOKEN)


def _token_of(file: str) -> str:
    try:
        token = Path(file).read_text("ascii", "replace").strip()
    except OSError as error:
        raise UsageError(f"Cannot read the token in '{file}': {error.strerror}.") from error
    if not token:
        raise UsageError(f"The file '{file}' is empty. Expected a token.")
    return _checked(token, f"The file '{file}'")


def _checked(token: str, origin: str) -> str:
    if not re.fullmatch(r"[!-~]*", token):
        # Which ones, it does not say: they are secret.
        raise UsageError(f"{origin} has a token with characters other than ASCII without spaces.")
    return token
