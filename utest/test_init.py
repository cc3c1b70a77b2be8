"""The page of public names: a Python program needs no other module of the package."""

from __future__ import annotations

import ast
import importlib.metadata
import inspect
import socket
import subprocess
import sys
import typing
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

import TftpLibrary
from TftpLibrary import (
    BootConfig,
    BootLoader,
    Captured,
    Cause,
    ClientFaults,
    ClientSettings,
    Damage,
    Damaging,
    Denial,
    Direction,
    Download,
    Downloads,
    ErrorCode,
    ExpectationError,
    FaultKind,
    FaultMark,
    Faults,
    FileStore,
    Identity,
    Idle,
    Kernel,
    Lab,
    LabClient,
    LabError,
    LabFaults,
    LabFiles,
    LabServer,
    LinkQuality,
    Mode,
    NegotiationError,
    OptionValues,
    Outcome,
    Packets,
    Pause,
    PeerError,
    Question,
    Recorder,
    Request,
    Retransmission,
    Rule,
    Sample,
    Scenario,
    ServerSettings,
    StoredFile,
    StoreError,
    TestContent,
    TftpClient,
    TftpError,
    TftpFault,
    TftpServer,
    ToldSize,
    Transfer,
    TransferAborted,
    TransferTimeout,
    Upload,
    UsageError,
    View,
    Way,
    Words,
    boot_config,
    boot_file_names,
    parse_identity,
)
from utest.support.views import not_downloaded

# The keywords are for Robot Framework; interface.txt has their types.
PUBLIC = {name: getattr(TftpLibrary, name) for name in TftpLibrary.__all__ if name != "TftpLibrary"}
FOR_THE_ENGINE = {
    "ClientSettings": {"rows", "timing"},
    "ClientFaults": {"calls", "clear", "misses", "plan", "reports", "watch"},
    "Direction": {"opcode", "of_opcode"},
    "Faults": {"clear", "misses", "plan", "reports", "watch"},
    "FileStore": {"open_for", "open_read", "open_write", "take"},
    "LabClient": {"session"},
    "LabFaults": {"clear", "misses", "reports", "session"},
    "LabFiles": {"session"},
    "LabServer": {"session"},
    "Packets": {"has_block", "has_name"},
    "Recorder": {"join", "leave", "opened"},
    "ServerSettings": {"bounds", "changed", "networks", "rows", "timing", "write_policy"},
}
"""Members of public classes, and parameters, that only the library itself uses.

A program clears faults too, but has no use for what `clear` returns.
"""
STANDARD = {"builtins", "collections.abc", "datetime", "pathlib", "types", "typing"}


@pytest.fixture
def server() -> Iterator[TftpServer]:
    content = {"zImage": b"kernel" * 1000}
    settings = ServerSettings(writable=True, overwrite=True)
    with TftpServer(settings=settings, content=content, alias="dut") as found:
        yield found


@pytest.fixture
def client(server: TftpServer) -> Iterator[TftpClient]:
    with TftpClient(server.host, server.port) as found:
        yield found


def ended(transfers: tuple[Transfer, ...]) -> Transfer | None:
    """Finds the first transfer that has ended."""
    return next((each for each in transfers if not each.is_running), None)


def inner_types(hint: object) -> Iterator[type]:
    """Yields the classes that a type is made of: those of `list[Transfer] | None` are three."""
    arguments = typing.get_args(hint)
    for argument in arguments:
        for each in argument if isinstance(argument, list) else [argument]:
            yield from inner_types(each)
    found = typing.get_origin(hint) or hint
    if isinstance(found, type):
        yield found


