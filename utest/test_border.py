"""What every keyword promises at the border to Robot Framework, whatever is given."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from robot.api.types import Secret

from TftpLibrary.errors import TftpError
from utest.support.robot_calls import RobotCalls
from utest.support.stores import ordinary_user, posix_only
from utest.support.suites import failures, messages, run_suite
from utest.support.waiting import seconds

NO_TEXT = b"gr\xf6\xdfe.bin"

HOSTILE = [
    NO_TEXT,
    b"\xed\xa0\x80",
    b"a\x01\x1b[31m\x7f",
    b"a\r\nb",
    "\u202egpj.exe\u2066".encode(),
    "\ufffe\uffff\u0085".encode(),
    b"<script>alert(1)</script>",
    b"%s{value}$x",
    b"netboot.kpxe\xff",
    b"=x",
]

WRONG: dict[str, list[object]] = {
    "str": [None, {}],
    "bool": ["Flase", "noo", "2", None],
    "int": ["one", "1.5", None],
    "Size": ["10 XB", "-1", "1.5", []],
    "Rate": ["5 Mbit", "fast", None],
    "Share": ["2", "-1 %", []],
    "Packets": ["DATTA", "DATA x", "OACK 3"],
    "timedelta": ["abc", "10 parsecs"],
    "AssertionOperator": ["contian", "=", ">>"],
    "Path": [5],
    "bytes": ["\u20ac"],
    "Sequence": [],
    "Literal": ["much"],
}
"""Values that cannot be, by the type of an argument; enums have one of their own."""

OWN_WORDS = {
    "FaultKind": "There is no fault '",
    "Packets": "packet: ",
    "Damaging": "There is no damage '",
    "Scenario": "There is no scenario '",
    "BootLoader": "There is no boot loader '",
}
"""How messages begin of types that have their own words for a wrong value."""

RAW = re.compile(r"\w+(Error|Exception)\b|<[a-z_]+ |<class|\bobject at\b|\bNoneType\b|Traceback")
"""What a message to a person has not."""


def texts_in(value: Any) -> Iterator[str]:
    """Yields every text that Robot Framework may write of a value."""
    yield str(value)
    yield repr(value)
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    if isinstance(value, list | tuple):
        for each in value:
            yield from texts_in(each)


def texts_of(error: BaseException | None) -> Iterator[str]:
    while error is not None:
        yield str(error)
        error = error.__cause__ or error.__context__


def store(port: int, name: bytes, content: bytes = b"hello") -> None:
    """Lets a board write a file."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(seconds(5))
        sock.sendto(b"\0\2" + name + b"\0octet\0", ("127.0.0.1", port))
        answer, peer = sock.recvfrom(600)
        if answer[1] == 4:
            sock.sendto(b"\0\3\0\1" + content, peer)
            sock.recvfrom(600)


@pytest.fixture
def robot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RobotCalls]:
    """The library with its server; what is written goes to a folder of the test."""
    monkeypatch.chdir(tmp_path)
    with RobotCalls("host=127.0.0.1", "port=0", "timeout=0s") as calls:
        yield calls


@pytest.fixture(scope="module")
def unused() -> Iterator[RobotCalls]:
    """The library in tests whose only call is refused; to import it for each takes longer."""
    with RobotCalls("host=127.0.0.1", "port=0", "timeout=0s") as calls:
        yield calls


class Names:
    """Values for arguments, made from one hostile name."""

    def __init__(self, shown: str, port: int) -> None:
        self.shown = shown
        self.values: dict[str, object] = {
            "name": shown,
            "new_name": f"copy of {shown}",
            "source": shown,
            "destination": "folder/file",
            "size": "10",
            "text": shown,
            "data": "x",
            "host": "127.0.0.1",
            "server": "",
            "path": "capture.pcapng",
            "timeout": "0s",
            "kind": "drop",
            "how": "flip_bit",
            "scenario": "lost_block",
            "loader": "pxelinux",
            "fault": "drop-1",
        }
        self.port = port

    def calls(self, keyword: Any) -> Iterator[tuple[list[object], dict[str, object]]]:
        """Yields the arguments of the calls: with what is needed, and each text in turn."""
        spec = keyword.args
        needed: list[object] = [
            self.values[name] for name in spec.positional if name not in spec.defaults
        ]
        named: dict[str, object] = {"port": self.port} if "Client" in keyword.tags else {}
        if "retries" in spec.named_only and named:
            named |= {"retries": "0", "timeout": "100ms"}
        yield needed, named
        for name in [*spec.positional[len(needed) :], *spec.named_only]:
            if name not in named and str(spec.types[name]) in {"str", "Path | None", "Any"}:
                yield needed, {**named, name: self.shown}


