from __future__ import annotations

import pytest

from TftpLibrary.boot.identity import (
    Identity,
    ip_digits,
    parse_identity,
    parse_ip,
    parse_mac,
    parse_uuid,
    wire_order,
)
from TftpLibrary.errors import UsageError

UUID = "11223344-5566-7788-99aa-bbccddeeff00"


@pytest.mark.parametrize(
    "text",
    [
        "52:54:00:ab:cd:07",
        "52-54-00-AB-CD-07",
        "5254.00ab.cd07",
        "525400ABCD07",
        "52:54:0:ab:cd:7",
        "01-52-54-00-ab-cd-07",
        " 52 54 00 ab cd 07 ",
        "0x525400abcd07",
    ],
)
def test_mac_address_is_read_in_any_common_writing(text: str) -> None:
    assert parse_mac(text) == "52:54:00:ab:cd:07"


@pytest.mark.parametrize(
    "text",
    ["192.168.77.51", "192.168.77.51/24", "C0A84D33", "0xc0a84d33", "::ffff:192.168.77.51"],
)
def test_ip_address_is_read_in_any_common_writing(text: str) -> None:
    assert parse_ip(text) == "192.168.77.51"


@pytest.mark.parametrize(
    "text",
    [
        UUID,
        UUID.upper(),
        f"{{{UUID}}}",
        f"urn:uuid:{UUID}",
        UUID.replace("-", ""),
    ],
)
def test_uuid_is_read_in_any_common_writing(text: str) -> None:
    assert parse_uuid(text) == UUID


@pytest.mark.parametrize(
    ("argument", "text", "expected"),
    [
        ("mac", "52:54:00:ab:cd", "mac: expected a MAC address such as 52:54:00:ab:cd:07"),
        ("mac", "52:54:00:ab:cd:0g", "got '52:54:00:ab:cd:0g'."),
        ("mac", "52:54-00:ab:cd:07:01", "mac: expected a MAC address"),
        ("ip", "192.168.77", "ip: expected an IPv4 address such as 192.168.77.51"),
        ("ip", "fe80::1", "ip: expected an IPv4 address"),
        ("uuid", "11223344", "uuid: expected a UUID such as 11223344-5566-7788-99aa-bbccddeeff00"),
        ("serial", "a/b", "serial: expected a text without spaces and slashes, got 'a/b'."),
        ("hostname", "a b", "hostname: expected a text without spaces and slashes, got 'a b'."),
        ("arch", "..\n", "arch: expected a text without spaces and slashes"),
    ],
)
def test_nonsense_fails_with_what_was_expected(argument: str, text: str, expected: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_identity(**{argument: text})
    assert expected in str(error.value)


def test_uuid_on_the_wire_has_its_first_three_numbers_the_other_way_round() -> None:
    """As PXELINUX and GRUB asked for that of a machine whose label shows the other."""
    assert wire_order(UUID) == "44332211-6655-8877-99aa-bbccddeeff00"
    assert wire_order(wire_order(UUID)) == UUID


def test_ip_address_is_eight_digits_in_upper_case() -> None:
    assert ip_digits("10.0.2.15") == "0A00020F"


def test_parts_of_names_follow_from_what_is_known_of_the_board() -> None:
    identity = parse_identity(
        mac="52:54:00:ab:cd:07", hostname="jane@switch-7x9", arch="arm-am33xx-beagle-bone"
    )
    assert identity.fields() == {
        "mac": "52-54-00-ab-cd-07",
        "MAC": "525400ABCD07",
        "user": "jane",
        "hostname": "switch-7x9",
        "hostname8": "switch-7",
        "arch": "arm",
        "soc": "am33xx",
        "board": "beagle-bone",
    }
    assert Identity().fields() == {}


def test_platform_of_a_bare_switch_has_its_own_parts() -> None:
    fields = parse_identity(arch="x86_64-dell_s6000-r0").fields()
    assert (fields["platform"], fields["cpu"], fields["machine"]) == (
        "x86_64-dell_s6000-r0",
        "x86_64",
        "dell_s6000",
    )


@pytest.mark.parametrize(
    ("given", "folder"),
    [
        ({}, None),
        ({"boot_file": "pxelinux.0"}, None),
        ({"boot_file": "a/b/pxelinux.0"}, "a/b/"),
        ({"boot_file": "a\\b\\shimx64.efi"}, "a\\b\\"),
        ({"boot_file": "a/pxelinux.0", "folder": "pre"}, "pre/"),
        ({"folder": ""}, ""),
        ({"folder": "/grub/"}, "/grub/"),
    ],
)
def test_folder_is_that_of_the_boot_file_unless_it_is_given(
    given: dict[str, str], folder: str | None
) -> None:
    assert parse_identity(**given).folder == folder