def hints(name: str, cls: type) -> Iterator[tuple[str, object]]:
    """Yields the types of the attributes, parameters and results of a public class."""
    members: dict[str, object] = {name: cls, f"{name}()": vars(cls).get("__init__")}
    for member in sorted(set(dir(cls)) - FOR_THE_ENGINE.get(name, set())):
        value = inspect.getattr_static(cls, member)
        if not member.startswith("_"):
            members[f"{name}.{member}"] = value.fget if isinstance(value, property) else value
    for place, typed in members.items():
        if inspect.isclass(typed) or inspect.isfunction(typed):
            # The faults are imported when they are asked for: their names are strings before.
            for key, hint in typing.get_type_hints(typed, localns=PUBLIC).items():
                if not key.startswith("_") and key not in FOR_THE_ENGINE.get(name, set()):
                    yield f"{place} {key}", hint


FLIP = Damaging.flip_bit
NONE_OF_THE_FAULTS = (
    "with TftpLibrary.TftpServer(content={'f': b'x'}) as server:\n"
    "    with TftpLibrary.TftpClient(server.host, server.port) as client:\n"
    "        client.get_bytes('f')\n"
)
ALL_NAMES = (
    "[getattr(TftpLibrary, name) for name in TftpLibrary.__all__ if name != 'TftpLibrary']\n"
)


def loaded(program: str, *packages: str) -> str:
    """Runs a program, and returns which modules of these packages it has loaded then."""
    whole = (
        f"import sys, TftpLibrary\n{program}"
        f"print([name for name in sys.modules if (name + '.').startswith("
        f"{tuple(each + '.' for each in packages)})])"
    )
    run = subprocess.run([sys.executable, "-c", whole], check=True, capture_output=True, text=True)
    return run.stdout.strip()


# The page


def test_every_public_name_is_there() -> None:
    assert sorted(TftpLibrary.__all__) == TftpLibrary.__all__
    assert TftpLibrary.__version__ == importlib.metadata.version("robotframework-tftp")


def test_robot_framework_gets_its_library_under_the_name_of_the_package() -> None:
    assert TftpLibrary.TftpLibrary.__module__ == "TftpLibrary.library"


def test_other_names_are_not_there() -> None:
    with pytest.raises(AttributeError, match="module 'TftpLibrary' has no attribute 'Tftp'"):
        TftpLibrary.Tftp  # noqa: B018


def test_a_python_program_loads_neither_robot_framework_nor_what_it_can_do_without() -> None:
    others = ("robot", "robotlibcore", "assertionengine", "difflib")
    ours = ("TftpLibrary.faults", "TftpLibrary.boot")
    assert loaded(NONE_OF_THE_FAULTS, *others, "dataclasses", *ours) == "[]"
    assert loaded(ALL_NAMES, *others) == "[]"


def test_types_of_public_things_are_public_or_standard() -> None:
    hidden = {
        f"{place}: {found.__module__}.{found.__qualname__}"
        for name, cls in PUBLIC.items()
        for place, hint in hints(name, cls)
        for found in inner_types(hint)
        if found not in PUBLIC.values() and found.__module__ not in STANDARD
    }
    assert not hidden


def test_errors_that_a_program_can_catch_are_public() -> None:
    """A `PacketError` becomes an answer to the peer: no caller sees one."""
    errors = vars(sys.modules["TftpLibrary.errors"])
    names = {name for name, value in errors.items() if inspect.isclass(value)}
    assert names - PUBLIC.keys() == {"PacketError"}


def test_these_tests_import_each_public_name_and_no_other_module() -> None:
    """The linter reports a name that is imported and not used."""
    nodes = ast.walk(ast.parse(Path(__file__).read_text("utf-8")))
    imports = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    ours = [node for node in imports if (node.module or "").startswith("TftpLibrary")]
    assert [node.module for node in ours] == ["TftpLibrary"]
    assert {alias.name for alias in ours[0].names} == PUBLIC.keys()


# Uses


def test_boot_loader_gets_its_configuration_where_it_looks(server: TftpServer) -> None:
    board: Identity = parse_identity(mac="52-54-00-AB-CD-07")
    linux = Kernel("zImage", append="console=ttyS0")
    config: BootConfig = boot_config(BootLoader.pxelinux, board, linux)
    server.files.upload_bytes(config.text.encode(), config.name)
    assert server.files.exists(boot_file_names(BootLoader.pxelinux, board)[1])


