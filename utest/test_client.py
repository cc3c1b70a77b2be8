"""The client as a plain Python object; the server is a board that checks every packet."""

from __future__ import annotations

import errno
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from atest.equipment.board_exchange import Habits
from atest.equipment.board_server import Mischief, ServingBoard
from TftpLibrary import space
from TftpLibrary.client import TftpClient
from TftpLibrary.engine.caller import Caller
from TftpLibrary.engine.shared import SHARED_ENGINE
from TftpLibrary.errors import (
    NegotiationError,
    PeerError,
    TransferAborted,
    TransferTimeout,
    UsageError,
)
from TftpLibrary.protocol.outcome import Cause, Outcome
from TftpLibrary.protocol.packets import Ack, Data, Direction, Error, Mode, Request
from TftpLibrary.recording.recorder import Recorder
from TftpLibrary.recording.records import Transfer
from TftpLibrary.settings import ClientSettings
from utest.support.bench import SOON, linux_only, without_linux
from utest.support.captures import packets_in
from utest.support.faulty import make_faulty, refuse_now_and_then, refuse_segmentation
from utest.support.puppets import Puppet
from utest.support.stores import descriptors, make_fifo, posix_only, small_disk
from utest.support.waiting import seconds, wait_until

CONTENT = random.Random(5).randbytes(1 << 20)
TEXT = bytes(random.Random(6).choices(b"config line\r\n", k=150_000))
PLAIN = ClientSettings(blksize=512, windowsize=1)
PATIENTLY = ClientSettings(blksize=512, windowsize=1, timeout=30.0)
BRIEF = ClientSettings(timeout=seconds(0.1), retries=2)
PATIENT = Habits(accept_duplicates=True, resend_after=seconds(0.05))


def client_of(server: ServingBoard | Puppet, settings: ClientSettings | None = None) -> TftpClient:
    return TftpClient(server.host, server.port, settings)


@pytest.fixture
def puppet() -> Iterator[Puppet]:
    with Puppet() as found:
        yield found


def engine_threads() -> int:
    """How many engines run, but for one that stays to repeat a last ACK."""
    SHARED_ENGINE.end_lingering()
    return [thread.name for thread in threading.enumerate()].count("TftpLibrary")


def without_times(error: Exception) -> str:
    """The message, where each time is the same."""
    return re.sub(r"( in |wait=)[\d.]+ m?s\b", r"\1TIME", str(error))


@contextmanager
def playing(server: Callable[[], None]) -> Iterator[None]:
    """Lets a server answer by hand while the test asks."""
    thread = threading.Thread(target=server)
    thread.start()
    try:
        yield
    finally:
        thread.join(seconds(SOON))


def no_route(*_: object) -> None:
    raise OSError(errno.ENETUNREACH, "Network is unreachable")


# Get


@pytest.mark.parametrize("size", [0, 1, 511, 512, 1428, 1 << 20])
@pytest.mark.parametrize(
    "settings", [PLAIN, ClientSettings(), ClientSettings(blksize=65464, windowsize=2)]
)
def test_a_file_of_any_size_is_read(tmp_path: Path, size: int, settings: ClientSettings) -> None:
    with ServingBoard("f", CONTENT[:size]) as board, client_of(board, settings) as client:
        record = client.get("f", tmp_path / "copy")
        board.wait()
        assert (tmp_path / "copy").read_bytes() == CONTENT[:size]
        assert record.outcome is Outcome.completed
        assert record.direction is Direction.read
        assert (record.octets, record.server) == (size, f"127.0.0.1:{board.port}")
        assert client.recorder.transfers() == (record,)


def test_a_file_goes_to_a_folder_under_the_last_part_of_its_name(tmp_path: Path) -> None:
    with ServingBoard("a/f", CONTENT[:1000]) as board, client_of(board) as client:
        client.get("a/f", tmp_path)
        with pytest.raises(UsageError, match="'a/' does not end with the name of a file"):
            client.get("a/", tmp_path)
    assert (tmp_path / "f").read_bytes() == CONTENT[:1000]


def test_a_file_may_have_more_than_65535_blocks() -> None:
    content = CONTENT[: 8 * 66_000 + 3]
    settings = ClientSettings(blksize=8, windowsize=64, rollover=1)
    with ServingBoard("f", content) as board, client_of(board, settings) as client:
        assert client.get_bytes("f") == content


@pytest.mark.parametrize("windowsize", [1, 4])
@pytest.mark.parametrize("drop", [(1,), (3, 4), (20,), (2, 9, 10, 19)])
def test_blocks_that_get_lost_on_their_way_here_come_again(
    windowsize: int, drop: tuple[int, ...]
) -> None:
    settings = ClientSettings(blksize=512, windowsize=windowsize, timeout=seconds(0.3))
    habits = Habits(drop_blocks=drop, accept_duplicates=True, resend_after=seconds(0.05))
    content = CONTENT[: 512 * 19 + 100]
    with ServingBoard("f", content, habits=habits) as board, client_of(board, settings) as client:
        assert client.get_bytes("f") == content
        board.wait()


