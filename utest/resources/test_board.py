"""The simulated board boots from real servers over loopback."""

from __future__ import annotations

import random
import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from atest.equipment.board_exchange import Habits as StrictHabits
from atest.equipment.board_server import Mischief, ServingBoard
from TftpBoard import Board, BoardError, Habits
from TftpBoard.packets import RefusedError, decode, encode_data
from TftpLibrary import ServerSettings, TftpServer
from TftpLibrary.errors import UsageError
from utest.support.waiting import wait_until

IMAGE = random.Random(3).randbytes(20_000)
CONTENT = {"boot.scr": b"echo", "zImage": IMAGE}
HASTY = Habits(retry_after=0.1, retries=3)


GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "before_the_hardware.robot.md"


@pytest.fixture
def server() -> Iterator[TftpServer]:
    with TftpServer(settings=ServerSettings(writable=True), content=CONTENT) as server:
        yield server


def test_board_loads_its_files_in_their_order(server: TftpServer) -> None:
    with Board(server.host, server.port) as board:
        board.switch_on("boot.scr", "zImage")
        board.wait_until_booted()
        assert board.memory == CONTENT
        assert board.console == [
            "get 'boot.scr': 4 octets, timeout=5 blksize=1468",
            "get 'zImage': 20000 octets, timeout=5 blksize=1468",
            "booted",
        ]
    assert [transfer.filename for transfer in server.transfers()] == ["boot.scr", "zImage"]


def test_board_gives_up_at_the_first_missing_file(server: TftpServer) -> None:
    with Board(server.host, server.port) as board:
        board.switch_on("no-such-file", "zImage")
        with pytest.raises(BoardError) as failure:
            board.wait_until_booted()
    assert str(failure.value) == (
        "The board has not booted. Its console:\n"
        "  get 'no-such-file': ERROR 1 'File not found'\n"
        "  boot failed"
    )
    assert len(server.transfers()) == 1


def test_options_replace_those_of_the_loader(server: TftpServer) -> None:
    options = {"windowsize": "16", "timeout": "", "blksize": "1024"}
    with Board(server.host, server.port, options=options) as board:
        board.switch_on()
        assert board.load("zImage") == IMAGE
    assert server.transfers()[0].requested == {"blksize": "1024", "windowsize": "16"}


def test_uefi_board_asks_for_the_size_first(server: TftpServer) -> None:
    with Board(server.host, server.port, loader="uefi") as board:
        board.switch_on("zImage")
        board.wait_until_booted()
        assert board.console[0].startswith("size of 'zImage': 20000 octets, tsize=20000 ")
        assert board.memory == {"zImage": IMAGE}
    assert [transfer.outcome for transfer in server.transfers()] == ["probed", "completed"]


def test_pxelinux_board_loads_what_its_configuration_names() -> None:
    content = {
        "pxelinux.0": b"loader",
        "pxelinux.cfg/default": b"DEFAULT a\nLABEL a\nKERNEL zImage\n",
        "zImage": IMAGE,
    }
    with (
        TftpServer(content=content) as server,
        Board(server.host, server.port, loader="pxelinux") as board,
    ):
        board.switch_on("pxelinux.0")
        board.wait_until_booted()
        assert board.memory == content
        names = [transfer.filename for transfer in server.transfers()]
    assert names[1:3] == ["pxelinux.cfg/01-52-54-00-12-34-56", "pxelinux.cfg/7F000001"]
    assert len(names) == 12


def test_board_without_any_configuration_does_not_boot(server: TftpServer) -> None:
    with Board(server.host, server.port, loader="pxelinux", address="127.0.0.1") as board:
        board.switch_on()
        with pytest.raises(BoardError, match=r"get 'pxelinux.cfg/default': ERROR 1 "):
            board.wait_until_booted()


def test_board_writes_a_file(server: TftpServer) -> None:
    with Board(server.host, server.port, options={"windowsize": "4"}) as board:
        board.switch_on()
        board.store("boot.log", IMAGE)
        wait_until(lambda: server.files.exists("boot.log"))
        assert server.files.read_bytes("boot.log") == IMAGE
        with pytest.raises(RefusedError):
            board.store("boot.log", b"again")


def test_board_that_is_switched_off_is_silent_and_its_port_is_not_closed() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(5.0)
        with Board("127.0.0.1", sock.getsockname()[1]) as board:
            board.switch_on("zImage")
            sock.connect(sock.recvfrom(600)[1])
            sock.send(encode_data(1, bytes(512)))
            assert decode(sock.recv(600)).number == 1
            with pytest.raises(BoardError, match="has not booted in 0.01 s"):
                board.wait_until_booted(0.01)
            board.switch_off()
            board.switch_off()
            assert (board.memory, board.console) == ({}, [])
            sock.settimeout(0.05)
            sock.send(encode_data(2, bytes(512)))
            with pytest.raises(TimeoutError):
                sock.recv(600)
            with pytest.raises(BoardError, match="is off: switch it on first"):
                board.load("zImage")