def test_a_server_shows_what_a_client_did(
    server: TftpServer, client: TftpClient, tmp_path: Path
) -> None:
    mark = server.recorder.mark()
    got = client.get("zImage", tmp_path)
    assert (tmp_path / "zImage").read_bytes() == b"kernel" * 1000
    assert (got.direction, got.outcome) == (Direction.read, Outcome.completed)
    seen: Transfer = server.recorder.wait_for(ended, timeout=5, since=mark)
    assert (seen.filename, seen.server, seen.octets) == ("zImage", "dut", 6000)
    assert all(isinstance(sample, Sample) for sample in seen.samples)
    assert isinstance(seen.started, datetime)
    assert server.transfers() == (seen,)


def test_questions_find_what_boards_did(server: TftpServer, client: TftpClient) -> None:
    client.get_bytes("zImage")
    client.put_bytes(b"lines", "log")
    assert server.wait_until(Download("zImage"), timeout=5).octets == 6000
    assert len(server.wait_until(Downloads(("zImage", "z*")), timeout=5)) == 2
    assert server.wait_until(Request("zImage"), timeout=5).filename == "zImage"
    assert server.wait_until(Upload("log", min_size=5), timeout=5).outcome is Outcome.completed
    assert server.wait_until(Idle(0.0), timeout=5) >= 0.0


def test_a_question_without_an_answer_explains_what_came_nearest(
    server: TftpServer, client: TftpClient
) -> None:
    with pytest.raises(PeerError):
        client.get_bytes("zimage")
    with pytest.raises(ExpectationError, match=not_downloaded("zImage")):
        server.wait_until(Download("zImage"), timeout=0)


@dataclass(frozen=True)
class Total:
    """A question of one's own: whether boards got that many octets in all."""

    octets: int
    subject = "octets"

    def find(self, view: View) -> int | None:
        found = sum(each.octets for each in view.transfers)
        return found if found >= self.octets else None

    def explain(self, view: View, waited: float | None = None, words: Words | None = None) -> str:  # noqa: ARG002
        return f"Fewer than {self.octets} bytes, in {len(view.transfers)} transfers."


def test_a_program_may_ask_a_question_of_its_own(server: TftpServer, client: TftpClient) -> None:
    client.get_bytes("zImage")
    question: Question[int] = Total(6000)
    assert server.wait_until(question, timeout=5) == 6000
    with pytest.raises(ExpectationError, match="Fewer than 6001 bytes, in 1 transfers."):
        server.wait_until(Total(6001), timeout=0)


def test_a_board_uploads(server: TftpServer, client: TftpClient, tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"lines")
    put = client.put(tmp_path / "log")
    assert put.direction is Direction.write
    client.put_bytes(b"other", "log")
    assert server.files.read_bytes("log") == client.get_bytes("log") == b"other"


def test_a_server_is_started_changed_and_stopped() -> None:
    server = TftpServer()
    assert server.start() is server
    before = server.change(timeout=2.0, max_windowsize=8)
    assert before == ServerSettings()
    assert server.settings == ServerSettings(timeout=2.0, max_windowsize=8)
    assert server.url("f") == f"tftp://{server.host}:{server.port}/f"
    assert server.address_for("127.0.0.1") == server.host
    assert server.root.is_dir()
    assert server.stop(grace=1.0) == []
    assert server.warnings == []
    assert not server.is_running


@pytest.mark.parametrize("retransmission", list(Retransmission))
@pytest.mark.parametrize("mode", list(Mode))
def test_settings_say_how_to_serve_and_how_to_ask(
    retransmission: Retransmission, mode: Mode
) -> None:
    settings = ServerSettings(retransmission=retransmission, refuse_options=frozenset({"tsize"}))
    with TftpServer(settings=settings, content={"f": b"text\n"}) as server:
        asked = ClientSettings(mode=mode, blksize=1024, windowsize=1)
        with TftpClient(server.host, server.port, asked) as client:
            assert client.get_bytes("f") == b"text\n"
            (record,) = client.recorder.transfers()
        assert record.mode == mode.value
        assert record.granted == OptionValues((("blksize", "1024"),))
        assert record.granted.blksize == 1024


