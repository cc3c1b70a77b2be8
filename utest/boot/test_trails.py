from __future__ import annotations

import pytest

from TftpLibrary.boot.identity import parse_identity
from TftpLibrary.boot.loaders import BootLoader
from TftpLibrary.boot.names import boot_file_names
from TftpLibrary.boot.table import TABLE
from TftpLibrary.boot.trails import Trail, find_trails, is_miss, loader_of_options, steps_of
from TftpLibrary.protocol.outcome import Cause, Outcome
from TftpLibrary.protocol.packets import Direction
from TftpLibrary.recording.records import OptionValues, Transfer
from utest.support.boots import asked, boot, found
from utest.support.records import completed, ended, refused

OTHER = "192.168.1.51"
BOARD = parse_identity(
    mac="52:54:00:ab:cd:07",
    ip="10.0.2.15",
    uuid="11223344-5566-7788-99aa-bbccddeeff00",
    serial="9ffefdef",
    hostname="switch7x9",
    arch="x86_64-dell_s6000-r0",
)
BY_DHCP = {BootLoader.uefi, BootLoader.ipxe}
"""They ask only for what DHCP names."""
SAME_NAMES = {BootLoader.petitboot: BootLoader.pxelinux}


def trails(*transfers: Transfer) -> list[Trail]:
    return find_trails([t._replace(id=place) for place, t in enumerate(transfers, 1)])


def told(*transfers: Transfer) -> list[tuple[str, int, bool]]:
    """The loader, the number of requests, and whether it is a guess, of each trail."""
    return [(t.loader.name, len(t.visits), t.is_guess) for t in trails(*transfers)]


@pytest.mark.parametrize("loader", [each for each in BootLoader if each not in BY_DHCP])
def test_names_of_each_loader_are_found_again_as_one_trail(loader: BootLoader) -> None:
    names = boot_file_names(loader, BOARD)
    (trail,) = trails(*asked(names, loader))
    assert trail.loader is SAME_NAMES.get(loader, loader)
    assert [visit.asked.filename for visit in trail.visits] == names


def test_options_tell_which_of_the_loaders_with_the_same_names_asks() -> None:
    names = ["pxelinux.cfg/01-52-54-00-ab-cd-07", "pxelinux.cfg/default"]
    assert told(*asked(names, BootLoader.pxelinux)) == [("pxelinux", 2, False)]
    assert told(*asked(names, BootLoader.u_boot)) == [("u_boot", 2, False)]
    assert told(*asked(names)) == [("pxelinux", 2, True)]


def test_name_that_only_one_loader_asks_for_tells_it_without_options() -> None:
    assert told(*asked(["pxelinux.cfg/default-arm", "pxelinux.cfg/default"])) == [
        ("u_boot", 2, False)
    ]
    assert told(*asked(["revocations_sku.efi", "revocations_sbat.efi"])) == [("shim", 2, False)]


def test_one_name_alone_is_a_guess() -> None:
    (trail,) = trails(*asked(["config.txt"]))
    assert trail.is_guess
    assert not trail.is_convincing
    assert trail.title == "Raspberry Pi"
    assert trail.described == "the firmware of a Raspberry Pi"


def test_three_names_are_convincing_whoever_asks() -> None:
    (trail,) = trails(*asked(["config.txt", "recovery.elf", "start.elf"]))
    assert trail.is_convincing


def test_grub_that_asked_for_a_file_of_its_board_is_not_a_signed_one() -> None:
    lists = [f"/grub/x86_64-efi/{name}.lst" for name in ("command", "fs", "crypto", "terminal")]
    own = ["/grub/grub.cfg-01-52-54-00-ab-cd-07", *lists, "/grub/grub.cfg"]
    assert told(*asked(own, BootLoader.grub)) == [("grub", 6, False)]
    assert told(*asked(own[1:], BootLoader.grub)) == [("grub_signed", 5, False)]


def test_boot_passes_through_several_loaders() -> None:
    """As UEFI, shim and GRUB asked under QEMU."""
    assert told(*boot()) == [("shim", 4, False), ("grub_signed", 5, False)]


def test_another_boot_is_another_trail() -> None:
    assert [name for name, *_ in told(*boot(), *boot())] == ["shim", "grub_signed"] * 2


def test_boards_have_trails_of_their_own() -> None:
    names = boot_file_names(BootLoader.pxelinux, BOARD)
    mixed = [t for n in names for t in (*asked([n]), *asked([n], client=OTHER))]
    assert [(t.client, len(t.visits)) for t in trails(*mixed)] == [
        ("192.168.1.50", 12),
        (OTHER, 12),
    ]


