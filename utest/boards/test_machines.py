"""The message about a board that cannot be emulated."""

from __future__ import annotations

from pathlib import Path

import pytest

from atest.boards.emulator import machines
from atest.boards.emulator.machines import Kind, linux_files, machine, missing


@pytest.mark.parametrize("kind", list(Kind))
def test_each_kind_tells_the_one_command_that_installs_it(
    kind: Kind, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    text = missing(kind)
    assert machine(kind).program in text
    assert "On Debian: apt-get install --no-install-recommends qemu-system-" in text


def test_missing_firmware_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(machines, "FIRMWARE", tmp_path)
    assert str(tmp_path / "qemu_arm" / "u-boot.bin") in missing(Kind.arm)


def test_linux_is_fetched_by_a_command_of_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TFTP_LIBRARY_PEERS", str(tmp_path))
    assert linux_files()[0] == tmp_path / "linux-arm64" / "Image"
    assert missing(Kind.linux).endswith("&& python3 -m atest.boards.fetch_linux")


def test_nothing_is_told_when_nothing_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program, firmware = tmp_path / "qemu-system-arm", tmp_path / "qemu_arm" / "u-boot.bin"
    firmware.parent.mkdir()
    for path in (program, firmware):
        path.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(machines, "FIRMWARE", tmp_path)
    assert missing(Kind.arm) == ""