def test_a_file_is_replaced_in_one_step_and_never_in_part(tmp_path: Path, puppet: Puppet) -> None:
    copy = tmp_path / "copy"
    copy.write_bytes(b"old")
    seen: list[bytes] = []

    def look(_: Transfer) -> None:
        seen.append(copy.read_bytes())

    def serve() -> None:
        puppet.take_request()
        puppet.send(Data(1, bytes(512)))
        puppet.receive()
        wait_until(lambda: len(seen) > 2)
        puppet.send(Data(2, b"new"))
        puppet.receive()

    thread = threading.Thread(target=serve)
    thread.start()
    with client_of(puppet, PLAIN) as client:
        client.get("f", copy, progress=look)
    thread.join(seconds(SOON))
    assert set(seen[:-1]) == {b"old"}
    assert copy.read_bytes() == bytes(512) + b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]


def test_a_destination_may_be_text(tmp_path: Path) -> None:
    with ServingBoard("f", b"content") as board, client_of(board) as client:
        client.get("f", str(tmp_path / "copy"))
        assert (tmp_path / "copy").read_bytes() == b"content"


def test_a_destination_that_cannot_be_is_told_before_anything_is_asked(tmp_path: Path) -> None:
    with ServingBoard("f", b"content") as board, client_of(board) as client:
        with pytest.raises(UsageError) as error:
            client.get("f", tmp_path / "missing" / "copy")
        folder = tmp_path / "missing"
        assert str(error.value) == (
            f"There is no folder '{folder}' for '{folder / 'copy'}'. Make it first."
        )
        too_long = tmp_path / ("x" * 300)
        with pytest.raises(UsageError, match=f"^Cannot write '{too_long}': "):
            client.get("f", too_long)
        assert client.recorder.transfers() == ()
        assert board.reports == []


# Put


@pytest.mark.parametrize("size", [0, 1, 511, 512, 1428, 1 << 20])
@pytest.mark.parametrize(
    "settings", [PLAIN, ClientSettings(), ClientSettings(blksize=65464, windowsize=2)]
)
def test_a_file_of_any_size_is_written(tmp_path: Path, size: int, settings: ClientSettings) -> None:
    path = tmp_path / "config.txt"
    path.write_bytes(CONTENT[:size])
    with ServingBoard("x") as board, client_of(board, settings) as client:
        record = client.put(path)
        report = board.wait()
        assert report.name == "config.txt"
        assert report.content == CONTENT[:size]
        assert record.outcome is Outcome.completed
        assert record.direction is Direction.write
        assert (record.octets, record.size) == (size, size)
        assert report.asked.get("tsize") == (None if settings is PLAIN else str(size))


def test_a_file_may_be_written_under_another_name() -> None:
    with ServingBoard("x") as board, client_of(board) as client:
        client.put_bytes(b"hostname r1\n", "sub/startup-config")
        assert board.wait().name == "sub/startup-config"


@pytest.mark.parametrize("windowsize", [1, 4])
@pytest.mark.parametrize("drop", [(1,), (3, 4), (20,), (2, 9, 10, 19)])
def test_blocks_that_get_lost_on_their_way_there_come_again(
    windowsize: int, drop: tuple[int, ...]
) -> None:
    settings = ClientSettings(blksize=512, windowsize=windowsize, timeout=seconds(0.05))
    habits = Habits(drop_blocks=drop, accept_duplicates=True)
    content = CONTENT[: 512 * 19 + 100]
    with ServingBoard("f", habits=habits) as board, client_of(board, settings) as client:
        client.put_bytes(content, "f")
        assert board.wait().content == content


def test_a_source_that_cannot_be_read_is_told_before_anything_is_asked(tmp_path: Path) -> None:
    with ServingBoard("f") as board, client_of(board) as client:
        with pytest.raises(UsageError, match=f"^Cannot read '{tmp_path / 'missing'}': "):
            client.put(tmp_path / "missing")
        with pytest.raises(UsageError, match=f"^Cannot read '{tmp_path}': "):
            client.put(tmp_path, "name")
        with pytest.raises(UsageError, match="^There is no folder "):
            client.put(tmp_path / "missing" / "file")
        assert board.reports == []


