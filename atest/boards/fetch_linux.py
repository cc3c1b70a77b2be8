"""Fetches Debian's Linux for the emulated board: `python3 -m atest.boards.fetch_linux`.

It downloads a kernel and busybox for arm64 and for amd64 with apt, whose keys check them, and makes
an initramfs of each. All of it lies in `.peers/linux-arm64` and `.peers/linux-amd64`, apt's own
lists too: the machine is not changed, nothing is installed, and no right is needed. Another folder
is `TFTP_LIBRARY_PEERS`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from atest.boards.emulator.initramfs import build, read_drivers
from atest.boards.emulator.machines import linux_files, linux_folder

KERNEL, BUSYBOX = "linux-image-cloud-{}", "busybox-static"
DRIVERS = {"arm64": ("virtio_net", "virtio_mmio"), "amd64": ("virtio_pci", "virtio_net")}
"""The modules that the card of a board needs, for each processor."""

_CONFIGURATION = """\
APT::Architecture "{processor}";
APT::Architectures {{ "{processor}"; }};
APT::Sandbox::User "{user}";
Acquire::Retries "3";
Dir::State "{place}";
Dir::State::status "{place}/status";
Dir::Cache "{place}";
"""


def fetch(place: Path, processor: str) -> tuple[Path, bytes, dict[str, bytes]]:
    """Downloads and unpacks the packages for a processor below `place`.

    Returns:
        The kernel, busybox, and the modules that the board needs.
    """
    for name in ("lists/partial", "archives/partial"):
        (place / name).mkdir(parents=True)
    (place / "status").touch()
    configuration = place / "apt.conf"
    user = "root" if sys.platform != "win32" and os.geteuid() == 0 else ""
    configuration.write_text(
        _CONFIGURATION.format(place=place, user=user, processor=processor), "utf-8"
    )
    environment = {**os.environ, "APT_CONFIG": str(configuration)}

    def run(*command: str) -> str:
        done = subprocess.run(
            command, cwd=place, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            sys.exit(f"'{' '.join(command)}' failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    run("apt-get", "-qq", "update")
    depends = run("apt-cache", "depends", "--important", KERNEL.format(processor))
    kernel = depends.partition("Depends: ")[2].split()[0]
    run("apt-get", "-qq", "download", kernel, BUSYBOX)
    for package in place.glob("*.deb"):
        run("dpkg", "-x", str(package), str(place / "unpacked"))
    unpacked = place / "unpacked"
    image = next(unpacked.glob("boot/vmlinuz-*"))
    busybox = next(path for path in unpacked.rglob("bin/busybox") if path.is_file())
    return image, busybox.read_bytes(), read_drivers(unpacked, DRIVERS[processor])


def main() -> None:
    """Fetches Linux for each processor, unless it is there."""
    for processor in DRIVERS:
        folder = linux_folder(processor)
        image, initramfs = linux_files(processor)
        if image.exists() and initramfs.exists():
            sys.stdout.write(f"Linux for the emulated board is there: {folder}\n")
            continue
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="fetch-", dir=folder) as place:
            kernel, busybox, drivers = fetch(Path(place).resolve(), processor)
            initramfs.write_bytes(build(busybox, drivers))
            shutil.move(kernel, image)
        sys.stdout.write(f"{KERNEL.format(processor)} and {BUSYBOX} are fetched: {folder}\n")


if __name__ == "__main__":
    main()
