from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from TftpLibrary.lab.frames import Deframer, Message, Piece, message_frame, piece_frame
from TftpLibrary.lab.operations import VERSION_OF_WIRE
from TftpLibrary.version import VERSION
from utest.support.labs import running_service, unix_socket

GREETING = {"version": VERSION, "wire": VERSION_OF_WIRE, "who": "pi"}


class Raw:
    """A runner that says what it wants."""

    def __init__(self, url: str) -> None:
        self._socket = unix_socket()
        self._socket.settimeout(5)
        self._socket.connect(url.removeprefix("unix:"))
        self._deframer = Deframer()
        self._number = 0

    def call(self, method: str, **params: Any) -> Message:
        self._number += 1
        message: Message = {"jsonrpc": "2.0", "id": self._number, "method": method}
        self._socket.sendall(message_frame(message | {"params": params}))
        while True:
            for came in self._deframer.take(self._socket.recv(65536)):
                if isinstance(came, dict) and came.get("id") == self._number:
                    return came

    def send(self, octets: bytes) -> None:
        self._socket.sendall(octets)

    def is_closed(self) -> bool:
        try:
            while self._socket.recv(65536):
                pass
        except ConnectionResetError:
            return True
        return True

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def raw() -> Iterator[Raw]:
    with running_service() as (_, url):
        found = Raw(url)
        yield found
        found.close()


def test_only_the_table_is_done(raw: Raw) -> None:
    assert raw.call("fence")["error"]["message"] == "a session begins with 'greet'"
    assert raw.call("greet", **GREETING)["result"]["version"] == VERSION
    for method in ("__class__", "files.__init__", "files.close", "server._cut", "os.system"):
        assert raw.call(method)["error"]["code"] == -32601
    assert raw.call("fence", more=1)["error"]["code"] == -32602
    assert raw.call("fence", server="1")["error"]["code"] == -32602
    assert "does not run" in raw.call("files.list", server=3)["error"]["message"]
    assert raw.call("fence")["result"] is None


def test_a_root_is_refused_where_none_is_allowed(raw: Raw) -> None:
    raw.call("greet", **GREETING)
    answer = raw.call("start", server=1, alias="x", root="/etc", settings={})
    assert "is no folder that the lab" in answer["error"]["message"]
    assert answer["error"]["data"][0] == "UsageError"


def test_pieces_without_a_call_are_forgotten(raw: Raw) -> None:
    raw.call("greet", **GREETING)
    for number in range(1000):
        raw.send(piece_frame(Piece(number, bytes(1000))))
    assert raw.call("fence")["result"] is None


@pytest.mark.parametrize(
    "octets",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        (2 << 20).to_bytes(4, "big") + b"M",
        message_frame({"jsonrpc": "1.0"}),
        b"\0\0\0\x02M[]",
    ],
)
def test_what_is_no_message_ends_this_session_and_no_other(octets: bytes) -> None:
    with running_service() as (_, url):
        good, bad = Raw(url), Raw(url)
        good.call("greet", **GREETING)
        bad.send(octets)
        assert bad.is_closed()
        assert good.call("fence")["result"] is None
        assert json.dumps(good.call("status")["result"]) == "[]"
        good.close()
        bad.close()
