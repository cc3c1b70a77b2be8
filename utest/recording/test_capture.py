from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from TftpLibrary import space
from TftpLibrary.errors import UsageError
from TftpLibrary.protocol.datagrams import Datagram, Observer
from TftpLibrary.recording.capture import Capturable, Capture, Captured
from TftpLibrary.recording.pcap import PcapWriter
from utest.support.captures import disk_for, packets_in

ACK = Datagram(1, ("127.0.0.1", 2070), ("127.0.0.1", 69), b"\0\4\0\1", is_sent=False)
DATA = ACK._replace(octets=b"\0\3\0\1" + bytes(1000))


class Wire(Capturable):
    """Shows what a test sends to the observer, as a server or a client does."""

    def __init__(self) -> None:
        self.observer: Observer | None = None
        self.trouble: UsageError | None = None

    @property
    def _name_in_captures(self) -> str:
        return "TFTP server dut"

    def _show_packets(self) -> Callable[[Observer | None], None]:
        if self.trouble is not None:
            raise self.trouble
        return self._show

    def _show(self, observe: Observer | None) -> None:
        self.observer = observe

    def send(self, datagram: Datagram) -> None:
        if self.observer is not None:
            self.observer(datagram)


class Interrupted(Wire):
    """Is interrupted as soon as it shows something."""

    def _show(self, observe: Observer | None) -> None:
        super()._show(observe)
        if observe is not None:
            raise KeyboardInterrupt


def test_capture_holds_what_it_took(tmp_path: Path) -> None:
    path = tmp_path / "x.pcapng"
    capture = Capture(path, "TFTP server dut")
    assert capture.is_open
    capture.take(ACK)
    capture.take(DATA)
    assert capture.summary == capture.close() == Captured(path, 2, 1008)
    assert not capture.is_open
    assert [packet.octets for packet in packets_in(path)] == [ACK.octets, DATA.octets]


def test_close_twice_is_close_once_and_nothing_is_taken_afterwards(tmp_path: Path) -> None:
    capture = Capture(tmp_path / "x.pcapng", "")
    first = capture.close()
    capture.take(ACK)
    assert capture.close() == first


def test_a_file_that_was_there_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "x.pcapng"
    path.write_bytes(bytes(10_000))
    Capture(path, "").close()
    assert packets_in(path) == []


def test_a_path_without_a_folder_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "none" / "x.pcapng"
    with pytest.raises(UsageError) as caught:
        Capture(path, "")
    assert str(caught.value) == (
        f"Cannot capture to '{path}': there is no folder '{path.parent}'. Make it first."
    )


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        Capture(tmp_path, "")
    assert str(caught.value) == (
        f"Cannot capture to '{tmp_path}': it is a folder. Expected the path of a file to write."
    )


def test_a_file_that_may_not_be_written_is_refused(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 300)
    with pytest.raises(UsageError) as caught:
        Capture(path, "")
    assert str(caught.value) == (
        f"Cannot capture to '{path}': file name too long. Expected the path of a file to write."
    )


def test_a_disk_without_room_for_the_header_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.pcapng"
    with disk_for(10), pytest.raises(UsageError, match="Cannot capture to .*: file too large."):
        Capture(path, "")
    assert not path.exists()


def test_a_full_disk_ends_the_capture_and_leaves_a_file_that_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "x.pcapng"
    capture = Capture(path, "")
    with disk_for(100_000):
        for _ in range(200):
            capture.take(DATA)
        captured = capture.close()
    assert captured.warning == (
        f"The capture '{path}' ended early, after {captured.packets} packets: File too large. "
        "The transfers went on."
    )
    assert len(packets_in(path)) == captured.packets > 50


def test_a_disk_that_is_full_at_the_end_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.pcapng"
    capture = Capture(path, "")
    capture.take(DATA)
    with disk_for(500):
        captured = capture.close()
    assert (captured.packets, captured.octets) == (0, 0)
    assert "ended early, after 0 packets: File too large." in captured.warning
    assert packets_in(path) == []


def test_a_mistake_of_our_own_ends_the_capture_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: PcapWriter, datagram: Datagram) -> None:
        raise KeyError(datagram.source)

    capture = Capture(tmp_path / "x.pcapng", "")
    monkeypatch.setattr(PcapWriter, "write", fail)
    capture.take(ACK)
    assert "internal error: KeyError(('127.0.0.1', 2070)), please" in capture.close().warning


# A server or a client that is captured


def test_captures_of_a_wire_hold_what_was_sent_while_they_ran(tmp_path: Path) -> None:
    wire = Wire()
    assert (wire.capture, wire.is_capturing) == (None, False)
    first, second = tmp_path / "1.pcapng", tmp_path / "2.pcapng"
    wire.send(ACK)
    assert wire.start_capture(str(first)) == first
    wire.send(ACK)
    assert (wire.capture, wire.is_capturing) == (Captured(first, 1, 4), True)
    assert wire.stop_capture() == wire.capture
    wire.send(ACK)
    wire.start_capture(second)
    wire.send(DATA)
    assert wire.stop_capture() == Captured(second, 1, 1004)
    assert not wire.is_capturing
    assert [packet.octets for packet in packets_in(first)] == [ACK.octets]
    assert [packet.octets for packet in packets_in(second)] == [DATA.octets]


def test_only_one_capture_of_a_wire_runs_at_a_time(tmp_path: Path) -> None:
    wire = Wire()
    with pytest.raises(
        UsageError, match="^Expected a running capture to stop, but none runs. Start it"
    ):
        wire.stop_capture()
    wire.start_capture(tmp_path / "x.pcapng")
    with pytest.raises(UsageError, match="A capture runs already, into '.*x.pcapng'. Stop it"):
        wire.start_capture(tmp_path / "y.pcapng")
    assert not (tmp_path / "y.pcapng").exists()
    wire.stop_capture()


def test_a_capture_that_is_interrupted_at_its_start_is_over(tmp_path: Path) -> None:
    """Robot's time-outs are no Exception."""
    wire = Interrupted()
    with pytest.raises(KeyboardInterrupt):
        wire.start_capture(tmp_path / "x.pcapng")
    assert not wire.is_capturing
    assert wire.observer is None


def test_a_capture_of_an_engine_that_was_stopped_ends_without_trouble(tmp_path: Path) -> None:
    wire = Wire()
    wire.start_capture(tmp_path / "x.pcapng")
    wire.trouble = UsageError("The engine was stopped.")
    assert wire.stop_capture() == Captured(tmp_path / "x.pcapng", 0, 0)


def test_a_disk_that_is_nearly_full_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(space, "free_octets", lambda _: 1000)
    with pytest.raises(UsageError) as caught:
        Capture(tmp_path / "a.pcapng", "test")
    assert str(caught.value) == (
        f"Cannot capture to '{tmp_path / 'a.pcapng'}': it needs 1.0 MB, and 1.0 kB are free in "
        f"'{tmp_path}'. Expected the path of a file to write."
    )
    assert list(tmp_path.iterdir()) == []
