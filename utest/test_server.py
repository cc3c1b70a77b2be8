"""The server as a plain Python object: its life, its files, and what it tells."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from atest.equipment.board_client import Ask, read_file, write_file
from atest.equipment.board_exchange import Report, sort_arguments
from atest.equipment.board_network import open_socket
from TftpBoard.packets import RefusedError
from TftpLibrary.client import TftpClient
from TftpLibrary.engine.shared import SHARED_ENGINE
from TftpLibrary.errors import ExpectationError, TftpError, UsageError
from TftpLibrary.messages.questions import Download, Idle, Request, Upload
from TftpLibrary.protocol.outcome import Cause, Outcome
from TftpLibrary.protocol.packets import Ack, Data, Error
from TftpLibrary.recording.recorder import Recorder
from TftpLibrary.recording.records import Transfer
from TftpLibrary.server import TftpServer
from TftpLibrary.settings import ServerSettings
from utest.support.bench import SOON, Peer, linux_only
from utest.support.captures import packets_in
from utest.support.stores import descriptors, posix_only, snapshot
from utest.support.views import not_downloaded
from utest.support.waiting import seconds, wait_until

CONTENT = random.Random(5).randbytes(100_000)
WRITABLE = ServerSettings(writable=True)
PATIENT = ServerSettings(timeout=60.0)


@pytest.fixture
def server() -> Iterator[TftpServer]:
    with TftpServer(content={"f": CONTENT, "small": b"x"}, settings=WRITABLE) as found:
        yield found


def read(server: TftpServer, name: str = "f", /, **how: object) -> Report:
    habits, options = sort_arguments(how)
    with open_socket(server.host) as sock:
        return read_file(Ask(name, server.host, server.port, options=options, habits=habits), sock)


def write(server: TftpServer, content: bytes, name: str, /, **how: object) -> Report:
    habits, options = sort_arguments(how)
    ask = Ask(name, server.host, server.port, options=options, habits=habits)
    with open_socket(server.host) as sock:
        return write_file(ask, content, sock)


def peer_of(server: TftpServer) -> Peer:
    return Peer((server.host, server.port), server.host)


def hang(stack: ExitStack, server: TftpServer, name: str = "f") -> Peer:
    """Begins a read that does not go on by itself."""
    peer = stack.enter_context(peer_of(server))
    peer.ask(name)
    assert peer.receive_data().wire_block == 1
    peer.send(Ack(1))
    assert peer.receive_data().wire_block == 2
    return peer


def is_deaf(server: TftpServer) -> bool:
    """Whether the server leaves a request unanswered."""
    with peer_of(server) as peer:
        peer.ask("missing")
        return peer.is_silent()


def engine_threads() -> int:
    return [thread.name for thread in threading.enumerate()].count("TftpLibrary")


# Waiting


def test_a_program_waits_with_the_questions_of_the_keywords(server: TftpServer) -> None:
    board = threading.Timer(0.05, read, [server])
    board.start()
    try:
        download = server.wait_until(Download("f"), seconds(20))
        assert (download.filename, download.octets) == ("f", len(CONTENT))
        assert server.wait_until(Request("f", "127.0.0.1"), 0.0) == download
        assert 0.1 <= server.wait_until(Idle(0.1), seconds(20)) < seconds(20)
    finally:
        board.join()


def test_a_program_reads_why_a_wait_was_in_vain_in_its_own_words(server: TftpServer) -> None:
    with pytest.raises(RefusedError):
        read(server, "F")
    with pytest.raises(ExpectationError) as error:
        server.wait_until(Download("F"), 0.0)
    assert str(error.value).startswith(f"{not_downloaded('F')} in 0 ms: it was requested and ref")
    assert "The store has 'f'." in str(error.value)
    with pytest.raises(ExpectationError, match=r"`wait_until\(Download\(...\)\)` waits for what"):
        server.wait_until(Upload("F"), 0.0)
    with pytest.raises(ExpectationError, match="No request was seen."):
        server.wait_until(Download("F"), 0.0, since=server.recorder.mark())


def test_the_requests_of_another_server_do_not_count() -> None:
    recorder = Recorder()
    left = TftpServer(alias="left", content={"f": CONTENT}, recorder=recorder)
    right = TftpServer(alias="right", recorder=recorder)
    with left, right:
        read(left)
        assert left.wait_until(Download("f"), seconds(20))
        with pytest.raises(ExpectationError, match="another server was asked, .left. .completed"):
            right.wait_until(Download("f"), 0.0)


def test_nobody_waits_for_a_server_that_was_stopped() -> None:
    with TftpServer(content={"f": CONTENT}) as server:
        read(server)
        server.wait_until(Download("f"), 60.0)
    begun = time.monotonic()
    assert server.wait_until(Download("f"), 60.0)
    with pytest.raises(ExpectationError, match="The TFTP server is stopped, so there was no wait"):
        server.wait_until(Download("g"), 60.0)
    assert time.monotonic() - begun < 30


# Start


def test_a_board_can_ask_as_soon_as_start_returns() -> None:
    server = TftpServer(content={"f": CONTENT})
    assert server.start() is server
    try:
        assert server.start() is server
        assert read(server).content == CONTENT
    finally:
        server.stop()


def test_the_address_is_the_real_one(server: TftpServer) -> None:
    assert server.is_running
    assert server.host == "127.0.0.1"
    assert 0 < server.port < 65536
    assert server.url() == f"tftp://127.0.0.1:{server.port}/"
    assert server.url("/boot/zImage") == f"tftp://127.0.0.1:{server.port}/boot/zImage"
    assert server.settings is WRITABLE
    assert server.alias == ""


def test_a_name_is_resolved_to_an_address() -> None:
    with TftpServer(settings=ServerSettings(host="localhost")) as server:
        assert server.host in ("127.0.0.1", "::1")


def test_ipv6_is_written_in_brackets() -> None:
    with TftpServer(settings=ServerSettings(host="::1"), content={"f": CONTENT}) as server:
        assert server.url("f") == f"tftp://[::1]:{server.port}/f"
        assert read(server, windowsize=4).content == CONTENT


def test_auto_is_the_address_of_the_default_route() -> None:
    with TftpServer(settings=ServerSettings(host="auto"), content={"f": CONTENT}) as server:
        assert server.host not in ("auto", "0.0.0.0", "::")
        assert read(server).content == CONTENT


def test_a_wildcard_has_an_address_for_each_client() -> None:
    with TftpServer(settings=ServerSettings(host="0.0.0.0")) as server:
        assert server.host == "0.0.0.0"
        assert server.address_for("127.0.0.9") == "127.0.0.1"
        with pytest.raises(UsageError, match="There is no route to 'nowhere.invalid'"):
            server.address_for("nowhere.invalid")
    with TftpServer() as server:
        assert server.address_for("127.0.0.9") == "127.0.0.1"


def test_a_port_that_is_taken_fails_the_start_and_leaves_nothing(server: TftpServer) -> None:
    second = TftpServer(settings=ServerSettings(port=server.port))
    with pytest.raises(UsageError) as error:
        second.start()
    assert str(error.value).startswith(
        f"Cannot start a TFTP server without an alias at 127.0.0.1:{server.port}: a TFTP server "
        f"without an alias, which runs at {server.url()} for "
    )
    assert not second.is_running
    with pytest.raises(UsageError, match="not open"):
        second.root  # noqa: B018 - to read it is the test


@pytest.mark.parametrize(
    ("host", "text"),
    [
        ("192.0.2.77", "this machine does not have the address 192.0.2.77"),
        ("no.such.host.invalid", "Expected an address of this machine, such as 127.0.0.1"),
    ],
)
def test_a_host_that_is_not_ours_fails_the_start(host: str, text: str) -> None:
    with pytest.raises(UsageError, match=text):
        TftpServer(settings=ServerSettings(host=host)).start()


def test_a_root_that_is_not_there_or_a_file_fails_the_start(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"")
    for root, text in ((tmp_path / "missing", "missing"), (file, "file")):
        server = TftpServer(root)
        with pytest.raises(UsageError, match=text):
            server.start()
        assert not server.is_running
        assert engine_threads() == 0


def test_a_setting_that_cannot_be_fails_before_the_start() -> None:
    with pytest.raises(UsageError, match="port must be from 0 to 65535, got 99999"):
        TftpServer(settings=ServerSettings(port=99999))


def test_what_a_server_is_cannot_be_asked_before_it_runs() -> None:
    server = TftpServer()
    for name in ("host", "port"):
        with pytest.raises(UsageError, match="The server does not run. Start it first."):
            getattr(server, name)


# Stop


def test_stop_may_be_repeated() -> None:
    server = TftpServer(content={"f": CONTENT})
    assert server.stop() == []
    server.start()
    port = server.port
    assert server.stop() == []
    assert server.stop() == []
    assert not server.is_running
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", port))


def test_stop_waits_for_no_peer_and_tells_each_one() -> None:
    with ExitStack() as stack:
        server = stack.enter_context(TftpServer(content={"f": CONTENT}, settings=PATIENT))
        peers = [hang(stack, server) for _ in range(20)]
        begun = time.monotonic()
        cut = server.stop()
        assert time.monotonic() - begun < PATIENT.timeout / 2
        assert len(cut) == 20
        assert {transfer.outcome for transfer in cut} == {Outcome.aborted}
        assert {transfer.error_message for transfer in cut} == {"The server was stopped"}
        for peer in peers:
            assert peer.receive() == Error(0, "The server was stopped")


def test_stop_does_not_wait_for_the_end_of_a_transfer() -> None:
    with ExitStack() as stack:
        server = stack.enter_context(TftpServer(content={"f": bytes(64 << 20)}))
        client = stack.enter_context(TftpClient("127.0.0.1", server.port))
        failures: list[BaseException] = []

        def fetch() -> None:
            try:
                client.get_bytes("f")
            except TftpError as error:
                failures.append(error)

        thread = threading.Thread(target=fetch)
        thread.start()
        wait_until(lambda: any(each.blocks for each in server.transfers()), SOON)
        (cut,) = server.stop()
        thread.join(seconds(SOON))
        assert cut.outcome is Outcome.aborted
        assert "The server was stopped" in str(failures[0])


def test_stop_with_uploads_that_only_repeat_their_last_ack_cuts_nothing(
    server: TftpServer,
) -> None:
    write(server, b"content", "g")
    assert server.stop() == []
    (record,) = server.transfers()
    assert record.outcome is Outcome.completed


def test_with_grace_running_transfers_may_end_and_new_ones_are_not_answered(
    server: TftpServer,
) -> None:
    with ExitStack() as stack:
        peer = hang(stack, server)
        cut: list[list[Transfer]] = []
        stopping = threading.Thread(target=lambda: cut.append(server.stop(grace=seconds(10))))
        stopping.start()
        wait_until(lambda: is_deaf(server))
        block = 2
        while block < 196:
            peer.send(Ack(block))
            block = peer.receive_data().wire_block
        peer.send(Ack(block))
        stopping.join(seconds(SOON))
        assert cut == [[]], "nothing was cut short"
        assert server.transfers()[0].outcome is Outcome.completed
        assert not server.is_running


def test_grace_ends_and_cuts_what_is_left(server: TftpServer) -> None:
    with ExitStack() as stack:
        peer = hang(stack, server)
        begun = time.monotonic()
        (cut,) = server.stop(grace=seconds(0.1))
        assert time.monotonic() - begun >= seconds(0.1)
        assert cut.outcome is Outcome.aborted
        assert peer.receive() == Error(0, "The server was stopped")


def test_grace_without_transfers_takes_no_time(server: TftpServer) -> None:
    begun = time.monotonic()
    assert server.stop(grace=60) == []
    assert time.monotonic() - begun < 30


def test_a_defect_while_stop_waits_does_not_keep_it_from_stopping(server: TftpServer) -> None:
    with ExitStack() as stack:
        hang(stack, server)
        server.recorder.defect("a surprise")
        with pytest.raises(TftpError, match="a surprise"):
            server.stop(grace=seconds(5))
        assert not server.is_running
        assert server.transfers()[0].outcome is Outcome.aborted


def test_an_engine_that_was_stopped_first_leaves_nothing_of_the_server_open() -> None:
    server = TftpServer(content={"f": CONTENT})
    server.start()
    root, port = server.root, server.port
    with ExitStack() as stack:
        stack.callback(SHARED_ENGINE.release)
        engine = SHARED_ENGINE.acquire()
        peer = hang(stack, server)
        engine.stop()
        assert peer.receive() == Error(0, "The server was stopped")
        server.stop()
    assert not server.is_running
    assert not root.exists()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", port))


def test_the_same_object_starts_again() -> None:
    server = TftpServer(content={"f": CONTENT})
    for _ in range(3):
        with server:
            assert read(server).content == CONTENT
    assert len(server.transfers()) == 3
    assert [record.id for record in server.transfers()] == [1, 2, 3]


# One folder, several servers or runs

SERVE_UNTIL_KILLED = """
import sys
from TftpLibrary.server import TftpServer
from TftpLibrary.settings import ServerSettings
server = TftpServer(sys.argv[1], ServerSettings(writable=True, overwrite=True)).start()
server.files.upload_bytes(b"of the test", "zImage")
print(server.port, flush=True)
sys.stdin.read()
"""


def test_servers_of_one_folder_put_it_back_when_the_last_one_stops(tmp_path: Path) -> None:
    (tmp_path / "zImage").write_bytes(b"kernel")
    before = snapshot(tmp_path)
    settings = ServerSettings(writable=True, overwrite=True)
    first, second = (TftpServer(tmp_path, settings).start() for _ in range(2))
    first.files.upload_bytes(b"of the test", "own")
    write(second, b"of a board", "zImage")
    wait_until(lambda: not any(each.is_running for each in second.transfers()))
    second.stop()
    assert read(first, "zImage").content == b"of a board"
    assert read(first, "own").content == b"of the test"
    first.stop()
    assert snapshot(tmp_path) == before
    assert first.warnings + second.warnings == []


def test_the_next_start_puts_back_what_a_killed_run_has_left(tmp_path: Path) -> None:
    (tmp_path / "zImage").write_bytes(b"kernel")
    before = snapshot(tmp_path)
    run = subprocess.Popen(
        [sys.executable, "-c", SERVE_UNTIL_KILLED, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[1],
    )
    assert run.stdout
    with Peer(("127.0.0.1", int(run.stdout.readline()))) as board:
        board.offer("logs/board.log")
        assert board.receive() == Ack(0)
        board.send(Data(1, bytes(512)))
        assert board.receive() == Ack(1)
        run.kill()
        run.communicate()
    assert snapshot(tmp_path) != before
    with TftpServer(tmp_path) as server:
        assert snapshot(tmp_path) == before
        assert read(server, "zImage").content == b"kernel"
        (warning,) = server.warnings
    assert warning == (
        f"An earlier run, process {run.pid} (python), was killed while it changed '{tmp_path}'. "
        "Put back as they were: 'zImage'. Cleared unfinished uploads: 1."
    )
    assert server.warnings == [warning]
    server.start()
    server.stop()
    assert server.warnings == []


# Leftovers


@posix_only
def test_nothing_is_left_behind() -> None:
    before = descriptors()
    for _ in range(3):
        with ExitStack() as stack:
            server = stack.enter_context(TftpServer(content={"f": CONTENT}, settings=WRITABLE))
            root = server.root
            read(server)
            write(server, CONTENT, "g", windowsize=4)
            hang(stack, server)
            with pytest.raises(RefusedError):
                read(server, "missing")
            server.stop()
            assert not root.exists()
        wait_until(lambda: descriptors() == before)
        assert engine_threads() == 0


def test_one_thread_serves_all_and_ends_with_the_last() -> None:
    servers = [TftpServer(content={"f": bytes([number])}) for number in range(3)]
    assert engine_threads() == 0
    for server in servers:
        server.start()
    with TftpClient("127.0.0.1", servers[0].port) as client:
        client.get_bytes("f")
        assert engine_threads() == 1
        assert [read(server).content for server in servers] == [b"\0", b"\1", b"\2"]
        for server in servers:
            server.stop()
        assert engine_threads() == 1
    # It stays a moment longer, to repeat the client's last ACK.
    SHARED_ENGINE.end_lingering()
    assert engine_threads() == 0


def test_what_came_through_the_server_is_removed_and_the_rest_is_put_back(tmp_path: Path) -> None:
    (tmp_path / "mine").write_bytes(b"mine")
    settings = ServerSettings(writable=True, overwrite=True)
    with TftpServer(tmp_path, settings) as server:
        write(server, b"new", "sub/new")
        write(server, b"theirs", "mine")
        server.files.upload_bytes(b"x", "put")
        assert (tmp_path / "mine").read_bytes() == b"theirs"
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    assert (tmp_path / "mine").read_bytes() == b"mine"
    assert server.warnings == []


def test_files_are_kept_where_that_was_asked(tmp_path: Path) -> None:
    with TftpServer(tmp_path, ServerSettings(writable=True, keep_files=True)) as server:
        write(server, b"new", "new")
    assert (tmp_path / "new").read_bytes() == b"new"


def test_a_folder_content_in_memory_and_uploads_are_served_together(tmp_path: Path) -> None:
    (tmp_path / "disk").write_bytes(b"disk")
    (tmp_path / "both").write_bytes(b"disk")
    with TftpServer(tmp_path, content={"memory": b"memory", "both": b"memory"}) as server:
        server.files.upload_bytes(b"upload", "upload")
        names = ("disk", "memory", "both", "upload")
        contents = [read(server, name).content for name in names]
        assert contents == [b"disk", b"memory", b"memory", b"upload"]


@posix_only
@pytest.mark.parametrize("follows", [True, False])
def test_links_out_of_the_folder_are_followed_only_by_choice(tmp_path: Path, follows: bool) -> None:
    outside, root = tmp_path / "outside", tmp_path / "root"
    outside.write_bytes(b"secret")
    root.mkdir()
    (root / "link").symlink_to(outside)
    with TftpServer(root, ServerSettings(follow_symlinks=follows)) as server:
        if follows:
            assert read(server, "link").content == b"secret"
        else:
            with pytest.raises(RefusedError, match="ERROR 2"):
                read(server, "link")


# Records and questions


def test_transfers_are_recorded_with_the_alias() -> None:
    with TftpServer(content={"f": CONTENT}, alias="dut1") as server:
        mark = server.recorder.mark()
        read(server)
        with pytest.raises(RefusedError):
            read(server, "missing")
        records = wait_until(lambda: [each for each in server.transfers() if not each.is_running])
        wait_until(lambda: len(server.transfers()) == 2)
        assert {record.server for record in records} == {"dut1"}
        assert server.alias == "dut1"
        assert len(server.transfers(since=mark)) == 2
        assert server.transfers(since=server.recorder.mark()) == ()


def test_a_mark_comes_after_everything_that_a_racing_board_has_sent(server: TftpServer) -> None:
    """The last ACK may lie in the socket still while the test goes on to its next step."""
    recorder = server.recorder
    with peer_of(server) as board:
        for _ in range(1000):
            board.ask("small")
            assert board.receive_data().wire_block == 1
            board.send(Ack(1))
            assert recorder.transfers(recorder.mark()) == ()
    assert len(server.transfers()) == 1000


def test_a_mark_comes_after_a_request_that_was_not_read_yet(server: TftpServer) -> None:
    with peer_of(server) as board:
        for _ in range(50):
            board.ask("missing")
            assert server.transfers(server.recorder.mark()) == ()
            board.receive()
    assert len(server.transfers()) == 50


@pytest.mark.parametrize(
    ("settings", "name", "size", "cause"),
    [
        ({}, "new", 10, Cause.read_only),
        ({"writable": True}, "f", 10, Cause.exists),
        ({"writable": True, "create": False}, "new", 10, Cause.no_creation),
        ({"writable": True, "max_upload_size": 5}, "new", 10, Cause.too_large),
        ({"writable": True}, "../new", 10, Cause.bad_name),
        ({"writable": True}, "folder", 10, Cause.no_file),
        ({"clients": ("10.0.0.0/8",)}, "f", None, Cause.client),
        ({}, "missing", None, Cause.missing),
        ({}, "folder", None, Cause.no_file),
        ({}, "..\\f", None, Cause.bad_name),
        ({}, "private", None, Cause.for_others),
        ({}, "out", None, Cause.link),
    ],
)
def test_a_refusal_is_recorded_with_its_cause(
    tmp_path: Path, settings: dict[str, Any], name: str, size: int | None, cause: Cause
) -> None:
    """One error code has many causes, and a message that guesses points the wrong way."""
    (tmp_path / "f").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "out").symlink_to("/")
    with TftpServer(tmp_path, ServerSettings(**settings)) as server:
        server.files.upload_bytes(b"x", "private", only_for="10.0.0.0/8")
        ask = (
            partial(read, server, name)
            if size is None
            else partial(write, server, bytes(size), name)
        )
        with pytest.raises(RefusedError):
            ask(tsize=size or 0)
        (record,) = server.transfers()
        assert (record.outcome, record.cause) == (Outcome.refused, cause)
        if cause is Cause.for_others:
            assert record.error_message == "it is there for 10.0.0.0/8 only"


@pytest.mark.parametrize("asked", ["boot//zImage", "./boot/./zImage", "/boot\\zImage"])
def test_a_name_means_the_same_for_a_wait_and_for_the_server(
    server: TftpServer, asked: str
) -> None:
    server.files.upload_bytes(b"kernel", "boot/zImage")
    read(server, asked)
    assert server.wait_until(Download("boot/zImage"), 0.0).filename == asked
    assert server.wait_until(Download(".//boot/zImage"), 0.0)


def test_several_servers_may_share_a_record() -> None:
    recorder = Recorder()
    with (
        TftpServer(content={"f": b"1"}, alias="one", recorder=recorder) as one,
        TftpServer(content={"f": b"2"}, alias="two", recorder=recorder) as two,
    ):
        read(one)
        read(two)
        wait_until(lambda: [each.is_running for each in recorder.transfers()] == [False] * 2)
        assert [record.server for record in recorder.transfers()] == ["one", "two"]


def test_a_wait_sees_the_progress_of_a_transfer(server: TftpServer) -> None:
    with ExitStack() as stack:
        hang(stack, server)
        found = server.recorder.wait_for(
            lambda transfers: next((each for each in transfers if each.blocks == 1), None),
            seconds(SOON),
        )
        assert found.is_running
        assert found.octets == 512


# Settings


def test_settings_change_for_the_next_request(server: TftpServer) -> None:
    old = server.change(max_blksize=600, writable=False)
    assert old is WRITABLE
    assert server.settings.max_blksize == 600
    assert read(server, blksize=1000).granted == {"blksize": "600"}
    with pytest.raises(RefusedError, match="ERROR 2"):
        write(server, b"", "g")


def test_settings_may_change_while_it_does_not_run() -> None:
    server = TftpServer(content={"f": CONTENT})
    server.change(host="0.0.0.0", port=0, single_port=True)
    with server:
        assert server.host == "0.0.0.0"


@pytest.mark.parametrize(
    ("name", "value"), [("host", "0.0.0.0"), ("port", 6969), ("single_port", True)]
)
def test_what_is_bound_cannot_change(server: TftpServer, name: str, value: object) -> None:
    with pytest.raises(UsageError) as error:
        server.change(**{name: value})
    assert str(error.value) == (
        f"{name} cannot change while the server runs: its port is bound. Stop the server and "
        "start it with the other value."
    )
    assert server.settings is WRITABLE


def test_what_is_bound_may_be_named_with_the_value_that_it_has(server: TftpServer) -> None:
    server.change(host="127.0.0.1", port=0, single_port=False, max_windowsize=2)
    assert server.settings.max_windowsize == 2


def test_a_setting_that_does_not_exist_is_told_with_those_that_do(server: TftpServer) -> None:
    with pytest.raises(UsageError, match="There is no setting blocksize, window. Settings: broad"):
        server.change(window=3, blocksize=1)


def test_a_value_out_of_bounds_changes_nothing(server: TftpServer) -> None:
    with pytest.raises(UsageError, match="max_blksize must be from 8"):
        server.change(max_blksize=1)
    assert server.settings is WRITABLE


# Permission and process


SERVE_WITHOUT_RIGHTS = """
import encodings.idna, os, resource, sys, tempfile
from TftpLibrary.server import TftpServer
from TftpLibrary.settings import ServerSettings
from TftpLibrary.errors import UsageError
from TftpLibrary.store import files
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
try:
    TftpServer(settings=ServerSettings(port=int(sys.argv[1]))).start()