@posix_only
@pytest.mark.parametrize("name", ["", "with\0nul", "lone \ud800 surrogate"])
def test_a_name_that_cannot_be_asked_for_is_told_and_leaves_nothing_open(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "file").write_bytes(b"content")
    with ServingBoard("f") as board, client_of(board) as client:
        before = descriptors()
        asks: list[Callable[[], object]] = [
            lambda: client.get(name, tmp_path / "copy"),
            lambda: client.put(tmp_path / "file", name or "\0"),
            lambda: client.get_bytes(name),
            lambda: client.put_bytes(b"", name),
        ]
        for ask in asks:
            with pytest.raises(UsageError, match="^Expected a file name without NUL to ask for"):
                ask()
        assert descriptors() == before
        assert [path.name for path in tmp_path.iterdir()] == ["file"]


@linux_only
def test_a_name_of_a_file_may_be_octets_that_are_no_text(tmp_path: Path, puppet: Puppet) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    path.write_bytes(b"content")
    names: list[bytes] = []

    def serve() -> None:
        names.append(puppet.take_request().filename)
        puppet.send(Error(2, "no"))

    thread = threading.Thread(target=serve)
    thread.start()
    with client_of(puppet, PLAIN) as client, pytest.raises(PeerError) as error:
        client.put(path)
    thread.join(seconds(SOON))
    assert names == [b"caf\xe9"]
    assert "for 'caf\\xe9'" in str(error.value)


# netascii


@pytest.mark.parametrize("size", [0, 1, 513, 150_000])
@pytest.mark.parametrize("windowsize", [1, 8])
def test_text_is_translated_both_ways(size: int, windowsize: int) -> None:
    settings = ClientSettings(mode=Mode.netascii, windowsize=windowsize)
    with ServingBoard("f", TEXT[:size]) as board, client_of(board, settings) as client:
        assert client.get_bytes("f") == TEXT[:size]
        record = client.put_bytes(TEXT[:size], "f")
        assert board.wait(2).content == TEXT[:size]
        assert record.octets >= size


def test_lines_of_text_that_get_lost_come_again() -> None:
    settings = ClientSettings(mode=Mode.netascii, windowsize=8, timeout=seconds(0.3))
    habits = Habits(drop_blocks=(1, 7, 40), accept_duplicates=True, resend_after=seconds(0.05))
    with ServingBoard("f", TEXT, habits=habits) as board, client_of(board, settings) as client:
        assert client.get_bytes("f") == TEXT
        client.put_bytes(TEXT, "f")
        assert board.wait(2).content == TEXT


# Answers of the server


@pytest.mark.parametrize(
    ("code", "text", "message"),
    [
        (1, "File not found", "File not found (TFTP error 1) from {} for 'x'"),
        (1, "file not found", "File not found (TFTP error 1) from {} for 'x'"),
        (1, "", "File not found (TFTP error 1) from {} for 'x'"),
        (2, "Keep out", "Access violation (TFTP error 2) from {} for 'x': Keep out"),
        (6, "busy", "File already exists (TFTP error 6) from {} for 'x': busy"),
        (0, "Out of toner", "Out of toner (TFTP error 0) from {} for 'x'"),
        (99, "", "No reason (TFTP error 99) from {} for 'x'"),
    ],
)
def test_an_error_of_the_server_is_told_in_a_sentence(code: int, text: str, message: str) -> None:
    mischief = Mischief(refuse_code=code, refuse_text=text)
    with ServingBoard("x", mischief=mischief) as board, client_of(board) as client:
        with pytest.raises(PeerError) as error:
            client.get_bytes("x")
        assert str(error.value) == message.format(f"127.0.0.1:{board.port}")
        assert (error.value.code, error.value.text) == (code, text)
        (record,) = client.recorder.transfers()
        assert (record.outcome, record.error_code) == (Outcome.refused, code)


def test_a_refusal_leaves_the_destination_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "copy").write_bytes(b"old")
    mischief = Mischief(refuse_code=1)
    with (
        ServingBoard("x", mischief=mischief) as board,
        client_of(board) as client,
        pytest.raises(PeerError),
    ):
        client.get("x", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]


def test_an_error_in_the_middle_leaves_no_part(tmp_path: Path, puppet: Puppet) -> None:
    def serve() -> None:
        puppet.take_request()
        puppet.send(Data(1, bytes(512)))
        puppet.receive()
        puppet.send(Error(0, "Fan failure"))

    thread = threading.Thread(target=serve)
    thread.start()
    with client_of(puppet, PLAIN) as client, pytest.raises(PeerError, match="^Fan failure .TFTP"):
        client.get("f", tmp_path / "copy")
    thread.join(seconds(SOON))
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_grants_more_than_was_asked_is_told_and_gets_error_8() -> None:
    mischief = Mischief(grant={"blksize": "9000"})
    with ServingBoard("f", CONTENT, mischief=mischief) as board, client_of(board) as client:
        with pytest.raises(NegotiationError) as error:
            client.get_bytes("f")
        report = board.wait()
        assert (report.error_code, report.error_text) == (8, "Options were not agreed")
    assert str(error.value).startswith(
        f"Wrong option answer from 127.0.0.1:{board.port} for 'f': The server granted "
        "blksize=9000; expected 8 to 1428."
    )


