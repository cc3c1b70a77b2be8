from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from TftpLibrary.errors import UsageError
from TftpLibrary.protocol.packets import ErrorCode
from TftpLibrary.store import names
from TftpLibrary.store.base import StoreError
from TftpLibrary.store.names import (
    HIDDEN_PREFIX,
    fetched_path,
    hidden_name,
    is_hidden,
    local_parts,
    octets_of,
    safe_parts,
    text_of,
)
from utest.support.stores import refused


@pytest.mark.parametrize(
    ("octets", "parts"),
    [
        (b"zImage", ("zImage",)),
        (b"/zImage", ("zImage",)),
        (b"///boot//zImage", ("boot", "zImage")),
        (b"./boot/./zImage", ("boot", "zImage")),
        (b"\\Boot\\BCD", ("Boot", "BCD")),
        (b"boot\\arm/zImage", ("boot", "arm", "zImage")),
        (b"pxelinux.cfg/01-52-54-00-12-34-56", ("pxelinux.cfg", "01-52-54-00-12-34-56")),
        (b"52:54:00:12:34:56/boot.img", ("52:54:00:12:34:56", "boot.img")),
        (b"a..b/...", ("a..b", "...")),
        (b".hidden", (".hidden",)),
        ("größe.bin".encode(), ("größe.bin",)),
        (b"with space", ("with space",)),
        (b"/etc/passwd", ("etc", "passwd")),
        (b"%2e%2e/x", ("%2e%2e", "x")),
    ],
)
def test_names_as_boards_send_them_become_parts(octets: bytes, parts: tuple[str, ...]) -> None:
    assert safe_parts(octets) == parts


@pytest.mark.parametrize(
    "octets",
    [
        b"..",
        b"../secret",
        b"a/../../secret",
        b"a/..",
        b"a/../b",
        b"..\\secret",
        b"/../secret",
        b"a\\..\\..\\secret",
        b"C:\\boot.ini",
        b"c:/boot.ini",
        b"/C:/boot.ini",
        b"C:boot.ini",
        b"a\0b",
        b"\0",
        b"",
        b"/",
        b"\\",
        b".",
        b"boot/",
        b"boot\\",
        b"boot/.",
        b"//",
    ],
)
def test_names_that_leave_the_root_or_name_a_folder_are_forbidden(octets: bytes) -> None:
    with refused(ErrorCode.access_violation):
        safe_parts(octets)


@pytest.mark.parametrize(
    "octets",
    [
        b"a" * 256,
        b"ok/" + b"a" * 256,
        b"a/" * 64 + b"b",
        b"a/" * 600,
        b"a" * 2000,
        HIDDEN_PREFIX.encode() + b"upload-1",
        b"boot/" + HIDDEN_PREFIX.upper().encode() + b"kept-1",
        HIDDEN_PREFIX.encode() + b"folder/x",
    ],
)
def test_names_that_no_file_has_are_not_found(octets: bytes) -> None:
    with refused(ErrorCode.file_not_found):
        safe_parts(octets)


def test_the_longest_names_are_names() -> None:
    assert safe_parts(b"a" * 255) == ("a" * 255,)
    assert len(safe_parts(b"a/" * 63 + b"b")) == 64
    assert safe_parts(b"/".join([b"a" * 255] * 4)) == ("a" * 255,) * 4


def test_octets_that_are_no_utf8_are_a_name() -> None:
    parts = safe_parts(b"caf\xe9.bin")
    assert octets_of(parts) == b"caf\xe9.bin"
    assert text_of(parts) == "caf\\xe9.bin"


def test_an_overlong_encoding_of_dots_is_no_way_up() -> None:
    assert octets_of(safe_parts(b"\xc0\xae\xc0\xae/x")) == b"\xc0\xae\xc0\xae/x"


def parts_or_refusal(octets: bytes) -> tuple[str, ...] | StoreError:
    try:
        return safe_parts(octets)
    except StoreError as error:
        return error


@given(st.binary(max_size=300))
@example(b"..\\/..")
@example(b"a/\xff/..")
@example(b"\xc0\xaf..")
def test_whatever_comes_stays_below_the_root(octets: bytes) -> None:
    answer = parts_or_refusal(octets)
    if isinstance(answer, StoreError):
        assert answer.code in {ErrorCode.access_violation, ErrorCode.file_not_found}
        assert answer.public in {"Access violation", "File not found"}
        str(answer).encode()
        return
    parts = answer
    root = "/srv/tftp"
    path = os.path.normpath("/".join((root, *parts)))
    assert path.startswith(root + "/")
    assert PurePosixPath(path).parts[3:] == parts
    assert not any(set("/\\\0") & set(part) for part in parts)
    assert safe_parts(octets_of(parts)) == parts
    text_of(parts).encode()