@pytest.mark.parametrize("content", list(TestContent))
def test_a_store_makes_describes_and_gives_files(content: TestContent, tmp_path: Path) -> None:
    with FileStore() as files:
        made: StoredFile = files.create("image", 1000, content=content, seed=1)
        assert (made.size, made.sha256) == (1000, files.checksum("image"))
        files.copy("image", "copy")
        assert files.rename("copy", "other").sha256 == made.sha256
        assert files.download("other", tmp_path).stat().st_size == 1000
        assert files.upload(tmp_path / "other", "third").crc32 == made.crc32
        assert files.list() == ["image", "other", "third"]
        assert files.delete("image")
        assert files.delete_all() == ["other", "third"]


def test_servers_and_clients_are_captured(
    server: TftpServer, client: TftpClient, tmp_path: Path
) -> None:
    for each in (server, client):
        each.start_capture(tmp_path / "x.pcapng")
        client.get_bytes("zImage")
        captured: Captured = each.stop_capture()
        assert captured == each.capture
        assert captured.packets > 5
        assert captured.path.stat().st_size > captured.octets > 6000


def test_servers_and_clients_may_share_a_recorder() -> None:
    def both_ended(transfers: tuple[Transfer, ...]) -> bool | None:
        return [each.is_running for each in transfers] == [False, False] or None

    recorder = Recorder(limit=100)
    with ExitStack() as stack:
        server = stack.enter_context(TftpServer(content={"f": b""}, recorder=recorder))
        client = stack.enter_context(TftpClient(server.host, server.port, recorder=recorder))
        client.get_bytes("f")
        recorder.wait_for(both_ended, 5)
    assert recorder.is_complete()


# Faults on purpose


def test_a_server_is_away_on_purpose_and_comes_back(server: TftpServer, client: TftpClient) -> None:
    server.pause(Pause.busy)
    with pytest.raises(PeerError, match="Server busy"):
        client.get_bytes("zImage")
    assert server.paused is Pause.busy
    server.resume()
    client.get_bytes("zImage")
    server.pause("silent", duration=0.1)
    client.get_bytes("zImage")
    assert server.paused is None


def test_a_server_loses_a_packet_on_purpose_and_the_record_says_so(
    server: TftpServer, client: TftpClient
) -> None:
    faults: Faults = server.faults
    lost = faults.inject("drop", "DATA 3", file="zImage")
    client.get_bytes("zImage")
    struck: TftpFault = faults.expect(lost)
    assert (struck.hits, struck.text) == (1, "drop DATA 3 of 'zImage'")
    marks = server.transfers()[-1].faults
    assert all(isinstance(mark, FaultMark) for mark in marks)
    assert [(mark.fault, mark.words) for mark in marks] == [(lost, "dropped DATA 3")]
    faults.clear()
    assert faults.all() == ()


def test_a_client_has_faults_of_its_own(server: TftpServer, client: TftpClient) -> None:
    faults: ClientFaults = client.faults
    lost = faults.inject("drop", "ACK 2", direction=Way.sent)
    with TftpClient(server.host, server.port, windowsize=1, faults=faults) as other:
        other.get_bytes("zImage")
    assert faults.expect(lost, times=1).server == ""


def test_faults_are_values_or_words(server: TftpServer) -> None:
    rule = Rule(FaultKind.drop, Packets("ACK", is_last=True), direction=Way.received)
    values = [server.faults.add(each) for each in (rule, Denial("x", 1), Damage("f", FLIP))]
    words = [
        server.faults.inject("drop", "ACK last", direction="received"),
        server.faults.deny("x", code=1),
        server.faults.damage("f", "flip_bit"),
    ]
    for value, word in zip(values, words, strict=True):
        first, second = (each for each in server.faults.all() if each.id in (value, word))
        assert first.text == second.text