def test_a_server_that_knows_no_options_is_served() -> None:
    mischief = Mischief(no_oack=True)
    with ServingBoard("f", CONTENT, mischief=mischief) as board, client_of(board) as client:
        assert client.get_bytes("f") == CONTENT
        client.put_bytes(CONTENT, "f")
        assert board.wait(2).content == CONTENT


@linux_only
def test_a_foreign_tid_gets_error_5_and_disturbs_nothing() -> None:
    """RFC 1350, section 4. The board waits for that answer before it goes on."""
    mischief = Mischief(foreign_data=True)
    with ServingBoard("f", CONTENT, mischief=mischief) as board, client_of(board) as client:
        assert client.get_bytes("f") == CONTENT
        client.put_bytes(CONTENT, "f")
        assert board.wait(2).content == CONTENT


def test_the_last_ack_is_repeated_for_a_server_that_missed_it() -> None:
    """RFC 1350, section 6: dallying."""
    habits = Habits(repeat_last_data=True)
    with ServingBoard("f", CONTENT[:1000], habits=habits) as board, client_of(board) as client:
        assert client.get_bytes("f") == CONTENT[:1000]
        assert board.wait().is_complete


def test_the_last_ack_is_repeated_also_when_the_client_was_alone_and_is_closed(
    puppet: Puppet,
) -> None:
    """RFC 1350, section 6: dallying. Whoever closed the client waits for nothing."""

    def serve() -> None:
        puppet.take_request()
        puppet.send(Data(1, b"content"))

    thread = threading.Thread(target=serve)
    thread.start()
    begun = time.monotonic()
    with client_of(puppet, PATIENTLY) as client:
        assert client.get_bytes("f") == b"content"
    thread.join(seconds(SOON))
    assert time.monotonic() - begun < PATIENTLY.timeout
    for _ in range(2):
        assert puppet.receive() == Ack(1)
        puppet.send(Data(1, b"content"))
    assert puppet.receive() == Ack(1)
    assert engine_threads() == 0


def test_the_engine_of_a_closed_client_goes_on_with_the_next_one(puppet: Puppet) -> None:
    def serve() -> None:
        for _ in range(2):
            puppet.take_request()
            puppet.send(Data(1, b"content"))
            puppet.receive()

    thread = threading.Thread(target=serve)
    thread.start()
    engines = []
    for _ in range(2):
        with client_of(puppet, PATIENTLY) as client:
            client.get_bytes("f")
        engines += [each for each in threading.enumerate() if each.name == "TftpLibrary"]
    thread.join(seconds(SOON))
    assert len(engines) == 2
    assert engines[0] is engines[1]


# Several addresses


@linux_only
def test_an_answer_from_another_address_is_named_and_taken_on_request(puppet: Puppet) -> None:
    """RFC 1350 speaks of ports; RFC 1123 has the answer come from the address asked."""
    elsewhere = puppet.open_tid("127.0.0.9")

    def serve() -> None:
        while not stopped.is_set():
            with suppress(TimeoutError):
                puppet.take_request()
                puppet.send(Data(1, b"content"), elsewhere)

    stopped = threading.Event()
    thread = threading.Thread(target=serve)
    thread.start()
    strict = BRIEF.changed({"blksize": 512, "windowsize": 1})
    with client_of(puppet, strict) as client, pytest.raises(TransferTimeout) as error:
        client.get_bytes("f")
    assert without_times(error.value) == (
        f"No answer from 127.0.0.1:{puppet.port} for 'f' in TIME: no answer to the request, 3 "
        "tries; 127.0.0.9 answered, which was not asked. With any_address=True an answer from "
        "another address is taken."
    )
    assert puppet.receive(elsewhere) == Error(5, "Unknown transfer ID")
    with client_of(puppet, strict.changed({"any_address": True})) as client:
        assert client.get_bytes("f") == b"content"
    stopped.set()
    elsewhere.sendto(Request(Direction.read, b"f").encode(), puppet.sock.getsockname())
    thread.join(seconds(SOON))


def several(monkeypatch: pytest.MonkeyPatch, *hosts: str) -> None:
    """Gives a name several addresses."""
    real = socket.getaddrinfo

    def found(host: str, *rest: Any, **how: Any) -> list[Any]:
        names = hosts if host == "device.test" else (host,)
        return [info for name in names for info in real(name, *rest, **how)]

    monkeypatch.setattr(socket, "getaddrinfo", found)