@example(NO_TEXT)
@example(HOSTILE[1])
@given(st.sampled_from(HOSTILE) | st.binary(min_size=1, max_size=20))
@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_name_makes_a_result_a_message_or_an_error_unreadable(
    robot: RobotCalls, caplog: pytest.LogCaptureFixture, name: bytes
) -> None:
    """Every keyword, with what a board named its file, in every argument that is a text."""
    caplog.set_level("DEBUG", "RobotFramework")
    raw = name.decode("utf-8", "surrogateescape")
    for keyword in robot.keywords:
        server = robot.call("Start TFTP Server", writable=True, overwrite=True, alias="dut")
        robot.call("Clear TFTP Faults")  # A paused server would take no file.
        store(server.port, name)
        shown = robot.call("Get Transfers")[-1].filename
        calls = [next(Names(shown, server.port).calls(keyword))]
        for positional, named in [*calls, *Names(raw, server.port).calls(keyword)]:
            try:
                found = list(texts_in(robot.call(keyword.name, *positional, **named)))
            except (TftpError, AssertionError) as error:
                found = list(texts_of(error))
            for text in [*found, *caplog.messages]:
                text.encode()
            caplog.clear()


@pytest.mark.parametrize("name", HOSTILE[:5] + HOSTILE[-2:], ids=ascii)
def test_name_as_it_is_shown_is_the_name_for_every_keyword(robot: RobotCalls, name: bytes) -> None:
    server = robot.call("Start TFTP Server", "writable=True")
    store(server.port, name)
    (shown,) = robot.call("List Files")
    for keyword in ("Get TFTP File", "Get TFTP File Text", "TFTP File Should Exist"):
        robot.call(keyword, shown)
    robot.call("Upload Text", "new", shown)
    assert robot.call("List Files") == [shown]
    robot.call("Rename TFTP File", shown, "plain.bin")
    robot.call("Copy TFTP File", "plain.bin", shown)
    assert robot.call("Get TFTP File Text", shown) == "new"
    robot.call("Upload Text", "for one", shown, only_for="127.0.0.1")
    transfer = robot.call("TFTP Get", "127.0.0.1", shown, port=server.port)
    assert (transfer.filename, transfer.octets) == (shown, len("for one"))
    path = robot.call("Save TFTP File", shown)
    assert path.is_file()
    assert path.name.isprintable()
    assert "\\" not in path.name
    robot.call("Delete File", shown)
    assert robot.call("List Files") == ["plain.bin"]


def test_a_folder_of_a_windows_loader_is_no_octet(robot: RobotCalls) -> None:
    robot.call("Start TFTP Server")
    robot.call("Upload Text", "hello", r"boot\x86\wdsnbp.com")
    assert robot.call("List Files") == ["boot/x86/wdsnbp.com"]


