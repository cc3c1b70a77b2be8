from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from TftpLibrary.errors import UsageError
from TftpLibrary.protocol.options import Policy
from TftpLibrary.protocol.roles import Timing
from TftpLibrary.settings import ClientSettings, Retransmission, ServerSettings
from TftpLibrary.store.base import WritePolicy


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"port": 99999}, "port must be from 0 to 65535, got 99999 (0 takes a free one)."),
        ({"port": -1}, "port must be from 0 to 65535, got -1 (0 takes a free one)."),
        ({"max_blksize": 7}, "max_blksize must be from 8 to 65464, got 7 (RFC 2348)."),
        ({"max_blksize": 65465}, "max_blksize must be from 8 to 65464, got 65465 (RFC 2348)."),
        ({"max_windowsize": 0}, "max_windowsize must be from 1 to 65535, got 0 (RFC 7440)."),
        ({"timeout": 0}, "timeout must be above 0 and at most 255 seconds, got 0."),
        ({"timeout": 255.5}, "timeout must be above 0 and at most 255 seconds, got 255.5."),
        ({"retries": -1}, "retries must be from 0 to 1000, got -1 (how often to send again)."),
        ({"rollover": 2}, "rollover must be from 0 to 1, got 2 (the block number after 65535)."),
        ({"max_transfers": 0}, "max_transfers must be 1 or more, got 0."),
        ({"max_transfers_per_client": 0}, "max_transfers_per_client must be 1 or more, got 0."),
        ({"max_half_open": 0}, "max_half_open must be 1 or more, got 0."),
        ({"max_upload_size": -1}, "max_upload_size must be 0 or more, got -1."),
        ({"max_duration": 0}, "max_duration must be above 0 seconds, got 0."),
        (
            {"port_range": (0, 10)},
            "port_range must be two ports from 1 to 65535, the lower one first, got 0-10.",
        ),
        (
            {"port_range": (20, 10)},
            "port_range must be two ports from 1 to 65535, the lower one first, got 20-10.",
        ),
        (
            {"clients": ("10.0.0.0/33",)},
            "clients='10.0.0.0/33' is neither an address nor a network. Expected for example "
            "192.168.1.50, 192.168.1.0/24 or fe80::/10.",
        ),
    ],
)
def test_a_server_setting_that_cannot_be_is_refused_when_it_is_made(
    settings: dict[str, Any], text: str
) -> None:
    with pytest.raises(UsageError) as error:
        ServerSettings(**settings)
    assert str(error.value) == text


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"blksize": 7}, "blksize must be from 8 to 65464, got 7 (RFC 2348)."),
        ({"windowsize": 65536}, "windowsize must be from 1 to 65535, got 65536 (RFC 7440)."),
        ({"timeout": -1}, "timeout must be above 0 and at most 255 seconds, got -1."),
        ({"retries": 1001}, "retries must be from 0 to 1000, got 1001 (how often to send again)."),
        ({"rollover": -1}, "rollover must be from 0 to 1, got -1 (the block number after 65535)."),
        ({"wait": -0.5}, "wait must be 0 seconds or more, got -0.5."),
    ],
)
def test_a_client_setting_that_cannot_be_is_refused_when_it_is_made(
    settings: dict[str, Any], text: str
) -> None:
    with pytest.raises(UsageError) as error:
        ClientSettings(**settings)
    assert str(error.value) == text


def test_the_bounds_themselves_are_possible() -> None:
    ServerSettings(
        port=65535,
        max_blksize=8,
        max_windowsize=65535,
        timeout=255,
        retries=0,
        max_upload_size=0,
        port_range=(1, 65535),
    )
    ClientSettings(blksize=65464, windowsize=1, timeout=0.001, retries=1000, wait=0)


def test_settings_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        ServerSettings().port = 69  # type: ignore[misc]


def test_clients_are_addresses_and_networks_of_both_families() -> None:
    clients = ("192.168.1.77/24", "10.0.0.1", "fd00::/8")
    networks = ServerSettings(clients=clients).networks()
    assert [str(network) for network in networks] == ["192.168.1.0/24", "10.0.0.1/32", "fd00::/8"]


def test_the_negotiation_gets_its_part() -> None:
    settings = ServerSettings(
        max_blksize=1468,
        max_windowsize=8,
        refuse_options=frozenset(("tsize", "WindowSize")),
        rollover=1,
    )
    expected = Policy(
        max_blksize=1468,
        max_windowsize=8,
        refused=frozenset(("tsize", "windowsize")),
        rollover=1,
    )
    assert settings.policy() == expected


def test_the_store_gets_its_part() -> None:
    settings = ServerSettings(writable=True, create=False, overwrite=True, max_upload_size=10)
    assert settings.write_policy() == WritePolicy(True, False, True, 10)
    assert ServerSettings().write_policy().writable is False


@pytest.mark.parametrize("retransmission", Retransmission)
def test_the_timing_of_a_server_follows_the_round_trip_unless_it_is_fixed(
    retransmission: Retransmission,
) -> None:
    """RFC 1123, section 4.2.3.2: an adaptive timeout."""
    settings = ServerSettings(timeout=3.0, retries=7, retransmission=retransmission)
    is_adaptive = retransmission is Retransmission.adaptive
    assert settings.timing() == Timing(3.0, 7, is_adaptive=is_adaptive)


def test_the_timing_of_a_client_follows_the_round_trip() -> None:
    assert ClientSettings(timeout=3.0, retries=7).timing() == Timing(3.0, 7, is_adaptive=True)


def test_a_choice_is_written_as_its_name() -> None:
    assert [str(choice) for choice in Retransmission] == ["adaptive", "fixed"]