@linux_only
@pytest.mark.parametrize("dead", ["::1", "127.0.0.8", "255.255.255.255"])
def test_each_address_of_a_name_is_asked_in_turn(
    monkeypatch: pytest.MonkeyPatch, puppet: Puppet, dead: str
) -> None:
    several(monkeypatch, dead, "127.0.0.1")

    def serve() -> None:
        puppet.take_request()
        puppet.send(Data(1, b"x"))

    settings = ClientSettings(blksize=512, windowsize=1, timeout=seconds(0.1), retries=0)
    with TftpClient("device.test", puppet.port, settings) as client:
        thread = threading.Thread(target=serve)
        thread.start()
        assert client.get_bytes("f") == b"x"
        thread.join(seconds(SOON))


@linux_only
@pytest.mark.parametrize("dead", [["::1"], ["127.0.0.8", "127.0.0.9"]])
def test_the_next_address_is_asked_at_once_where_nothing_listens_at_one(
    monkeypatch: pytest.MonkeyPatch, puppet: Puppet, dead: list[str]
) -> None:
    """The ICMP message of a closed port comes in no time, and the time-out is four minutes."""
    several(monkeypatch, *dead, "127.0.0.1")

    def serve() -> None:
        puppet.take_request()
        puppet.send(Data(1, b"x"))

    settings = ClientSettings(blksize=512, windowsize=1, timeout=240.0, retries=0)
    with TftpClient("device.test", puppet.port, settings) as client:
        thread = threading.Thread(target=serve)
        thread.start()
        assert client.get_bytes("f") == b"x"
        (record,) = client.recorder.transfers()
        thread.join(seconds(SOON))
    assert record.retransmits == 0


@linux_only
def test_a_failure_names_each_address_that_was_asked(
    monkeypatch: pytest.MonkeyPatch, puppet: Puppet
) -> None:
    several(monkeypatch, "127.0.0.8", "127.0.0.1", "255.255.255.255")
    with (
        TftpClient("device.test", puppet.port, BRIEF) as client,
        pytest.raises(TransferTimeout) as error,
    ):
        client.get_bytes("f")
    assert (
        f"No answer from device.test:{puppet.port} for 'f' in TIME: no answer to the request, 5 "
        "tries; asked 127.0.0.8 and 127.0.0.1 and 255.255.255.255; "
    ) in without_times(error.value)
    assert "; 255.255.255.255: permission denied. Expected a TFTP server at" in str(error.value)


def test_a_server_that_refuses_the_options_is_asked_again_and_no_other(
    monkeypatch: pytest.MonkeyPatch, puppet: Puppet
) -> None:
    several(monkeypatch, "127.0.0.1", "127.0.0.8")

    def serve() -> None:
        assert puppet.take_request().options
        puppet.send(Error(8, "No options"))
        assert not puppet.take_request().options
        puppet.send(Data(1, b"content"))

    thread = threading.Thread(target=serve)
    thread.start()
    with TftpClient("device.test", puppet.port) as client:
        assert client.get_bytes("f") == b"content"
        (record,) = client.recorder.transfers()
    thread.join(seconds(SOON))
    assert record.remarks == ("ERROR 8 (No options) to the options: asked again without any",)


# Nobody answers


def test_without_an_answer_the_client_gives_up_and_says_what_to_do(
    tmp_path: Path, puppet: Puppet
) -> None:
    with client_of(puppet, BRIEF) as client, pytest.raises(TransferTimeout) as error:
        client.get("f", tmp_path / "copy")
    assert without_times(error.value) == (
        f"No answer from 127.0.0.1:{puppet.port} for 'f' in TIME: no answer to the request, 3 "
        "tries. Expected a TFTP server at that address and port that answers within "
        f"{BRIEF.timeout:g} s; raise timeout= or retries=, or wait= for a server that starts "
        "later."
    )
    assert list(tmp_path.iterdir()) == []


@linux_only
def test_a_closed_port_is_named_as_such(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    with TftpClient("127.0.0.1", port, BRIEF) as client, pytest.raises(TransferTimeout) as error:
        client.get("f", tmp_path / "copy")
    assert without_times(error.value) == (
        f"No answer from 127.0.0.1:{port} for 'f' in TIME: no answer to the request, 3 tries; "
        "127.0.0.1: nothing listens at that port. Start a TFTP server there, or check the port; "
        "wait= waits for one that starts later."
    )
    assert client.recorder.transfers()[0].cause is Cause.no_listener


def test_a_network_without_a_way_to_it_is_named_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Caller, "_send", no_route)
    settings = BRIEF.changed({"wait": seconds(0.4)})
    with TftpClient("127.0.0.1", 69, settings) as client, pytest.raises(TransferTimeout) as error:
        client.get_bytes("f")
    text = without_times(error.value)
    assert text.startswith("No answer from 127.0.0.1:69 for 'f' in TIME (wait=TIME): ")
    assert text.endswith(
        "; 127.0.0.1: network is unreachable. Check the address, and the network and the firewall "
        "of this machine."
    )


