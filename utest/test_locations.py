from __future__ import annotations

import pytest

from TftpLibrary.errors import UsageError
from TftpLibrary.locations import Location, has_port, locate, locate_target, locate_wanted


@pytest.mark.parametrize(
    ("host", "port", "name", "location"),
    [
        ("192.168.1.1", 69, "zImage", Location("192.168.1.1", 69, "zImage")),
        ("board", 6969, "zImage", Location("board", 6969, "zImage")),
        (" board:6969 ", 69, "zImage", Location("board", 6969, "zImage")),
        ("board:6969", 6969, "zImage", Location("board", 6969, "zImage")),
        ("fe80::1%eth0", 69, "zImage", Location("fe80::1%eth0", 69, "zImage")),
        ("::1:69", 69, "zImage", Location("::1:69", 69, "zImage")),
        ("[::1]", 69, "zImage", Location("::1", 69, "zImage")),
        ("[::1]:6969", 69, "zImage", Location("::1", 6969, "zImage")),
        ("tftp://board/zImage", 69, "", Location("board", 69, "zImage")),
        ("TFTP://board:6969/boot/zImage", 69, "", Location("board", 6969, "boot/zImage")),
        ("tftp://board/zImage", 6969, "", Location("board", 6969, "zImage")),
        ("tftp://[::1]:6969/zImage", 69, "", Location("::1", 6969, "zImage")),
        ("tftp://board", 69, "zImage", Location("board", 69, "zImage")),
        ("tftp://board/", 69, "zImage", Location("board", 69, "zImage")),
        ("tftp://board/boot/", 69, "zImage", Location("board", 69, "boot/zImage")),
        ("tftp://board//boot/zImage", 69, "", Location("board", 69, "/boot/zImage")),
        ("tftp://board/a%20b%25.bin", 69, "", Location("board", 69, "a b%.bin")),
        ("tftp://board/log;mode=netascii", 69, "", Location("board", 69, "log", "netascii")),
        ("tftp://board/log;mode=OCTET", 69, "", Location("board", 69, "log", "octet")),
    ],
)
def test_host_port_and_name_are_found_in_what_a_user_writes(
    host: str, port: int, name: str, location: Location
) -> None:
    assert locate(host, port, name) == location


@pytest.mark.parametrize(
    ("host", "port", "name", "message"),
    [
        ("http://board/zImage", 69, "", "'http://' is no TFTP server. Expected tftp://host/name."),
        (
            "tftp://board/boot/zImage",
            69,
            "zImage",
            "The file is named twice: 'boot/zImage' in the URL, and 'zImage'. Give one of them.",
        ),
        (
            "images/zImage",
            69,
            "127.0.0.1",
            "'images/zImage' is a path, and no host. To get a file the host comes first, to put "
            "one the file comes first.",
        ),
        (
            "C:\\zImage",
            69,
            "",
            "'C:\\zImage' is a path, and no host. To get a file the host comes first, to put one "
            "the file comes first.",
        ),
        (
            "board:6969",
            7070,
            "zImage",
            "There are two ports: 6969 behind the host, and port=7070.",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(host: str, port: int, name: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        locate(host, port, name)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("host", "is_more"),
    [
        ("127.0.0.1", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("127.0.0.1:69", True),
        ("[::1]:69", True),
        ("tftp://127.0.0.1", True),
    ],
)
def test_a_host_with_a_port_is_told_from_a_host(host: str, is_more: bool) -> None:
    assert has_port(host) is is_more


@pytest.mark.parametrize(
    ("host", "name", "has_destination", "wanted"),
    [
        ("board", "zImage", False, ("zImage", "")),
        ("board", "zImage", True, ("zImage", "")),
        ("tftp://board/zImage", "", False, ("zImage", "")),
        ("tftp://board/zImage", "copy", False, ("zImage", "copy")),
        ("tftp://board/zImage", "", True, ("zImage", "")),
        ("tftp://board/boot/", "zImage", False, ("boot/zImage", "")),
    ],
)
def test_the_destination_may_follow_a_url(
    host: str, name: str, has_destination: bool, wanted: tuple[str, str]
) -> None:
    place, destination = locate_wanted(host, 69, name, has_destination=has_destination)
    assert (place.name, destination) == wanted


@pytest.mark.parametrize("host", ["board", "tftp://board", "tftp://board/"])
def test_a_file_must_be_named(host: str) -> None:
    with pytest.raises(UsageError, match=r"No file is named\. Give its name behind the host, or"):
        locate_wanted(host, 69, "", has_destination=False)


def test_a_url_with_a_name_takes_no_other_name_and_a_destination() -> None:
    with pytest.raises(UsageError, match="The file is named twice: 'a' in the URL, and 'b'."):
        locate_wanted("tftp://board/a", 69, "b", has_destination=True)
    with pytest.raises(UsageError, match="The file is named twice: 'a' in the URL, and 'b'."):
        locate_target("tftp://board/a", 69, "b", "c")


@pytest.mark.parametrize(
    ("host", "name", "found"),
    [
        ("board", "", "own"),
        ("board", "new", "new"),
        ("tftp://board/new", "", "new"),
        ("tftp://board", "", "own"),
        ("tftp://board/boot/", "", "boot/own"),
        ("tftp://board/boot/", "new", "boot/new"),
    ],
)
def test_a_file_is_put_under_its_own_name_where_no_other_is_given(
    host: str, name: str, found: str
) -> None:
    assert locate_target(host, 69, name, "own").name == found
