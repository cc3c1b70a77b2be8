"""The identity of a board: MAC, IP and UUID in any common writing, serial number, names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple

from TftpLibrary import networks
from TftpLibrary.errors import UsageError

_HEXADECIMAL = r"(?:0x)?([0-9A-Fa-f]{8})"
_UUID = r"\{?(?:urn:uuid:)?([0-9A-Fa-f]{8}-?(?:[0-9A-Fa-f]{4}-?){3}[0-9A-Fa-f]{12})\}?"
_SHORT = re.compile(r"[0-9A-Fa-f]{1,2}(?:([:-])[0-9A-Fa-f]{1,2})(?:\1[0-9A-Fa-f]{1,2}){4}")
_ETHERNET = r"01[:-](?=(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}$)"
_NAME = re.compile(r"[^\s/\\\x00-\x1f]+")
_DOS_LETTERS = 8
_ONIE = re.compile(r"([^-]+)-(.+)-(r\d+)")


class Identity(NamedTuple):
    """What is known of a board. Each text is empty where it is not known.

    Attributes:
        mac: MAC address, as `52:54:00:ab:cd:07`.
        ip: IPv4 address, as `192.168.77.51`.
        uuid: UUID in lower case, as its label and `dmidecode` show it.
        serial: serial number, as the board writes it.
        hostname: name of the host; before an `@` that of its user.
        arch: architecture, as the loader writes it, with more parts where it has them.
        folder: folder of the names; empty, or with a `/` at its end.
        boot_file: the file that DHCP names to the board.
    """

    mac: str = ""
    ip: str = ""
    uuid: str = ""
    serial: str = ""
    hostname: str = ""
    arch: str = ""
    folder: str | None = None
    boot_file: str = ""

    def fields(self) -> Mapping[str, str]:
        """Returns the parts of names that follow from it; a part that is not known is not there."""
        user, _, host = self.hostname.rpartition("@")
        octets = self.uuid.replace("-", "")
        parts = {
            "mac": self.mac.replace(":", "-"),
            "MAC": self.mac.replace(":", "").upper(),
            "IP": ip_digits(self.ip) if self.ip else "",
            "uuid": wire_order(octets) if octets else "",
            "label_uuid": self.uuid,
            "serial": self.serial,
            "hostname": host,
            "hostname8": host[:_DOS_LETTERS],
            "user": user,
            "boot_file": self.boot_file,
            **_arch_parts(self.arch),
        }
        return {name: value for name, value in parts.items() if value}


def parse_identity(  # noqa: PLR0913 - one argument for each part
    *,
    mac: str = "",
    ip: str = "",
    uuid: str = "",
    serial: str = "",
    hostname: str = "",
    arch: str = "",
    folder: str | None = None,
    boot_file: str = "",
) -> Identity:
    """Returns the identity of a board from texts in any common writing.

    Raises:
        UsageError: one of them is no such thing; the text says what was expected.
    """
    for argument, value in {"serial": serial, "hostname": hostname, "arch": arch}.items():
        if value and not _NAME.fullmatch(value):
            raise UsageError(
                f"{argument}: expected a text without spaces and slashes, got {value!r}."
            )
    if folder is None and "/" in boot_file.replace("\\", "/"):
        cut = max(boot_file.rfind("/"), boot_file.rfind("\\"))
        folder = boot_file[: cut + 1]
    return Identity(
        parse_mac(mac) if mac else "",
        parse_ip(ip) if ip else "",
        parse_uuid(uuid) if uuid else "",
        serial,
        hostname,
        arch,
        None if folder is None else _folder(folder),
        boot_file,
    )


def parse_mac(text: str) -> str:
    """Returns a MAC address as `52:54:00:ab:cd:07`.

    Raises:
        UsageError: it is none.
    """
    plain = re.sub(_ETHERNET, "", text.strip().removeprefix("0x"))
    if _SHORT.fullmatch(plain):
        # Some systems leave out a zero at the beginning of an octet.
        plain = "".join(part.zfill(2) for part in re.split("[:-]", plain))
    found = networks.parse_mac(re.sub(r"\s", "", plain))
    if found is None:
        raise UsageError(
            f"mac: expected a MAC address such as 52:54:00:ab:cd:07, 52-54-00-AB-CD-07 or "
            f"5254.00ab.cd07, got {text!r}."
        )
    return str(found)


def parse_ip(text: str) -> str:
    """Returns an IPv4 address as `192.168.77.51`.

    Raises:
        UsageError: it is none. No loader of the table makes names of an IPv6 address.
    """
    plain = text.strip()
    digits = re.fullmatch(_HEXADECIMAL, plain)
    try:
        found = IPv4Address(int(digits[1], 16)) if digits else ip_address(plain.partition("/")[0])
    except ValueError:
        found = None
    if isinstance(found, IPv6Address):
        found = found.ipv4_mapped
    if found is None:
        raise UsageError(
            f"ip: expected an IPv4 address such as 192.168.77.51, 192.168.77.51/24 or C0A84D33, "
            f"got {text!r}."
        )
    return str(found)


def parse_uuid(text: str) -> str:
    """Returns a UUID in lower case with its hyphens.

    Raises:
        UsageError: it is none.
    """
    match = re.fullmatch(_UUID, text.strip())
    if match is None:
        raise UsageError(
            "uuid: expected a UUID such as 11223344-5566-7788-99aa-bbccddeeff00, as the label or "
            f"dmidecode shows it, got {text!r}."
        )
    return _hyphened(match[1].replace("-", "").lower())


def wire_order(uuid: str) -> str:
    """Returns a UUID with its octets in the order in which firmware sends them, and back again.

    SMBIOS keeps the first three numbers with their lowest octet first, and shows them as numbers
    (DMTF DSP0134, 7.2.1). DHCP's option 97 has the octets as they are kept, and PXELINUX and GRUB
    make names of those.
    """
    plain = uuid.replace("-", "")
    octets = bytes.fromhex(plain)
    return _hyphened((octets[3::-1] + octets[5:3:-1] + octets[7:5:-1] + octets[8:]).hex())


def ip_digits(ip: str) -> str:
    """Returns an IPv4 address as eight hexadecimal digits, in upper case."""
    return f"{int(IPv4Address(ip)):08X}"


def _hyphened(digits: str) -> str:
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _folder(text: str) -> str:
    separator = "\\" if "\\" in text and "/" not in text else "/"
    return text if not text or text.endswith(separator) else f"{text}{separator}"


def _arch_parts(arch: str) -> dict[str, str]:
    """The parts of an architecture that has more than one.

    U-Boot's are those of its build, as in `arm-am33xx-beagle`; ONIE's are those of its platform,
    as in `x86_64-dell_s6000-r0`.
    """
    onie = _ONIE.fullmatch(arch)
    if onie:
        return {"platform": arch, "cpu": onie[1], "machine": onie[2], "arch": onie[1]}
    cpu, _, rest = arch.partition("-")
    soc, _, board = rest.partition("-")
    return {"arch": cpu, "soc": soc, "board": board}