def test_a_server_of_which_only_the_last_ack_is_missing_may_have_the_file(puppet: Puppet) -> None:
    def serve() -> None:
        puppet.take_request()
        puppet.send(Ack(0))
        assert isinstance(puppet.receive(), Data)

    with (
        playing(serve),
        client_of(puppet, BRIEF) as client,
        pytest.raises(TransferTimeout) as error,
    ):
        client.put_bytes(b"content", "f")
    assert without_times(error.value).startswith(
        f"'f' to 127.0.0.1:{puppet.port}: everything was sent, but the last acknowledgement did "
        "not come from 127.0.0.1:"
    )
    assert str(error.value).endswith(
        "The server may have the whole file: look there before you send it again."
    )


def test_a_server_that_falls_silent_is_given_up(tmp_path: Path) -> None:
    habits = Habits(stop_after=2, stop_with="silence")
    with ServingBoard("f", CONTENT, habits=habits) as board, client_of(board, BRIEF) as client:
        with pytest.raises(TransferTimeout) as error:
            client.get("f", tmp_path / "copy")
        assert re.fullmatch(
            rf"No answer from 127.0.0.1:{board.port} for 'f' in TIME: 127.0.0.1:\d+ answered, and "
            r"stopped at 2 % \(0.0 of 1.0 MB\), block 16: DATA 17 did not come, 3 tries. Look .*",
            without_times(error.value),
        )
        board.wait()
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_appears_later_can_be_waited_for() -> None:
    settings = ClientSettings(timeout=seconds(0.02), retries=0, wait=60.0)
    mischief = Mischief(ignore_requests=4)
    with (
        ServingBoard("f", CONTENT, mischief=mischief) as board,
        client_of(board, settings) as client,
    ):
        assert client.get_bytes("f") == CONTENT
        assert board.ignored == 4


def test_waiting_for_a_server_ends(puppet: Puppet) -> None:
    settings = ClientSettings(timeout=seconds(0.02), retries=0, wait=seconds(0.1))
    begun = time.monotonic()
    with client_of(puppet, settings) as client, pytest.raises(TransferTimeout):
        client.get_bytes("f")
    assert time.monotonic() - begun >= seconds(0.1)


# Where it cannot be


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_a_port_that_is_none_is_refused(port: int) -> None:
    with pytest.raises(UsageError, match=f"^port must be from 1 to 65535, got {port}.$"):
        TftpClient("127.0.0.1", port)


def test_a_host_that_is_not_found_is_told() -> None:
    with pytest.raises(UsageError, match=r"^Cannot find the host 'no.such.host.invalid'"):
        TftpClient("no.such.host.invalid")
    assert engine_threads() == 0


@pytest.mark.parametrize("local", ["192.0.2.77", "no.such.host.invalid", "::1", "no\udcffhost"])
def test_an_address_that_is_not_ours_cannot_be_asked_from(tmp_path: Path, local: str) -> None:
    (tmp_path / "file").write_bytes(b"content")
    with ServingBoard("f") as board:
        settings = ClientSettings(local_address=local)
        with client_of(board, settings) as client:
            asks: list[Callable[[], object]] = [
                lambda: client.get("f", tmp_path / "copy"),
                lambda: client.put(tmp_path / "file"),
            ]
            for ask in asks:
                with pytest.raises(UsageError) as error:
                    ask()
                assert str(error.value).startswith(f"Cannot ask from '{local}': ")
                assert str(error.value).endswith("of the family of the server's.")
        assert [path.name for path in tmp_path.iterdir()] == ["file"]


@linux_only
def test_the_address_to_ask_from_can_be_chosen() -> None:
    settings = ClientSettings(local_address="127.0.0.2")
    with ServingBoard("f", CONTENT) as board, client_of(board, settings) as client:
        assert client.get_bytes("f") == CONTENT
        assert client.recorder.transfers()[0].client == "127.0.0.2"


def test_ipv6_is_spoken(tmp_path: Path) -> None:
    with ServingBoard("f", CONTENT, address=("::1", 0)) as board, client_of(board) as client:
        assert client.get_bytes("f") == CONTENT
        client.put_bytes(CONTENT, "f")
        assert board.wait(2).content == CONTENT
        with pytest.raises(PeerError, match=rf"from \[::1\]:{board.port} for 'x'"):
            client.get("x", tmp_path / "copy")


# Our own end


@pytest.mark.skipif(not Path("/proc/version").exists(), reason="Linux")
def test_a_file_whose_size_says_0_is_put_with_all_its_octets() -> None:
    with ServingBoard("f") as board, client_of(board) as client:
        put = client.put("/proc/version")
        assert put.requested["tsize"] == str(put.octets)
        assert board.wait().content == Path("/proc/version").read_bytes()