def test_name_that_is_no_text_leaves_the_log_of_the_run_readable(tmp_path: Path) -> None:
    result = run_suite(
        tmp_path,
        r"""
*** Settings ***
Library    TftpLibrary    host=127.0.0.1    port=0    timeout=0s
Library    OperatingSystem

*** Test Cases ***
Board Stores A File
    ${server}    Start TFTP Server    writable=True
    VAR    ${sock}    ${{ socket.socket(socket.AF_INET, socket.SOCK_DGRAM) }}
    Call Method    ${sock}    settimeout    ${5}
    Evaluate    $sock.sendto(b'\\0\\2gr\\xf6\\xdfe.bin\\0octet\\0', ('127.0.0.1', $server.port))
    ${answer}    Evaluate    $sock.recvfrom(600)
    Evaluate    $sock.sendto(b'\\0\\3\\0\\1hello', $answer[1])
    Evaluate    $sock.recvfrom(600)
    Wait Until File Is Received    *.bin    5s
    Call Method    ${sock}    close
    ${file}    Get TFTP File    gr\\xf6\\xdfe.bin
    Log    ${file}
    Log    ${file.path}
    Should Not Exist    ${file.path}
    ${path}    Save TFTP File    gr\\xf6\\xdfe.bin    ${OUTPUT DIR}
    File Should Exist    ${path}
    Wait Until File Is Downloaded    gr\\xf6\\xdfe.bin    0s
""",
    )
    (message,) = failures(result).values()
    assert message.startswith(r"'gr\xf6\xdfe.bin'")
    assert (tmp_path / r"gr_xf6_xdfe.bin").read_text() == "hello"
    assert any(r"gr\xf6\xdfe.bin" in entry.message for entry in messages(result))


# --- arguments


def wrong_arguments() -> Iterator[tuple[str, str, object]]:
    """Yields each keyword with each of its arguments and a value that cannot be."""
    for keyword in RobotCalls("port=0").keywords:
        spec = keyword.args
        for name in [*spec.positional, *spec.named_only]:
            info = spec.types[name]
            kinds = [each.name for each in info.nested] if info.is_union else [info.name]
            for kind in kinds:
                wrong = [
                    x for x in WRONG.get(kind, ["nonsense"]) if x is not None or "None" not in kinds
                ]
                if kind not in {"Any", "None", "'unlimited'", "Secret"}:
                    yield from ((keyword.name, name, value) for value in wrong)


@pytest.mark.parametrize(("keyword", "argument", "value"), list(wrong_arguments()))
def test_wrong_value_is_refused_in_words(
    unused: RobotCalls, keyword: str, argument: str, value: object
) -> None:
    (found,) = [each for each in unused.keywords if each.name == keyword]
    needed = {
        name: Names("x", 1).values[name]
        for name in found.args.positional
        if name not in found.args.defaults
    }
    with pytest.raises(TftpError) as error:
        unused.call(keyword, **{**needed, argument: value})
    text = str(error.value)
    kinds = str(found.args.types[argument]).split(" | ")
    own = next((OWN_WORDS[kind] for kind in kinds if kind in OWN_WORDS), "")
    assert text.startswith(own or f"{argument}: expected ")
    assert own or ", got " in text
    assert not RAW.search(text), text


def test_needed_name_is_not_empty(unused: RobotCalls) -> None:
    """An empty variable: as a glob it would stand for every file."""
    for keyword in unused.keywords:
        spec = keyword.args
        needed = [name for name in spec.positional if name not in spec.defaults]
        values = {name: Names("x", 1).values[name] for name in needed}
        no_names = {
            "text",
            "data",
            "size",
            "timeout",
            "source",
            "kind",
            "how",
            "scenario",
            "loader",
        }
        for name in sorted({*needed} - no_names):
            with pytest.raises(TftpError, match=rf"{name}: expected a text, got ''\.$"):
                unused.call(keyword.name, **{**values, name: ""})
        if spec.var_positional:
            with pytest.raises(TftpError, match=r"names: expected a text, got ''\.$"):
                unused.call(keyword.name, "")


def test_every_keyword_takes_a_server_by_its_alias_as_server(robot: RobotCalls) -> None:
    """`alias` is the word where a name is given, and nowhere else."""
    robot.call("Start TFTP Server", alias="dut")
    for keyword in robot.keywords:
        spec = keyword.args
        names = [*spec.positional, *spec.named_only]
        assert ("alias" in names) == (keyword.name == "Start TFTP Server")
        if "server" not in names or keyword.name.startswith("Stop"):
            continue
        needed = {n: Names("x", 1).values[n] for n in spec.positional if n not in spec.defaults}
        call: dict[str, object] = {**needed, "server": "nobody"}
        if keyword.name == "TFTP Server Should Not Be Running":
            robot.call(keyword.name, **call)
        else:
            with pytest.raises(TftpError, match=r"No TFTP server 'nobody'\. Running: dut\."):
                robot.call(keyword.name, **call)


