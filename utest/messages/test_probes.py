from __future__ import annotations

from collections.abc import Sequence

import pytest

from TftpLibrary.boot.identity import parse_identity
from TftpLibrary.boot.loaders import BootLoader
from TftpLibrary.boot.names import boot_file_names
from TftpLibrary.boot.trails import find_trails
from TftpLibrary.messages.probes import (
    MOST_FOLDED,
    Probes,
    advice_for,
    fold,
    is_told_now,
    may_be_probe,
    names_text,
    normal_misses,
    stuck_boards,
)
from TftpLibrary.recording.records import Transfer
from utest.support.boots import asked, boot, found
from utest.support.records import completed, refused

OTHER = "192.168.1.51"
BOARD = parse_identity(mac="52:54:00:ab:cd:07", ip="192.168.77.51")
UPLOAD = "Upload it under the name that the board asks for."


def numbered(*transfers: Transfer) -> tuple[Transfer, ...]:
    return tuple(t._replace(id=place) for place, t in enumerate(transfers, 1))


def pxelinux(until: str = "", **known: str) -> tuple[Transfer, ...]:
    """PXELINUX looks for its configuration; with `until` it is found."""
    identity = parse_identity(**known) if known else BOARD
    names = boot_file_names(BootLoader.pxelinux, identity, until)
    last = found(names[-1], BootLoader.pxelinux) if until else None
    misses = asked(names[1:-1] if until else names[1:], BootLoader.pxelinux)
    return numbered(found(names[0], BootLoader.pxelinux), *misses, *([last] if last else []))


def stuck(*transfers: Transfer, names: Sequence[str] = ()) -> list[tuple[str, str]]:
    return stuck_boards(numbered(*transfers), lambda: names)


def advice(*names: str, **known: str) -> str:
    (trail,) = find_trails(pxelinux(**known))
    return advice_for(trail, names)


def test_misses_of_a_loader_stand_together_in_a_list() -> None:
    first, probes, last = fold(pxelinux(until="default"))
    assert (first.id, last.id) == (1, 11)
    assert str(probes) == (
        "2 to 10 PXELINUX from 192.168.1.50 looked for its configuration: 9 names that need not "
        "exist, and then 'pxelinux.cfg/default'"
    )


def test_search_that_found_nothing_says_so() -> None:
    _, probes = fold(pxelinux())
    assert isinstance(probes, Probes)
    assert probes.is_failure
    assert str(probes).endswith("looked for its configuration: 10 names, file not found")
    assert (probes.word, probes.filename) == ("refused", "pxelinux.cfg/01-52-54-00-ab-cd-07")


def test_guess_is_said_as_one() -> None:
    names = ["pxelinux.cfg/0A", "pxelinux.cfg/0", "pxelinux.cfg/default"]
    (probes,) = fold(numbered(*asked(names)))
    assert "1 to 3 probably PXELINUX from 192.168.1.50 looked" in str(probes)


def test_one_miss_and_misses_of_nobody_known_stand_alone() -> None:
    alone = numbered(*asked(["pxelinux.cfg/default"]), refused("a"), refused("b"), refused("c"))
    assert fold(alone) == list(alone)


def test_file_that_a_loader_cannot_do_without_stands_alone() -> None:
    shim = boot_file_names(BootLoader.shim, BOARD)
    items = fold(numbered(*asked(shim, BootLoader.shim)))
    assert [isinstance(item, Probes) for item in items] == [True, False]


def test_only_the_latest_requests_are_put_together() -> None:
    old = pxelinux()
    many = numbered(*old, *(completed() for _ in range(MOST_FOLDED)))
    assert len(fold(many)) == len(many)


def test_normal_misses_are_those_of_healthy_boots() -> None:
    transfers = numbered(*boot(), *pxelinux(until="default"), refused("vmlinuz"))
    normal = normal_misses(transfers)
    assert [t.id for t in transfers if "refused" in str(t.outcome) and t.id not in normal] == [
        len(transfers)
    ]
    # Two names without options may be of any program.
    assert not normal_misses(numbered(*asked(["config.txt", "recovery.elf"])))


