from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from TftpLibrary.client import TftpClient
from TftpLibrary.errors import UsageError
from TftpLibrary.keywords.capture_files import CaptureFiles, Keep
from TftpLibrary.keywords.conversions import AutoStop
from TftpLibrary.keywords.state import LibraryState
from TftpLibrary.station import Station
from utest.support.captures import packets_in
from utest.support.records import completed, partial

TEST = "s1-s2-t3"


@pytest.fixture
def server(started: LibraryState) -> Station:
    return started.server()


@pytest.fixture
def captures() -> CaptureFiles:
    return CaptureFiles()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.pcapng"


def fetch(server: Station) -> None:
    server.files.upload_bytes(b"octets", "a")
    with TftpClient(server.host, server.port) as client:
        client.get_bytes("a")


def now() -> datetime:
    return datetime.now().astimezone()


@pytest.mark.parametrize(
    ("keep", "has_failed", "is_kept"),
    [
        (Keep.failed, False, False),
        (Keep.failed, True, True),
        (Keep.always, False, True),
        (Keep.always, True, True),
        (Keep.never, False, False),
        (Keep.never, True, False),
    ],
)
def test_what_stays_when_a_test_ends(
    captures: CaptureFiles,
    server: Station,
    path: Path,
    keep: Keep,
    has_failed: bool,
    is_kept: bool,
) -> None:
    captures.start(server, path, keep, TEST)
    assert path.exists()
    (settled,) = captures.leave(TEST, has_failed=has_failed)
    assert (settled.is_kept, path.exists()) == (is_kept, is_kept)
    assert (settled.alias, settled.port, settled.keep) == ("dut", server.port, keep)
    assert captures.leave(TEST, has_failed=False) == []


def test_a_test_ends_the_capture_that_it_started(
    captures: CaptureFiles, server: Station, path: Path
) -> None:
    captures.start(server, path, Keep.always, TEST)
    fetch(server)
    (settled,) = captures.leave(TEST, has_failed=False)
    assert not server.is_capturing
    assert settled.was_open
    assert settled.captured.packets == len(packets_in(path)) > 0


def test_a_capture_that_was_stopped_stays_until_its_test_ends(
    captures: CaptureFiles, server: Station, path: Path
) -> None:
    captures.start(server, path, Keep.failed, TEST)
    captured = captures.stop(server)
    assert path.exists()
    (settled,) = captures.leave(TEST, has_failed=False)
    assert (settled.captured, settled.was_open, settled.is_kept) == (captured, False, False)
    assert not path.exists()


def test_a_suite_does_not_end_with_its_tests(
    captures: CaptureFiles, server: Station, path: Path
) -> None:
    captures.start(server, path, Keep.failed, "s1-s2")
    assert captures.leave(TEST, has_failed=False) == []
    assert captures.leave("s1-s21", has_failed=False) == []
    assert server.is_capturing
    assert captures.leave("s1-s2", has_failed=False) != []
    assert not server.is_capturing


@pytest.mark.parametrize("scope", ["", "s1-s2", "s1-s2-t3"])
def test_what_nobody_ended_ends_with_what_is_around_it(
    captures: CaptureFiles, server: Station, path: Path, scope: str
) -> None:
    captures.start(server, path, Keep.failed, scope)
    assert len(captures.leave("s1", has_failed=False)) == 1


def test_with_auto_stop_manual_a_capture_ends_with_the_run_and_stays(
    server: Station, path: Path
) -> None:
    captures = CaptureFiles(AutoStop.manual)
    captures.start(server, path, Keep.failed, TEST)
    assert captures.leave(TEST, has_failed=False) == []
    assert server.is_capturing
    assert [settled.is_kept for settled in captures.close()] == [True]
    assert not server.is_capturing


def test_at_the_end_of_the_run_what_should_never_stay_does_not(server: Station, path: Path) -> None:
    captures = CaptureFiles(AutoStop.manual)
    captures.start(server, path, Keep.never, TEST)
    captures.close()
    assert not path.exists()
    assert captures.close() == []


def test_two_captures_of_a_server_one_after_the_other_are_two_files(
    captures: CaptureFiles, server: Station, tmp_path: Path
) -> None:
    first, second = tmp_path / "1.pcapng", tmp_path / "2.pcapng"
    captures.start(server, first, Keep.always, TEST)
    fetch(server)
    captures.stop(server)
    captures.start(server, second, Keep.always, TEST)
    settled = captures.leave(TEST, has_failed=False)
    assert [each.captured.path for each in settled] == [first, second]
    assert [each.captured.packets > 0 for each in settled] == [True, False]


