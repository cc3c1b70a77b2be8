"""Fetches Debian's Linux for the emulated board: `python3 -m atest.boards.fetch_linux`.

It downloads the arm64 kernel and busybox with apt, whose keys check them, and makes an initramfs.
All of it lies in `.peers/linux-arm64`, apt's own lists too: the machine is not changed, nothing
is installed, and no right is needed. Another folder is `TFTP_LIBRARY_PEERS`.
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

KERNEL, BUSYBOX = "linux-image-cloud-arm64", "busybox-static"

_CONFIGURATION = """\
APT::Architecture "arm64";
APT::Architectures {{ "arm64"; }};
APT::Sandbox::User "{user}";
Acquire::Retries "3";
Dir::State "{place}";
Dir::State::status "{place}/status";
Dir::Cache "{place}";
"""


def fetch(place: Path) -> tuple[Path, bytes, dict[str, bytes]]:
    """Downloads and unpacks the packages below `place`.

    Returns:
        The kernel, busybox, and the modules that the board needs.
    """
    for name in ("lists/partial", "archives/partial"):
        (place / name).mkdir(parents=True)
    (place / "status").touch()
    configuration = place / "apt.conf"
    user = "root" if sys.platform != "win32" and os.geteuid() == 0 else ""
    configuration.write_text(_CONFIGURATION.format(place=place, user=user), "utf-8")
    environment = {**os.environ, "APT_CONFIG": str(configuration)}

    def run(*command: str) -> str:
        done = subprocess.run(
            command, cwd=place, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            sys.exit(f"'{' '.join(command)}' failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    run("apt-get", "-qq", "update")
    depends = run("apt-cache", "depends", "--important", KERNEL)
    kernel = depends.partition("Depends: ")[2].split()[0]
    run("apt-get", "-qq", "download", kernel, BUSYBOX)
    for package in place.glob("*.deb"):
        run("dpkg", "-x", str(package), str(place / "unpacked"))
    unpacked = place / "unpacked"
    image = next(unpacked.glob("boot/vmlinuz-*"))
    busybox = next(path for path in unpacked.rglob("bin/busybox") if path.is_file())
    return image, busybox.read_bytes(), read_drivers(unpacked)


def main() -> None:
    """Fetches Linux, unless it is there."""
    image, initramfs = linux_files()
    if image.exists() and initramfs.exists():
        sys.stdout.write(f"Linux for the emulated board is there: {linux_folder()}\n")
        return
    linux_folder().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="fetch-", dir=linux_folder()) as place:
        kernel, busybox, drivers = fetch(Path(place).resolve())
        initramfs.write_bytes(build(busybox, drivers))
        shutil.move(kernel, image)
    sys.stdout.write(f"{KERNEL} and {BUSYBOX} are fetched: {linux_folder()}\n")


if __name__ == "__main__":
    main()
