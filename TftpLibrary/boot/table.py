r"""The table of boot loaders: what each of them asks for, in its order, with the source.

A source is a file and a line of the loader's own source, or its manual. "Measured" is what the real
loader asked of our server under QEMU: `atest/boards/` asks it again. The versions are syslinux
6.04, U-Boot 2023.01, GRUB 2.06, shim 16.1, EDK2 2022.11, iPXE of 2026-08, Petitboot of 2026-01 and
ONIE of 2025-02.

The parts of a name in braces come from the identity of a board (`boot/identity.py`), but for:

| `{folder}`  | the folder of the boot file, or of the loader's own |
| `{IP*}`     | eight names: the digits of the address, and one less each time |
| `{prefix}`  | the folder of a Raspberry Pi: its serial number, a text, or its MAC address |
| `{found}`   | the same, but nothing where the prefix was not found |
"""

from __future__ import annotations

from TftpLibrary.boot.computers import COMPUTERS
from TftpLibrary.boot.devices import DEVICES
from TftpLibrary.boot.loaders import BootLoader, Entry

TABLE: dict[BootLoader, Entry] = {**COMPUTERS, **DEVICES}
"""What each loader asks for. Where the same name is in several of them, the first one is meant."""