def test_two_captures_of_a_server_at_once_cannot_be(
    captures: CaptureFiles, server: Station, path: Path
) -> None:
    captures.start(server, path, Keep.failed, TEST)
    with pytest.raises(UsageError) as caught:
        captures.start(server, path.with_name("y"), Keep.failed, TEST)
    assert str(caught.value) == f"A capture runs already, into '{path}'. Stop it first."
    assert len(captures.leave(TEST, has_failed=False)) == 1


def test_stop_without_a_capture_returns_nothing(captures: CaptureFiles, server: Station) -> None:
    assert captures.stop(server) is None


def test_a_file_that_somebody_removed_is_no_trouble(
    captures: CaptureFiles, server: Station, path: Path
) -> None:
    captures.start(server, path, Keep.failed, TEST)
    path.unlink()
    (settled,) = captures.leave(TEST, has_failed=False)
    assert (settled.is_kept, settled.trouble) == (False, "")


def test_a_file_that_cannot_be_removed_is_told(
    captures: CaptureFiles, server: Station, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    captures.start(server, path, Keep.failed, TEST)
    monkeypatch.setattr(Path, "unlink", refuse)
    (settled,) = captures.leave(TEST, has_failed=False)
    assert settled.trouble == "Permission denied"


# Where the packets of a transfer are ---------------------------------------------------------


def test_the_capture_of_a_transfer_is_found(
    captures: CaptureFiles, server: Station, path: Path
) -> None:
    captures.start(server, path, Keep.failed, TEST)
    seen = completed(server="dut", started=now(), ended=now())
    assert captures.path_of(seen) == path
    captures.stop(server)
    assert captures.path_of(seen) == path


def test_a_transfer_that_is_under_way_when_a_capture_begins_is_in_it(
    captures: CaptureFiles, server: Station, path: Path
) -> None:
    begun = now() - timedelta(seconds=5)
    captures.start(server, path, Keep.failed, TEST)
    assert captures.path_of(partial(server="dut", started=begun)) == path
    assert captures.path_of(completed(server="dut", started=begun, ended=now())) == path


def test_a_transfer_before_or_after_or_of_another_server_is_in_none(
    captures: CaptureFiles, server: Station, path: Path
) -> None:
    before = completed(server="dut", started=now(), ended=now())
    captures.start(server, path, Keep.failed, TEST)
    other = completed(server="left", started=now(), ended=now())
    captures.stop(server)
    after = partial(server="dut", started=now())
    assert [captures.path_of(seen) for seen in (before, other, after)] == [None] * 3


def test_a_capture_that_ended_with_its_server_is_found(
    captures: CaptureFiles, started: LibraryState, path: Path
) -> None:
    server = started.server()
    captures.start(server, path, Keep.always, TEST)
    fetch(server)
    seen = completed(server="dut", started=now(), ended=now())
    started.stop("dut")
    assert captures.path_of(seen) == path
    assert captures.path_of(partial(server="dut", started=now())) is None
    (settled,) = captures.leave(TEST, has_failed=False)
    assert settled.captured.packets == len(packets_in(path)) > 0


# Names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (("Board Boots", "dut"), "Board_Boots-dut.pcapng"),
        (("a/b\\c:d*?", "../x"), "a_b_c_d-x.pcapng"),
        (("", "..."), "capture-capture.pcapng"),
        (("Größe", "tftp-1"), "Größe-tftp-1.pcapng"),
        (("x" * 300, "y"), "x" * 100 + "-y.pcapng"),
        (("ö" * 300, "y"), "ö" * 50 + "-y.pcapng"),
    ],
)
def test_a_name_is_fit_for_a_file(
    captures: CaptureFiles, tmp_path: Path, parts: tuple[str, ...], name: str
) -> None:
    assert captures.free_path(tmp_path, *parts) == tmp_path / name


def test_a_name_comes_once_in_a_run_and_replaces_that_of_an_earlier_run(
    captures: CaptureFiles, tmp_path: Path
) -> None:
    (tmp_path / "a-b.pcapng").touch()
    names = [captures.free_path(tmp_path, "a", "b").name for _ in range(3)]
    assert names == ["a-b.pcapng", "a-b-2.pcapng", "a-b-3.pcapng"]