MISSPELLED = [
    (
        "Get Transfer Count",
        "*",
        "==",
        "0",
        "outcom=refused",
        "There is no argument 'outcom'. Did you mean outcome=? For this text as a value write "
        "message=outcom=refused",
    ),
    ("Start TFTP Server", "prot=6969", "There is no argument 'prot'. Did you mean port=?"),
    ("Get Transfers", "outcom=refused", "There is no argument 'outcom'. Did you mean outcome=?"),
    ("Get Transfers", "filename=x", "There is no argument 'filename'. Did you mean name=?"),
    ("Get Transfers", "times=3", "There is no argument 'times'. There are: name, client, outcome,"),
    ("Get Transfers", "Server=x", "There is no argument 'Server'. Did you mean server=?"),
    (
        "Upload File",
        "f",
        "only_fr=192.168.1.5",
        "There is no argument 'only_fr'. Did you mean only_for=?",
    ),
    ("Stop TFTP Server", "servr=left", "There is no argument 'servr'. Did you mean server=?"),
    ("Stop TFTP Server", "alias=left", "There is no argument 'alias'. There are: server, grace."),
    (
        "Start TFTP Server",
        "writeable=True",
        "There is no argument 'writeable'. Did you mean writable=?",
    ),
    (
        "Start TFTP Server",
        "client=10.0.0.0/8",
        "There is no argument 'client'. Did you mean clients=?",
    ),
    ("Get TFTP Server Port", "servr=left", "There is no argument 'servr'. Did you mean server=?"),
    (
        "Wait Until File Is Downloaded",
        "f",
        "tiemout=5s",
        "There is no argument 'tiemout'. Did you mean timeout=?",
    ),
    (
        "Requests Should Be",
        "f",
        "matchh=subset",
        "There is no argument 'matchh'. Did you mean match=?",
    ),
    (
        "Create Test File",
        "f",
        "contnt=zeros",
        "There is no argument 'contnt'. Did you mean content=?",
    ),
    (
        "Delete File",
        "missing_okay=True",
        "There is no argument 'missing_okay'. Did you mean missing_ok=?",
    ),
    ("Start Packet Capture", "keeep=always", "There is no argument 'keeep'. Did you mean keep=?"),
    (
        "Set TFTP Server Options",
        "max_blocksize=512",
        "There is no argument 'max_blocksize'. Did you mean max_blksize=?",
    ),
    (
        "Set TFTP Server Options",
        "writable=True",
        "max_blocksize=512",
        "There is no argument 'max_blocksize'. Did you mean max_blksize=?",
    ),
    ("Delete File", "f", "missng_ok=True", "There is no argument 'missng_ok'. Did you mean"),
    (
        "Delete File",
        "f",
        "colour=red",
        "There is no argument 'colour'. There are: name, missing_ok, client, server.",
    ),
    (
        "TFTP Get",
        "127.0.0.1",
        "f",
        "blocksize=512",
        "There is no argument 'blocksize'. Did you mean blksize=?",
    ),
]


@pytest.mark.parametrize("call", MISSPELLED, ids=lambda call: f"{call[0]} {call[-2]}")
def test_misspelled_name_of_an_argument_is_refused(
    robot: RobotCalls, call: tuple[str, ...]
) -> None:
    robot.call("Start TFTP Server")
    keyword, *arguments, message = call
    with pytest.raises(TftpError) as error:
        robot.call(keyword, *arguments)
    assert str(error.value).startswith(message)


