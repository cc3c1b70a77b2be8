"""The tenancy of a server: it enters its port, and leaves it on any thread."""

from __future__ import annotations

import socket

import pytest

from TftpLibrary.engine.engine import Engine
from TftpLibrary.errors import UsageError
from TftpLibrary.faults.pauses import Pause
from TftpLibrary.protocol.packets import Ack, Data
from TftpLibrary.server import TftpServer
from TftpLibrary.settings import ServerSettings
from utest.support.bench import PATIENT, Peer, bench, linux_only

pytestmark = linux_only
CONTENT = b"content"


def test_a_start_that_fails_after_the_port_gives_it_back() -> None:
    with TftpServer(content={"f": CONTENT}, clients=("127.0.0.2",)) as first:
        second = TftpServer("/no/such/folder", port=first.port, clients=("127.0.0.3",))
        with pytest.raises(UsageError, match="does not exist"):
            second.start()
        with TftpServer(port=first.port, clients=("127.0.0.3",)):
            pass
        with Peer((first.host, first.port), "127.0.0.2") as peer:
            peer.ask()
            assert peer.receive() == Data(1, CONTENT)


def test_the_last_server_closes_the_port() -> None:
    first = TftpServer(clients=("127.0.0.2",)).start()
    address = first.host, first.port
    second = TftpServer(port=first.port, clients=("127.0.0.3",)).start()
    first.stop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        with pytest.raises(OSError, match="in use"):
            sock.bind(address)
        second.stop()
        sock.bind(address)


def test_a_listener_of_a_stopped_engine_closes_its_port() -> None:
    with bench({"f": CONTENT}) as found:
        found.engine.stop()
        found.listener.close()
        found.listener.close()
        assert found.listener.sock.fileno() == -1


def test_a_crash_would_close_the_port_of_others() -> None:
    with (
        TftpServer(alias="left", content={"f": CONTENT}, clients=("127.0.0.2",)) as left,
        TftpServer(alias="right", port=left.port, clients=("127.0.0.3",)),
    ):
        with pytest.raises(UsageError) as error:
            left.pause("crash")
        assert str(error.value) == (
            "A crash closes the port, which is shared by the TFTP server 'left' and the TFTP "
            "server 'right'. Pause the server with power_cut: its boards get no answer either, and "
            "the others go on."
        )
        assert left.paused is None
        with Peer((left.host, left.port), "127.0.0.2") as peer:
            peer.ask()
            assert peer.receive() == Data(1, CONTENT)


def test_after_a_crash_a_server_comes_back_beside_others() -> None:
    with TftpServer(alias="left", content={"f": CONTENT}, clients=("127.0.0.2",)) as left:
        left.pause("crash")
        with TftpServer(port=left.port, clients=("127.0.0.3",)):
            left.resume()
            with Peer((left.host, left.port), "127.0.0.2") as peer:
                peer.ask()
                assert peer.receive() == Data(1, CONTENT)
        left.pause("crash")
        with TftpServer(alias="thief", port=left.port), Peer((left.host, left.port)) as peer:
            assert left.paused is Pause.crash
            left.resume()
            peer.ask()
            assert peer.receive().encode()[:4] == b"\0\5\0\1"


def test_after_a_crash_the_boards_may_have_another_server() -> None:
    with TftpServer(alias="left", clients=("127.0.0.2",)) as left:
        left.pause("crash")
        with (
            TftpServer(alias="thief", port=left.port, clients=("127.0.0.0/8",)),
            pytest.raises(UsageError, match=r"clients=127.0.0.2 is served by .* 'thief'"),
        ):
            left.resume()


def test_a_change_of_clients_is_checked_against_the_others() -> None:
    with (
        TftpServer(alias="left", clients=("127.0.0.2",), content={"f": b"left"}) as left,
        TftpServer(alias="right", port=left.port, clients=("127.0.0.3",)) as right,
        Peer((left.host, left.port), "127.0.0.4") as peer,
    ):
        with pytest.raises(
            UsageError,
            match=r"^Cannot change clients= of 'right': clients=127.0.0.0/30 is served by the TFTP "
            r"server 'left' \(clients=127.0.0.2\), which runs at ",
        ):
            right.change(clients=("127.0.0.0/30",))
        assert right.settings.clients == ("127.0.0.3",)
        left.change(clients=("127.0.0.2", "127.0.0.4"))
        peer.ask()
        assert peer.receive() == Data(1, b"left")
        right.change(clients=())
        with pytest.raises(UsageError, match="serves every board that no other server there names"):
            left.change(clients=())


def test_an_unknown_host_is_told_before_the_engine_is_asked() -> None:
    engine = Engine()
    from TftpLibrary.engine.tenancy import Tenancy  # noqa: PLC0415

    with pytest.raises(UsageError, match="Cannot bind"):
        Tenancy(object(), ServerSettings(host="no.such.host.invalid"), engine)  # type: ignore[arg-type]


def test_a_paused_server_holds_its_own_requests_only() -> None:
    with (
        TftpServer(content={"f": b"left"}, clients=("127.0.0.2",), **PATIENT) as left,
        TftpServer(content={"f": b"rest"}, port=left.port, **PATIENT),
        Peer((left.host, left.port), "127.0.0.2") as board,
        Peer((left.host, left.port), "127.0.0.3") as other,
    ):
        for mode in ("silent", "power_cut"):
            left.pause(mode)
            board.ask()
            other.ask()
            assert other.receive() == Data(1, b"rest")
            other.send(Ack(1))
            assert board.is_silent()
            left.resume()
            if mode == "silent":
                assert board.receive() == Data(1, b"left")
                board.send(Ack(1))
            assert board.is_silent()
