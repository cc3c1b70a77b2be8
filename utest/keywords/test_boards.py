"""Aliases of boards in the arguments of keywords."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from TftpLibrary.errors import UsageError
from TftpLibrary.keywords.boards import Boards
from TftpLibrary.keywords.state import Defaults, LibraryState
from TftpLibrary.keywords.stations import StartRequest
from TftpLibrary.library import TftpLibrary
from TftpLibrary.settings import ServerSettings
from utest.support.bench import linux_only
from utest.support.records import completed, write_record

MAC = "52:54:00:ab:cd:07"


@pytest.fixture
def state() -> Iterator[LibraryState]:
    state = LibraryState(Defaults(host="127.0.0.1", port=0))
    yield state
    state.stop_all()


def start(state: LibraryState, alias: str, *clients: str) -> None:
    state.start(alias, StartRequest(None, ServerSettings(clients=clients)))


def resolve(state: LibraryState, *, is_of_records: bool = True, **named: Any) -> dict[str, Any]:
    """Returns the arguments as a keyword gets them. Any: they are of any type."""
    return {**Boards(state).resolve(named, is_of_records=is_of_records)}


@pytest.mark.parametrize("argument", ["client", "only_for", "for_client"])
@pytest.mark.parametrize("is_of_records", [True, False])
def test_an_alias_becomes_the_address_of_the_one_board_and_names_the_server(
    state: LibraryState, argument: str, is_of_records: bool
) -> None:
    start(state, "left", "192.168.1.50/32")
    start(state, "right", "fd00::1")
    for alias, address in (("Left", "192.168.1.50"), ("right", "fd00::1")):
        found = resolve(state, is_of_records=is_of_records, **{argument: alias, "name": "x"})
        assert found == {argument: address, "name": "x", "server": alias.lower()}


def test_a_server_that_is_given_stays(state: LibraryState) -> None:
    start(state, "left", "192.168.1.50")
    start(state, "rest")
    found = resolve(state, client="left", server="rest")
    assert found == {"client": "192.168.1.50", "server": "rest"}


@pytest.mark.parametrize(
    "named",
    [
        {},
        {"client": ""},
        {"client": "192.168.1.50"},
        {"client": "192.168.1.0/24", "server": ""},
        {"client": "fe80::1%eth0"},
        {"client": None},
        {"for_client": "board.example"},
        {"for_client": "rest"},
        {"client": "unknown"},
    ],
)
def test_what_is_no_alias_of_a_board_is_left_alone(
    state: LibraryState, named: dict[str, Any]
) -> None:
    start(state, "rest", *(() if "client" in named else ("10.0.0.0/8",)))
    assert resolve(state, **named) == named


def test_an_unknown_alias_is_told_with_those_that_there_are(state: LibraryState) -> None:
    start(state, "rest")
    start(state, "left", "192.168.1.50")
    start(state, "right", "192.168.1.51")
    with pytest.raises(UsageError) as error:
        resolve(state, client="middle")
    assert str(error.value) == (
        "client='middle' is neither an address nor a network, nor the alias of a server that "
        "names one board alone. Such servers: left, right."
    )
    assert resolve(state, for_client="middle") == {"for_client": "middle"}


@pytest.mark.parametrize("clients", [(), ("192.168.1.0/24",), ("10.0.0.1", "10.0.0.2")])
def test_a_server_without_a_board_of_its_own_is_told(
    state: LibraryState, clients: tuple[str, ...]
) -> None:
    start(state, "rest", *clients)
    with pytest.raises(UsageError) as error:
        resolve(state, only_for="rest")
    assert str(error.value) == (
        "only_for=rest: the server 'rest' does not name one board alone in clients=, so its alias "
        "is not that of a board. Give the address of the board."
    )


@linux_only
def test_records_are_asked_by_mac_address_and_files_by_the_address_that_is_known(
    state: LibraryState,
) -> None:
    start(state, "left", "5254.00AB.CD07")
    assert resolve(state, client="left") == {"client": MAC, "server": "left"}
    assert resolve(state, client="5254.00AB.CD07") == {"client": MAC}
    with pytest.raises(UsageError) as error:
        resolve(state, is_of_records=False, client="left")
    assert str(error.value) == (
        f"client= names the board {MAC}, whose address is not known before it asks. Give its "
        "address, or leave client= out where the server serves this board alone."
    )
    for address in ("192.168.1.50", "192.168.1.77"):
        write_record(state.recorder, completed("x", client=address, client_mac=MAC))
    write_record(state.recorder, completed("x", client="192.168.1.78"))
    found = resolve(state, is_of_records=False, client="left")
    assert found == {"client": "192.168.1.77", "server": "left"}
    assert resolve(state, is_of_records=False, client=MAC) == {"client": "192.168.1.77"}


def test_every_keyword_that_takes_a_client_takes_an_alias() -> None:
    library = TftpLibrary(host="127.0.0.1", port=0)
    try:
        library.run_keyword("Start TFTP Server", [], {"alias": "left", "clients": "127.0.0.2"})
        library.run_keyword("Start TFTP Server", [], {"alias": "right", "clients": "127.0.0.3"})
        library.run_keyword("Upload Text", ["text", "f"], {"only_for": "left"})
        assert library.run_keyword("List Files", [], {"client": "left"}) == ["f"]
        assert library.run_keyword("List Files", [], {"client": "right"}) == []
        assert library.run_keyword("Get Transfers", [], {"client": "left"}) == []
        library.run_keyword("Set TFTP Link Quality", [], {"client": "left", "server": "right"})
        found = library.run_keyword("Get TFTP Server Host", [], {"for_client": "left"})
        assert found == "127.0.0.1"
    finally:
        library.run_keyword("Stop All TFTP Servers", [], {})
