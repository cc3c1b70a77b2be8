"""The requests of boot loaders: their options, their order, and the names that they try.

A loader is a row of `LOADERS`, with the options that the real one sends.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import NamedTuple

FILES_OF_A_LABEL = ("kernel", "linux", "initrd", "fdt")


class Loader(NamedTuple):
    """How a boot loader asks.

    Attributes:
        options: the options of each request, in their order.
        probes_size: whether it asks for the size of a file before it reads the file.
        reads_configuration: whether it looks for a configuration of PXELINUX after its own files,
            and loads the files that this names.
    """

    options: Mapping[str, str]
    probes_size: bool = False
    reads_configuration: bool = False


LOADERS: Mapping[str, Loader] = {
    "u-boot": Loader({"timeout": "5", "blksize": "1468"}),
    "pxelinux": Loader({"tsize": "0", "blksize": "1408"}, reads_configuration=True),
    "uefi": Loader({"blksize": "1468", "windowsize": "4"}, probes_size=True),
}


def configuration_names(first: str, mac: str, address: str) -> list[str]:
    """Returns the names that PXELINUX tries for its configuration, in their order.

    A real one begins with the UUID of the board where its firmware knows one.

    Args:
        first: the file of the loader itself; the configurations are beside it.
        mac: the MAC address of the board, `52:54:00:12:34:56`.
        address: the IP address of the board; an IPv6 address is not tried.
    """
    names = [f"01-{mac.lower().replace(':', '-')}"]
    where = ipaddress.ip_address(address)
    if where.version == 4:
        digits = f"{int(where):08X}"
        names += [digits[:length] for length in range(8, 0, -1)]
    return [beside(first, f"pxelinux.cfg/{name}") for name in [*names, "default"]]


def files_of_configuration(first: str, text: str) -> list[str]:
    """Returns the files that the default label of a configuration names, in their order.

    Without `DEFAULT` it is the first label; files before any label count for every label.
    """
    default = label = ""
    files: dict[str, list[str]] = {label: []}
    for line in text.splitlines():
        word, _, rest = line.strip().partition(" ")
        word, rest = word.lower(), rest.strip()
        if word == "default":
            default = rest
        elif word == "label":
            label = rest
            files[label] = []
        elif word in FILES_OF_A_LABEL:
            files[label] += rest.split(",")
    for_all = files.pop("")
    chosen = files.get(default) or next(iter(files.values()), [])
    return [beside(first, name) for name in for_all + chosen]


def beside(first: str, name: str) -> str:
    """Returns a name in the folder of the loader itself, unless it begins with a slash."""
    folder, slash, _ = first.rpartition("/")
    return name if name.startswith("/") else f"{folder}{slash}{name}"