def test_every_argument_of_every_keyword_may_be_misspelled(robot: RobotCalls) -> None:
    """Also where nothing more is taken by its place, and behind a named argument."""
    for keyword in robot.keywords:
        spec = keyword.args
        needed = [Names("x", 1).values[n] for n in spec.positional if n not in spec.defaults]
        for name in [*spec.positional, *spec.named_only]:
            typed = name[: len(name) // 2] + name[len(name) // 2 + 1 :]
            with pytest.raises(TftpError, match=f"There is no argument '{typed}'."):
                robot.call(keyword.name, *needed, f"{typed}=x")
            right = next((each for each in spec.named_only if each != name), None)
            if right is not None:
                with pytest.raises(TftpError, match=f"There is no argument '{typed}'."):
                    robot.call(keyword.name, *needed, f"{right}=x", f"{typed}=x")


def test_names_of_arguments_are_looked_at_as_the_suite_and_its_variables_have_them(
    tmp_path: Path,
) -> None:
    suite = r"""
*** Settings ***
Library    TftpLibrary    host=127.0.0.1    port=0
Test Setup    Start TFTP Server

*** Variables ***
&{WRONG}    max_blocksize=512
@{RIGHT}    outcome=refused
@{FILE}     a=b

*** Test Cases ***
Only Named Arguments
    Set TFTP Server Options    max_blocksize=512
Dictionary
    Set TFTP Server Options    &{WRONG}
List
    Get Transfers    @{RIGHT}
Backslash
    Get Transfers    outcome\=refused
Caught
    Run Keyword And Expect Error    There is no argument 'missng_ok'.*
    ...    Delete File    f    missng_ok=True
Neighbour
    Should Be Equal    one    two    msg=x    valuez=False
Good
    Upload Text    servers=10.0.0.1    @{FILE}
    Get TFTP File Text    @{FILE}    contains    servers=    message=servr=x
    Delete File    @{FILE}    server=tftp-1
    Delete File    name=server=x    missing_ok=True
"""
    wrong = "There is no argument 'max_blocksize'. Did you mean max_blksize=?"
    value = (
        "Out of a variable, or behind a backslash, 'outcome=' names no argument. Write "
        "outcome=... in the suite, or give a dictionary: &{arguments}. For this text as a value "
        "write name=outcome=refused"
    )
    theirs = "Keyword 'BuiltIn.Should Be Equal' got unexpected named argument 'valuez'."
    found = failures(run_suite(tmp_path, suite))
    assert found == {
        "Only Named Arguments": wrong,
        "Dictionary": wrong,
        "List": value,
        "Backslash": value,
        "Neighbour": theirs,
    }
    # A dry run knows no values.
    dry = failures(run_suite(tmp_path, suite, dryrun=True))
    assert dry == {
        "Only Named Arguments": wrong,
        "Neighbour": theirs,
        "Caught": "There is no argument 'missng_ok'. Did you mean missing_ok=?",
    }


def test_file_whose_name_has_an_equals_sign_can_be_named(robot: RobotCalls) -> None:
    robot.call("Start TFTP Server")
    robot.call("Upload Text", "hello", "a=b")
    assert robot.call("Get TFTP File Text", "a=b") == "hello"
    with pytest.raises(TftpError, match="For this text as a value write name=nam=1$"):
        robot.call("Delete File", "nam=1")
    robot.call("Upload Text", "server=10.0.0.1", name="nam=1")
    robot.call("Delete File", "name=nam=1")
    assert robot.call("List Files") == ["a=b"]


def test_content_may_look_like_a_misspelled_argument(robot: RobotCalls) -> None:
    robot.call("Start TFTP Server")
    robot.call("Upload Text", "servers=10.0.0.1", "ntp.conf")
    robot.call("Get TFTP File Text", "ntp.conf", "contains", "servers=10")


IMPORTS = {
    "auto_stop=never": (
        "Importing TftpLibrary failed: auto_stop: expected auto or manual, got 'never'."
    ),
    "timeout=soon": (
        "Importing TftpLibrary failed: timeout: expected a time such as 5s or 1 min 30 s, got "
        "'soon'. Invalid time string."
    ),
    "port=sixty": "Importing TftpLibrary failed: port: expected a whole number, got 'sixty'.",
    "port=99999": "failed: port must be from 0 to 65535, got 99999",
    "on_failure=NOTHNG": "failed: on_failure='NOTHNG' is unknown. Did you mean NOTHING?",
    "host=auto    prot=0": "got unexpected named argument 'prot'.",
}


@pytest.mark.parametrize("argument", IMPORTS)
def test_wrong_argument_of_the_import_is_an_error_in_its_line_and_the_run_goes_on(
    tmp_path: Path, argument: str
) -> None:
    """Robot Framework itself ends the run, without a log, where it cannot convert a value."""
    result = run_suite(
        tmp_path,
        f"""
*** Settings ***
Library    TftpLibrary    {argument}

*** Test Cases ***
Is Run
    No Operation
""",
    )
    assert failures(result) == {}
    (error,) = [each.message for each in result.errors]
    assert error.startswith("Error in file ")
    assert "on line 3: " in error
    assert IMPORTS[argument] in error


# --- secrets


@pytest.mark.parametrize("wrap", [Secret, str])
@pytest.mark.parametrize(
    "url",
    [
        "http://user:pass%77ord@127.0.0.1:9/zImage?token=password",
        "http://user:password@[::1/zImage",
        "ftps+nothing://user:password@127.0.0.1/zImage",
        "memory://user:password@nowhere/zImage",
        "file://user:password@elsewhere/zImage",
    ],
)
def test_no_message_has_the_password_of_a_url(
    robot: RobotCalls, caplog: pytest.LogCaptureFixture, wrap: Any, url: str
) -> None:
    caplog.set_level("DEBUG", "RobotFramework")
    robot.call("Start TFTP Server")
    with pytest.raises(TftpError) as error:
        robot.call("Upload File", wrap(url))
    for text in [*texts_of(error.value), *caplog.messages]:
        assert "password" not in text
        assert "pass%77ord" not in text


def test_secret_may_be_a_path(robot: RobotCalls, tmp_path: Path) -> None:
    (tmp_path / "zImage").write_text("kernel")
    robot.call("Start TFTP Server")
    assert robot.call("Upload File", Secret(str(tmp_path / "zImage"))).name == "zImage"
    with pytest.raises(TftpError, match="name: expected a text, got a Secret."):
        robot.call("Upload File", "zImage", Secret("x"))


# --- assertions, paths and the log

GETTERS = [
    ("Get TFTP Server Port", (), "a number"),
    ("Get Transfer Count", ("*",), "a number"),
    ("Get TFTP File Size", ("f",), "a number"),
    ("Get TFTP Server Host", (), "a text"),
    ("Get TFTP Server URL", ("f",), "a text"),
    ("Get TFTP File Text", ("f",), "a text"),
    ("Get TFTP File Checksum", ("f", "crc32"), "a text"),
    ("List Files", ("*",), "a list"),
    ("Get Requested Files", ("*",), "a list"),
]


@pytest.mark.parametrize(("keyword", "arguments", "kind"), GETTERS)
def test_assertion_that_cannot_be_is_refused_in_words(
    robot: RobotCalls, keyword: str, arguments: tuple[str, ...], kind: str
) -> None:
    robot.call("Start TFTP Server")
    robot.call("Upload Text", "hello", "f")
    operators = ["==", "!=", "<", ">=", "contains", "not contains", "starts", "ends", "matches"]
    pairs: list[tuple[object, ...]] = [
        (each, wrong) for each in operators for wrong in (object(), 5.5j)
    ]
    pairs += [("validate", "value >"), ("then", "nothing(value)"), ("matches", "(")]
    pairs += [(each,) for each in operators if kind != "a list" or each[-1] not in "=s"]
    for pair in pairs:
        with pytest.raises(TftpError) as error:
            robot.call(keyword, *arguments, *pair)
        assert not RAW.search(str(error.value)), (pair, str(error.value))
        assert re.search("expected|operator|evaluated|regular", str(error.value)), error.value


@pytest.mark.parametrize(("keyword", "arguments", "kind"), GETTERS)
def test_assertion_without_operator_or_with_a_broken_message_is_refused(
    robot: RobotCalls, keyword: str, arguments: tuple[str, ...], kind: str
) -> None:
    robot.call("Start TFTP Server")
    robot.call("Upload Text", "hello", "f")
    with pytest.raises(TftpError, match="the operator is missing before the expected value"):
        robot.call(keyword, *arguments, None, "5")
    # Eight digits: nothing else is a checksum.
    wrong = "7" if kind == "a number" else "00000000"
    for message in ("{nobody}", "{", "{0}"):
        with pytest.raises(TftpError, match=r"^message: expected a text in which \{value\}"):
            robot.call(keyword, *arguments, "==", wrong, message)


@pytest.mark.parametrize(("keyword", "arguments", "kind"), GETTERS)
def test_getter_logs_what_it_returns(
    robot: RobotCalls,
    caplog: pytest.LogCaptureFixture,
    keyword: str,
    arguments: tuple[str, ...],
    kind: str,
) -> None:
    caplog.set_level("INFO", "RobotFramework")
    server = robot.call("Start TFTP Server")
    robot.call("Upload Text", "hello", "f")
    robot.call("TFTP Get", "127.0.0.1", "f", port=server.port)
    caplog.clear()
    value = robot.call(keyword, *arguments)
    (message,) = caplog.messages
    for part in value if kind == "a list" else [value]:
        assert str(part) in message


def test_expression_that_cannot_be_evaluated_is_refused_in_a_run(tmp_path: Path) -> None:
    result = run_suite(
        tmp_path,
        """
*** Settings ***
Library      TftpLibrary    host=127.0.0.1    port=0
Test Setup    Start TFTP Server

*** Test Cases ***
Broken
    Get TFTP Server Port    validate    value >
Unknown
    List Files    *    then    nothing(value)
Good
    Get TFTP Server Port    validate    value > 1023
""",
    )
    advice = "Expected an expression with 'value' in it, such as value > 5."
    assert failures(result) == {
        "Broken": f"Port: 'value >' cannot be evaluated as a condition. {advice}",
        "Unknown": f"Files: 'nothing(value)' cannot be evaluated as a condition. {advice}",
    }


def test_description_and_list_of_transfers_are_logged(
    robot: RobotCalls, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "RobotFramework")
    server = robot.call("Start TFTP Server")
    file = robot.call("Upload Text", "hello", "f")
    robot.call("TFTP Get", "127.0.0.1", "f", port=server.port)
    for keyword, arguments, part in (
        ("Get TFTP File", ["f"], file.crc32),
        ("Get TFTP Server", [], server.url),
        ("Get Transfers", [], "'f'"),
        ("Delete All Files", [], "f"),
    ):
        caplog.clear()
        robot.call(keyword, *arguments)
        assert part in caplog.messages[-1]


def test_relative_paths_of_what_is_written_start_at_the_output_folder(tmp_path: Path) -> None:
    result = run_suite(
        tmp_path,
        """
*** Settings ***
Library    TftpLibrary    host=127.0.0.1    port=0

*** Test Cases ***
Write Three Files
    ${server}    Start TFTP Server
    Upload Text    hello    f
    ${path}    Start Packet Capture    a/boot.pcapng    keep=always
    Should Be Equal    ${path}    ${{ pathlib.Path($OUTPUT_DIR, 'a', 'boot.pcapng') }}
    TFTP Get    127.0.0.1    f    b/got    port=${server.port}
    ${path}    Save TFTP File    f    c/saved
    Should Be Equal    ${path}    ${{ pathlib.Path($OUTPUT_DIR, 'c', 'saved') }}
""",
    )
    assert failures(result) == {}
    for name in ("a/boot.pcapng", "b/got", "c/saved"):
        assert (tmp_path / name).is_file()


@posix_only
@ordinary_user
def test_what_the_system_forbids_is_told_in_words(robot: RobotCalls, tmp_path: Path) -> None:
    server = robot.call("Start TFTP Server")
    robot.call("Upload Text", "hello", "f")
    closed = tmp_path / "closed"
    closed.mkdir()
    (closed / "x").touch()
    closed.chmod(0)
    paths = [str(closed / "x"), str(closed / "folder" / "x"), str(closed)]
    calls: list[tuple[object, ...]] = [("Upload File", paths[0]), ("Upload Folder", paths[1])]
    calls += [("TFTP Put", path, f"127.0.0.1:{server.port}", "g") for path in paths]
    calls += [("Start TFTP Server", path) for path in paths]
    for path in paths:
        calls += [
            ("Save TFTP File", "f", path),
            ("TFTP Get", f"127.0.0.1:{server.port}", "f", path),
            ("Start Packet Capture", path),
        ]
    for keyword, *arguments in calls:
        with pytest.raises(TftpError) as error:
            robot.call(str(keyword), *arguments)
        assert not RAW.search(str(error.value)), str(error.value)
        assert "closed" in str(error.value), str(error.value)
    closed.chmod(0o700)
