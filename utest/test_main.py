"""The command line as people run it: programs of their own, on this machine."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from TftpLibrary.__main__ import main
from utest.support.peers import require
from utest.support.programs import COMMAND, ROOT, Served, asking, environment, run_program, serve
from utest.support.waiting import seconds, wait_until

CONTENT = bytes(range(256)) * 4000
HAS_SIGNALS = sys.platform != "win32"
needs_signals = pytest.mark.skipif(not HAS_SIGNALS, reason="a signal ends a program at once there")
needs_pty = pytest.mark.skipif(not HAS_SIGNALS, reason="there are no pseudo-terminals")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with an image to be served."""
    root = tmp_path / "images"
    root.mkdir()
    (root / "zImage").write_bytes(CONTENT)
    return root


@pytest.fixture
def served(folder: Path) -> Iterator[Served]:
    """A server of that folder."""
    with serve(folder) as server:
        yield server


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for the tests that only look at what it serves."""
    root = tmp_path_factory.mktemp("shared") / "images"
    (root / "boot").mkdir(parents=True)
    (root / "zImage").write_bytes(CONTENT)
    (root / "boot" / "a.dtb").write_bytes(b"dtb")
    (root / "notes").write_bytes(b"a\nb\n")
    with serve(root) as server:
        yield server


def get(served: Served, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return run_program("get", "127.0.0.1", *arguments, "--port", str(served.port))


def wait_for_text(terminal: int, text: bytes) -> bytes:
    """Returns what a terminal shows, once that contains a text."""
    if sys.platform == "win32":
        raise NotImplementedError
    os.set_blocking(terminal, False)
    shown = b""

    def has_text() -> bool:
        nonlocal shown
        with suppress(BlockingIOError):
            shown += os.read(terminal, 1000)
        return text in shown

    wait_until(has_text)
    return shown


# serve


def test_ready_line_tells_root_and_url(shared: Served) -> None:
    assert shared.ready == f"serving {shared.root} at tftp://127.0.0.1:{shared.port}/\n"
    assert shared.port > 0


def test_file_is_served_and_told(tmp_path: Path, shared: Served) -> None:
    done = get(shared, "zImage", tmp_path / "copy")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "copy").read_bytes() == CONTENT
    line = shared.wait_for_line("zImage")
    assert re.fullmatch(
        r"completed   read  127\.0\.0\.1:\d+ +'zImage' 1024000 bytes in [\d.]+ m?s, "
        r"[\d.]+ [kM]B/s, blksize=1428 windowsize=16 tsize=1024000",
        line,
    ), line
    assert re.search(r"^\d\d:\d\d:\d\d completed", shared.errors, re.MULTILINE)


def test_miss_is_told(tmp_path: Path, shared: Served) -> None:
    done = get(shared, "pxelinux.cfg/default", tmp_path)
    assert done.returncode == 1
    assert done.stderr == (
        "tftplibrary get: File not found (TFTP error 1) from "
        f"127.0.0.1:{shared.port} for 'pxelinux.cfg/default'\n"
    )
    assert list(tmp_path.iterdir()) == []
    assert re.fullmatch(
        r"refused     read  127\.0\.0\.1:\d+ +'pxelinux\.cfg/default' file not found "
        r"\(TFTP error 1\)",
        shared.wait_for_line("pxelinux"),
    )


@needs_signals
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_it_with_a_summary(
    tmp_path: Path, served: Served, number: signal.Signals
) -> None:
    get(served, "zImage", tmp_path)
    get(served, "missing", tmp_path)
    assert served.stop(number) == 0
    assert re.fullmatch(
        r"stopped after [\d.]+ m?s: 2 transfers \(1 completed, 1 refused\), 1\.0 MB sent, "
        r"0 bytes received",
        served.lines[-1],
    )
    assert len(served.lines) == 3


@needs_signals
def test_signal_cuts_a_running_transfer_which_is_told(served: Served) -> None:
    with asking(served.port, "zImage") as answer:
        assert answer[:4] == b"\0\3\0\1"
        assert served.stop() == 0
    assert "aborted     read " in served.lines[0]
    assert "1 transfer (1 aborted)" in served.lines[-1]


@needs_signals
def test_quiet_tells_the_summary_only(tmp_path: Path, folder: Path) -> None:
    with serve(folder, "--quiet") as served:
        assert get(served, "zImage", tmp_path).returncode == 0
        assert served.stop() == 0
        assert len(served.lines) == 1
        assert "1 transfer (1 completed)" in served.lines[0]


@needs_signals
def test_upload_stays_when_the_server_ends(folder: Path) -> None:
    with serve(folder, "--writable", "--max-upload-size", "2MB") as served:
        port = ("--port", str(served.port))
        done = run_program("put", folder / "zImage", "127.0.0.1", "log/copy", *port)
        assert done.returncode == 0, done.stderr
        assert re.fullmatch(r"put 'log/copy': 1024000 bytes in .*\n", done.stdout)
        refused = run_program("put", folder / "zImage", "127.0.0.1", *port)
        assert refused.returncode == 1
        assert "(TFTP error 6)" in refused.stderr
        assert served.stop() == 0
        assert "1.0 MB received" in served.lines[-1]
    assert (folder / "log" / "copy").read_bytes() == CONTENT
    assert sorted(path.name for path in folder.iterdir()) == ["log", "zImage"]


def test_limits_of_the_server_are_what_it_grants(tmp_path: Path, folder: Path) -> None:
    limits = ("--max-blksize", "1000", "--max-windowsize", "4", "--single-port")
    with serve(folder, *limits) as served:
        done = get(served, "zImage", tmp_path)
        assert (tmp_path / "zImage").read_bytes() == CONTENT
    assert done.stdout.endswith(", blksize=1000 windowsize=4 tsize=1024000\n")


@needs_signals
def test_links_out_of_the_root_are_followed_on_request_only(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "outside").write_bytes(b"outside")
    (folder / "link").symlink_to(tmp_path / "outside")
    with serve(folder) as served:
        assert get(served, "link", tmp_path).returncode == 1
    with serve(folder, "--follow-symlinks") as served:
        assert get(served, "link", tmp_path).returncode == 0
    assert (tmp_path / "link").read_bytes() == b"outside"


@needs_signals
def test_server_whose_lines_nobody_reads_serves_on_and_ends(folder: Path, tmp_path: Path) -> None:
    with serve(folder, stderr=subprocess.PIPE) as served:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(seconds(5))
            for number in range(1000):  # More text than a pipe holds.
                name = f"{number:090}".encode()
                sock.sendto(b"\0\1" + name + b"\0octet\0", ("127.0.0.1", served.port))
                assert sock.recv(1000)[:4] == b"\0\5\0\1"
        assert get(served, "zImage", tmp_path).returncode == 0
        assert served.stop() == 0


@needs_signals
def test_server_whose_reader_went_away_serves_on(folder: Path, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    with serve(folder, stderr=writing) as served:
        os.close(writing)
        os.close(reading)
        for _ in range(3):
            assert get(served, "missing", tmp_path).returncode == 1
        assert get(served, "zImage", tmp_path).returncode == 0
        assert served.stop() == 0


@needs_pty
def test_terminal_shows_a_live_line(folder: Path) -> None:
    if sys.platform == "win32":
        raise NotImplementedError
    reading, writing = os.openpty()
    with serve(folder, stderr=writing) as served, asking(served.port, "zImage"):
        os.close(writing)
        shown = wait_for_text(reading, b"zImage 0 % 0.0 of 1.0 MB 0 bytes/s from 127.0.0.1")
        assert b"\n" not in shown
    os.close(reading)


# serve: what cannot be


def assert_wrong_use(done: subprocess.CompletedProcess[str], expected: str) -> None:
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert re.fullmatch(expected, done.stderr), done.stderr


def test_root_that_is_not_there(tmp_path: Path) -> None:
    done = run_program("serve", tmp_path / "images", "--port", "0")
    assert_wrong_use(done, rf"tftplibrary serve: .*'{re.escape(str(tmp_path))}/images'.*\n")


def test_root_that_is_a_file(folder: Path) -> None:
    done = run_program("serve", folder / "zImage", "--port", "0")
    assert_wrong_use(done, r"tftplibrary serve: .*zImage'.* folder.*\n")


def test_port_that_is_taken(shared: Served) -> None:
    done = run_program("serve", shared.root, "--port", str(shared.port))
    assert_wrong_use(done, rf"tftplibrary serve: Cannot bind 127\.0\.0\.1:{shared.port}: .*\n")


def test_port_that_needs_a_right(folder: Path) -> None:
    if sys.platform == "win32":
        pytest.skip("every port is free for everybody there")
    start = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
    if not start.is_file() or int(start.read_text()) <= 69:
        pytest.skip("every port is free for everybody on this machine")
    # Root has the right also without asking, so take it away.
    prefix = () if os.geteuid() else (require("setpriv"), "--bounding-set", "-net_bind_service")
    done = subprocess.run(
        [*prefix, *COMMAND, "serve", str(folder)],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert_wrong_use(
        done,
        r"tftplibrary serve: Cannot bind 127\.0\.0\.1:69: permission denied\. Use --port 0 or a "
        r"port above 1023, or allow it: sysctl net\.ipv4\.ip_unprivileged_port_start=69\n",
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--port", "99999"], "port must be from 0 to 65535, got 99999"),
        (["--client", "board"], "is neither an address, a network nor a MAC address"),
        (["--host", "192.0.2.1"], "192.0.2.1"),
    ],
)
def test_settings_that_cannot_be(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(["serve", str(folder), "--port", "0", *arguments]) == 2
    assert re.fullmatch(rf"tftplibrary serve: .*{re.escape(message)}.*\n", capsys.readouterr().err)


# get and put


def test_get_without_destination_writes_the_last_part_of_the_name(
    tmp_path: Path, shared: Served
) -> None:
    done = run_program("get", "localhost", "boot/a.dtb", "--port", str(shared.port), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a.dtb").read_bytes() == b"dtb"
    assert re.fullmatch(r"get 'boot/a\.dtb': 3 bytes in .*\n", done.stdout)
    assert done.stderr == ""


def test_get_in_netascii_makes_lines_of_this_machine(tmp_path: Path, shared: Served) -> None:
    assert get(shared, "notes", tmp_path / "text", "--mode", "netascii").returncode == 0
    assert (tmp_path / "text").read_bytes() == f"a{os.linesep}b{os.linesep}".encode()


def test_server_that_does_not_answer(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        port = str(silent.getsockname()[1])
        quick = ("--port", port, "--timeout", "0.05", "--retries", "1")
        done = run_program("get", "127.0.0.1", "zImage", tmp_path, *quick)
    assert done.returncode == 1
    assert done.stderr.startswith(
        f"tftplibrary get: No answer from 127.0.0.1:{port} for 'zImage' in "
    )
    assert "raise --timeout or --retries, or --wait " in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["get", "127.0.0.1", "x", "no-folder/x"], "There is no folder 'no-folder'"),
        (["get", "127.0.0.1", "boot/.."], "'boot/..' does not end with the name of a file"),
        (["get", "127.0.0.1", "boot/", "."], "'boot/' does not end with the name of a file"),
        (["get", "127.0.0.1", "x", "--port", "0"], "port must be from 1 to 65535, got 0"),
        (["get", "127.0.0.1", "x", "--blksize", "7"], "blksize must be from 8 to 65464, got 7"),
        (["get", "no-such-host.invalid", "x"], "no-such-host.invalid"),
        (["put", "no-file", "127.0.0.1"], "Cannot read 'no-file'"),
        (["put", ".", "127.0.0.1"], "Cannot read '.'"),
    ],
)
def test_wrong_use_of_the_client(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    expected = rf"tftplibrary {arguments[0]}: .*{re.escape(message)}.*\n"
    assert re.fullmatch(expected, capsys.readouterr().err)


@needs_signals
def test_ctrl_c_ends_a_get_and_leaves_no_part(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        silent.settimeout(seconds(10))
        patient = ("--port", str(silent.getsockname()[1]), "--wait", "60", "--timeout", "0.1")
        process = subprocess.Popen(
            [*COMMAND, "get", "127.0.0.1", "zImage", str(tmp_path), *patient],
            cwd=ROOT,
            env=environment(),
            stderr=subprocess.PIPE,
            text=True,
        )
        silent.recv(1000)
        silent.recv(1000)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=seconds(10))
    assert process.returncode == 130
    assert errors == "tftplibrary get: interrupted\n"
    assert list(tmp_path.iterdir()) == []


@needs_pty
def test_terminal_shows_the_progress_of_a_get(tmp_path: Path) -> None:
    if sys.platform == "win32":
        raise NotImplementedError
    reading, writing = os.openpty()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as slow:
        slow.bind(("127.0.0.1", 0))
        slow.settimeout(seconds(10))
        port = str(slow.getsockname()[1])
        target = str(tmp_path / "x")
        plain = ("--port", port, "--blksize", "512", "--windowsize", "1", "--tsize")
        process = subprocess.Popen(
            [*COMMAND, "get", "127.0.0.1", "zImage", target, *plain],
            cwd=ROOT,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=writing,
        )
        os.close(writing)
        _, peer = slow.recvfrom(1000)
        slow.sendto(b"\0\6tsize\0001000\0", peer)
        slow.recvfrom(1000)
        slow.sendto(b"\0\3\0\1" + b"x" * 512, peer)
        wait_for_text(reading, b"zImage 51 % 0.5 of 1.0 kB")
        slow.recvfrom(1000)
        slow.sendto(b"\0\3\0\2" + b"x" * 488, peer)
        out, _ = process.communicate(timeout=seconds(10))
    os.close(reading)
    assert process.returncode == 0
    assert re.fullmatch(rb"get 'zImage': 1000 bytes in .*\n", out)


# The program itself


def test_nothing_of_robot_framework_is_loaded_to_serve() -> None:
    code = (
        "import sys, TftpLibrary.__main__, TftpLibrary.commandline.serving, "
        "TftpLibrary.commandline.copying\n"
        "print(sorted({'robot', 'robotlibcore', 'logging', 'asyncio', 'ssl'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_no_command_is_wrong_use() -> None:
    done = run_program()
    assert done.returncode == 2
    assert done.stderr.startswith("usage: tftplibrary [-h] [--version] COMMAND ...\n")


def test_failure_is_told_apart_from_wrong_use(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    quick = ["--timeout", "0.05", "--retries", "0"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        port = str(silent.getsockname()[1])
        assert main(["get", "127.0.0.1", "x", str(tmp_path / "x"), "--port", port, *quick]) == 1
    assert capsys.readouterr().err.startswith("tftplibrary get: No answer from 127.0.0.1:")


def test_ctrl_c_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_options: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("TftpLibrary.commandline.quickstart.run", interrupted)
    assert main(["quickstart"]) == 130
    assert capsys.readouterr().err == "tftplibrary quickstart: interrupted\n"


def test_script_is_the_same_program() -> None:
    script = shutil.which("tftplibrary", path=str(Path(sys.executable).parent))
    if script is None:
        pytest.skip("the project is not installed here")
    done = subprocess.run([script, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("tftplibrary ")
