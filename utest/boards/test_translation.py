"""Which port of the board is which port of the server."""

from __future__ import annotations

from atest.boards.emulator.translation import Translation

SERVER = ("127.0.0.1", 43117)
BOARD_PORT, TID = 1353, 50001


def asked() -> Translation:
    translation = Translation(SERVER)
    translation.outbound(BOARD_PORT, 69)
    return translation


def test_request_goes_to_the_port_where_the_server_really_is() -> None:
    assert Translation(SERVER).outbound(BOARD_PORT, 69) == SERVER


def test_answer_from_a_new_port_keeps_that_port() -> None:
    assert asked().inbound(BOARD_PORT, ("127.0.0.1", TID)) == TID


def test_answer_from_the_asked_port_comes_from_port_69() -> None:
    assert asked().inbound(BOARD_PORT, SERVER) == 69


def test_board_answers_the_port_that_it_has_heard_of() -> None:
    translation = asked()
    translation.inbound(BOARD_PORT, ("127.0.0.1", TID))
    assert translation.outbound(BOARD_PORT, TID) == ("127.0.0.1", TID)


def test_port_that_the_board_never_heard_of_is_not_reached() -> None:
    translation = asked()
    assert translation.outbound(BOARD_PORT, TID) is None
    assert translation.outbound(9999, 53) is None


def test_what_one_port_of_the_board_has_heard_is_not_for_another() -> None:
    translation = asked()
    translation.inbound(BOARD_PORT, ("127.0.0.1", TID))
    assert translation.outbound(BOARD_PORT + 1, TID) is None


def test_nobody_gets_in_before_the_board_has_asked() -> None:
    assert Translation(SERVER).inbound(BOARD_PORT, SERVER) is None


def test_stranger_does_not_get_in() -> None:
    assert asked().inbound(BOARD_PORT, ("127.0.0.9", TID)) is None