@given(st.lists(st.sampled_from(["..", ".", "", "a", "b.", "C:", "~", "/", "\\"]), max_size=8))
def test_no_mixture_of_separators_and_dots_leaves_the_root(pieces: list[str]) -> None:
    for separator in "/\\":
        octets = separator.join(pieces).encode()
        answer = parts_or_refusal(octets)
        assert isinstance(answer, StoreError) or (".." not in answer and all(answer))


@pytest.mark.parametrize(
    "octets",
    [
        b"file:stream",
        b"boot/c:x",
        b"con",
        b"NUL.txt",
        b"com1 .log",
        b"boot/aux/x",
        b"lpt9",
        b"trailing.",
        b"trailing ",
        b"a*b",
        b'a"b',
        b"a\nb",
    ],
)
def test_names_with_a_meaning_of_their_own_are_forbidden_on_windows(
    octets: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "_IS_WINDOWS", True)
    with refused(ErrorCode.access_violation):
        safe_parts(octets)


@pytest.mark.parametrize("octets", [b"Boot/BCD", b"console.bin", b"a.b.c", b"communication"])
def test_plain_names_are_names_on_windows_too(
    octets: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "_IS_WINDOWS", True)
    assert octets_of(safe_parts(octets)) == octets


def test_a_name_that_the_system_cannot_decode_is_not_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Windows decodes names strictly."""
    monkeypatch.setattr(os, "fsdecode", lambda octets: octets.decode("utf-8"))
    with refused(ErrorCode.file_not_found, "not UTF-8"):
        safe_parts(b"\xff, which no other test asks for")


def test_the_authors_names_follow_the_same_rules() -> None:
    assert local_parts("boot/zImage") == ("boot", "zImage")
    assert local_parts("\\boot\\zImage") == ("boot", "zImage")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../x", "the name holds '..'"),
        ("", "the name is that of a folder, not of a file"),
        ("a/", "the name is that of a folder, not of a file"),
        ("C:\\x", "the name begins with a drive letter"),
        ("a\0", "the name holds a NUL"),
        ("\ud800", "surrogates not allowed at character 1"),
        (HIDDEN_PREFIX + "x", f"names with '{HIDDEN_PREFIX}' belong to the store itself"),
    ],
)
def test_a_bad_name_of_the_author_is_explained(name: str, reason: str) -> None:
    with pytest.raises(UsageError) as caught:
        local_parts(name)
    message = str(caught.value)
    assert f"cannot be the name of a file in the store: {reason}. Expected a name below" in message
    message.encode()


def test_hidden_names_are_new_each_time_and_cannot_be_asked_for() -> None:
    first, second = hidden_name("upload"), hidden_name("upload")
    assert first != second
    assert is_hidden(first)
    assert not is_hidden("zImage")
    assert not is_hidden(".profile")
    with refused(ErrorCode.file_not_found):
        safe_parts(first.encode())


def test_text_of_a_name_breaks_no_log() -> None:
    assert text_of(safe_parts("a\u202eb\n<c>/d".encode())) == "a\\u202eb\\x0a<c>/d"


@pytest.mark.parametrize("name", ["f", "a/f", "/a/f", r"\a\f", "..f/f", "../f"])
def test_fetched_file_in_a_folder_has_the_last_part_of_its_name(tmp_path: Path, name: str) -> None:
    assert fetched_path(name, tmp_path) == tmp_path / "f"


@pytest.mark.parametrize("name", ["f", "..", "a/"])
def test_fetched_file_with_a_path_of_its_own_goes_there(tmp_path: Path, name: str) -> None:
    assert fetched_path(name, tmp_path / "copy") == tmp_path / "copy"


@pytest.mark.parametrize("name", ["..", "a/..", ".", "a/", "/", "\\"])
def test_fetched_file_in_a_folder_needs_a_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError) as error:
        fetched_path(name, tmp_path)
    assert str(error.value) == (
        f"'{name}' does not end with the name of a file. Give the path of the file to write, not "
        f"only the folder '{tmp_path}'."
    )