def test_address_of_another_board_is_no_shorter_one() -> None:
    assert len(told(*asked(["pxelinux.cfg/0A00020F", "pxelinux.cfg/0A00020E"]))) == 2
    assert len(told(*asked(["pxelinux.cfg/0A00020F", "pxelinux.cfg/0A00020"]))) == 1


def test_another_folder_is_another_trail() -> None:
    assert len(told(*asked(["a/pxelinux.cfg/0A", "pxelinux.cfg/default"]))) == 2


def test_names_that_could_be_anything_begin_no_trail() -> None:
    """A switch asks for `switch7.cfg` after `fp-net.cfg`; alone it may be any board's."""
    assert told(*asked(["switch7.cfg", "zImage", "boot/vmlinuz", "own.img"])) == []
    assert told(*asked(["fp-net.cfg", "switch7.cfg"])) == [("netgear", 2, False)]


def test_our_client_and_uploads_are_no_boards() -> None:
    names = ["pxelinux.cfg/0A", "pxelinux.cfg/default"]
    assert told(*asked(names, is_ours=True)) == []
    assert told(*asked(names, direction=Direction.write)) == []


def test_raspberry_pi_asks_in_any_order_and_for_its_kernel_between() -> None:
    names = ["9ffefdef/start4.elf", "9ffefdef/config.txt", "my-kernel", "9ffefdef/recover4.elf"]
    assert told(*asked(names, BootLoader.raspberry_pi_4)) == [("raspberry_pi_4", 3, False)]


def test_trail_is_over_with_its_last_name_or_with_another_file() -> None:
    names = ["pxelinux.cfg/01-52-54-00-ab-cd-07", "pxelinux.cfg/default"]
    assert not trails(*asked(names[:1]))[0].is_over
    assert trails(*asked(names))[0].is_over
    assert trails(*asked(names[:1]), completed("vmlinuz"))[0].is_over
    assert not trails(*asked(names[:1]), completed("vmlinuz", client=OTHER))[0].is_over


def test_misses_before_the_one_that_is_there_are_normal() -> None:
    names = boot_file_names(BootLoader.pxelinux, BOARD)
    (trail,) = trails(found(names[0]), *asked(names[1:-1]), found(names[-1]))
    assert [asked.filename for asked in trail.normal()] == names[1:-1]
    assert [visit.asked.filename for visit in trail.found] == names[-1:]


def test_misses_of_a_search_that_found_nothing_are_not_normal() -> None:
    (trail,) = trails(*asked(boot_file_names(BootLoader.pxelinux, BOARD)))
    assert list(trail.normal()) == []
    assert len(trail.misses) == 12


def test_optional_files_are_normal_misses_and_needed_ones_are_not() -> None:
    (trail,) = trails(*asked(boot_file_names(BootLoader.shim, BOARD)))
    assert [asked.filename for asked in trail.normal()] == [
        "revocations_sku.efi",
        "revocations_sbat.efi",
        "shim_certificate_0.efi",
    ]


def test_file_in_the_folder_of_a_raspberry_pi_is_normal_to_miss_if_it_is_outside() -> None:
    names = ["9ffefdef/start4.elf", "9ffefdef/start.elf", "config.txt", "recover4.elf"]
    (trail,) = trails(*asked(names, BootLoader.raspberry_pi_4), found("start4.elf"))
    assert [asked.filename for asked in trail.normal()] == names


@pytest.mark.parametrize(
    ("transfer", "is_one"),
    [
        (refused(), True),
        (refused(cause=Cause.on_purpose), False),
        (refused(error_code=2), False),
        (refused(direction=Direction.write), False),
        (completed(), False),
        (ended("a", Outcome.failed, error_code=1), False),
    ],
)
def test_only_a_file_that_is_not_there_is_a_miss(transfer: Transfer, is_one: bool) -> None:
    assert is_miss(transfer) is is_one


def test_name_in_the_store_is_known_by_the_loaders_that_ask_for_such() -> None:
    assert BootLoader.grub in steps_of("grub/grub.cfg-01-52-54-00-ab-cd-07")
    assert not steps_of("vmlinuz")
    assert not steps_of("pxelinux.cfg/" * 100)
    assert not steps_of("xpxelinux.cfg/default")


def test_loaders_of_options_are_those_that_ask_with_them_in_this_order() -> None:
    options = OptionValues((("tsize", "0"), ("blksize", "1408")))
    assert loader_of_options(options) == {BootLoader.pxelinux}
    assert not loader_of_options(OptionValues((("blksize", "1408"), ("tsize", "0"))))
    assert {each for each in TABLE if TABLE[each].options} >= {BootLoader.uefi}
