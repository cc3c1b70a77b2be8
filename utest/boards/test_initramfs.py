"""The small Linux that a board boots."""

from __future__ import annotations

import gzip
import lzma
import subprocess
from pathlib import Path

import pytest

from atest.boards.emulator.initramfs import Entry, archive, build, read_drivers
from utest.support.peers import require


def module(needs: str) -> bytes:
    return b"\x7fELF...license=GPL\0depends=" + needs.encode() + b"\0name=any\0"


def test_archive_is_one_that_cpio_reads(tmp_path: Path) -> None:
    octets = archive([Entry("bin", 0o040755), Entry("bin/odd", 0o100644, b"12345")])
    busybox = require("busybox")
    listed = subprocess.run([busybox, "cpio", "-t"], input=octets, capture_output=True, check=True)
    assert listed.stdout.decode().split() == ["bin", "bin/odd"]
    unpack = [busybox, "cpio", "-i", "-d"]
    subprocess.run(unpack, input=octets, cwd=tmp_path, capture_output=True, check=True)
    assert (tmp_path / "bin" / "odd").read_bytes() == b"12345"


def test_drivers_come_in_the_order_in_which_they_are_loaded(tmp_path: Path) -> None:
    folder = tmp_path / "lib" / "modules" / "net"
    folder.mkdir(parents=True)
    (folder / "virtio_net.ko").write_bytes(module("failover,virtio_ring"))
    (folder / "failover.ko").write_bytes(module(""))
    (folder / "virtio_ring.ko.xz").write_bytes(lzma.compress(module("")))
    (folder / "virtio_mmio.ko").write_bytes(module("virtio_ring"))
    drivers = read_drivers(tmp_path, ("virtio_net", "virtio_mmio"))
    assert list(drivers) == ["failover.ko", "virtio_ring.ko", "virtio_net.ko", "virtio_mmio.ko"]
    assert drivers["virtio_ring.ko"] == module("")


def test_missing_driver_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no module virtio_net"):
        read_drivers(tmp_path, ("virtio_net", "virtio_mmio"))


def test_same_files_make_the_same_octets() -> None:
    once, again = (build(b"busybox", {"net.ko": b"driver"}) for _ in range(2))
    assert once == again
    assert b"insmod /lib/net.ko" in gzip.decompress(once)