def test_failed_search_is_one_sentence() -> None:
    assert stuck(*pxelinux(), names=["vmlinuz"]) == [
        (
            "The board runs PXELINUX and found no configuration: it asked "
            "pxelinux.cfg/01-52-54-00-ab-cd-07, C0A84D33 and 7 shorter ones, default",
            "The store has none of them. Upload the file under a name that the board asks for.",
        )
    ]


def test_healthy_boots_are_not_stuck() -> None:
    assert stuck(*boot(), *pxelinux(until="default")) == []


def test_only_the_last_boot_of_a_board_counts() -> None:
    assert stuck(*pxelinux(), *pxelinux(until="default")) == []


def test_boards_are_named_where_there_are_several() -> None:
    names = boot_file_names(BootLoader.u_boot, BOARD)
    told = stuck(*pxelinux(), *asked(names, BootLoader.u_boot, client=OTHER))
    assert [came.partition(" and ")[0] for came, _ in told] == [
        "The board 192.168.1.50 runs PXELINUX",
        "The board 192.168.1.51 runs U-Boot",
    ]


def test_missing_file_that_a_loader_needs_is_named() -> None:
    shim = boot_file_names(BootLoader.shim, BOARD)
    assert stuck(*asked(shim, BootLoader.shim), names=["grubX64.efi"]) == [
        (
            "The board runs shim and needs 'grubx64.efi', which is not there",
            f"The store has 'grubX64.efi': it differs in case only. {UPLOAD}",
        )
    ]


def test_signed_grub_does_not_look_for_the_file_of_its_board() -> None:
    own = "grub/grub.cfg-01-52-54-00-ab-cd-07"
    told = stuck(*boot(), names=["grub/grub.cfg", own])
    assert told == [
        (
            "The board runs a GRUB that looks for no file of its own, as Debian and Ubuntu sign "
            "it: it asked /grub/grub.cfg only",
            f"The store has '{own}', for which it never asks. Upload that as 'grub/grub.cfg' with "
            "only_for=192.168.1.50.",
        )
    ]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (
            "pxelinux.cfg/01-52-54-00-AB-CD-07",
            f"The store has 'pxelinux.cfg/01-52-54-00-AB-CD-07': it differs in case only. {UPLOAD}",
        ),
        ("PXElinux.cfg/DEFAULT", "it differs in case only."),
        ("tftpboot/pxelinux.cfg/default", "': it is in another folder."),
        (
            "pxelinux.cfg/01-52-54-00-ab-cd-08",
            "The store has 'pxelinux.cfg/01-52-54-00-ab-cd-08', which this board does not ask for.",
        ),
    ],
)
def test_advice_names_what_the_store_has_instead(name: str, told: str) -> None:
    assert told in advice("zImage", name)


def test_uuid_as_the_label_shows_it_is_recognised() -> None:
    uuid = "11223344-5566-7788-99aa-bbccddeeff00"
    assert advice(f"pxelinux.cfg/{uuid}", uuid=uuid) == (
        f"The store has 'pxelinux.cfg/{uuid}': the loader asks for its UUID with the bytes in "
        f"another order. {UPLOAD}"
    )


def test_long_search_is_cut() -> None:
    identity = parse_identity(mac="52:54:00:ab:cd:07", arch="x86_64-dell_s6000-r0")
    (trail,) = find_trails(numbered(*asked(boot_file_names(BootLoader.onie, identity))))
    text = names_text(trail.searched)
    assert text.startswith("52-54-00-ab-cd-07/onie-installer-x86_64-dell_s6000-r0, onie-installer")
    assert text.endswith(", and 3 more")


def test_one_shorter_name_is_singular() -> None:
    (trail,) = find_trails(numbered(*asked(["pxelinux.cfg/0A", "pxelinux.cfg/0"])))
    assert names_text(trail.searched) == "pxelinux.cfg/0A and 1 shorter one"


def test_miss_waits_for_the_end_of_its_search() -> None:
    (miss,) = numbered(*asked(["pxelinux.cfg/01-52-54-00-ab-cd-07"]))
    assert may_be_probe(miss)
    assert not is_told_now(miss, [miss])
    assert is_told_now(miss, [miss, completed(id=2)])
    assert is_told_now(refused("zImage"), [])
    probes = fold(pxelinux())[1]
    assert is_told_now(probes, [])