@posix_only
def test_a_fifo_is_neither_put_nor_written(tmp_path: Path) -> None:
    make_fifo(tmp_path / "fifo")
    with ServingBoard("f", CONTENT) as board, client_of(board) as client:
        with pytest.raises(UsageError, match="Cannot read '.*fifo': what lies there is not a reg"):
            client.put(tmp_path / "fifo")
        with pytest.raises(UsageError, match="Cannot write '.*fifo': what lies there is not a reg"):
            client.get("f", tmp_path / "fifo")


def test_a_file_that_has_no_room_is_not_taken(tmp_path: Path) -> None:
    with (
        small_disk(tmp_path / "disk") as folder,
        ServingBoard("f", CONTENT) as board,
        client_of(board) as client,
    ):
        lack = "it needs 1.0 MB, and .* are free in '.*disk'"
        with pytest.raises(TransferAborted, match=f"for 'f': {lack}.$"):
            client.get("f", folder / "copy")
        report = board.wait()
        assert (report.error_code, report.blocks) == (3, 0)
        assert not list(folder.iterdir())


def test_a_disk_that_is_full_is_told_and_the_server_gets_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(space, "free_octets", lambda _: None)
    with (
        small_disk(tmp_path / "disk") as folder,
        ServingBoard("f", CONTENT) as board,
        client_of(board) as client,
    ):
        with pytest.raises(TransferAborted, match="for 'f': No space left on device.$"):
            client.get("f", folder / "copy")
        assert board.wait().error_code == 3
        wait_until(lambda: not list(folder.iterdir()))


def test_a_file_that_changes_meanwhile_is_told_and_the_server_gets_an_error(
    tmp_path: Path, puppet: Puppet
) -> None:
    path = tmp_path / "f"
    path.write_bytes(CONTENT)
    answers: list[object] = []

    def serve() -> None:
        puppet.take_request()
        puppet.send(Ack(0))
        puppet.receive()
        path.write_bytes(b"shorter")
        block = 0
        while not isinstance(packet := puppet.receive() if block else Data(1, b""), Error):
            assert isinstance(packet, Data)
            block += 1
            puppet.send(Ack(block))
        answers.append(packet)

    thread = threading.Thread(target=serve)
    thread.start()
    with (
        client_of(puppet, PLAIN) as client,
        pytest.raises(TransferAborted, match="File changed while it was read"),
    ):
        client.put(path)
    thread.join(seconds(SOON))
    assert answers == [Error(0, "File changed while it was read")]


Prepare = Callable[[pytest.MonkeyPatch], object]
WAYS: dict[str, Prepare] = {
    "as it comes": lambda _: None,
    "no segmentation": lambda patch: make_faulty(patch, refuse_segmentation(1432)),
    "full buffer": lambda patch: make_faulty(patch, refuse_now_and_then(17)),
    "no Linux": without_linux,
}