except UsageError as error:
    print(error)
"""


@linux_only
def test_a_port_that_needs_a_right_fails_the_start_with_how_to_allow_it() -> None:
    lowest = int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
    if lowest <= 69:
        pytest.skip("every user may bind port 69 here")
    done = subprocess.run(
        [sys.executable, "-c", SERVE_WITHOUT_RIGHTS, "69"],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[1],
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        check=False,
    )
    assert done.stdout.strip() == (
        "Cannot bind 127.0.0.1:69: permission denied. Use port=0 or a port above 1023, or allow "
        "it: sysctl net.ipv4.ip_unprivileged_port_start=69"
    )


# Capture


def test_a_capture_holds_every_datagram_from_its_start_to_its_end(
    server: TftpServer, tmp_path: Path
) -> None:
    assert (server.capture, server.is_capturing) == (None, False)
    path = tmp_path / "x.pcapng"
    assert server.start_capture(str(path)) == path
    assert server.is_capturing
    read(server, blksize=8192, windowsize=4)
    with pytest.raises(RefusedError):
        read(server, "missing")
    captured = server.stop_capture()
    read(server)
    assert (server.capture, server.is_capturing) == (captured, False)
    packets = packets_in(path)
    assert captured.packets == len(packets)
    assert sum(packet.octets[:2] == b"\0\1" for packet in packets) == 2
    # RRQ, OACK, ACK 0, 13 blocks and their 4 ACKs; RRQ and ERROR.
    assert len(packets) == 22


def test_a_capture_begins_in_the_middle_of_a_transfer(server: TftpServer, tmp_path: Path) -> None:
    with ExitStack() as stack:
        peer = hang(stack, server)
        server.start_capture(tmp_path / "x.pcapng")
        peer.send(Ack(2))
        assert peer.receive_data().wire_block == 3
        server.stop_capture()
        peer.send(Ack(3))
        assert peer.receive_data().wire_block == 4
        octets = [packet.octets[:4] for packet in packets_in(tmp_path / "x.pcapng")]
        assert octets == [b"\0\4\0\2", b"\0\3\0\3"]


def test_a_capture_ends_with_the_server(server: TftpServer, tmp_path: Path) -> None:
    with ExitStack() as stack:
        hang(stack, server)
        server.start_capture(tmp_path / "x.pcapng")
        server.stop()
    assert not server.is_capturing
    (error,) = packets_in(tmp_path / "x.pcapng")
    assert error.octets[:2] == b"\0\5"


def test_a_capture_needs_a_server_that_runs_and_a_folder(
    server: TftpServer, tmp_path: Path
) -> None:
    with pytest.raises(UsageError):
        server.start_capture(tmp_path / "none" / "x.pcapng")
    assert not server.is_capturing
    server.stop()
    with pytest.raises(UsageError, match="does not run"):
        server.start_capture(tmp_path / "x.pcapng")


# Settings by name


def test_single_settings_are_given_by_name() -> None:
    settings = ServerSettings(writable=True, retries=3)
    server = TftpServer(settings=settings, retries=7, keep_files=True)
    assert server.settings == ServerSettings(writable=True, retries=7, keep_files=True)


def test_setting_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(UsageError, match="There is no setting writeable. Settings: .*writable"):
        TftpServer(writeable=True)
    with pytest.raises(UsageError, match="retries must be from 0 to 1000, got 1001"):
        TftpServer(retries=1001)