def test_a_file_is_damaged_on_its_way_and_its_size_is_told(
    server: TftpServer, client: TftpClient
) -> None:
    server.faults.damage("zImage", FLIP, times=1)
    assert client.get_bytes("zImage") != client.get_bytes("zImage") == b"kernel" * 1000
    server.faults.damage("zImage", "truncate", size=100, tsize=ToldSize.original)
    with pytest.raises(TransferAborted, match="only 100 of the 6,000 announced bytes came"):
        client.get_bytes("zImage")


def test_a_link_has_a_quality_and_gives_back_the_one_before(server: TftpServer) -> None:
    slow = LinkQuality(rate=1e5, delay=0.02)
    assert server.faults.set_link(slow) == LinkQuality()
    assert server.faults.set_link(LinkQuality()) == slow


def test_a_bad_day_has_a_name(server: TftpServer, client: TftpClient) -> None:
    (denied,) = server.faults.use(Scenario.missing_then_there, "zImage")
    with pytest.raises(PeerError):
        client.get_bytes("zImage")
    assert client.get_bytes("zImage")
    assert server.faults.expect(denied).hits == 1


@pytest.mark.parametrize(
    ("use", "text"),
    [
        (lambda faults: faults.inject("dropp"), "There is no fault 'dropp'. Did you mean 'drop'?"),
        (lambda faults: faults.use("lost_acks"), "There is no scenario 'lost_acks'. Did you mean"),
        (lambda faults: faults.damage("f", "flip"), "There is no damage 'flip'. Did you mean"),
        (lambda faults: faults.expect("drop-1"), "There is no fault 'drop-1'. Faults: none."),
    ],
)
def test_a_name_that_is_not_there_is_told_with_the_nearest_one(
    server: TftpServer, use: Callable[[Faults], object], text: str
) -> None:
    with pytest.raises(UsageError, match=f"^{text}"):
        use(server.faults)


# Errors, by name


def test_an_error_of_the_peer_has_its_code_and_its_text(
    server: TftpServer, client: TftpClient
) -> None:
    with pytest.raises(PeerError) as caught:
        client.get_bytes("missing")
    assert server.transfers()[-1].cause is Cause.missing
    assert caught.value.code == ErrorCode.file_not_found
    assert caught.value.text == "File not found"


def test_a_server_that_does_not_answer_is_a_timeout() -> None:
    settings = ClientSettings(timeout=0.05, retries=1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        host, port = silent.getsockname()
        with TftpClient(host, port, settings) as client, pytest.raises(TransferTimeout):
            client.get_bytes("f")


def test_a_mistake_of_the_caller_is_a_usage_error(server: TftpServer) -> None:
    with pytest.raises(UsageError, match="rollover must be 0 or 1"):
        ServerSettings(rollover=2)
    with pytest.raises(UsageError, match="No file 'missing'"):
        server.files.get("missing")


@pytest.mark.parametrize(
    "error",
    [
        ExpectationError,
        NegotiationError,
        PeerError,
        StoreError,
        TransferAborted,
        TransferTimeout,
        UsageError,
    ],
)
def test_every_error_is_an_error_of_the_library(error: type[Exception]) -> None:
    assert issubclass(error, TftpError)


def test_a_lab_has_servers_and_clients_as_this_machine_has_them(tmp_path: Path) -> None:
    with TemporaryDirectory(prefix="lab-") as folder:
        url = f"unix:{folder}/lab.sock"
        command = [sys.executable, "-m", "TftpLibrary", "lab", "--listen", url]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as half:
            assert half.stdout is not None
            assert half.stdout.readline()
            with Lab(url) as lab:
                server: LabServer = lab.server(alias="dut").start()
                files: LabFiles = server.files
                files.create("zImage", 10)
                faults: LabFaults = server.faults
                assert faults.reports() == ()
                client: LabClient = lab.client(server.host, server.port)
                assert client.get("zImage", tmp_path / "got").octets == 10
                assert server.wait_until(Download("zImage"), 5).server == "dut"
                half.kill()
                half.wait()
                with pytest.raises(LabError, match="was lost"):
                    files.list()