@pytest.mark.parametrize("way", WAYS)
def test_the_octets_are_the_same_whatever_way_they_go(
    monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    WAYS[way](monkeypatch)
    content = CONTENT[:200_000]
    settings = ClientSettings(timeout=seconds(0.2))
    with (
        ServingBoard("f", content, habits=PATIENT) as board,
        client_of(board, settings) as client,
    ):
        assert client.get_bytes("f") == content
        client.put_bytes(content, "f")
        assert board.wait(2).content == content


# Its life


def test_progress_is_told_on_the_thread_of_the_caller(tmp_path: Path, puppet: Puppet) -> None:
    seen: list[tuple[int, bool, str]] = []

    def look(transfer: Transfer) -> None:
        seen.append((transfer.octets, transfer.is_running, threading.current_thread().name))

    def has_seen(octets: int) -> bool:
        return bool(seen) and seen[-1][0] == octets

    def serve() -> None:
        puppet.take_request()
        for block in (1, 2):
            puppet.send(Data(block, bytes(512)))
            puppet.receive()
            wait_until(partial(has_seen, 512 * block))
        puppet.send(Data(3, b""))
        puppet.receive()

    thread = threading.Thread(target=serve)
    thread.start()
    with client_of(puppet, PLAIN) as client:
        client.get("f", tmp_path / "copy", progress=look)
    thread.join(seconds(SOON))
    octets = [each[0] for each in seen]
    assert octets == sorted(octets)
    assert {512, 1024} <= set(octets)
    assert seen[-1] == (1024, False, "MainThread")
    assert {each[2] for each in seen} == {"MainThread"}


def test_an_exception_of_the_caller_stops_the_transfer(tmp_path: Path, puppet: Puppet) -> None:
    def refuse(_: Transfer) -> None:
        raise KeyError("mine")

    with client_of(puppet, PLAIN) as client:
        with pytest.raises(KeyError, match="mine"):
            client.get("f", tmp_path / "copy", progress=refuse)
        assert client.recorder.transfers()[0].outcome is Outcome.aborted
    assert list(tmp_path.iterdir()) == []


@posix_only
def test_an_interrupt_while_waiting_stops_the_transfer(tmp_path: Path, puppet: Puppet) -> None:
    """Ctrl-C, or the end of a test's time in Robot Framework."""
    answers: list[object] = []

    def serve() -> None:
        puppet.take_request()
        puppet.send(Data(1, bytes(512)))
        puppet.receive()
        os.kill(os.getpid(), signal.SIGINT)
        # The ACK comes again where this machine is too busy to see the signal soon.
        answers.append(next(each for each in iter(puppet.receive, None) if each != Ack(1)))

    thread = threading.Thread(target=serve)
    thread.start()
    with client_of(puppet, PLAIN) as client:
        with pytest.raises(KeyboardInterrupt):
            client.get("f", tmp_path / "copy")
        assert client.recorder.transfers()[0].outcome is Outcome.aborted
    thread.join(seconds(SOON))
    assert answers == [Error(0, "The client was stopped")]
    assert list(tmp_path.iterdir()) == []


def test_an_engine_that_stops_ends_the_transfer(puppet: Puppet) -> None:
    engine = SHARED_ENGINE.acquire()

    def serve() -> None:
        puppet.take_request()
        engine.stop()

    thread = threading.Thread(target=serve)
    thread.start()
    client = TftpClient("127.0.0.1", puppet.port, PLAIN)
    with pytest.raises(TransferAborted, match="for 'f': The server was stopped"):
        client.get_bytes("f")
    thread.join(seconds(SOON))
    client.close()
    SHARED_ENGINE.release()


def test_a_client_may_be_closed_and_used_again() -> None:
    with ServingBoard("f", b"content") as board:
        client = client_of(board)
        client.close()
        for _ in range(2):
            assert client.get_bytes("f") == b"content"
            assert engine_threads() == 1
            client.close()
            client.close()
            assert engine_threads() == 0
        assert len(client.recorder.transfers()) == 2


def test_clients_may_share_a_record() -> None:
    recorder = Recorder()
    with ServingBoard("f", b"content") as board:
        for _ in range(2):
            with TftpClient(board.host, board.port, recorder=recorder) as client:
                client.get_bytes("f")
    assert len(recorder.transfers()) == 2


@posix_only
def test_nothing_is_left_behind(tmp_path: Path) -> None:
    with ServingBoard("f", CONTENT) as board:
        with client_of(board) as client:
            client.get("f", tmp_path / "copy")
        board.wait()
    before = descriptors()
    with Puppet() as puppet:
        count = descriptors()
        for settings in (BRIEF, BRIEF):
            with client_of(puppet, settings) as client, pytest.raises(TransferTimeout):
                client.get("f", tmp_path / "copy")
        wait_until(lambda: descriptors() == count)
    assert descriptors() == before
    assert engine_threads() == 0


def test_importing_the_client_loads_no_robot() -> None:
    """It is for scripts and pytest too."""
    program = "import sys, TftpLibrary.client; print('robot' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[1],
        check=True,
    )
    assert done.stdout.strip() == "False"


# Capture


def test_a_capture_holds_every_datagram_of_the_client(tmp_path: Path) -> None:
    path = tmp_path / "x.pcapng"
    with ServingBoard("f", CONTENT[:3000]) as board, client_of(board) as client:
        assert (client.capture, client.is_capturing) == (None, False)
        assert client.start_capture(path) == path
        client.get_bytes("f")
        with pytest.raises(PeerError):
            client.get_bytes("missing")
        captured = client.stop_capture()
        client.get_bytes("f")
        assert (client.capture, client.is_capturing) == (captured, False)
        # RRQ, OACK, ACK 0, three blocks and an ACK; RRQ and ERROR.
        assert len(packets_in(path)) == captured.packets == 9


def test_a_capture_begins_in_the_middle_of_a_transfer(tmp_path: Path, puppet: Puppet) -> None:
    path = tmp_path / "x.pcapng"
    client = client_of(puppet, PLAIN)

    def serve() -> None:
        puppet.take_request()
        client.start_capture(path)
        puppet.send(Data(1, b"content"))
        puppet.receive()

    thread = threading.Thread(target=serve)
    thread.start()
    with client:
        client.get_bytes("f")
        thread.join(seconds(SOON))
    assert not client.is_capturing
    octets = [packet.octets for packet in packets_in(path)]
    assert octets == [b"\0\3\0\1content", b"\0\4\0\1"]


def test_single_settings_are_given_by_name() -> None:
    with TftpClient("127.0.0.1", 69, ClientSettings(retries=3, windowsize=4), retries=7) as client:
        assert client.settings == ClientSettings(retries=7, windowsize=4)
    with pytest.raises(UsageError, match="There is no setting blocksize. Settings: .*blksize"):
        TftpClient("127.0.0.1", blocksize=512)