def test_file_that_is_about_to_come_is_waited_for() -> None:
    """A server knows of the last ACK before the board has put the file away."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        with Board("127.0.0.1", sock.getsockname()[1]) as board:
            board.switch_on("f")
            source = sock.recvfrom(600)[1]
            with pytest.raises(BoardError, match="The board has not loaded 'f', but no file."):
                board.recall("f", timeout=0.01)
            later = threading.Timer(0.05, sock.sendto, (encode_data(1, b"x"), source))
            later.start()
            assert board.recall("f") == b"x"
            later.join()


def test_board_that_is_switched_on_again_has_an_empty_memory(server: TftpServer) -> None:
    with Board(server.host, server.port) as board:
        board.switch_on("boot.scr")
        board.wait_until_booted()
        with pytest.raises(BoardError, match="on already"):
            board.switch_on()
        board.switch_off()
        board.switch_on()
        board.wait_until_booted()
        assert (board.memory, board.console) == ({}, ["booted"])


def test_board_asks_again_until_its_server_is_there() -> None:
    with (
        ServingBoard("f", IMAGE, mischief=Mischief(ignore_requests=2)) as serving,
        Board(serving.host, serving.port, habits=HASTY) as board,
    ):
        board.switch_on("f")
        board.wait_until_booted()
        assert serving.ignored == 2


def test_board_gives_up_when_nobody_answers() -> None:
    with (
        ServingBoard("f", IMAGE, mischief=Mischief(ignore_requests=99)) as serving,
        Board(serving.host, serving.port, habits=HASTY) as board,
    ):
        board.switch_on("f")
        with pytest.raises(BoardError, match="get 'f': no answer after 3 retries"):
            board.wait_until_booted()
        assert serving.ignored == 4


@pytest.mark.parametrize("windowsize", ["1", "4"])
def test_lost_blocks_are_asked_for_again(windowsize: str) -> None:
    habits = StrictHabits(drop_blocks=(1, 7, 14), resend_after=0.05)
    with (
        ServingBoard("f", IMAGE, habits=habits) as serving,
        Board(serving.host, serving.port, options={"windowsize": windowsize}) as board,
    ):
        board.switch_on("f")
        board.wait_until_booted()
        assert board.memory["f"] == IMAGE
        assert serving.wait().is_complete


def test_stranger_gets_error_5_and_disturbs_nothing() -> None:
    with (
        ServingBoard("f", IMAGE, mischief=Mischief(foreign_data=True)) as serving,
        Board(serving.host, serving.port) as board,
    ):
        board.switch_on("f")
        board.wait_until_booted()
        serving.wait()
        assert board.memory["f"] == IMAGE


def test_board_gives_up_when_all_answers_are_cut(server: TftpServer) -> None:
    server.faults.inject("runt", "any", times=None)
    with Board(server.host, server.port, habits=HASTY) as board:
        board.switch_on("zImage")
        with pytest.raises(BoardError, match="no answer after 3 retries"):
            board.wait_until_booted(10.0)


def test_board_that_believes_strangers_holds_a_wrong_file(server: TftpServer) -> None:
    server.faults.inject("stray", "DATA 3", file="zImage")
    weak = Habits(believes_strangers=True)
    with Board(server.host, server.port, habits=weak) as board:
        board.switch_on("zImage")
        board.wait_until_booted()
        assert board.memory["zImage"] != IMAGE


def test_two_boards_ask_from_addresses_of_their_own() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        with Board("127.0.0.1", sock.getsockname()[1], address="127.0.0.1") as board:
            board.switch_on("f")
            request, source = sock.recvfrom(600)
            sock.sendto(encode_data(1, b"x"), source)
            board.wait_until_booted()
    assert source[0] == "127.0.0.1"
    assert decode(request).filename == b"f"


def test_wildcard_of_a_server_is_asked_on_loopback() -> None:
    with (
        TftpServer(settings=ServerSettings(host="0.0.0.0"), content=CONTENT) as server,
        Board(server.host, server.port) as board,
    ):
        board.switch_on("boot.scr")
        board.wait_until_booted()


def test_board_asks_a_server_with_ipv6() -> None:
    server = TftpServer(settings=ServerSettings(host="::1"), content=CONTENT)
    try:
        server.start()
    except UsageError as problem:
        pytest.skip(f"This machine has no IPv6: {problem}")
    with server, Board(server.host, server.port, loader="pxelinux") as board:
        board.switch_on()
        with pytest.raises(BoardError):
            board.wait_until_booted()
        assert len(server.transfers()) == 2


def test_loader_that_does_not_exist_is_refused() -> None:
    with pytest.raises(BoardError, match="No loader 'grub'. There are: u-boot, pxelinux, uefi."):
        Board("127.0.0.1", loader="grub")


def test_defect_of_the_board_itself_is_shown() -> None:
    with Board("no-such-host.invalid") as board:
        board.switch_on("f")
        with pytest.raises(socket.gaierror):
            board.wait_until_booted()


def test_python_of_the_guide_runs() -> None:
    (block,) = re.findall(r"^```python\n(.*?)^```$", GUIDE.read_text("utf-8"), re.M | re.S)
    exec(block, {})


@pytest.mark.parametrize("is_weak", [False, True])
def test_board_that_believes_strangers_takes_the_block_of_one(is_weak: bool) -> None:
    habits = Habits(believes_strangers=is_weak)
    with (
        TftpServer(content=CONTENT) as server,
        Board(server.host, server.port, habits=habits) as board,
    ):
        server.faults.inject("stray", "DATA 3", file="zImage")
        board.switch_on("zImage")
        board.wait_until_booted()
        assert len(board.memory["zImage"]) == len(IMAGE)
        assert (board.memory["zImage"] != IMAGE) == is_weak
        assert board.console[-1] == "booted"
